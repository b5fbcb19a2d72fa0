package durable_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// restarted runs fn in an orchestration whose worker is replaced at every event "next", so that it is replayed again
// and again; it gives the result of the last replay.
func restarted[R any](t *testing.T, h *hub, times int, bind func(*durable.Orchestrator) durable.Binding, more ...durable.Binding) (R, error) {
	t.Helper()
	o := flow("Replayed")
	handle := start[R](h, o, nil)
	for range times {
		w := h.work(append(more, bind(o))...)
		h.pass(time.Second)
		h.stop(w)
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
	}
	h.work(append(more, bind(o))...)
	return handle.Wait(t.Context())
}

func next(ctx durable.Context) {
	if err := durable.ReceiveEvent[durable.None](ctx, "next").Err(ctx); err != nil {
		panic(err)
	}
}

// TestReplaysSeeTheSame: everything that an orchestrator can ask for is the same on every replay, and differs from
// step to step.
func TestReplaysSeeTheSame(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a := task("Stamp")
		var runs [][]string
		n := 0
		got, err := restarted[[]string](t, h, 3, func(o *durable.Orchestrator) durable.Binding {
			return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) ([]string, error) {
				var saw []string
				for range 4 {
					stamp, err := call[int](ctx, a, nil)
					if err != nil {
						return nil, err
					}
					data, err := json.Marshal([]any{stamp, ctx.Now(), ctx.NewUUID(), ctx.NewUUID(), ctx.Rand().Uint64(), ctx.InstanceID()})
					if err != nil {
						return nil, err
					}
					saw = append(saw, string(data))
					runs = append(runs, append([]string(nil), saw...))
					if len(saw) < 4 {
						next(ctx)
					}
				}
				return saw, nil
			})
		}, durable.BindActivity(a, func(context.Context, durable.None) (int, error) { n++; return n, nil }))
		must(t, err)
		if n != 4 {
			t.Errorf("the activity ran %d times, want once for each of its calls", n)
		}
		for _, saw := range runs {
			if diff := cmp.Diff(got[:len(saw)], saw); diff != "" {
				t.Errorf("a replay saw something else (-last +this):\n%s", diff)
			}
		}
		if len(runs) <= 4 {
			t.Errorf("%d steps were taken in all: nothing was replayed", len(runs))
		}
		uuid := regexp.MustCompile(`"([0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"`)
		different := map[string]bool{}
		for _, m := range uuid.FindAllStringSubmatch(strings.Join(got, " "), -1) {
			different[m[1]] = true
		}
		if len(different) != 8 {
			t.Errorf("%d different UUIDs of version 5 in %s, want 8", len(different), got)
		}
	})
}

func TestLoggerIsSilentOnReplay(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Log")
		var log notes
		a, b := 0, 0
		bind := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			a++
			ctx.Logger().Info("one")
			next(ctx)
			ctx.Logger().With("k", "v").Info("two")
			durable.Sleep(ctx, time.Hour)
			next(ctx)
			if !ctx.Replaying() {
				b++
			}
			ctx.Logger().WithGroup("g").Info("three")
			return 1, nil
		})
		handle := start[int](h, o, nil)
		work := func() *durable.Worker { return h.workAs(durable.WorkerConfig{Logger: log.logger()}, bind) }
		w := work()
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		h.pass(time.Second)
		h.stop(w)
		w = work()
		h.pass(time.Hour)
		h.stop(w)
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		work()
		want(h, handle, 1)
		if diff := cmp.Diff([]string{"one", "two", "three"}, log.all()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if a != 3 || b != 1 {
			t.Errorf("it ran %d times and was new at the end %d times, want 3 and 1", a, b)
		}
	})
}

func TestCustomStatus(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Status")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			ctx.SetStatus(map[string]int{"step": 1})
			next(ctx)
			ctx.SetStatus(map[string]int{"step": 2})
			return 1, nil
		}))
		handle := start[int](h, o, nil)
		if got := string(h.get(handle.ID()).CustomStatus); got != `{"step":1}` {
			t.Errorf("status is %s while it waits", got)
		}
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		want(h, handle, 1)
		if got := string(h.get(handle.ID()).CustomStatus); got != `{"step":2}` {
			t.Errorf("status is %s at the end", got)
		}
	})
}

func TestCustomStatusRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		status any
		says   string
	}{
		{"what is no JSON", func() {}, "func()"},
		{"what is too large", strings.Repeat("x", durable.MaxStatus), "at most 16384"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Status")
				h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					ctx.SetStatus(c.status)
					return 1, nil
				}))
				says(t, fails(h, start[int](h, o, nil)), "custom status", c.says)
			})
		})
	}
}

// TestContinueAsNewKeepsEvents: what nobody has received yet is received by a later execution.
func TestContinueAsNewKeepsEvents(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Counter")
		type state struct {
			Sum  int
			Ends int
		}
		var execution notes
		bind := durable.BindOrchestrator(o, func(ctx durable.Context, s state) (int, error) {
			execution.addf("%s", ctx.NewUUID())
			n, err := durable.ReceiveEvent[int](ctx, "add").Get(ctx)
			if err != nil {
				return 0, err
			}
			if s.Sum += n; n == 0 {
				return s.Sum, nil
			}
			return 0, durable.ContinueWith(ctx, s)
		})
		handle := start[int](h, o, state{Sum: 100})
		for n := range 50 {
			must(t, h.client.Raise(t.Context(), handle.ID(), "add", n+1))
		}
		must(t, h.client.Raise(t.Context(), handle.ID(), "other", 1000))
		w := h.work(bind)
		h.pass(time.Second)
		h.stop(w)
		inst := h.get(handle.ID())
		if inst.Status != durable.Running || string(inst.Input) == `{"Sum":100,"Ends":0}` {
			t.Errorf("after its first executions it is %+v", inst)
		}
		must(t, h.client.Raise(t.Context(), handle.ID(), "add", 0))
		h.work(bind)
		want(h, handle, 100+50*51/2)
		seen := map[string]bool{}
		for _, id := range execution.all() {
			seen[id] = true
		}
		if len(seen) != 51 {
			t.Errorf("%d executions made different UUIDs, want 51", len(seen))
		}
		if got := string(h.get(handle.ID()).Input); got != `{"Sum":1375,"Ends":0}` {
			t.Errorf("the input of the last execution is %s", got)
		}
	})
}

func TestContinueAsNewReachesTheParent(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Countdown"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(ctx durable.Context, n int) (string, error) {
				durable.Sleep(ctx, time.Second)
				if n > 0 {
					return "", durable.ContinueWith(ctx, n-1)
				}
				return "of " + ctx.ParentID(), nil
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, n int) (string, error) {
				return durable.StartChild[string](ctx, child, n).Get(ctx)
			}),
		)
		want(h, start[string](h, parent, 5, durable.InstanceID("p")), "of p")
	})
}

func TestContinueWithWhatCannotBeStored(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Counter")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			return 0, durable.ContinueWith(ctx, func() {})
		}))
		if err := fails(h, start[int](h, o, nil)); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("got %v, want ErrPayload", err)
		}
	})
}

// TestPayloads: what cannot be written or read fails once, with a reason, and nothing hangs.
func TestPayloads(t *testing.T) {
	echo, bad, big := task("Echo"), task("Bad"), task("Big")
	echo.Retry = durable.RetryPolicy{Attempts: 3}
	ran := func(n *notes) durable.Binding {
		return durable.BindActivity(echo, func(_ context.Context, n2 int) (int, error) { n.addf("ran"); return n2, nil })
	}
	for _, c := range []struct {
		name string
		run  func(ctx durable.Context) error
		ran  int
		says []string
	}{
		{"an argument that cannot be written", func(ctx durable.Context) error {
			return durable.StartActivity[int](ctx, echo, func() {}).Err(ctx)
		}, 0, []string{"func()", "cannot be stored"}},
		{"an argument that is too large", func(ctx durable.Context) error {
			return durable.StartActivity[int](ctx, echo, strings.Repeat("x", durable.MaxPayload)).Err(ctx)
		}, 0, []string{"at most 16777216"}},
		{"an argument that does not fit", func(ctx durable.Context) error {
			return durable.StartActivity[int](ctx, echo, "a text").Err(ctx)
		}, 0, []string{"arguments of activity flow.Echo", "int", "attempt 1"}},
		{"a result that does not fit", func(ctx durable.Context) error {
			return durable.StartActivity[[]string](ctx, echo, 1).Err(ctx)
		}, 1, []string{"[]string"}},
		{"a result that cannot be written", func(ctx durable.Context) error {
			return durable.StartActivity[int](ctx, bad, nil).Err(ctx)
		}, 0, []string{"flow.Bad", "cannot be stored"}},
		{"a result that is too large", func(ctx durable.Context) error {
			return durable.StartActivity[string](ctx, big, nil).Err(ctx)
		}, 0, []string{"flow.Big", "at most 16777216"}},
		{"a child's argument that cannot be written", func(ctx durable.Context) error {
			return durable.StartChild[int](ctx, flow("Child"), make(chan int)).Err(ctx)
		}, 0, []string{"chan int"}},
		{"a child's argument that does not fit", func(ctx durable.Context) error {
			return durable.StartChild[int](ctx, flow("Child"), "a text").Err(ctx)
		}, 0, []string{"input of orchestrator flow.Child", "int"}},
		{"a child's result that does not fit", func(ctx durable.Context) error {
			return durable.StartChild[[]int](ctx, flow("Child"), 1).Err(ctx)
		}, 0, []string{"[]int"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Payload")
				var did notes
				h.work(
					ran(&did),
					durable.BindActivity(bad, func(context.Context, durable.None) (func(), error) { return func() {}, nil }),
					durable.BindActivity(big, func(context.Context, durable.None) (string, error) {
						return strings.Repeat("x", durable.MaxPayload), nil
					}),
					durable.BindOrchestrator(flow("Child"), func(_ durable.Context, n int) (int, error) { return n, nil }),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) { return 0, c.run(ctx) }),
				)
				err := fails(h, start[int](h, o, nil))
				if !errors.Is(err, durable.ErrPayload) {
					t.Errorf("got %v, want ErrPayload", err)
				}
				says(t, err, c.says...)
				if got := len(did.all()); got != c.ran {
					t.Errorf("the activity ran %d times, want %d", got, c.ran)
				}
			})
		})
	}
}

func TestOrchestratorPayloads(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		in, out := flow("In"), flow("Out")
		h.work(
			durable.BindOrchestrator(in, func(_ durable.Context, n int) (int, error) { return n, nil }),
			durable.BindOrchestrator(out, func(durable.Context, durable.None) (func(), error) { return nil, nil }),
		)
		err := fails(h, start[int](h, in, "a text"))
		if !errors.Is(err, durable.ErrPayload) {
			t.Errorf("got %v, want ErrPayload", err)
		}
		says(t, err, "input of orchestrator flow.In", "int")
		if err := fails(h, start[int](h, out, nil)); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("got %v, want ErrPayload", err)
		}
		// The wrong type on the client's side.
		handle := start[[]string](h, in, 1)
		if err := fails(h, handle); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("got %v, want ErrPayload", err)
		}
		want(h, durable.AttachInstance[int](h.client, in, handle.ID()), 1)
	})
}
