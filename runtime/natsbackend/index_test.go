package natsbackend_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

var indexSeed = flag.Uint64("index-seed", 0, "seed of TestIndexFindsWhatAScanFinds; 0: a new one")

// changes makes random changes to the states of a hub and knows what they come to.
type changes struct {
	t    *testing.T
	r    *rand.Rand
	b    *natsbackend.Backend
	all  map[string]backend.State
	revs map[string]uint64
	now  time.Time
}

func newChanges(t *testing.T, b *natsbackend.Backend, seed uint64) *changes {
	return &changes{
		t: t, r: rand.New(rand.NewPCG(seed, 0)), b: b, all: map[string]backend.State{}, revs: map[string]uint64{},
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

var (
	someStatuses = []history.Status{history.Pending, history.Running, history.Suspended, history.Completed, history.Failed}
	someNames    = []string{"club.Join", "club.Leave", "shop.Join"}
	someIDs      = []string{"a", "ab", "abc", "order-1", "order-12", "order=", "ä"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// id is one of some hundred.
func (c *changes) id() string { return fmt.Sprintf("%s%d", pick(c.r, someIDs), c.r.IntN(40)) }

// change puts a new state, changes one, or deletes one.
func (c *changes) change() {
	c.t.Helper()
	id := c.id()
	s, known := c.all[id]
	switch {
	case known && c.r.IntN(4) == 0:
		c.remove(id)
		return
	case known:
		s.Status = pick(c.r, someStatuses)
	default:
		c.now = c.now.Add(time.Duration(c.r.IntN(3)) * 400 * time.Microsecond) // several in a millisecond, some at once
		s = backend.State{
			Address: history.Address{Group: "club", ID: id}, Name: pick(c.r, someNames), Status: pick(c.r, someStatuses), Run: 1,
			Created: c.now.Add(-time.Duration(c.r.IntN(20)) * time.Millisecond),
		}
		if c.r.IntN(3) == 0 {
			s.Parent = &history.Parent{Address: history.Address{Group: "club", ID: pick(c.r, someIDs) + "1"}}
			s.Root = pick(c.r, []string{"", pick(c.r, someIDs) + "1"})
		}
		if c.r.IntN(3) == 0 {
			s.Tags = map[string]string{"kind": pick(c.r, someIDs), "x": "y"}
		}
	}
	if s.Finished = (time.Time{}); s.Status.Final() {
		s.Finished = c.now
	}
	rev, err := await(c.t, func(done func(uint64, error)) { c.b.PutState(s, c.revs[id], done) })
	if err != nil {
		c.t.Fatal(err)
	}
	c.all[id], c.revs[id] = s, rev
}

func (c *changes) remove(id string) {
	c.t.Helper()
	_, err := await(c.t, func(done func(struct{}, error)) {
		c.b.DeleteState(id, c.revs[id], func(err error) { done(struct{}{}, err) })
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, c.revs[id], err = c.get(id); !errors.Is(err, backend.ErrNotFound) {
		c.t.Fatal(err)
	}
	delete(c.all, id)
}

func (c *changes) get(id string) (s backend.State, rev uint64, err error) {
	s, err = await(c.t, func(done func(backend.State, error)) {
		c.b.GetState(id, func(s backend.State, r uint64, err error) { rev = r; done(s, err) })
	})
	return s, rev, err
}

// query is one of all kinds.
func (c *changes) query() (q backend.Query) {
	sometimes := func(do func()) {
		if c.r.IntN(4) == 0 {
			do()
		}
	}
	sometimes(func() { q.Name = pick(c.r, []string{"Join", "club.Join", "shop.Join", "nobody"}) })
	sometimes(func() { q.Statuses = []history.Status{pick(c.r, someStatuses), pick(c.r, someStatuses)} })
	sometimes(func() { q.IDPrefix = (c.id() + "00")[:c.r.IntN(4)+1] })
	sometimes(func() { q.ParentID = pick(c.r, someIDs) + "1" })
	sometimes(func() { q.RootID = pick(c.r, someIDs) + "1" })
	sometimes(func() { q.Tags = map[string]string{"kind": pick(c.r, someIDs)} })
	sometimes(func() { q.CreatedFrom = c.now.Add(-time.Duration(c.r.IntN(40_000)) * time.Microsecond) })
	sometimes(func() { q.CreatedBefore = c.now.Add(-time.Duration(c.r.IntN(20_000)) * time.Microsecond) })
	if c.r.IntN(10) == 0 {
		q.FinishedFrom = c.now.Add(-5 * time.Millisecond)
	}
	q.Limit = 1 + c.r.IntN(30)
	return q
}

// want is what a list must have.
func (c *changes) want(q backend.Query) (ids []string, counts map[history.Status]int) {
	var fit []backend.State
	counts = map[history.Status]int{}
	for _, s := range c.all {
		if q.Fits(&s) {
			fit = append(fit, s)
			counts[s.Status]++
		}
	}
	slices.SortFunc(fit, func(a, b backend.State) int { return a.Place().Compare(b.Place()) })
	for _, s := range fit {
		ids = append(ids, fmt.Sprint(s.ID, s.Status))
	}
	return ids, counts
}

// check lists and counts by a connection.
func (c *changes) check(name string, b *natsbackend.Backend) {
	c.t.Helper()
	q := c.query()
	want, counts := c.want(q)
	var got []string
	for page, more := []backend.State(nil), true; more; {
		var err error
		if page, more, err = b.FindStates(within(c.t), q); err != nil {
			c.t.Fatal(err)
		}
		if more && len(page) != q.Limit {
			c.t.Errorf("%s, %+v: a page of %d, and there are more", name, q, len(page))
		}
		for _, s := range page {
			got = append(got, fmt.Sprint(s.ID, s.Status))
		}
		if more {
			at := page[len(page)-1].Place()
			q.After = &at
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Fatalf("%s, %+v: (-want +got)\n%s", name, q, diff)
	}
	have, err := b.CountStates(within(c.t), q)
	if err != nil {
		c.t.Fatal(err)
	}
	if diff := cmp.Diff(counts, have); diff != "" {
		c.t.Fatalf("%s, count of %+v: (-want +got)\n%s", name, q, diff)
	}
}

// TestIndexFindsWhatAScanFinds changes states at random, with segments so small that a list meets many of them, some with
// nothing left, and lists by connections that make the index, that only read it, that have just been opened, and that may do
// neither.
func TestIndexFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	seed := *indexSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test ./runtime/natsbackend -run TestIndexFindsWhatAScanFinds -index-seed %d", seed)
	s := external(t, &server.Options{JetStream: true, Users: []*server.User{
		{Username: "maker", Password: "p"},
		{Username: "reader", Password: "p", Permissions: denied("$KV.durable_default_meta.index.>")},
		{Username: "poor", Password: "p", Permissions: denied("$JS.API.DIRECT.GET.KV_durable_default_meta", "$JS.API.CONSUMER.CREATE.>", "$KV.>")},
	}})
	as := func(user string) *natsbackend.Backend {
		b, err := natsbackend.Connect(within(t), natsbackend.SmallIndex(natsbackend.Config{
			URL: strings.Replace(s.ClientURL(), "nats://", "nats://"+user+":p@", 1), Provision: user == "maker",
		}, 16))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	maker := as("maker")
	others := map[string]*natsbackend.Backend{"maker": maker, "second maker": as("maker"), "reader": as("reader"), "poor": as("poor")}
	c := newChanges(t, maker, seed)
	since := uint64(0)
	for range 20 {
		for range c.r.IntN(60) {
			c.change()
		}
		if c.r.IntN(3) == 0 {
			var err error
			if since, err = others["second maker"].LiveStates(within(t), since, func(history.Address, uint64, bool) {}); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"maker", "second maker", "reader", "poor"} {
			c.check(name, others[name])
		}
		if c.r.IntN(10) == 0 {
			others["maker"].ForgetIndex()
		}
	}
	if n := maker.IndexSize(within(t)); n == 0 {
		t.Error("there is no index")
	}
}

func denied(subjects ...string) *server.Permissions {
	return &server.Permissions{Publish: &server.SubjectPermission{Deny: subjects}}
}

// TestIndexOfAStoreThatWasSetBack: a server that has lost the end of the bucket gives the sequences to other states, of which
// the index knows nothing.
func TestIndexOfAStoreThatWasSetBack(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	cfg := natsbackend.SmallIndex(natsbackend.Config{}, 16)
	b := open(t, s, cfg)
	c := newChanges(t, b, 1)
	for range 100 {
		c.change()
	}
	c.check("before", b)
	if b.IndexSize(within(t)) == 0 {
		t.Fatal("there is no index")
	}
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err == nil {
		err = js.DeleteStream(within(t), "KV_durable_default_instances")
	}
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, s, cfg)
	c = newChanges(t, b, 2)
	for range 10 {
		for range 15 {
			c.change()
		}
		c.check("with an old index in memory", b)
		c.check("with an old index in the bucket", other)
	}
}

// TestDamagedIndex: what is no segment is as good as none, and is replaced.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	cfg := natsbackend.SmallIndex(natsbackend.Config{}, 16)
	b := open(t, s, cfg)
	c := newChanges(t, b, 1)
	for range 200 {
		c.change()
	}
	c.check("before", b)
	values, err := b.Meta().List(within(t), "index")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range values {
		_, rev, err := b.Meta().Get(within(t), key)
		if err == nil && c.r.IntN(2) == 0 {
			_, err = b.Meta().Put(within(t), key, value[:c.r.IntN(len(value))], rev)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		c.change()
		c.check("after", b)
		c.check("anew", open(t, s, cfg))
	}
}

// TestListOfWhatMoves: a state that is rewritten moves to the end of the bucket. Lists that are made meanwhile have every
// instance once.
func TestListOfWhatMoves(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	cfg := natsbackend.SmallIndex(natsbackend.Config{}, 16)
	b, lister := open(t, s, cfg), open(t, s, cfg)
	const n = 100
	var revs [n]uint64
	put := func(k int, status history.Status) (err error) {
		s := backend.State{Address: history.Address{ID: fmt.Sprint(k)}, Status: status, Created: time.Date(2026, 1, 2, 3, 4, k, 0, time.UTC)}
		stored := make(chan error)
		b.PutState(s, revs[k], func(rev uint64, err error) { revs[k] = rev; stored <- err })
		return <-stored
	}
	for k := range n {
		if err := put(k, history.Running); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() {
		r := rand.New(rand.NewPCG(1, 1))
		for k := range 1000 {
			err := put(r.IntN(n), pick(r, []history.Status{history.Running, history.Suspended}))
			if err == nil && k%100 == 0 {
				_, err = b.LiveStates(context.Background(), 0, func(history.Address, uint64, bool) {})
			}
			if err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	t.Cleanup(func() { // before the hub is closed
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for lists := 0; ; lists++ {
		page, more, err := lister.FindStates(within(t), backend.Query{Limit: n})
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range page {
			if s.ID != fmt.Sprint(n-1-k) {
				t.Fatalf("list %d has %s at %d", lists, s.ID, k)
			}
		}
		if len(page) != n || more {
			t.Fatalf("list %d has %d instances, more %v", lists, len(page), more)
		}
		select {
		case err := <-ended:
			ended <- err
			return
		default:
		}
	}
}

// TestIndexForgetsWhatIsGone: the index of a hub that lives long does not grow with what has been.
func TestIndexForgetsWhatIsGone(t *testing.T) {
	t.Parallel()
	b := open(t, serve(t, embedded.Config{}), natsbackend.SmallIndex(natsbackend.Config{}, 16))
	c := newChanges(t, b, 1)
	round := func() {
		if _, err := b.LiveStates(within(t), 0, func(history.Address, uint64, bool) {}); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		for range 30 {
			c.change()
		}
		round()
	}
	c.check("on the way", b)
	for len(c.all) > 0 {
		c.remove(slices.Sorted(maps.Keys(c.all))[0])
	}
	for range 3 {
		round()
	}
	c.check("in the end", b)
	copies, err := b.Meta().List(within(t), "index.copies")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range copies {
		if strings.Contains(string(value), `"id"`) {
			t.Errorf("%s has copies of states that are gone", key)
		}
	}
	// Marks of deletions are left, a few bytes each, and the index may have a quarter more than there is.
	if size, most := b.IndexSize(within(t)), 8*len(c.revs); size > most {
		t.Errorf("of %d states that are gone the index has %d bytes, want at most %d", len(c.revs), size, most)
	}
}
