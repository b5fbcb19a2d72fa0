package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestTimersThatPassWhileSuspended fire at the resume, in the order that they were due, with its time.
func TestTimersThatPassWhileSuspended(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Timers")
		code := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			begin := ctx.Now()
			late, early := durable.NewTimer(ctx, 2*time.Hour), durable.NewTimer(ctx, time.Hour)
			if durable.Any(ctx, late, early) != early {
				return "the later one came first", nil
			}
			first := ctx.Now().Sub(begin)
			err := late.Wait(ctx)
			return fmt.Sprint(first.Round(time.Hour), ctx.Now().Sub(begin).Round(time.Hour)), err
		})
		w := h.work(code)
		handle := start[string](h, o, nil)
		h.pass(time.Second)
		must(t, h.client.Suspend(t.Context(), handle.ID(), ""))
		h.pass(5 * time.Hour)
		if inst := h.get(handle.ID()); inst.Status != durable.Suspended {
			t.Fatalf("it is %s", inst.Status)
		}
		h.stop(w)
		h.work(code)
		must(t, h.client.Resume(t.Context(), handle.ID(), ""))
		want(h, handle, "5h0m0s 5h0m0s")
	})
}

// TestTerminateKeepsTheChildren when it is asked to, also when nobody knows the code.
func TestTerminateKeepsTheChildren(t *testing.T) {
	for _, known := range []bool{true, false} {
		t.Run(fmt.Sprintf("code is known: %t", known), func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				child, parent := flow("Child"), flow("Parent")
				leaf := durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (int, error) {
					return durable.ReceiveEvent[int](ctx, "go").Get(ctx)
				})
				w := h.work(leaf, durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (int, error) {
					return durable.StartChild[int](ctx, child, nil, durable.InstanceID("child")).Get(ctx)
				}))
				handle := start[int](h, parent, nil)
				h.pass(time.Second)
				if !known {
					h.stop(w)
					h.work(leaf)
				}
				must(t, handle.Terminate(t.Context(), "", durable.KeepChildren()))
				if err := fails(h, handle); !errors.Is(err, durable.ErrTerminated) {
					t.Errorf("got %v, want ErrTerminated", err)
				}
				h.pass(time.Minute)
				must(t, h.client.Raise(t.Context(), "child", "go", 7))
				want(h, durable.AttachInstance[int](h.client, child, "child"), 7)
				if inst := h.get(handle.ID()); inst.Status != durable.Terminated || inst.Failure != "terminated" {
					t.Errorf("the parent is %s, %q", inst.Status, inst.Failure)
				}
			})
		})
	}
}

// TestTerminateWaitsForNobody: a hub without any worker takes the terminate, and the first worker, whatever it knows of
// the group, carries it out.
func TestTerminateWaitsForNobody(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Unknown")
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		h.pass(time.Hour)
		must(t, handle.Terminate(t.Context(), "no use"))
		h.work(bystander())
		says(t, fails(h, handle), "no use")
	})
}

// TestEventsToAChild come after its start, however soon they are sent.
func TestEventsToAChild(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		h.work(
			durable.BindOrchestrator(child, func(ctx durable.Context, _ durable.None) (string, error) {
				a, err := durable.ReceiveEvent[string](ctx, "Word").Get(ctx)
				if err != nil {
					return "", err
				}
				b, err := durable.ReceiveEvent[string](ctx, "word").Get(ctx)
				return a + " " + b, err
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (string, error) {
				f := durable.StartChild[string](ctx, child, nil, durable.InstanceID("child"))
				durable.SendEvent(ctx, "child", "WORD", "hello")
				durable.SendEvent(ctx, "child", "wORD", "child")
				return f.Get(ctx)
			}),
		)
		want(h, start[string](h, parent, nil), "hello child")
	})
}

// TestAnEventThatNobodyTakes: one that an orchestrator sends to an unknown id, or to an instance that has ended, is
// dropped. The sender goes on, and is not told: who has to know asks for an answer. The worker's log says so of an
// unknown id.
func TestAnEventThatNobodyTakes(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		short, sender := flow("Short"), flow("Sender")
		var log notes
		code := []durable.Binding{
			durable.BindOrchestrator(short, func(durable.Context, durable.None) (int, error) { return 1, nil }),
			durable.BindOrchestrator(sender, func(ctx durable.Context, id string) (int, error) {
				durable.SendEvent(ctx, id, "e", 1)
				return 2, durable.Sleep(ctx, time.Minute)
			}),
		}
		h.workAs(durable.WorkerConfig{Logger: log.logger()}, code...)
		ended := start[int](h, short, nil, durable.InstanceID("ended"))
		want(h, ended, 1)
		h.pass(time.Minute)
		want(h, start[int](h, sender, "nobody"), 2)
		if got := strings.Join(log.all(), "; "); !strings.Contains(got, "event dropped, nobody has this id") {
			t.Errorf("the log says %q", got)
		}
		want(h, start[int](h, sender, "ended"), 2)
		// Who begins later under that id does not get it.
		gather := flow("Gather")
		h.work(append(code, durable.BindOrchestrator(gather, func(ctx durable.Context, _ durable.None) (int, error) {
			return durable.ReceiveEvent[int](ctx, "e").Within(ctx, time.Hour)
		}))...)
		for _, id := range []string{"nobody", "ended"} {
			err := fails(h, start[int](h, gather, nil, durable.InstanceID(id), durable.ReplaceFinished))
			if !errors.Is(err, durable.ErrTimeout) {
				t.Errorf("%s: got %v, want ErrTimeout", id, err)
			}
		}
		if n := len(h.m.Unacked()); n > 0 {
			t.Errorf("%d messages are left over", n)
		}
	})
}

// TestTheOldestLiveWaiterGetsTheEvent, in the order of the Receives; one that was given up does not count.
func TestTheOldestLiveWaiterGetsTheEvent(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Waiters")
		code := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			oldest := durable.ReceiveEvent[string](ctx, "e")
			second, third := durable.ReceiveEvent[string](ctx, "e"), durable.ReceiveEvent[string](ctx, "e")
			if _, err := oldest.Within(ctx, time.Minute); !errors.Is(err, durable.ErrTimeout) {
				return "", fmt.Errorf("too early: %w", err)
			}
			var got [2]string
			wait := func(n int, f durable.Future[string]) durable.Future[durable.None] {
				return durable.Go(ctx, func(ctx durable.Context) (_ durable.None, err error) {
					got[n], err = f.Get(ctx)
					return durable.None{}, err
				})
			}
			err := durable.All(ctx, wait(1, third), wait(0, second))
			return strings.Join(got[:], " "), err
		})
		w := h.work(code)
		handle := start[string](h, o, nil)
		h.pass(2 * time.Minute)
		must(t, h.client.Raise(t.Context(), handle.ID(), "e", "first"))
		h.pass(time.Second)
		h.stop(w)
		h.work(code)
		must(t, h.client.Raise(t.Context(), handle.ID(), "E", "second"))
		want(h, handle, "first second")
	})
}

// TestTiesGoByTheArguments: of what is complete at the same time, Any and Select take the first argument, on every replay.
func TestTiesGoByTheArguments(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Ties")
		code := durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
			var got []string
			note := func(what string) { got = append(got, what) }
			timer, event := durable.NewTimer(ctx, time.Hour), durable.ReceiveEvent[int](ctx, "e")
			next(ctx) // comes behind both, in one turn with them
			onTimer := durable.OnTimer(timer, func(durable.Context) { note("timer") })
			onEvent := durable.On(event, func(durable.Context, int, error) { note("event") })
			durable.Select(ctx, onTimer, onEvent)
			durable.Select(ctx, onEvent, onTimer)
			if durable.Any(ctx, event, timer) == event {
				note("event")
			}
			if durable.Any(ctx, timer, event) == timer {
				note("timer")
			}
			next(ctx)
			return strings.Join(got, " "), nil
		})
		w := h.work(code)
		handle := start[string](h, o, nil)
		h.pass(time.Second)
		must(t, h.client.Suspend(t.Context(), handle.ID(), ""))
		must(t, h.client.Raise(t.Context(), handle.ID(), "e", 1))
		h.pass(2 * time.Hour)
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		must(t, h.client.Resume(t.Context(), handle.ID(), ""))
		h.pass(time.Second)
		h.stop(w)
		h.work(code)
		must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
		want(h, handle, "timer event event timer")
	})
}

// TestTagsVersionAndParentAreKept over continue-as-new and on other workers.
func TestTagsVersionAndParentAreKept(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		child, parent := flow("Child"), flow("Parent")
		child.Version = "3"
		code := []durable.Binding{
			durable.BindOrchestrator(child, func(ctx durable.Context, round int) (string, error) {
				next(ctx)
				if round < 2 {
					return "", durable.ContinueWith(ctx, round+1)
				}
				return fmt.Sprint(ctx.Tags()["k"], " ", ctx.OrchestratorVersion(), " ", ctx.ParentID(), " ", ctx.RootID(), " ", ctx.Name()), nil
			}),
			durable.BindOrchestrator(parent, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartChild[string](ctx, child, 0, durable.InstanceID("child"), durable.Tags{"k": "v"}).Get(ctx)
			}),
		}
		handle := start[string](h, parent, nil, durable.InstanceID("parent"))
		for range 3 {
			w := h.work(code...)
			h.pass(time.Second)
			h.stop(w)
			must(t, h.client.Raise(t.Context(), "child", "next", nil))
		}
		h.work(code...)
		want(h, handle, "v 3 parent parent flow.Child")
		inst := h.get("child")
		got := []any{inst.Tags, inst.Version, inst.ParentID, inst.RootID}
		if diff := cmp.Diff([]any{map[string]string{"k": "v"}, "3", "parent", "parent"}, got); diff != "" {
			t.Errorf("the child (-want +got):\n%s", diff)
		}
	})
}

// TestSingleton: of 50 clients that start one id at the same time one does, and it runs once.
func TestSingleton(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		const clients = 50
		a, o := task("Step"), flow("Singleton")
		var did notes
		h.work(
			durable.BindActivity(a, func(_ context.Context, n int) (int, error) { did.addf("%d", n); return n, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) {
				got, err := call[int](ctx, a, n)
				next(ctx)
				return got, err
			}),
		)
		var wg sync.WaitGroup
		errs := make([]error, clients)
		for n := range clients {
			c := h.newClient()
			wg.Go(func() {
				_, errs[n] = durable.StartInstance[int](t.Context(), c, o, n, durable.InstanceID("one"))
			})
		}
		wg.Wait()
		winner := -1
		for n, err := range errs {
			switch {
			case err == nil && winner < 0:
				winner = n
			case !errors.Is(err, durable.ErrAlreadyExists):
				t.Errorf("client %d: %v, want ErrAlreadyExists, client %d has started it", n, err, winner)
			}
		}
		h.pass(time.Minute)
		must(t, h.client.Raise(t.Context(), "one", "next", nil))
		want(h, durable.AttachInstance[int](h.client, o, "one"), winner)
		if diff := cmp.Diff([]string{fmt.Sprint(winner)}, did.all()); diff != "" {
			t.Errorf("the activity ran with (-want +got):\n%s", diff)
		}
	})
}
