package durable_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

func bindShort(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(_ durable.Context, n int) (int, error) { return n, nil })
}

func bindDouble(a *durable.Activity) durable.Binding {
	return durable.BindActivity(a, func(_ context.Context, n int) (int, error) { return 2 * n, nil })
}

func TestRegistryRefuses(t *testing.T) {
	t.Parallel()
	named := func(name string, aliases ...string) *durable.Orchestrator {
		return &durable.Orchestrator{Name: name, Aliases: aliases, Group: "flow"}
	}
	for _, c := range []struct {
		name     string
		bindings []durable.Binding
		says     []string
	}{
		{"an empty binding", []durable.Binding{{}}, []string{"empty binding"}},
		{"a name that is taken", []durable.Binding{bindShort(flow("Known"))}, []string{`"flow.Known" is taken twice`}},
		{"an alias that is taken", []durable.Binding{bindShort(named("flow.New", "flow.Known"))}, []string{`"flow.Known" is taken twice`}},
		{"a name twice in one call", []durable.Binding{bindShort(named("flow.X")), bindShort(named("flow.X"))}, []string{`"flow.X" is taken twice`}},
		{"an alias of its own name", []durable.Binding{bindShort(named("flow.X", "flow.X"))}, []string{`"flow.X" is taken twice`}},
		{"an activity twice in one call", []durable.Binding{bindDouble(task("X")), bindDouble(task("X"))}, []string{`"flow.X" is taken twice`}},
		{"a wrong name", []durable.Binding{bindShort(named("a b"))}, []string{"a b"}},
		{"no name", []durable.Binding{bindDouble(&durable.Activity{})}, []string{"name is empty"}},
		{"all at once", []durable.Binding{{}, bindShort(named("a b")), bindShort(flow("Known"))}, []string{"empty binding", "a b", "taken twice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := registry(t, bindShort(flow("Known")))
			says(t, r.Add(append(c.bindings, bindShort(flow("Innocent")))...), append(c.says, "durable: register")...)
			if err := r.Add(bindShort(flow("Innocent"))); err != nil {
				t.Errorf("part of what was refused is there: %v", err)
			}
		})
	}
	t.Run("an orchestrator and an activity of one name are fine", func(t *testing.T) {
		t.Parallel()
		registry(t, bindShort(flow("Same")), bindDouble(task("Same")))
	})
}

func TestWorkerRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   durable.WorkerConfig
		empty bool
		says  string
	}{
		{"slots", durable.WorkerConfig{Slots: -1}, false, "Slots is -1"},
		{"cache", durable.WorkerConfig{Cache: -1}, false, "Cache is -1"},
		{"heartbeat", durable.WorkerConfig{Heartbeat: -1}, false, "Heartbeat"},
		{"drain timeout", durable.WorkerConfig{DrainTimeout: -1}, false, "DrainTimeout is -1ns"},
		{"dead", durable.WorkerConfig{Dead: -1}, false, "Dead"},
		{"dead below two heartbeats", durable.WorkerConfig{Heartbeat: time.Second, Dead: time.Second}, false, "Dead is 1s and Heartbeat 1s"},
		{"a heartbeat that does not fit the default", durable.WorkerConfig{Heartbeat: 2 * time.Second}, false, "Dead is 2s and Heartbeat 2s"},
		{"a dead time that does not fit the default", durable.WorkerConfig{Dead: 100 * time.Millisecond}, false, "Heartbeat 500ms"},
		{"an empty registry", durable.WorkerConfig{}, true, "registry is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				r := &durable.Registry{}
				if !c.empty {
					must(t, r.Add(bindShort(flow("Short"))))
				}
				w := durable.NewWorker(h.m.View("worker"), r, c.cfg)
				says(t, w.Start(t.Context()), "durable: worker", c.says)
				must(t, w.Stop(t.Context()))
			})
		})
	}
	t.Run("no registry", func(t *testing.T) {
		inHub(t, func(t *testing.T, h *hub) {
			says(t, durable.NewWorker(h.m.View("worker"), nil, durable.WorkerConfig{}).Start(t.Context()), "registry is empty")
		})
	})
}

func TestWorkerStartsOnce(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		w := h.work(bindShort(flow("Short")))
		says(t, w.Start(t.Context()), "started before")
		want(h, start[int](h, flow("Short"), 1), 1)
		h.stop(w)
		h.stop(w)
		says(t, w.Start(t.Context()), "started before")
		must(t, durable.NewWorker(h.m.View("worker"), registry(t, bystander()), durable.WorkerConfig{}).Stop(t.Context()))
	})
}

// TestNamesAreClaimed: short names that silently reach the wrong code are a known disaster.
func TestNamesAreClaimed(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		of := func(source string, pinned bool) []durable.Binding {
			return []durable.Binding{
				bindShort(&durable.Orchestrator{Name: "club.Join", Group: "club", Source: source + ".Join", Pinned: pinned}),
				bindDouble(&durable.Activity{Name: "club.Charge", Source: source + ".Charge", Pinned: pinned}),
			}
		}
		start := func(bindings []durable.Binding) error {
			w := durable.NewWorker(h.m.View("worker"), registry(t, bindings...), durable.WorkerConfig{})
			err := w.Start(t.Context())
			must(t, w.Stop(t.Context()))
			return err
		}
		must(t, start(of("example.com/one/club", false)))
		must(t, start(of("example.com/one/club", false)))
		says(t, start(of("example.com/two/club", false)),
			`orchestrator name "club.Join"`, "example.com/one/club.Join", "example.com/two/club.Join", "name=",
			`activity name "club.Charge"`, "example.com/one/club.Charge", "example.com/two/club.Charge")
		// An explicit name states intent and moves the claim; whoever has lost it is told.
		must(t, start(of("example.com/two/club", true)))
		says(t, start(of("example.com/one/club", false)), "belongs to example.com/two/club.Join")
	})
}

func TestStartReportsWhatTheHubRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		view := h.m.View("worker")
		w := durable.NewWorker(view, registry(t, bindShort(flow("Short")), bindDouble(task("Double"))), durable.WorkerConfig{})
		view.Disconnect()
		if err := w.Start(t.Context()); !errors.Is(err, durable.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
		view.Reconnect() // nothing runs yet, so it may be started
		must(t, w.Start(t.Context()))
		want(h, start[int](h, flow("Short"), 1), 1)
		h.stop(w)
	})
}

func TestStopDrains(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Slow"), flow("Call")
		w := h.work(
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
				select {
				case <-time.After(time.Minute):
					return 1, nil
				case <-ctx.Done():
					return 0, context.Cause(ctx)
				}
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				n, err := call[int](ctx, a, nil)
				if err != nil {
					return 0, err
				}
				return n, nil
			}),
		)
		handle := start[int](h, o, nil)
		h.pass(time.Second)
		begin := time.Now()
		h.stop(w)
		if took := taken(begin); took < 58*time.Second || took > time.Minute {
			t.Errorf("it stopped after %v, want it to wait for the activity", took)
		}
		h.work(bystander(), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }))
		want(h, handle, 1)
	})
}

// TestStopGivesUp: what does not end in time is run by another worker, as the same attempt.
func TestStopGivesUp(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(ctx context.Context, over chan struct{}) error
	}{
		{"on an activity that heeds its context", func(ctx context.Context, _ chan struct{}) error {
			<-ctx.Done()
			return fmt.Errorf("stopped: %w", ctx.Err())
		}},
		{"on one that does not", func(_ context.Context, over chan struct{}) error { <-over; return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Slow"), flow("Call")
				over := make(chan struct{})
				t.Cleanup(func() { close(over) })
				first := true
				var did notes
				bindings := []durable.Binding{
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (int, error) {
						info, _ := durable.InfoOf(ctx)
						did.addf("attempt %d", info.Attempt)
						if first {
							first = false
							return 0, c.run(ctx, over)
						}
						return 1, nil
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, a, nil) }),
				}
				w := durable.NewWorker(h.m.View("worker"), registry(t, bindings...), durable.WorkerConfig{})
				must(t, w.Start(t.Context()))
				handle := start[int](h, o, nil)
				h.pass(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				begin := time.Now()
				if err := w.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, durable.ErrUnavailable) {
					t.Errorf("stop: %v", err)
				}
				if took := taken(begin); took < 10*time.Second || took > 12*time.Second {
					t.Errorf("it stopped after %v, want 10 s", took)
				}
				h.work(bindings...)
				want(h, handle, 1)
				if diff := cmp.Diff([]string{"attempt 1", "attempt 1"}, did.all()); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestRunEndsWithItsContext is not in a bubble: it listens to signals.
func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	m := membackend.New(membackend.Config{Live: true})
	defer m.Close()
	client := durable.NewClient(m.View("client"), durable.ClientConfig{})
	defer client.Close()
	w := durable.NewWorker(m.View("worker"), registry(t, bindShort(flow("Short"))), durable.WorkerConfig{Heartbeat: 20 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	handle, err := durable.StartInstance[int](t.Context(), client, flow("Short"), 7)
	must(t, err)
	got, err := handle.Wait(t.Context())
	must(t, err)
	if got != 7 {
		t.Errorf("got %d", got)
	}
	cancel()
	must(t, <-ended)
	says(t, durable.NewWorker(m.View("worker"), &durable.Registry{}, durable.WorkerConfig{}).Run(t.Context()), "registry is empty")
}

// TestTwoWorkersShare: both get partitions; when one leaves, the other goes on with all of it.
func TestTwoWorkersShare(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, a := flow("Work"), task("Work")
		bindings := []durable.Binding{
			bindDouble(a),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				sum := 0
				for range 3 {
					next(ctx)
					v, err := call[int](ctx, a, n)
					if err != nil {
						return 0, err
					}
					sum += v
				}
				return sum, nil
			}),
		}
		first := h.work(bindings...)
		var handles []durable.Handle[int]
		for n := range 20 {
			handles = append(handles, start[int](h, o, n))
		}
		raise := func() {
			for _, handle := range handles {
				must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
			}
		}
		raise()
		h.pass(time.Second)
		h.work(bindings...)
		raise()
		h.pass(10 * time.Second)
		h.stop(first)
		raise()
		for n, handle := range handles {
			want(h, handle, 6*n)
		}
	})
}

// TestAliasesReachTheNewName: instances and tasks of an old name run the renamed code.
func TestAliasesReachTheNewName(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		oldA, oldO, newA, newO := task("OldTask"), flow("Old"), task("NewTask"), flow("New")
		newA.Aliases, newO.Aliases = []string{oldA.Name}, []string{oldO.Name}
		bind := func(a *durable.Activity, o *durable.Orchestrator) []durable.Binding {
			return []durable.Binding{bindDouble(a), durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				n, err := call[int](ctx, a, n)
				if err != nil {
					return 0, err
				}
				next(ctx)
				return call[int](ctx, a, n)
			})}
		}
		w := h.work(bind(oldA, oldO)...)
		handle := start[int](h, oldO, 3)
		h.pass(time.Second)
		h.stop(w)
		// The same function under a new name has the same source only when it was not renamed in Go; an alias moves.
		newA.Pinned, newO.Pinned = true, true
		h.work(bind(newA, newO)...)
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		want(h, handle, 12)
	})
}

// refusing is a backend whose server refuses this user.
type refusing struct{ durable.Backend }

func (b refusing) EnsureGroup(context.Context, string) error {
	return fmt.Errorf("consumer create: %w", durable.ErrPermission)
}

func TestAPermissionRefusalIsToldAsSuch(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		be := refusing{h.m.View("worker")}
		w := durable.NewWorker(be, registry(t, bindShort(flow("Short")), bindDouble(task("Double"))), durable.WorkerConfig{})
		err := w.Start(t.Context())
		if !errors.Is(err, durable.ErrPermission) {
			t.Errorf("the worker gets %v, want ErrPermission", err)
		}
		says(t, err, "durable: worker", `group "flow"`)
		client := durable.NewClient(be, durable.ClientConfig{})
		defer func() { must(t, client.Close()) }()
		if _, err := durable.StartInstance[int](t.Context(), client, flow("Short"), 1); !errors.Is(err, durable.ErrPermission) {
			t.Errorf("the client gets %v, want ErrPermission", err)
		}
	})
}

// TestPoliciesAreChecked: what cannot be stored or means nothing is told at once, by the call and at the registration.
func TestPoliciesAreChecked(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout durable.Timeout
		retry   durable.RetryPolicy
		says    string
	}{
		{"timeout", -1, durable.RetryPolicy{}, "Timeout is -1ns"},
		{"attempts", 0, durable.RetryPolicy{Attempts: -1}, "Attempts is -1"},
		{"first", 0, durable.RetryPolicy{First: -1}, "First is -1ns"},
		{"longest", 0, durable.RetryPolicy{MaxInterval: -1}, "MaxInterval -1ns"},
		{"backoff", 0, durable.RetryPolicy{Backoff: -1}, "Backoff is -1"},
		{"no number", 0, durable.RetryPolicy{Backoff: math.NaN()}, "Backoff is NaN"},
		{"infinite", 0, durable.RetryPolicy{Backoff: math.Inf(1)}, "Backoff is +Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o, child := task("Double"), flow("Call"), flow("Short")
				h.work(bindDouble(a), bindShort(child), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					if err := durable.StartChild[int](ctx, child, 1, c.retry).Err(ctx); (err == nil) != (c.timeout < 0) {
						t.Errorf("the child gives %v", err)
					}
					return call[int](ctx, a, 1, c.timeout, c.retry)
				}))
				says(t, fails(h, start[int](h, o, nil)), "activity flow.Double", c.says)

				wrong := task("Wrong")
				wrong.Timeout, wrong.Retry = c.timeout, c.retry
				says(t, (&durable.Registry{}).Add(bindDouble(wrong)), "durable: register: activity flow.Wrong", c.says)
			})
		})
	}
	t.Run("concurrency", func(t *testing.T) {
		t.Parallel()
		wrong := task("Wrong")
		wrong.Concurrency = -1
		says(t, (&durable.Registry{}).Add(bindDouble(wrong)), "activity flow.Wrong", "Concurrency is -1")
	})
}
