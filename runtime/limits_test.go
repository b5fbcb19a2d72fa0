package durable_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

const smallStore = 20_000

// inSmallHub is a hub whose store takes much less than MaxPayload, as natsbackend.Config.MaxPayload can say.
func inSmallHub(t *testing.T, test func(t *testing.T, h *hub)) {
	t.Helper()
	inHubOf(t, membackend.Config{MaxPayload: smallStore}, test)
}

func large(bytes int) string { return strings.Repeat("x", bytes) }

// TestWhatTheStoreRefusesIsTold: a value that fits MaxPayload and not the store fails the call that it is of, or else the
// run, with a reason; nothing parks, nothing is tried for ever.
func TestWhatTheStoreRefusesIsTold(t *testing.T) {
	echo, child := task("Echo"), flow("Child")
	for _, c := range []struct {
		name  string
		run   func(ctx durable.Context) (string, error)
		calls bool // the call fails, and the orchestrator goes on
		says  []string
	}{
		{"an activity's argument", func(ctx durable.Context) (string, error) {
			return call[string](ctx, echo, large(2*smallStore))
		}, true, []string{"activity flow.Echo: its arguments of 40002 bytes cannot be stored"}},
		{"an activity's result", func(ctx durable.Context) (string, error) {
			return call[string](ctx, echo, "large")
		}, true, []string{"activity flow.Echo: its result is larger than 20000 bytes"}},
		{"a child's input", func(ctx durable.Context) (string, error) {
			return durable.StartChild[string](ctx, child, large(2*smallStore)).Get(ctx)
		}, false, []string{"flow.Child with 40002 bytes cannot be stored"}},
		{"the input of a child with an id of its own", func(ctx durable.Context) (string, error) { // the record fits, the claim does not
			return durable.StartChild[string](ctx, child, large(smallStore-200), durable.InstanceID("own")).Get(ctx)
		}, true, []string{`child "own" cannot be started`}},
		{"a child's result", func(ctx durable.Context) (string, error) {
			return durable.StartChild[string](ctx, child, "large").Get(ctx)
		}, true, []string{"orchestrator flow.Child: its result of 40002 bytes cannot be stored"}},
		{"an event", func(ctx durable.Context) (string, error) {
			durable.SendEvent(ctx, "nobody", "e", large(2*smallStore))
			return "sent", durable.Sleep(ctx, time.Second)
		}, false, []string{"e with 40002 bytes cannot be stored"}},
		{"an event and the end", func(ctx durable.Context) (string, error) {
			durable.SendEvent(ctx, "nobody", "e", large(2*smallStore))
			return "sent", nil
		}, false, []string{"e with 40002 bytes cannot be stored"}},
		{"the result", func(durable.Context) (string, error) {
			return large(2 * smallStore), nil
		}, false, []string{"orchestrator flow.Large: its result of 40002 bytes cannot be stored"}},
		{"the input of the next execution", func(ctx durable.Context) (string, error) {
			return "", durable.ContinueWith(ctx, large(2*smallStore))
		}, false, []string{"its next execution, with an input of 40002 bytes"}},
		{"a failure", func(ctx durable.Context) (string, error) {
			errs := []error{errors.New(large(smallStore))}
			for range 8 {
				_, err := call[string](ctx, echo, "fail")
				errs = append(errs, err)
			}
			return "", errors.Join(errs...)
		}, false, []string{"its failure cannot be stored"}},
		{"the last of many decisions", func(ctx durable.Context) (string, error) {
			for range 50 {
				durable.NewTimer(ctx, time.Hour)
			}
			durable.SendEvent(ctx, "nobody", "e", large(2*smallStore))
			durable.StartActivity[string](ctx, echo, "small")
			return "", durable.Sleep(ctx, 2*time.Hour)
		}, false, []string{"e with 40002 bytes cannot be stored"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSmallHub(t, func(t *testing.T, h *hub) {
				o := flow("Large")
				h.work(
					durable.BindActivity(echo, func(_ context.Context, s string) (string, error) {
						switch s {
						case "large":
							return large(2 * smallStore), nil
						case "fail":
							return "", errors.New(large(smallStore / 4))
						}
						return s, nil
					}),
					durable.BindOrchestrator(child, func(_ durable.Context, s string) (string, error) {
						if s == "large" {
							return large(2 * smallStore), nil
						}
						return s, nil
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
						s, err := c.run(ctx)
						if err != nil && c.calls {
							if !errors.Is(err, durable.ErrPayload) {
								t.Errorf("the call gives %v, want ErrPayload", err)
							}
							return "told: " + err.Error(), durable.Sleep(ctx, time.Minute)
						}
						return s, err
					}),
				)
				handle := start[string](h, o, nil, durable.InstanceID("x"))
				got, err := handle.Wait(t.Context())
				if c.calls {
					must(t, err)
					err = errors.New(got)
				} else if !errors.Is(err, durable.ErrPayload) {
					t.Errorf("got %q, %v, want ErrPayload", got, err)
				}
				says(t, err, c.says...)
				if inst := h.get("x"); inst.Parked != "" || inst.Status != durable.Failed && !c.calls {
					t.Errorf("it is %s, parked %q", inst.Status, inst.Parked)
				}
				before := len(h.m.Log())
				h.pass(time.Hour)
				if after := len(h.m.Log()); after != before {
					t.Errorf("%d messages were stored after its end", after-before)
				}
			})
		})
	}
}

// TestAFanOutIsLargerThanARecord: decisions of one turn that do not fit into one record are recorded in several, and a
// worker that finds only some of them goes on.
func TestAFanOutIsLargerThanARecord(t *testing.T) {
	const children, each = 40, smallStore / 10
	child, o := flow("Child"), flow("Fan")
	code := func(ends bool) []durable.Binding {
		return []durable.Binding{
			durable.BindOrchestrator(child, func(_ durable.Context, s string) (int, error) { return len(s), nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				var all []durable.Future[int]
				for range children {
					all = append(all, durable.StartChild[int](ctx, child, large(each)))
				}
				if ends {
					return children * each, nil
				}
				lengths, err := durable.Collect(ctx, all)
				sum := 0
				for _, n := range lengths {
					sum += n
				}
				return sum, err
			}),
		}
	}
	for _, c := range []struct {
		name       string
		ends, dies bool
	}{{"it waits", false, false}, {"it ends", true, false}, {"it waits, its worker dies", false, true}, {"it ends, its worker dies", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			inSmallHub(t, func(t *testing.T, h *hub) {
				view := h.m.View("first")
				w := durable.NewWorker(view, registry(t, code(c.ends)...), durable.WorkerConfig{})
				must(t, w.Start(t.Context()))
				defer func() {
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					defer cancel()
					if err := w.Stop(ctx); err != nil && !c.dies {
						t.Error(err)
					}
				}()
				if c.dies {
					records := 0
					h.m.OnAppend(func(a backend.Append) membackend.Verdict {
						turn, ok := a.Record.(*history.Turn)
						if ok && a.To.ID == "x" && len(turn.Slots) < children/4 {
							records++
						}
						return membackend.Verdict{LoseRequest: records > 2}
					})
				}
				handle := start[int](h, o, nil, durable.InstanceID("x"))
				if c.dies {
					h.pass(time.Second)
					view.Kill()
					h.m.OnAppend(nil)
					if n := len(h.sites("x")); n == 0 || n == children {
						t.Fatalf("%d slots are recorded before the crash, want some", n)
					}
					h.work(code(c.ends)...)
				}
				want(h, handle, children*each)
				h.pass(time.Minute)
				all, err := h.client.List(t.Context(), durable.Filter{Name: child.Name, Statuses: []durable.Status{durable.Completed}})
				if err != nil || len(all) != children {
					t.Errorf("%d children have run, want %d (%v)", len(all), children, err)
				}
				if n := len(h.sites("x")); n != children {
					t.Errorf("%d slots are recorded, want %d", n, children)
				}
			})
		})
	}
}

// TestStartsThatCannotBeStored are refused before their id is claimed: it stays free.
func TestStartsThatCannotBeStored(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Short")
		h.work(durable.BindOrchestrator(o, func(durable.Context, string) (int, error) { return 1, nil }))
		for _, c := range []struct {
			name string
			o    *durable.Orchestrator
			in   string
			opts []durable.StartOption
			says []string
		}{
			{"large tags", o, "", []durable.StartOption{durable.Tags{"a": large(16 << 10)}}, []string{"tags", "at most 16384"}},
			{"tags of many characters that are escaped", o, "", []durable.StartOption{durable.Tags{"a": strings.Repeat(" ", 6000)}}, []string{"tags", "at most 16384"}},
			{"many tags", o, "", []durable.StartOption{manyTags(3000)}, []string{"tags", "at most 16384"}},
			{"a long version", o, "", []durable.StartOption{durable.Version(large(1025))}, []string{"version", "at most 1024"}},
			{"a far-off time", o, "", []durable.StartOption{durable.StartAt(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}, []string{"year 10000"}},
			{"a long name", flow(large(300)), "", nil, []string{"name", "at most 256"}},
			{"a large input", o, large(durable.MaxPayload), nil, []string{"at most 16777216"}},
		} {
			for _, opts := range [][]durable.StartOption{c.opts, append(c.opts, durable.InstanceID("x"))} {
				_, err := durable.StartInstance[int](t.Context(), h.client, c.o, c.in, opts...)
				says(t, err, append(c.says, "durable: start")...)
			}
			if _, err := h.client.Get(t.Context(), "x"); !errors.Is(err, durable.ErrNotFound) {
				t.Errorf("%s: afterwards Get gives %v, want ErrNotFound", c.name, err)
			}
		}
		if n := len(h.m.Log()); n > 0 {
			t.Errorf("%d messages are stored", n)
		}
		want(h, start[int](h, o, "", durable.InstanceID("x"), manyTags(1000)), 1)
		if inst := h.get("x"); len(inst.Tags) != 1000 {
			t.Errorf("%d tags are kept, want 1000", len(inst.Tags))
		}
	})
}

func manyTags(n int) durable.Tags {
	tags := durable.Tags{}
	for k := range n {
		tags[strings.Repeat("k", 1+k%5)+time.Duration(k).String()] = "v"
	}
	return tags
}

// TestChildrenThatCannotBeStarted come back to the call, whatever stands in their way.
func TestChildrenThatCannotBeStarted(t *testing.T) {
	child := flow("Child")
	for _, c := range []struct {
		name string
		opts []durable.ChildOption
		says []string
	}{
		{"large tags", []durable.ChildOption{durable.Tags{"a": large(16 << 10)}}, []string{"child flow.Child", "tags"}},
		{"a long version", []durable.ChildOption{durable.Version(large(1025))}, []string{"child flow.Child", "version"}},
		{"a long id", []durable.ChildOption{durable.InstanceID(large(201))}, []string{"201 bytes", "at most 200"}},
		{"an id that is too long for its attempts", []durable.ChildOption{durable.InstanceID(large(199)), durable.RetryPolicy{Attempts: 10}}, []string{"202 bytes", "at most 200"}},
		{"a negative delay", []durable.ChildOption{durable.RetryPolicy{Attempts: 2, First: -1}}, []string{"First is -1ns"}},
		{"negative attempts", []durable.ChildOption{durable.RetryPolicy{Attempts: -2}}, []string{"Attempts is -2"}},
		{"a negative deadline", []durable.ChildOption{durable.RetryPolicy{Attempts: 2, Deadline: -time.Second}}, []string{"Deadline is -1s"}},
		{"a jitter above one", []durable.ChildOption{durable.RetryPolicy{Attempts: 2, Jitter: 1.5}}, []string{"Jitter is 1.5"}},
		{"a backoff that is no number", []durable.ChildOption{durable.RetryPolicy{Attempts: 2, Backoff: math.NaN()}}, []string{"Backoff is NaN"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Parent")
				h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					return durable.StartChild[int](ctx, child, nil, c.opts...).Get(ctx)
				}))
				says(t, fails(h, start[int](h, o, nil, durable.InstanceID("x"))), c.says...)
				if n := len(h.sites("x")); n > 0 {
					t.Errorf("%d slots are recorded, want none", n)
				}
			})
		})
	}
}

// TestActivityOptionsThatMeanNothing come back to the call before anything is stored.
func TestActivityOptionsThatMeanNothing(t *testing.T) {
	a := task("Step")
	for _, c := range []struct {
		name string
		opt  durable.CallOption
		says string
	}{
		{"a negative timeout", durable.Timeout(-1), "Timeout is -1ns"},
		{"a negative heartbeat", durable.HeartbeatTimeout(-time.Minute), "HeartbeatTimeout is -1m0s"},
		{"negative attempts", durable.RetryPolicy{Attempts: -1}, "Attempts is -1"},
		{"a negative deadline", durable.RetryPolicy{Deadline: -1}, "Deadline is -1ns"},
		{"an infinite backoff", durable.RetryPolicy{Backoff: math.Inf(1)}, "Backoff is +Inf"},
		{"a negative jitter", durable.RetryPolicy{Jitter: -0.1}, "Jitter is -0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Caller")
				h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
					return call[int](ctx, a, nil, c.opt)
				}))
				says(t, fails(h, start[int](h, o, nil, durable.InstanceID("x"))), "call of activity flow.Step", c.says)
				if n := len(h.sites("x")); n > 0 {
					t.Errorf("%d slots are recorded, want none", n)
				}
			})
		})
	}
}

// TestNegativeDurationsAreNow: a wait that is over before it begins.
func TestNegativeDurationsAreNow(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Past")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (bool, error) {
			begin := ctx.Now()
			err := durable.Sleep(ctx, math.MinInt64)
			_, timedOut := durable.ReceiveEvent[int](ctx, "none").Within(ctx, -time.Hour)
			scoped, cancel := durable.WithTimeout(ctx, -time.Hour)
			defer cancel()
			_, ended := durable.ReceiveEvent[int](scoped, "none").Get(scoped)
			return errors.Is(timedOut, durable.ErrTimeout) && errors.Is(ended, durable.ErrTimeout) && ctx.Now().Sub(begin) < time.Second, err
		}))
		want(h, start[bool](h, o, nil, durable.StartAfter(-time.Hour)), true)
	})
}

// TestTimersAreFarOff: the longest duration there is, 292 years.
func TestTimersAreFarOff(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Patient")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			_, err := durable.ReceiveEvent[int](ctx, "go").Within(ctx, math.MaxInt64)
			return 1, err
		}))
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		if inst := h.get("x"); !strings.Contains(inst.Waiting, "timer until 2292-") {
			t.Errorf("it waits for %q", inst.Waiting)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 1))
		want(h, handle, 1)
	})
}

// TestAWideTurn: what one turn decides has no limit in number.
func TestAWideTurn(t *testing.T) {
	const each = 3000
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("One"), flow("Wide")
		h.work(
			durable.BindActivity(a, func(context.Context, int) (int, error) { return 1, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
				var all []durable.Future[int]
				for n := range each {
					all = append(all, durable.StartActivity[int](ctx, a, n))
					durable.NewTimer(ctx, time.Hour)
					durable.SendEvent(ctx, ctx.InstanceID(), "e", n)
				}
				got, err := durable.Collect(ctx, all)
				sum := 0
				for _, n := range got {
					sum += n
				}
				for range each {
					if err := durable.ReceiveEvent[int](ctx, "e").Err(ctx); err != nil {
						return 0, err
					}
					sum++
				}
				return sum, err
			}),
		)
		want(h, start[int](h, o, nil), 2*each)
	})
}

// TestClientsAreToldWhatTheStoreRefuses, as ErrPayload, and nothing is stored.
func TestClientsAreToldWhatTheStoreRefuses(t *testing.T) {
	inSmallHub(t, func(t *testing.T, h *hub) {
		a, o, short := task("Outside"), flow("Waits"), flow("Short")
		token := make(chan string, 1)
		h.work(
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
				got, err := durable.CompleteLater(ctx)
				must(t, err)
				must(t, durable.Heartbeat(ctx, large(2*smallStore))) // is lost, and does no harm
				token <- got
				return "", durable.ErrCompleteLater
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				return call[string](ctx, a, nil, durable.Timeout(time.Hour))
			}),
			durable.BindOrchestrator(short, func(_ durable.Context, s string) (int, error) { return len(s), nil }),
		)
		handle := start[string](h, o, nil, durable.InstanceID("x"))
		open := <-token
		h.pass(time.Minute)
		before := len(h.m.Log())
		reason := large(durable.MaxReason + 1)
		ctx, c := t.Context(), h.client
		startAs := func(opts ...durable.StartOption) error {
			_, err := durable.StartInstance[int](ctx, c, short, large(smallStore), opts...)
			return err
		}
		for name, err := range map[string]error{
			"start":          startAs(),
			"start by an id": startAs(durable.InstanceID("y")),
			"raise":          c.Raise(ctx, "x", "e", large(smallStore)),
			"complete":       c.CompleteActivity(ctx, open, large(smallStore)),
			"terminate":      c.Terminate(ctx, "x", reason),
			"cancel":         c.Cancel(ctx, "x", reason),
			"suspend":        c.Suspend(ctx, "x", reason),
			"resume":         c.Resume(ctx, "x", reason),
			"rewind":         c.Rewind(ctx, "x", reason),
		} {
			if !errors.Is(err, durable.ErrPayload) {
				t.Errorf("%s: got %v, want ErrPayload", name, err)
			}
		}
		h.pass(time.Minute)
		if after := len(h.m.Log()); after != before {
			t.Errorf("%d messages are stored", after-before)
		}
		if _, err := c.Get(ctx, "y"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("the id that was refused: %v, want ErrNotFound", err)
		}
		must(t, c.CompleteActivity(ctx, open, "small"))
		want(h, handle, "small")
	})
}

// TestWhatWasRefusedIsNoHistory: arguments that the store has refused are not in the snapshot or the archive either, which
// they would be too large for; a worker that begins from the snapshot sees the same.
func TestWhatWasRefusedIsNoHistory(t *testing.T) {
	inSmallHub(t, func(t *testing.T, h *hub) {
		echo, o := task("Echo"), flow("Parent")
		code := []durable.Binding{
			durable.BindActivity(echo, func(_ context.Context, s string) (string, error) { return s, nil }),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) {
				if _, err := call[string](ctx, echo, large(2*smallStore)); !errors.Is(err, durable.ErrPayload) {
					return "", fmt.Errorf("got %w, want ErrPayload", err)
				}
				got, err := call[string](ctx, echo, "small")
				next(ctx)
				next(ctx)
				return got, err
			}),
		}
		handle := start[string](h, o, nil, durable.InstanceID("x"))
		archived := func() (a backend.Archive) {
			h.m.View("eye").GetArchive(history.Address{Group: o.Group, ID: "x"}, func(got backend.Archive, _ uint64, _ error) { a = got })
			h.pass(time.Second)
			return a
		}
		for range 2 {
			w := h.workAs(durable.WorkerConfig{KeepLog: 1}, code...)
			h.pass(time.Hour)
			if a := archived(); a.Status != history.Running || len(a.Messages) == 0 {
				t.Fatalf("there is no snapshot: %+v", a)
			}
			h.stop(w)
			must(t, h.client.Raise(t.Context(), "x", "next", nil))
		}
		h.work(code...)
		want(h, handle, "small")
		if a := archived(); a.Status != history.Completed || a.Partial {
			t.Errorf("the archive is %s, partial: %t", a.Status, a.Partial)
		}
	})
}

// TestAHistoryIsLargerThanAPayload: what is kept of an ended run, a snapshot, and what a rewind begins with hold many
// payloads, and take more than one may.
func TestAHistoryIsLargerThanAPayload(t *testing.T) {
	inSmallHub(t, func(t *testing.T, h *hub) {
		echo, o := newFaulty("Echo", 60), flow("Parent")
		const payload = smallStore / 10
		code := []durable.Binding{echo.bind(), durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
			for n := range 40 {
				if n == 20 {
					durable.Sleep(ctx, time.Hour)
				}
				if got, err := durable.ReceiveEvent[string](ctx, "e").Get(ctx); err != nil || len(got) != payload {
					return 0, fmt.Errorf("event %d has %d bytes: %w", n, len(got), err)
				}
			}
			return call[int](ctx, echo.Activity, 60)
		})}
		h.workAs(durable.WorkerConfig{KeepLog: 1}, code...)
		handle := start[int](h, o, nil, durable.InstanceID("x"))
		archived := func() (a backend.Archive) {
			h.m.View("eye").GetArchive(history.Address{Group: o.Group, ID: "x"}, func(got backend.Archive, _ uint64, _ error) { a = got })
			h.pass(time.Second)
			return a
		}
		for range 20 {
			must(t, h.client.Raise(t.Context(), "x", "e", large(payload)))
		}
		h.pass(30 * time.Minute)
		if a := archived(); a.Status != history.Running || len(a.Messages) < 20 {
			t.Fatalf("the snapshot is %s and has %d messages", a.Status, len(a.Messages))
		}
		for range 20 {
			must(t, h.client.Raise(t.Context(), "x", "e", large(payload)))
		}
		fails(h, handle)
		h.pass(time.Minute)
		if a := archived(); a.Status != history.Failed || a.Partial || len(a.Messages) < 40 {
			t.Fatalf("the archive is %s, partial: %t, with %d messages", a.Status, a.Partial, len(a.Messages))
		}
		echo.breaks()
		h.rewind("x")
		want(h, handle, 60)
	})
}
