package backendtest

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var closes = []promise{
	{"every call is answered once", closeAnswers},
	{"later calls are refused", closeRefuses},
	{"deliveries end", closeSilences},
	{"the hub goes on", closeKeeps},
}

func closeAnswers(t *testing.T, h Hub) {
	c := connect(t, h)
	c.put(anna, start(1))
	const rounds = 300
	var answers [7 * rounds]atomic.Int32
	all := make(chan struct{}, len(answers))
	n := 0
	next := func() func(err error) {
		mine := &answers[n]
		n++
		return func(err error) {
			if err != nil && !errors.Is(err, backend.ErrClosed) && !errors.Is(err, backend.ErrConflict) && !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("answer %v, want success or ErrClosed", err)
			}
			mine.Add(1)
			all <- struct{}{}
		}
	}
	for range rounds {
		appended, canceled, loaded, found, put, got, archived := next(), next(), next(), next(), next(), next(), next()
		c.Append(backend.Append{To: anna, Record: event("1")}, func(_ uint64, err error) { appended(err) })
		c.CancelTimer(anna, slot(1), canceled)
		c.Load(anna, 1, func(_ backend.Loaded, err error) { loaded(err) })
		c.Group(anna.ID, func(_ string, err error) { found(err) })
		c.PutState(backend.State{Address: anna}, 0, func(_ uint64, err error) { put(err) })
		c.GetState(anna.ID, func(_ backend.State, _ uint64, err error) { got(err) })
		c.GetArchive(anna, func(_ backend.Archive, _ uint64, err error) { archived(err) })
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for range answers {
		receive(t, all, "an answer")
	}
	if err := c.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	for i := range answers {
		if got := answers[i].Load(); got != 1 {
			t.Errorf("call %d was answered %d times", i, got)
		}
	}
}

func closeRefuses(t *testing.T, h Hub) {
	c := connect(t, h)
	in := c.Inbox(anna.Group, 0)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, appended := c.try(backend.Append{To: anna, Record: event("1")})
	_, loaded := await(t, "a load", func(done func(backend.Loaded, error)) { c.Load(anna, 1, done) })
	_, put := c.putState(backend.State{Address: anna}, 0)
	_, _, got := c.getState(anna.ID)
	_, archived := c.putArchive(backend.Archive{Address: anna}, 0)
	_, _, meta := c.Meta().Get(within(t), "key")
	_, opened := in.Open(within(t), func(backend.Delivery) {})
	for what, err := range map[string]error{
		"append": appended, "load": loaded, "put": put, "get": got, "archive": archived, "meta": meta, "open": opened,
	} {
		if !errors.Is(err, backend.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
	c.Signal("topic", nil) // nobody hears it, and nothing breaks
}

func closeSilences(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	in := a.open(anna)
	q := a.tasks(charge, backend.Activity{Name: charge})
	q.Grant(10)
	a.put(anna, event("1"))
	in.next()
	heard, _ := a.listen("topic")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b.put(anna, event("2"))
	b.put(anna, task(charge, 0))
	b.Signal("topic", []byte("2"))
	others, _ := b.listen("topic")
	b.until(others, "topic", "3")
	b.open(anna).next()
	in.silent()
	q.silent()
	select {
	case s := <-heard:
		t.Errorf("signal %q after Close", s)
	default:
	}
}

func closeKeeps(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	first := a.put(anna, start(1))
	in := a.open(anna)
	in.want(1, first)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b.loadedAs(anna, first, 0, 0)
	next := b.open(anna)
	if next.horizon != first {
		t.Errorf("horizon is %d, want %d", next.horizon, first)
	}
	d := next.want(1, first)[0]
	differs[history.Record](t, "the message", start(1), d.Message.Record)
}
