package natsbackend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// soakCode waits for two events and adds them up.
type soakCode struct{}

func (soakCode) Program(string, string) (engine.Program, bool) {
	return func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		sum := 0
		for range 2 {
			f := co.Receive("n")
			co.Await(f)
			payload, _ := f.Result()
			var n int
			if err := json.Unmarshal(payload, &n); err != nil {
				return nil, err
			}
			sum += n
		}
		return history.Payload(fmt.Sprint(sum)), nil
	}, true
}
func (soakCode) Resolve(_ history.SlotKind, name string) string { return name }
func (soakCode) Orchestrators() []string                        { return []string{"soak.Sum"} }

// soaked is a hub that forgets within seconds, with its worker.
type soaked struct {
	t   *testing.T
	s   *embedded.Server
	hub *natsbackend.Backend
	g   *owner.Group
}

func soakIn(t *testing.T, dir string) *soaked {
	t.Helper()
	k := &soaked{t: t}
	k.s = serve(t, embedded.Config{Dir: dir})
	second := natsbackend.Retention{Completed: 2 * time.Second, Failed: 2 * time.Second, Terminated: 2 * time.Second, Canceled: 2 * time.Second}
	k.hub = open(t, k.s, natsbackend.Hasty(natsbackend.Config{Retention: second, Partitions: 2}))
	var err error
	k.g, err = owner.Start(within(t), owner.Config{
		Backend: k.hub, Group: "soak", Worker: "w", Code: soakCode{}, Fail: func(err error) *history.Failure { return &history.Failure{Message: err.Error()} },
		Retention: owner.Retention{Every: 100 * time.Millisecond, Keep: 200, Age: 300 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *soaked) stop() {
	k.t.Helper()
	if err := errors.Join(k.g.Stop(within(k.t)), k.hub.Close(), k.s.Close()); err != nil {
		k.t.Fatal(err)
	}
}

func (k *soaked) put(id string, r history.Record) {
	k.t.Helper()
	_, err := await(k.t, func(done func(uint64, error)) {
		k.hub.Append(backend.Append{To: history.Address{Group: "soak", ID: id}, Record: r}, done)
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *soaked) begin(id string) {
	k.t.Helper()
	k.put(id, &history.Start{Run: 1, Orchestrator: "soak.Sum", Born: time.Now()})
	k.event(id, 1)
}

func (k *soaked) event(id string, n int) {
	k.t.Helper()
	k.put(id, &history.Event{Name: "n", ID: fmt.Sprint(id, n), Payload: history.Payload(fmt.Sprint(n))})
}

// until looks until a condition holds.
func (k *soaked) until(what string, holds func() bool) {
	k.t.Helper()
	for end := within(k.t); !holds(); {
		if end.Err() != nil {
			k.t.Fatalf("not so: %s", what)
		}
	}
}

func (k *soaked) messages(stream string) jetstream.StreamState {
	k.t.Helper()
	s, err := streams(k.t, k.s).Stream(within(k.t), stream)
	if err != nil {
		k.t.Fatal(err)
	}
	return s.CachedInfo().State
}

// TestSoak is a short one: what has ended goes, log, archive and projection come to hold what waits and no more, and that
// goes on after a restart of the server. The long one is `make soak`.
func TestSoak(t *testing.T) {
	t.Parallel()
	const short, long = 400, 20
	dir := t.TempDir()
	k := soakIn(t, dir)
	for n := range long {
		k.begin(fmt.Sprint("long", n))
	}
	for n := range short {
		id := fmt.Sprint("short", n)
		k.begin(id)
		k.event(id, 2)
	}
	k.until("states of what has ended are gone", func() bool {
		all, ended := 0, 0
		if err := k.hub.ListStates(within(t), func(s backend.State) bool {
			if all++; s.Status.Final() {
				ended++
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return all == long && ended == 0
	})
	k.until("the archive holds what waits", func() bool { return k.messages("DURABLE_default_ARCHIVE").Msgs <= long })
	k.until("the log holds what may be held by what waits", func() bool { return k.messages("DURABLE_default").Msgs <= 200+4*long })
	k.stop()
	k = soakIn(t, dir)
	for n := range long {
		k.event(fmt.Sprint("long", n), 2)
	}
	left := map[string]bool{}
	for n := range long {
		left[fmt.Sprint("long", n)] = true
	}
	k.until("what waited has ended right", func() bool {
		for id := range left {
			a, err := await(t, func(done func(backend.Archive, error)) {
				k.hub.GetArchive(history.Address{Group: "soak", ID: id}, func(a backend.Archive, _ uint64, err error) { done(a, err) })
			})
			if errors.Is(err, backend.ErrNotFound) || err == nil && a.Snapshot() {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			end := a.Messages[len(a.Messages)-1].Record.(*history.Turn).End
			if a.Status != history.Completed || string(end.Result) != "3" {
				t.Fatalf("%s has ended as %s with %s", id, a.Status, end.Result)
			}
			delete(left, id)
		}
		return len(left) == 0
	})
	k.stop()
}
