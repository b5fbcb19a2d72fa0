package activity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

var caller = history.Address{Group: "g", ID: "i"}

// rig is a hub in memory and what its log shows of tasks, in a bubble: time passes only when everything waits.
type rig struct {
	t *testing.T
	m *membackend.Memory
}

func inRig(t *testing.T, cfg membackend.Config, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg.Live = true
		r := &rig{t, membackend.New(cfg)}
		t.Cleanup(func() {
			if err := r.m.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, r)
	})
}

type handler func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure)

func ok(context.Context, activity.Call) (history.Payload, *activity.Failure) {
	return history.Payload(`"fine"`), nil
}

func failing(_ context.Context, c activity.Call) (history.Payload, *activity.Failure) {
	return nil, &activity.Failure{Failure: history.Failure{Message: fmt.Sprintf("failure %d", c.Attempt), Name: c.Name, Attempt: c.Attempt}}
}

// serve runs the activity "a" on a view; the end of the test stops it.
func (r *rig) serve(be backend.Backend, run handler, change ...func(*activity.Config)) *activity.Queue {
	r.t.Helper()
	cfg := activity.Config{
		Backend: be, Name: "a", Run: run, Slots: 10, Logger: slog.New(slog.DiscardHandler),
		Policy: history.Policy{Timeout: time.Minute, Attempts: 1, First: time.Second, Backoff: 2, MaxInterval: time.Minute},
	}
	for _, c := range change {
		c(&cfg)
	}
	q, err := activity.Start(r.t.Context(), cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		q.Stop(ctx)
	})
	return q
}

// schedule stores a task as an instance would.
func (r *rig) schedule(slot uint32, policy *history.Policy) {
	r.t.Helper()
	done := make(chan error, 1)
	r.m.View("owner").Append(backend.Append{To: caller, Record: &history.Task{
		Ref: history.Ref{Run: 1, Slot: slot}, Name: "a", Args: history.Payload(`1`), Attempt: 1, Policy: policy,
	}}, func(_ uint64, err error) { done <- err })
	if err := <-done; err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// outcomes describes the results in the log, in order.
func (r *rig) outcomes() []string {
	var out []string
	for _, s := range r.m.Log() {
		if d, ok := s.Message.Record.(*history.Done); ok {
			what := "result " + string(d.Result)
			if d.Failure != nil {
				what = strings.TrimSpace(d.Failure.Kind + " failure: " + d.Failure.Message)
			}
			out = append(out, fmt.Sprintf("slot %d, attempt %d: %s", d.Slot, d.Attempt, what))
		}
	}
	return out
}

// settled checks the outcomes, and that nobody will run a task again.
func (r *rig) settled(want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.outcomes()); diff != "" {
		r.t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	for _, u := range r.m.Unacked() {
		if strings.HasPrefix(u.Consumer, "activity") {
			r.t.Errorf("task %+v is not acknowledged", u)
		}
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		run    handler
		policy *history.Policy
		want   string
	}{
		{"a result", ok, nil, `slot 0, attempt 1: result "fine"`},
		{"a failure", failing, nil, "slot 0, attempt 1: failure: failure 1"},
		{"the last of several", failing, &history.Policy{Attempts: 3}, "slot 0, attempt 3: failure: failure 3"},
		{"a final one", func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			p, f := failing(ctx, c)
			f.Final = true
			return p, f
		}, &history.Policy{Attempts: 3}, "slot 0, attempt 1: failure: failure 1"},
		{"a timeout", func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			<-ctx.Done()
			return failing(ctx, c)
		}, nil, "slot 0, attempt 1: timeout failure: failure 1"},
		{"success on the second attempt", func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			if c.Attempt == 1 {
				return failing(ctx, c)
			}
			return history.Payload(fmt.Sprintf("%q", c.LastErr)), nil
		}, &history.Policy{Attempts: 2}, `slot 0, attempt 2: result "failure 1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
				r.serve(r.m.View("worker"), c.run)
				r.schedule(0, c.policy)
				r.pass(10 * time.Minute)
				r.settled(c.want)
			})
		})
	}
}

// TestNextAttemptWhenTheActivitySays: up to a week later.
func TestNextAttemptWhenTheActivitySays(t *testing.T) {
	for _, c := range []struct{ says, want time.Duration }{{time.Hour, time.Hour}, {1 << 62, 7 * 24 * time.Hour}} {
		t.Run(c.says.String(), func(t *testing.T) {
			inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
				var at []time.Time
				r.serve(r.m.View("worker"), func(ctx context.Context, call activity.Call) (history.Payload, *activity.Failure) {
					at = append(at, time.Now())
					p, f := failing(ctx, call)
					f.After = c.says
					return p, f
				})
				r.schedule(0, &history.Policy{Attempts: 2})
				r.pass(8 * 24 * time.Hour)
				r.settled("slot 0, attempt 2: failure: failure 2")
				if len(at) != 2 || at[1].Sub(at[0]).Round(time.Second) != c.want {
					t.Errorf("attempts at %v, want them %v apart", at, c.want)
				}
			})
		})
	}
}

// TestLongTaskIsNotDeliveredTwice: progress keeps it with its worker beyond the store's ack wait.
func TestLongTaskIsNotDeliveredTwice(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		var mu sync.Mutex
		runs := 0
		slow := func(context.Context, activity.Call) (history.Payload, *activity.Failure) {
			mu.Lock()
			runs++
			mu.Unlock()
			<-time.After(5 * time.Minute)
			return nil, nil
		}
		long := func(c *activity.Config) { c.Policy.Timeout = time.Hour }
		r.serve(r.m.View("one"), slow, long)
		r.serve(r.m.View("two"), slow, long)
		r.schedule(0, nil)
		r.pass(10 * time.Minute)
		r.settled("slot 0, attempt 1: result ")
		if runs != 1 {
			t.Errorf("it ran %d times", runs)
		}
	})
}

// TestOverdueTaskHasOneOutcome: a handler that ignores its context loses its slot's word, not the slot.
func TestOverdueTaskHasOneOutcome(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		r.serve(r.m.View("worker"), func(_ context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			if c.Slot == 0 {
				<-time.After(10 * time.Minute)
			}
			return history.Payload(`"late"`), nil
		}, func(c *activity.Config) { c.Slots = 1 })
		r.schedule(0, nil)
		r.schedule(1, nil)
		r.pass(20 * time.Minute)
		r.settled(
			"slot 0, attempt 1: timeout failure: activity a: no result after 1m0s, and its function ignores the end of its context",
			`slot 1, attempt 1: result "late"`,
		)
	})
}

// TestDeadWorkersTaskGoesToAnother: what was not acknowledged comes again, as the same attempt.
func TestDeadWorkersTaskGoesToAnother(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		keys := make(chan string, 2)
		dies := r.m.View("dies")
		over := make(chan struct{})
		r.serve(dies, func(_ context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			keys <- c.Key()
			<-over
			return nil, nil
		})
		r.schedule(0, nil)
		first := <-keys
		if err := dies.Close(); err != nil { // all that the others see of its death
			t.Fatal(err)
		}
		r.serve(r.m.View("lives"), func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			keys <- c.Key()
			return ok(ctx, c)
		})
		if second := <-keys; second != first {
			t.Errorf("the key was %q and is %q", first, second)
		}
		r.pass(time.Second)
		r.settled(`slot 0, attempt 1: result "fine"`)
		close(over)
	})
}

// deadly is a backend whose task deliveries have been tried so often before.
type deadly struct {
	backend.Backend
	before int
}

func (b deadly) Tasks(name string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	return b.Backend.Tasks(name, func(d backend.TaskDelivery) {
		d.Attempts += b.before
		deliver(d)
	})
}

// TestPoison: a task that kills its workers fails for good, and is not run again.
func TestPoison(t *testing.T) {
	for _, c := range []struct {
		name           string
		poison, before int
		want           string
	}{
		{"at the limit it runs", 3, 2, `slot 0, attempt 1: result "fine"`},
		{"above it fails", 3, 3, "slot 0, attempt 1: poison failure: activity a was delivered 3 times without an answer: its worker dies or hangs on it"},
		{"without a limit it runs", 0, 1000, `slot 0, attempt 1: result "fine"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
				r.serve(deadly{r.m.View("worker"), c.before}, ok, func(cfg *activity.Config) { cfg.Poison = c.poison })
				r.schedule(0, &history.Policy{Attempts: 5})
				r.pass(time.Minute)
				r.settled(c.want)
			})
		})
	}
}

// TestUnreadableTaskIsDropped: it is told, it does not retry hot, and its slot goes on.
func TestUnreadableTaskIsDropped(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		var log strings.Builder
		r.serve(r.m.View("worker"), ok, func(c *activity.Config) {
			c.Slots, c.Logger = 1, slog.New(slog.NewTextHandler(&log, nil))
		})
		r.m.Inject(caller, history.KindTask, "a", nil, []byte("{"))
		r.schedule(1, nil)
		r.pass(time.Minute)
		r.settled(`slot 1, attempt 1: result "fine"`)
		if got := log.String(); strings.Count(got, "task dropped") != 1 || !strings.Contains(got, "instance=i") || !strings.Contains(got, "activity=a") {
			t.Errorf("log is %q", got)
		}
	})
}

func TestResultTooLargeForTheStore(t *testing.T) {
	inRig(t, membackend.Config{MaxPayload: 1000}, func(t *testing.T, r *rig) {
		r.serve(r.m.View("worker"), func(context.Context, activity.Call) (history.Payload, *activity.Failure) {
			return history.Payload(`"` + strings.Repeat("x", 1000) + `"`), nil
		})
		r.schedule(0, &history.Policy{Attempts: 5})
		r.pass(time.Minute)
		r.settled("slot 0, attempt 1: too-large failure: activity a: its result is larger than 1000 bytes")
	})
}

// TestOutcomeIsStoredWhenTheStoreIsBack: the task is acknowledged only then, and run once.
func TestOutcomeIsStoredWhenTheStoreIsBack(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		var log strings.Builder
		runs := 0
		r.serve(r.m.View("worker"), func(ctx context.Context, c activity.Call) (history.Payload, *activity.Failure) {
			runs++
			return ok(ctx, c)
		}, func(c *activity.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		r.m.OnAppend(func(a backend.Append) membackend.Verdict {
			_, result := a.Record.(*history.Done)
			return membackend.Verdict{LoseRequest: result}
		})
		r.schedule(0, nil)
		r.pass(30 * time.Second)
		if got := r.m.Unacked(); len(got) == 0 {
			t.Error("the task is acknowledged although nothing is stored")
		}
		r.m.OnAppend(nil)
		r.pass(time.Minute)
		r.settled(`slot 0, attempt 1: result "fine"`)
		if runs != 1 || !strings.Contains(log.String(), "not stored yet") {
			t.Errorf("it ran %d times; log is %q", runs, log.String())
		}
	})
}

func TestStartRefuses(t *testing.T) {
	inRig(t, membackend.Config{}, func(t *testing.T, r *rig) {
		view := r.m.View("worker")
		view.Disconnect()
		_, err := activity.Start(t.Context(), activity.Config{Backend: view, Name: "a", Run: ok})
		if !errors.Is(err, backend.ErrUnavailable) || !strings.Contains(err.Error(), `activity "a"`) {
			t.Errorf("got %v, want ErrUnavailable that names the activity", err)
		}
	})
}
