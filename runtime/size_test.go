package durable_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// weighed counts what is asked of a backend: every call that reads or writes, and every message that a load or an archive
// entry moves.
type weighed struct {
	durable.Backend
	cost atomic.Int64
}

func (w *weighed) loaded(done func(backend.Loaded, error)) func(backend.Loaded, error) {
	return func(l backend.Loaded, err error) {
		w.cost.Add(1 + int64(len(l.Tail)))
		done(l, err)
	}
}

func (w *weighed) Append(a backend.Append, done func(uint64, error)) {
	w.cost.Add(1)
	w.Backend.Append(a, done)
}

func (w *weighed) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	w.Backend.Load(of, reach, w.loaded(done))
}

func (w *weighed) LoadAfter(of history.Address, after, reach uint64, done func(backend.Loaded, error)) {
	w.Backend.LoadAfter(of, after, reach, w.loaded(done))
}

func (w *weighed) PutArchive(a backend.Archive, expect uint64, done func(uint64, error)) {
	w.cost.Add(1 + int64(len(a.Messages)))
	w.Backend.PutArchive(a, expect, done)
}

func (w *weighed) GetArchive(of history.Address, done func(backend.Archive, uint64, error)) {
	w.Backend.GetArchive(of, func(a backend.Archive, seq uint64, err error) {
		w.cost.Add(1 + int64(len(a.Messages)))
		done(a, seq, err)
	})
}

func (w *weighed) PutState(s backend.State, rev uint64, done func(uint64, error)) {
	w.cost.Add(1)
	w.Backend.PutState(s, rev, done)
}

func (w *weighed) GetState(id string, done func(backend.State, uint64, error)) {
	w.cost.Add(1)
	w.Backend.GetState(id, done)
}

// sized is an instance of n items on a hub whose calls are counted.
type sized struct {
	*hub
	be     *weighed
	client *durable.Client
	n      int
}

// serve starts a worker whose calls are counted.
func (s *sized) serve(cfg durable.WorkerConfig) *durable.Worker {
	s.t.Helper()
	w := durable.NewWorker(s.be, registry(s.t, sizeCode...), cfg)
	must(s.t, w.Start(s.t.Context()))
	s.t.Cleanup(func() { s.stop(w) })
	return w
}

func (s *sized) start(o *durable.Orchestrator) durable.Handle[int] {
	s.t.Helper()
	handle, err := durable.StartInstance[int](s.t.Context(), s.client, o, s.n)
	must(s.t, err)
	return handle
}

// ends waits for the result, and lets it be read where it is kept: a hint that comes in time would save that, in some runs.
func (s *sized) ends(handle durable.Handle[int]) {
	s.t.Helper()
	s.pass(time.Second)
	want(s.hub, handle, s.n)
}

// projected gives what reading the projection of an instance gives.
func (s *sized) projected(id string) error {
	s.t.Helper()
	answer := make(chan error, 1)
	s.m.View("eye").GetState(id, func(_ backend.State, _ uint64, err error) { answer <- err })
	s.pass(50 * time.Millisecond)
	return <-answer
}

// raise sends n events, one after the other.
func (s *sized) raise(id string, n int) {
	s.t.Helper()
	for range n {
		must(s.t, s.client.Raise(s.t.Context(), id, "e", 1))
	}
}

var (
	sizeOne     = task("One")
	sizeFan     = flow("SizeFan")
	sizeCount   = flow("SizeCount")
	sizeAway    = &durable.Orchestrator{Name: "away.Count", Group: "away", Source: "example.com/away.Count"}
	sizeDeliver = flow("SizeDeliver")
	sizeTimers  = flow("SizeTimers")
	sizeDecided = flow("SizeDecided")
	sizeSleeps  = flow("SizeSleeps")
	sizeCode    = []durable.Binding{
		durable.BindActivity(sizeOne, func(context.Context, durable.None) (int, error) { return 1, nil }),
		durable.BindOrchestrator(sizeFan, func(ctx durable.Context, n int) (int, error) {
			all := make([]durable.Future[int], n)
			for k := range all {
				all[k] = durable.StartActivity[int](ctx, sizeOne, nil)
			}
			values, err := durable.Collect(ctx, all)
			return len(values), err
		}),
		durable.BindOrchestrator(sizeCount, func(ctx durable.Context, n int) (int, error) {
			sum := 0
			for range n {
				v, err := durable.ReceiveEvent[int](ctx, "e").Get(ctx)
				if err != nil {
					return 0, err
				}
				sum += v
			}
			return sum, nil
		}),
		durable.BindOrchestrator(sizeTimers, func(ctx durable.Context, n int) (int, error) {
			all := make([]durable.Timer, n)
			for k := range all {
				all[k] = durable.NewTimer(ctx, time.Minute)
			}
			for _, t := range all {
				if err := t.Wait(ctx); err != nil {
					return 0, err
				}
			}
			return n, nil
		}),
		durable.BindOrchestrator(sizeSleeps, func(ctx durable.Context, n int) (int, error) {
			for range n {
				if err := durable.Sleep(ctx, time.Minute); err != nil {
					return 0, err
				}
			}
			return n, nil
		}),
		durable.BindOrchestrator(sizeDecided, func(ctx durable.Context, n int) (int, error) {
			durable.NewTimer(ctx, time.Hour)
			durable.NewTimer(ctx, time.Hour)
			sum := 0
			for range n {
				v, err := durable.ReceiveEvent[int](ctx, "e").Get(ctx)
				if err != nil {
					return 0, err
				}
				sum += v
			}
			return sum, nil
		}),
		durable.BindOrchestrator(sizeDeliver, func(ctx durable.Context, to sizeDelivery) (int, error) {
			for n := range to.N {
				if err := durable.DeliverEvent(ctx, to.ID, "e", 1); err != nil {
					return n, err
				}
			}
			return to.N, nil
		}),
	}
)

type sizeDelivery struct {
	ID string
	N  int
}

// TestCostDoesNotRiseWithSize: ten times as many items cost ten times as many calls and messages, not a hundred times.
func TestCostDoesNotRiseWithSize(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *sized)
	}{
		{"a fan-out", func(t *testing.T, s *sized) {
			w := s.serve(durable.WorkerConfig{})
			s.ends(s.start(sizeFan))
			s.stop(w)
		}},
		{"timers", func(t *testing.T, s *sized) {
			w := s.serve(durable.WorkerConfig{})
			handle := s.start(sizeTimers)
			s.pass(2 * time.Minute)
			s.ends(handle)
			s.stop(w)
		}},
		{"sleeps, one after the other", func(t *testing.T, s *sized) {
			w := s.serve(durable.WorkerConfig{})
			handle := s.start(sizeSleeps)
			s.pass(time.Duration(s.n+1) * time.Minute)
			s.ends(handle)
			s.stop(w)
		}},
		{"events to an instance that waits", func(t *testing.T, s *sized) {
			w := s.serve(durable.WorkerConfig{})
			handle := s.start(sizeCount)
			s.pass(time.Second)
			s.raise(handle.ID(), s.n)
			s.ends(handle)
			s.stop(w)
		}},
		{"events before the first projection", func(t *testing.T, s *sized) {
			w := s.serve(durable.WorkerConfig{})
			handle := s.start(sizeCount)
			s.raise(handle.ID(), s.n)
			s.ends(handle)
			s.stop(w)
		}},
		{"events to an instance whose worker has decided, and died before it was projected", func(t *testing.T, s *sized) {
			view := s.m.View("dies")
			dies := durable.NewWorker(view, registry(t, sizeCode...), durable.WorkerConfig{})
			must(t, dies.Start(t.Context()))
			s.pass(time.Second)
			handle := s.start(sizeDecided)
			s.pass(100 * time.Millisecond)
			must(t, view.Close())
			if err := s.projected(handle.ID()); !errors.Is(err, backend.ErrNotFound) {
				t.Fatalf("it is projected: %v", err)
			}
			s.raise(handle.ID(), s.n)
			w := s.serve(durable.WorkerConfig{})
			s.ends(handle)
			s.stop(w)
			_ = dies.Stop(t.Context())
		}},
		{"events while no worker runs", func(t *testing.T, s *sized) {
			handle := s.start(sizeCount)
			s.raise(handle.ID(), s.n)
			w := s.serve(durable.WorkerConfig{})
			s.ends(handle)
			s.stop(w)
		}},
		{"deliveries while no worker of the receiver runs", func(t *testing.T, s *sized) {
			w := s.serve(durable.WorkerConfig{})
			receiver, err := durable.StartInstance[int](t.Context(), s.client, sizeAway, s.n)
			must(t, err)
			handle, err := durable.StartInstance[int](t.Context(), s.client, sizeDeliver, sizeDelivery{receiver.ID(), s.n})
			must(t, err)
			s.ends(handle)
			s.stop(w)
		}},
		{"a load of the whole history", func(t *testing.T, s *sized) {
			handle := s.start(sizeCount)
			for k := range 2 {
				w := s.serve(durable.WorkerConfig{})
				s.raise(handle.ID(), s.n/2)
				s.pass(time.Second)
				if k == 1 {
					s.ends(handle)
				}
				s.stop(w)
			}
		}},
		{"a snapshot, and a load of it", func(t *testing.T, s *sized) {
			handle := s.start(sizeCount)
			w := s.serve(durable.WorkerConfig{KeepLog: 1})
			s.raise(handle.ID(), s.n-1)
			s.pass(5 * time.Minute)
			var left backend.Loaded
			s.m.View("eye").Load(history.Address{Group: sizeCount.Group, ID: handle.ID()}, 0, func(l backend.Loaded, _ error) { left = l })
			s.pass(time.Second)
			if left.Start != nil {
				t.Fatalf("it is in the log still, with %d messages", len(left.Tail))
			}
			s.stop(w)
			w = s.serve(durable.WorkerConfig{})
			s.raise(handle.ID(), 1)
			s.ends(handle)
			s.stop(w)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				costOf := func(n int) (each float64) {
					s := &sized{hub: h, be: &weighed{Backend: h.m.View("worker")}, n: n}
					s.client = durable.NewClient(s.be, durable.ClientConfig{})
					c.run(t, s)
					must(t, s.client.Close())
					return float64(s.be.cost.Load()) / float64(n)
				}
				small, large := costOf(40), costOf(400)
				if large > 1.1*small {
					t.Errorf("an item costs %.2f calls and messages of 40, and %.2f of 400: want no more", small, large)
				}
			})
		})
	}
}
