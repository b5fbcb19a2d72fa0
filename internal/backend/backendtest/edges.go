package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// edges are promises that a system meets rarely, and then all at once.
var edges = []promise{
	{"no answer comes inside the call", answerLater},
	{"large records keep their place among small ones", largeInOrder},
	{"a start on the fence of the one before", startAfterStart},
	{"a load to the end of the log", loadToTheEnd},
	{"a group is made once, by many", makeGroupOnce},
	{"a retry that is cancelled brings no task", cancelRetry},
	{"a firing takes the place of a retry, and a retry that of a firing", replaceRetry},
	{"schedules of different instances do not meet", timersOfOthers},
	{"a tombstone is replaced by the entry of a later run", replaceTombstone},
	{"a list ends with its context", endList},
	{"values as long as the details of a heartbeat, under long keys", longMeta},
	{"signals as long as a query", longSignals},
	{"aborts of activities with odd names", oddAborts},
	{"the hub says the same of itself to everybody", sameInfo},
	{"what was to happen later can be stopped", stopClock},
}

// answerLater calls with a lock that every callback takes, as owners do.
func answerLater(t *testing.T, h Hub) {
	c := connect(t, h)
	c.put(anna, start(1))
	var mu sync.Mutex
	answered := make(chan string, roomy)
	say := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		answered <- what
	}
	calls := map[string]func(){
		"append": func() { c.Append(backend.Append{To: anna, Record: event("1")}, func(uint64, error) { say("append") }) },
		"refused append": func() {
			c.Append(backend.Append{To: anna, Record: start(1), Fenced: true}, func(uint64, error) { say("refused append") })
		},
		"large append": func() {
			c.Append(backend.Append{To: anna, Record: c.large(c.Info().MaxPayload + 1)}, func(uint64, error) { say("large append") })
		},
		"unfit append": func() {
			c.Append(backend.Append{To: anna, Record: unfit()}, func(uint64, error) { say("unfit append") })
		},
		"cancel":          func() { c.CancelTimer(anna, slot(1), func(error) { say("cancel") }) },
		"load":            func() { c.Load(anna, 1, func(backend.Loaded, error) { say("load") }) },
		"load of nothing": func() { c.Load(odd, 0, func(backend.Loaded, error) { say("load of nothing") }) },
		"group":           func() { c.Group(anna.ID, func(string, error) { say("group") }) },
		"put state":       func() { c.PutState(backend.State{Address: anna}, 0, func(uint64, error) { say("put state") }) },
		"get state":       func() { c.GetState(anna.ID, func(backend.State, uint64, error) { say("get state") }) },
		"delete state":    func() { c.DeleteState(anna.ID, 7, func(error) { say("delete state") }) },
		"put archive":     func() { c.PutArchive(backend.Archive{Address: anna}, 7, func(uint64, error) { say("put archive") }) },
		"get archive":     func() { c.GetArchive(anna, func(backend.Archive, uint64, error) { say("get archive") }) },
		"clock":           func() { c.Clock().After(0, func() { say("clock") }) },
	}
	for what, call := range calls {
		mu.Lock() // a callback inside the call would wait for it for ever
		call()
		select {
		case got := <-answered:
			t.Errorf("%s was answered as %s before it returned", what, got)
		default:
		}
		mu.Unlock()
		if got := receive(t, answered, "the answer to "+what); got != what {
			t.Errorf("%s was answered as %s", what, got)
		}
	}
}

// unfit is a record that cannot be encoded.
func unfit() history.Record {
	s := start(1)
	s.Tags = map[string]string{"a": strings.Repeat("x", 1<<20)}
	return s
}

func (c *client) large(size int) *history.Event {
	return &history.Event{Name: "answer", ID: fmt.Sprint(size), Payload: bytes.Repeat([]byte("1"), size)}
}

// largeInOrder: what is large may take another way into the store.
func largeInOrder(t *testing.T, h Hub) {
	c := connect(t, h)
	first := c.put(anna, start(1))
	size := min(600<<10, c.Info().MaxPayload)
	const n = 12
	seqs := make(chan [2]uint64, n)
	for i := range n {
		r := event(fmt.Sprint(i))
		if i%3 == 0 {
			r = c.large(size)
		}
		c.Append(backend.Append{To: anna, Record: r}, func(seq uint64, err error) {
			if err != nil {
				t.Errorf("append %d: %v", i, err)
			}
			seqs <- [2]uint64{uint64(i), seq}
		})
	}
	stored := make([]uint64, n)
	for range n {
		s := receive(t, seqs, "an append")
		stored[s[0]] = s[1]
	}
	if !slices.IsSorted(stored) {
		t.Errorf("sequences in the order of the calls: %v", stored)
	}
	c.loadedAs(anna, first, 0, 0, stored...)
}

func startAfterStart(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	first := a.put(anna, start(1))
	a.put(anna, event("1")) // is none of its fence's business
	second, err := b.try(backend.Append{To: anna, Record: start(2), Fenced: true, Fence: first})
	if err != nil {
		t.Fatalf("a start on the fence of the one before: %v", err)
	}
	for _, stale := range []uint64{0, first, second + 1} {
		if _, err := a.try(backend.Append{To: anna, Record: start(3), Fenced: true, Fence: stale}); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("a start with fence %d while it is %d: %v, want ErrConflict", stale, second, err)
		}
	}
	b.loadedAs(anna, second, 0, 0)
}

func loadToTheEnd(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	first := a.put(anna, start(1))
	for n := range 20 {
		seq := a.put(anna, event(fmt.Sprint(n)))
		a.put(odd, event(fmt.Sprint(n)))
		if l := b.load(anna, backend.TheEnd); l.Start == nil || l.Start.Seq != first || len(l.Tail) != n+1 || l.Tail[n].Seq != seq {
			t.Fatalf("a load to the end has %d messages after message %d", len(l.Tail), seq)
		}
	}
}

func makeGroupOnce(t *testing.T, h Hub) {
	clients := []*client{connect(t, h), connect(t, h), connect(t, h)}
	var wg sync.WaitGroup
	for _, c := range clients {
		for range 3 {
			ctx := within(t)
			wg.Go(func() {
				if err := c.EnsureGroup(ctx, anna.Group); err != nil {
					t.Errorf("EnsureGroup: %v", err)
				}
			})
		}
	}
	wg.Wait()
	in := clients[0].open(anna)
	seqs := clients[1].putEvents(anna, "1", "2")
	ds := in.want(1, seqs...)
	ds[0].Ack()
	if err := clients[2].EnsureGroup(within(t), anna.Group); err != nil { // changes nothing for who is served
		t.Fatal(err)
	}
	in.flush(ds[1])
	in.want(1, clients[2].put(anna, event("3")))
}

// retry schedules the task of a slot again and gives it.
func (c *client) retry(n uint32, attempt int, after time.Duration) (*history.Task, time.Time) {
	c.t.Helper()
	again := task(charge, n)
	again.Attempt = attempt
	due := c.Clock().Now().Add(after)
	c.put(anna, &history.Timer{Ref: again.Ref, Due: due, Task: again})
	return again, due
}

func cancelRetry(t *testing.T, h Hub) {
	c := connect(t, h)
	q := c.tasks(charge, backend.Activity{Name: charge})
	q.Grant(5)
	_, due := c.retry(1, 2, near)
	c.cancel(anna, slot(1))
	c.intime(due)
	later, _ := c.retry(2, 2, far)
	differs(t, "the task", later, q.next().Task)
	q.silent()
}

func replaceRetry(t *testing.T, h Hub) {
	c := connect(t, h)
	in := c.open(anna)
	q := c.tasks(charge, backend.Activity{Name: charge})
	q.Grant(5)
	_, due := c.retry(1, 2, near)
	fires := c.arm(slot(1), far)
	c.intime(due)
	replaced := c.arm(slot(2), near)
	third, _ := c.retry(2, 3, near)
	c.intime(replaced)
	differs(t, "the task", third, q.next().Task)
	in.fired(slot(1), fires)
	q.silent()
}

func timersOfOthers(t *testing.T, h Hub) {
	c := connect(t, h)
	in := c.open(odd)
	due := c.Clock().Now().Add(near).UTC().Round(time.Nanosecond)
	c.put(odd, &history.Timer{Ref: slot(1), Due: due})
	c.arm(slot(1), away)
	c.cancel(anna, slot(1))
	in.fired(slot(1), due)
}

func replaceTombstone(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	rev, err := a.putArchive(backend.Archive{Address: anna, Run: 1, Status: history.Failed, Messages: history.Messages{{Seq: 1, Record: start(1)}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	buried, err := b.putArchive(backend.Archive{Address: anna, Run: 1, Status: history.Failed, Purged: true}, rev)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.putArchive(backend.Archive{Address: anna, Run: 1}, rev); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("an entry in the place of the one that was buried: %v, want ErrConflict", err)
	}
	got, at, err := a.getArchive(anna)
	if err != nil || !got.Purged || len(got.Messages) > 0 || at != buried {
		t.Errorf("the tombstone is %+v at %d, %v", got, at, err)
	}
	if _, err := a.putArchive(backend.Archive{Address: anna, Run: 2, Status: history.Completed}, buried); err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.getArchive(anna); err != nil || got.Purged || got.Run != 2 {
		t.Errorf("the later run is %+v, %v", got, err)
	}
}

func endList(t *testing.T, h Hub) {
	c := connect(t, h)
	for n := range 3 {
		if _, err := c.putState(backend.State{Address: history.Address{ID: fmt.Sprint(n)}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	if err := c.ListStates(ctx, func(backend.State) bool { return true }); err == nil {
		t.Error("a list whose context has ended gives no error")
	}
	if _, _, err := c.FindStates(ctx, backend.Query{Limit: 1}); err == nil {
		t.Error("a search whose context has ended gives no error")
	}
	if _, err := c.CountStates(ctx, backend.Query{}); err == nil {
		t.Error("a count whose context has ended gives no error")
	}
}

// longMeta: 64 KiB of details, which a codec and JSON make longer, under the longest id as it is encoded.
func longMeta(t *testing.T, h Hub) {
	m, ctx := connect(t, h).Meta(), within(t)
	key := backend.DetailsKey + history.EncodeID(strings.Repeat(".", history.MaxID)) + ".4000000000-4000000000-4000000000"
	value := bytes.Repeat([]byte("ключ"), 128<<10/8)
	rev, err := m.Put(ctx, key, value, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, at, err := m.Get(ctx, key)
	if err != nil || at != rev || !bytes.Equal(got, value) {
		t.Errorf("%d bytes at revision %d, error %v, want %d at %d", len(got), at, err, len(value), rev)
	}
	if err := m.Delete(ctx, key, rev); err != nil {
		t.Error(err)
	}
}

// longSignals: a query's 256 KiB, which a codec and JSON make longer by a half.
func longSignals(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	heard, _ := a.listen("query.g.1")
	b.until(heard, "query.g.1", strings.Repeat("x", 400<<10))
}

func oddAborts(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	var heard []chan string
	names := []string{"bank.Charge", "bank", "bank.*", ">", "банк", strings.Repeat("x", history.MaxName)}
	for _, name := range names {
		c, _ := a.listen(backend.AbortTopic(name))
		heard = append(heard, c)
	}
	for n, name := range names {
		b.until(heard[n], backend.AbortTopic(name), string(backend.Abort{From: odd, Ref: slot(uint32(n))}.Encode()))
	}
	for n, name := range names {
		want := string(backend.Abort{From: odd, Ref: slot(uint32(n))}.Encode())
		for len(heard[n]) > 0 {
			if got := <-heard[n]; got != want {
				t.Errorf("who listens for aborts of %q hears %s", name, got)
			}
		}
	}
}

func sameInfo(t *testing.T, h Hub) {
	a, b := connect(t, h).Info(), connect(t, h).Info()
	differs(t, "what the hub says of itself", a, b)
	if a.Hub == "" || a.Partitions < 1 || a.Durability == "" || a.MaxPayload < 1<<10 {
		t.Errorf("it says too little: %+v", a)
	}
}

func stopClock(t *testing.T, h Hub) {
	clock := connect(t, h).Clock()
	happened := make(chan string, roomy)
	begin := clock.Now()
	stop := clock.After(near, func() { happened <- "stopped" })
	stop()
	stop()
	clock.After(far, func() { happened <- "late" })
	clock.After(-time.Hour, func() { happened <- "at once" })
	for _, want := range []string{"at once", "late"} {
		if got := receive(t, happened, "what was to happen"); got != want {
			t.Errorf("%s has happened, want %s", got, want)
		}
	}
	if took := clock.Now().Sub(begin); took < far {
		t.Errorf("%v have passed, want %v at least", took, far)
	}
}
