package natsbackend_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// rareHub is a hub of n instances, of which every eighth has failed, with an index of them.
type rareHub struct {
	t       *testing.T
	b       *natsbackend.Backend
	revs    []uint64
	removed map[int]bool
}

func newRareHub(t *testing.T, b *natsbackend.Backend, n int) *rareHub {
	t.Helper()
	h := &rareHub{t: t, b: b, revs: make([]uint64, n), removed: map[int]bool{}}
	for k := range n {
		switch {
		case k%8 == 0:
			h.put(k, history.Failed)
		case k%8 == 4:
			h.put(k, history.Running)
		default:
			h.put(k, history.Completed)
		}
	}
	h.round()
	return h
}

func (h *rareHub) put(k int, status history.Status) {
	h.t.Helper()
	s := backend.State{Address: history.Address{ID: fmt.Sprintf("i%d", k)}, Status: status, Created: time.Date(2026, 1, 2, 3, 4, k, 0, time.UTC)}
	if status == history.Failed {
		s.Failure = "as stored"
	}
	rev, err := await(h.t, func(done func(uint64, error)) { h.b.PutState(s, h.revs[k], done) })
	if err != nil {
		h.t.Error(err)
	}
	h.revs[k] = rev
}

func (h *rareHub) remove(k int) {
	h.t.Helper()
	if _, err := await(h.t, func(done func(struct{}, error)) {
		h.b.DeleteState(fmt.Sprintf("i%d", k), h.revs[k], func(err error) { done(struct{}{}, err) })
	}); err != nil {
		h.t.Error(err)
	}
	h.removed[k] = true
}

// round is what whoever shortens the log does now and then.
func (h *rareHub) round() {
	h.t.Helper()
	if _, err := h.b.LiveStates(within(h.t), 0, func(history.Address, uint64, bool) {}); err != nil {
		h.t.Fatal(err)
	}
}

// failed lists what has failed: why, by id.
func (h *rareHub) failed(b *natsbackend.Backend) map[string]string {
	h.t.Helper()
	page, more, err := b.FindStates(within(h.t), backend.Query{Limit: len(h.revs), Statuses: []history.Status{history.Failed}})
	if err != nil || more {
		h.t.Fatal(more, err)
	}
	found := map[string]string{}
	for _, s := range page {
		if _, twice := found[s.ID]; twice || s.Status != history.Failed {
			h.t.Errorf("%s is given twice, or as %s", s.ID, s.Status)
		}
		found[s.ID] = s.Failure
	}
	return found
}

// TestListShowsCopies: they are shown for as long as the stream shows that nothing is missing but what had not ended, and else read.
func TestListShowsCopies(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	h := newRareHub(t, open(t, s, natsbackend.SmallIndex(natsbackend.Config{}, 16)), 160)
	if n, err := h.b.TamperCopies(within(t), 0, "as copied"); err != nil || n != 20 {
		t.Fatalf("%d copies, want 20, %v", n, err)
	}
	check := func(what string, copied, read int) {
		t.Helper()
		got := map[string]int{}
		for _, why := range h.failed(h.b) {
			got[why]++
		}
		if got["as copied"] != copied || got["as stored"] != read {
			t.Errorf("%s: %v, want %d as copied and %d as stored", what, got, copied, read)
		}
	}
	check("all is there", 20, 0)
	h.put(12, history.Completed)
	h.put(20, history.Failed)
	check("two that ran have ended", 20, 1)
	h.put(17, history.Completed)
	h.put(16, history.Failed)
	check("two that had ended are replaced", 19, 2)
	h.remove(8)
	check("one is removed", 18, 2)
	h.round()
	check("those are in the index", 18, 2)
	h.put(25, history.Running)
	h.remove(24)
	for k := 1; k < 4; k++ {
		h.put(k, history.Completed)
	}
	h.round()
	check("the index has come by before a list", 17, 2)
	vanish(t, s, 33)
	check("one has vanished without a trace", 0, 19)
}

// TestProofOfTheIndex: what appears while a list asks does not stand in for what has vanished, which need not leave a trace.
func TestProofOfTheIndex(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	h := newRareHub(t, open(t, s, natsbackend.SmallIndex(natsbackend.Config{}, 16)), 160)
	h.revs = append(h.revs, 0, 0)
	prove := func(what string, want bool, meanwhile func()) {
		t.Helper()
		got, err := h.b.Prove(within(t), meanwhile)
		if err != nil || got != want {
			t.Errorf("%s: %v, want %v, %v", what, got, want, err)
		}
	}
	prove("nothing has happened", true, func() {})
	vanish(t, s, 16)
	prove("one has vanished", false, func() {})
	prove("one has vanished, and there is a new one", false, func() { h.put(161, history.Completed) })
	prove("one has vanished, and one that ran has ended", false, func() { h.put(20, history.Failed) })
	h = newRareHub(t, open(t, serve(t, embedded.Config{}), natsbackend.SmallIndex(natsbackend.Config{}, 16)), 160)
	h.revs = append(h.revs, 0)
	prove("one that ran has ended", true, func() { h.put(12, history.Failed) })
	prove("there is a new one", true, func() { h.put(160, history.Completed) })
	prove("one that had ended runs", true, func() { h.put(17, history.Running) })
}

// TestIndexStrikesWhatIsReplaced: what ends soon after the index has told of it does not stay in it.
func TestIndexStrikesWhatIsReplaced(t *testing.T) {
	t.Parallel()
	h := newRareHub(t, open(t, serve(t, embedded.Config{}), natsbackend.SmallIndex(natsbackend.Config{}, 16)), 320)
	for k := 252; k < 320; k += 8 {
		h.put(k, history.Completed)
	}
	h.put(16, history.Completed)
	for k := 320; k < 336; k++ {
		h.revs = append(h.revs, 0)
		h.put(k, history.Completed)
	}
	h.round()
	if gone, behind, err := h.b.Excess(within(t)); gone != 0 || err != nil {
		t.Errorf("the index tells of %d that are gone, and has %d behind it, %v", gone, behind, err)
	}
}

// TestCopiesOfAStoreThatWasSetBack: sequences that were given again are not of the states that had them.
func TestCopiesOfAStoreThatWasSetBack(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	cfg := natsbackend.SmallIndex(natsbackend.Config{}, 16)
	b := open(t, s, cfg)
	newRareHub(t, b, 64)
	if n, err := b.TamperCopies(within(t), 0, "as copied"); err != nil || n == 0 {
		t.Fatalf("%d copies, %v", n, err)
	}
	if err := jetstreamOf(t, s).DeleteStream(within(t), "KV_durable_default_instances"); err != nil {
		t.Fatal(err)
	}
	h := &rareHub{t: t, b: open(t, s, cfg), revs: make([]uint64, 64)}
	for k := range h.revs {
		h.put(k, map[bool]history.Status{true: history.Failed, false: history.Completed}[k < 16]) // too many to be copied again
	}
	for range 2 { // the first one makes the index
		for id, why := range h.failed(h.b) {
			if why != "as stored" {
				t.Errorf("%s failed %s", id, why)
			}
		}
	}
}

// vanish removes a state as if it had expired.
func vanish(t *testing.T, s *embedded.Server, k int) {
	t.Helper()
	states, err := jetstreamOf(t, s).Stream(within(t), "KV_durable_default_instances")
	if err == nil {
		err = states.Purge(within(t), jetstream.WithPurgeSubject(fmt.Sprintf("$KV.durable_default_instances.i%d", k)))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func jetstreamOf(t *testing.T, s *embedded.Server) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestCopiesAreForgotten: of what is purged, begins again or expires no copy stays.
func TestCopiesAreForgotten(t *testing.T) {
	t.Parallel()
	h := newRareHub(t, open(t, serve(t, embedded.Config{}), natsbackend.SmallIndex(natsbackend.Config{}, 16)), 160)
	copied := func() string {
		values, err := h.b.Meta().List(within(t), "index.copies")
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, v := range values {
			all.Write(v)
		}
		return all.String()
	}
	h.remove(8)
	h.put(16, history.Running)
	h.round()
	all := copied()
	for id, want := range map[string]bool{"i8": false, "i16": false, "i24": true, "i152": true} {
		if got := strings.Contains(all, fmt.Sprintf("%q", id)); got != want {
			t.Errorf("%s is copied: %v, want %v", id, got, want)
		}
	}
	if _, err := h.b.TamperCopies(within(t), 1, ""); err != nil {
		t.Fatal(err)
	}
	h.round()
	if all := copied(); strings.Contains(all, `"id"`) {
		t.Errorf("what has expired is still copied: %q", all)
	}
}

// TestListOfWhatMovesAmongCopies lists what has failed while instances begin again, end and go. What has failed is there, once, and
// what had not failed any more before the list began is not.
func TestListOfWhatMovesAmongCopies(t *testing.T) {
	t.Parallel()
	seed := *indexSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test ./runtime/natsbackend -run TestListOfWhatMovesAmongCopies -index-seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	s := serve(t, embedded.Config{})
	cfg := natsbackend.SmallIndex(natsbackend.Config{}, 16)
	h := newRareHub(t, open(t, s, cfg), 320)
	lister := open(t, s, cfg)
	status := map[int]history.Status{}
	for k := range h.revs {
		if k%8 == 0 {
			status[k] = history.Failed
		}
	}
	change := func() (k int) {
		k = r.IntN(len(h.revs))
		switch {
		case h.removed[k], k%16 == 0 && r.IntN(8) > 0: // half of what has failed hardly changes
		case r.IntN(12) == 0:
			h.remove(k)
			delete(status, k)
		default:
			status[k] = pick(r, []history.Status{history.Running, history.Completed, history.Failed})
			h.put(k, status[k])
		}
		return k
	}
	for range 150 {
		before := maps.Clone(status)
		moved := map[int]bool{}
		ended := make(chan struct{})
		n := r.IntN(4)
		go func() {
			defer close(ended)
			for range n {
				moved[change()] = true
			}
		}()
		found := h.failed(lister)
		<-ended
		for k := range h.revs {
			_, has := found[fmt.Sprintf("i%d", k)]
			if was := before[k] == history.Failed; !moved[k] && has != was {
				t.Fatalf("i%d is listed: %v, want %v", k, has, was)
			}
		}
		if r.IntN(20) == 0 {
			h.round()
		}
	}
}
