package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

func TestWaitDoesNotLastLongerThanItsInstance(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		good, bad, large := flow("Good"), flow("Bad"), flow("Large")
		h.work(
			durable.BindOrchestrator(good, func(durable.Context, durable.None) (string, error) { return "x", nil }),
			durable.BindOrchestrator(bad, func(durable.Context, durable.None) (string, error) { return "", errGone }),
			durable.BindOrchestrator(large, func(durable.Context, durable.None) (string, error) { return strings.Repeat("x", 1<<20), nil }),
		)
		want(h, start[string](h, good, nil), "x") // the worker has joined
		for _, o := range []*durable.Orchestrator{good, bad, large} {
			for _, c := range []struct {
				name string
				wait func(durable.Handle[string])
			}{
				{"by its handle", func(handle durable.Handle[string]) { _, _ = handle.Wait(t.Context()) }},
				{"twice", func(handle durable.Handle[string]) { _, _ = handle.Wait(t.Context()); _, _ = handle.Wait(t.Context()) }},
				{"after its end", func(handle durable.Handle[string]) {
					h.pass(100 * time.Millisecond)
					_, _ = handle.Wait(t.Context())
				}},
				{"by another client", func(handle durable.Handle[string]) {
					_, _ = durable.AttachInstance[string](h.newClient(), o, handle.ID()).Wait(t.Context())
				}},
			} {
				begin := time.Now()
				c.wait(start[string](h, o, nil))
				if took := taken(begin); took > 200*time.Millisecond {
					t.Errorf("%s, waited for %s: took %v of virtual time, in which nothing happens", o.Name, c.name, took)
				}
			}
		}
		// One that is attached to by its id has been started by somebody else.
		start[string](h, good, nil, durable.InstanceID("once"))
		h.pass(time.Second)
		begin := time.Now()
		handle, err := durable.StartInstance[string](t.Context(), h.newClient(), good, nil, durable.InstanceID("once"), durable.AttachIfExists)
		must(t, err)
		want(h, handle, "x")
		if took := taken(begin); took > 200*time.Millisecond {
			t.Errorf("attaching took %v", took)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		handle := start[int](h, o, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := handle.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the error of the context", err)
		}
	})
}

// TestAClaimIsFinishedByWhoeverMeetsIt: the caller died, or lost its connection, between its claim and its start (H11).
func TestAClaimIsFinishedByWhoeverMeetsIt(t *testing.T) {
	for _, c := range []struct {
		name string
		meet func(ctx context.Context, client *durable.Client, o *durable.Orchestrator) error
	}{
		{"get", func(ctx context.Context, client *durable.Client, _ *durable.Orchestrator) error {
			_, err := client.Get(ctx, "x")
			return err
		}},
		{"raise", func(ctx context.Context, client *durable.Client, _ *durable.Orchestrator) error {
			return client.Raise(ctx, "x", "other", 1)
		}},
		{"attach", func(ctx context.Context, client *durable.Client, o *durable.Orchestrator) error {
			_, err := durable.StartInstance[int](ctx, client, o, 0, durable.InstanceID("x"), durable.AttachIfExists)
			return err
		}},
		{"start", func(ctx context.Context, client *durable.Client, o *durable.Orchestrator) error {
			_, err := durable.StartInstance[int](ctx, client, o, 0, durable.InstanceID("x"))
			if !errors.Is(err, durable.ErrAlreadyExists) {
				return fmt.Errorf("got %w, want ErrAlreadyExists", err)
			}
			return nil
		}},
		{"wait", func(ctx context.Context, client *durable.Client, _ *durable.Orchestrator) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := client.Wait(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("got %w, want it to wait", err)
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Receive")
				h.work(receiver(o))
				h.m.OnAppend(func(backend.Append) membackend.Verdict { return membackend.Verdict{LoseRequest: true} })
				_, err := durable.StartInstance[int](t.Context(), h.client, o, 40, durable.InstanceID("x"))
				if !errors.Is(err, durable.ErrUnavailable) {
					t.Fatalf("got %v, want ErrUnavailable", err)
				}
				h.m.OnAppend(nil)
				h.pass(10 * time.Second)
				client := h.newClient()
				must(t, c.meet(t.Context(), client, o))
				if inst := h.get("x"); inst.Status != durable.Running || string(inst.Input) != "40" {
					t.Fatalf("it is %+v, want it running", inst)
				}
				must(t, client.Raise(t.Context(), "x", "go", 2))
				want(h, durable.AttachInstance[int](client, o, "x"), 42)
			})
		})
	}
}

// listening is a client's backend that tells which topic the ends of its instances come to.
type listening struct {
	durable.Backend
	topic string
}

func (b *listening) Topic() string {
	b.topic = b.Backend.Topic()
	return b.topic
}

// TestALateHintOfAnEarlierRun: the hint of a run that was replaced says nothing of the one that replaced it.
func TestALateHintOfAnEarlierRun(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		be := &listening{Backend: h.m.View("client")}
		client := durable.NewClient(be, durable.ClientConfig{})
		defer func() { must(t, client.Close()) }()
		for run, result := range []int{10, 20} {
			handle, err := durable.StartInstance[int](t.Context(), client, o, 0, durable.InstanceID("x"), durable.ReplaceFinished)
			must(t, err)
			got := make(chan int, 1)
			go func() {
				n, err := handle.Wait(t.Context())
				if err != nil {
					t.Error(err)
				}
				got <- n
			}()
			h.pass(10 * time.Second)
			for earlier := range run {
				be.Signal(be.topic, fmt.Appendf(nil, `{"id":"x","run":%d,"status":"Completed","result":-1}`, earlier+1))
			}
			h.pass(10 * time.Second)
			must(t, h.client.Raise(t.Context(), "x", "go", result))
			if n := <-got; n != result {
				t.Errorf("run %d gives %d, want %d", run+1, n, result)
			}
			h.pass(time.Second)
		}
	})
}

// looking is a backend that tells of each look at a state before it happens.
type looking struct {
	backend.Backend
	look func()
}

func (l looking) GetState(id string, done func(backend.State, uint64, error)) {
	l.look()
	l.Backend.GetState(id, done)
}

// TestWaitOfWhatIsStartedAgain: an instance that somebody starts again at the very end is waited for again, without haste.
func TestWaitOfWhatIsStartedAgain(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		var looks atomic.Int64
		var ended atomic.Bool
		c := durable.NewClient(looking{h.m.View("looking"), func() {
			looks.Add(1)
			if ended.Swap(false) {
				h.pass(time.Second) // the end is projected
				_, err := h.client.Restart(t.Context(), "x")
				must(t, err)
				h.pass(time.Second)
			}
		}}, durable.ClientConfig{})
		defer c.Close()
		_, err := durable.StartInstance[int](t.Context(), c, o, 1, durable.InstanceID("x"))
		must(t, err)
		h.pass(time.Second)
		waited := make(chan durable.Instance)
		go func() {
			inst, err := c.Wait(t.Context(), "x")
			must(t, err)
			waited <- inst
		}()
		h.pass(time.Second)
		ended.Store(true)
		must(t, h.client.Raise(t.Context(), "x", "go", 7))
		h.pass(time.Minute)
		looks.Store(0)
		h.pass(time.Hour)
		if n := looks.Load(); n > 1850 {
			t.Errorf("in an hour it looked %d times, want at most every 2 s", n)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 8))
		if inst := <-waited; inst.Status != durable.Completed || string(inst.Result) != "9" {
			t.Errorf("it waited for %s with %s, want the run that was started last", inst.Status, inst.Result)
		}
	})
}
