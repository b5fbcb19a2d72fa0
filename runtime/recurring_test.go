package durable_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// The bubble of a test begins on Saturday, January 1st 2000, at midnight UTC.

// reports is an orchestrator of runs that take a while, and notes when each began and for which time.
func reports(o *durable.Orchestrator, began *notes, takes time.Duration) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, name string) (string, error) {
		at, ok := durable.ScheduledTime(ctx)
		if !ctx.Replaying() {
			began.addf("%s for %s at %s, %t", name, clock(at), clock(ctx.Now()), ok)
		}
		return name, durable.Sleep(ctx, takes)
	})
}

// clock shows a time of the test, to the second: timers are up to 250 ms late.
func clock(t time.Time) string { return t.UTC().Format("02 15:04:05") }

// keep starts a worker that beats seldom: the tests take hours.
func (h *hub) keep(bindings ...durable.Binding) *durable.Worker {
	h.t.Helper()
	return h.workAs(durable.WorkerConfig{Heartbeat: time.Minute, Dead: 2 * time.Minute}, bindings...)
}

func (h *hub) schedule(o *durable.Orchestrator, s durable.Schedule, args any, opts ...durable.ScheduleOption) {
	h.t.Helper()
	must(h.t, durable.CreateSchedule(h.t.Context(), h.client, o, s, args, opts...))
}

// describe reads a schedule after its projection has caught up.
func (h *hub) describe(id string) durable.ScheduleInfo {
	h.t.Helper()
	h.pass(time.Second)
	info, err := h.client.DescribeSchedule(h.t.Context(), id)
	must(h.t, err)
	return info
}

// counts shows what a schedule has counted.
func counts(i durable.ScheduleInfo) string {
	return fmt.Sprintf("%d runs, %d triggered, %d skipped, %d missed", i.Runs, i.Triggered, i.Skipped, i.Missed)
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestScheduleRuns: each run has its id, its time, its input and its tags; the schedule tells what was and what comes.
func TestScheduleRuns(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		s := durable.Schedule{ID: "r", Cron: []string{"0 */2 * * *", "0 1 * * *"}, Tags: durable.Tags{"for": "ann"}}
		h.schedule(o, s, "sales")
		info := h.describe("r") // no worker has seen it
		same(t, "before a worker comes", []any{info.Schedule, info.Orchestrator, len(info.Next)}, []any{s, "flow.Report", 5})
		h.keep(reports(o, &began, time.Minute))
		h.pass(4*time.Hour + 30*time.Minute)
		same(t, "what ran", began.all(), []string{"sales for 01 01:00:00 at 01 01:00:00, true", "sales for 01 02:00:00 at 01 02:00:00, true", "sales for 01 04:00:00 at 01 04:00:00, true"})
		info = h.describe("r")
		same(t, "counts", counts(info), "3 runs, 0 triggered, 0 skipped, 0 missed")
		last := info.Recent[2]
		same(t, "the last run", []any{last.ID, clock(last.Time), last.Status}, []any{"r-2000-01-01T04:00:00Z", "01 04:00:00", durable.Completed})
		same(t, "the next one", clock(info.Next[0]), "01 06:00:00")
		runs, err := h.client.List(t.Context(), durable.Filter{Tags: durable.Tags{durable.TagSchedule: "r", "for": "ann"}})
		must(t, err)
		if len(runs) != 3 || runs[0].ParentID != "schedule:r" {
			t.Errorf("by their tags there are %d runs, the first of %q", len(runs), runs[0].ParentID)
		}
	})
}

// TestScheduleOverlap: what happens to times that are due while a run of 150 minutes is under way.
func TestScheduleOverlap(t *testing.T) {
	for policy, want := range map[durable.Overlap]struct {
		began  []string
		counts string
	}{
		"": {
			[]string{"r for 01 01:00:00 at 01 01:00:00, true", "r for 01 04:00:00 at 01 04:00:00, true"},
			"2 runs, 0 triggered, 2 skipped, 0 missed",
		},
		durable.OverlapBuffer: {
			[]string{"r for 01 01:00:00 at 01 01:00:00, true", "r for 01 03:00:00 at 01 03:30:00, true", "r for 01 06:00:00 at 01 06:00:00, true"},
			"3 runs, 0 triggered, 3 skipped, 0 missed",
		},
		durable.OverlapAllow: {
			[]string{"r for 01 01:00:00 at 01 01:00:00, true", "r for 01 02:00:00 at 01 02:00:00, true", "r for 01 03:00:00 at 01 03:00:00, true", "r for 01 04:00:00 at 01 04:00:00, true"},
			"4 runs, 0 triggered, 0 skipped, 0 missed",
		},
	} {
		t.Run("policy "+string(policy), func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Report")
				var began notes
				h.keep(reports(o, &began, 150*time.Minute))
				h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@hourly"}, Overlap: policy}, "r")
				for len(began.all()) < len(want.began) {
					h.pass(time.Minute)
				}
				same(t, "what ran", began.all(), want.began)
				same(t, "counts", counts(h.describe("r")), want.counts)
			})
		})
	}
}

// TestSchedulePause: nothing is due while it is paused, and nothing is made up for; a trigger works all the same.
func TestSchedulePause(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		h.keep(reports(o, &began, time.Minute))
		h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@hourly"}}, "r")
		h.pass(90 * time.Minute)
		must(t, h.client.PauseSchedule(t.Context(), "r", "the printer is broken"))
		info := h.describe("r")
		same(t, "paused", []any{info.Paused, info.Note, len(info.Next)}, []any{true, "the printer is broken", 0})
		h.pass(2 * time.Hour)
		must(t, h.client.TriggerSchedule(t.Context(), "r"))
		h.pass(2 * time.Minute)
		same(t, "a triggered run", began.all(), []string{"r for 01 01:00:00 at 01 01:00:00, true", "r for 01 03:30:01 at 01 03:30:01, true"})
		must(t, h.client.ResumeSchedule(t.Context(), "r", "mended"))
		h.pass(time.Hour)
		same(t, "after the resume", began.all()[2:], []string{"r for 01 04:00:00 at 01 04:00:00, true"})
		info = h.describe("r")
		same(t, "counts", counts(info), "2 runs, 1 triggered, 0 skipped, 0 missed")
		same(t, "resumed", []any{info.Paused, info.Note, info.Recent[1].Triggered}, []any{false, "mended", true})
	})
}

// TestScheduleTrigger: the overlap policy holds for triggers too; each has an id of its own.
func TestScheduleTrigger(t *testing.T) {
	for policy, want := range map[durable.Overlap]string{
		durable.OverlapSkip:   "0 runs, 1 triggered, 3 skipped, 0 missed",
		durable.OverlapBuffer: "0 runs, 2 triggered, 2 skipped, 0 missed",
		durable.OverlapAllow:  "0 runs, 4 triggered, 0 skipped, 0 missed",
	} {
		t.Run(string(policy), func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Report")
				var began notes
				h.keep(reports(o, &began, time.Hour))
				h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@yearly"}, Overlap: policy}, "r")
				for range 4 {
					must(t, h.client.TriggerSchedule(t.Context(), "r"))
				}
				h.pass(3 * time.Hour)
				info := h.describe("r")
				same(t, "counts", counts(info), want)
				same(t, "runs that began", len(began.all()), info.Triggered)
			})
		})
	}
}

// TestScheduleCatchesUp: after an absence of every worker what is younger than the window is made up for, by one run
// unless runs may overlap, and the rest is counted; the first time too, whose timer has fired while nobody was there.
func TestScheduleCatchesUp(t *testing.T) {
	for name, c := range map[string]struct {
		s      durable.Schedule
		began  []string
		counts string
	}{
		"one day, the default": {
			durable.Schedule{Cron: []string{"@daily"}},
			[]string{"r for 05 00:00:00"}, "1 runs, 0 triggered, 0 skipped, 3 missed",
		},
		"a window that holds several": {
			durable.Schedule{Cron: []string{"@daily"}, CatchupWindow: 70 * time.Hour},
			[]string{"r for 05 00:00:00"}, "1 runs, 0 triggered, 2 skipped, 1 missed",
		},
		"all of them side by side": {
			durable.Schedule{Cron: []string{"@daily"}, CatchupWindow: 70 * time.Hour, Overlap: durable.OverlapAllow},
			[]string{"r for 03 00:00:00", "r for 04 00:00:00", "r for 05 00:00:00"},
			"3 runs, 0 triggered, 0 skipped, 1 missed",
		},
		"nothing": {
			durable.Schedule{Cron: []string{"@daily"}, CatchupWindow: time.Minute},
			nil, "0 runs, 0 triggered, 0 skipped, 4 missed",
		},
		"the first is the only one, and late": {
			durable.Schedule{Cron: []string{"0 0 2 * *"}, CatchupWindow: time.Minute},
			nil, "0 runs, 0 triggered, 0 skipped, 1 missed",
		},
		"no more than there may be": {
			durable.Schedule{Cron: []string{"@daily"}, CatchupWindow: 1000 * time.Hour, Overlap: durable.OverlapAllow, MaxRuns: 2},
			[]string{"r for 02 00:00:00", "r for 05 00:00:00"},
			"2 runs, 0 triggered, 2 skipped, 0 missed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Report")
				var began notes
				w := h.keep(reports(o, &began, time.Minute))
				c.s.ID = "r"
				h.schedule(o, c.s, "r")
				h.pass(time.Minute)
				h.stop(w)
				h.pass(108*time.Hour - time.Minute)
				h.keep(reports(o, &began, time.Minute))
				h.pass(3 * time.Minute)
				got := began.all()
				for n := range got {
					got[n], _, _ = strings.Cut(got[n], " at 05 12:00")
				}
				slices.Sort(got) // what runs side by side begins in any order
				same(t, "what ran", got, c.began)
				same(t, "counts", counts(h.describe("r")), c.counts)
			})
		})
	}
}

// TestScheduleEnds: by its end time, or after so many runs; then its id is free.
func TestScheduleEnds(t *testing.T) {
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, s := range map[string]durable.Schedule{
		"from, to":  {Cron: []string{"@hourly"}, StartAt: begin.Add(2 * time.Hour), EndAt: begin.Add(3 * time.Hour)},
		"so many":   {Cron: []string{"0 2-20 * * *"}, MaxRuns: 2},
		"both ways": {Cron: []string{"@hourly"}, StartAt: begin.Add(90 * time.Minute), MaxRuns: 2, Overlap: durable.OverlapAllow},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Report")
				var began notes
				h.keep(reports(o, &began, time.Minute))
				s.ID = "r"
				h.schedule(o, s, "r")
				h.pass(2*time.Hour + 30*time.Minute)
				info := h.describe("r")
				same(t, "before the last run", []any{info.Finished, len(info.Next)}, []any{false, 1})
				h.pass(time.Hour)
				same(t, "what ran", began.all(), []string{"r for 01 02:00:00 at 01 02:00:00, true", "r for 01 03:00:00 at 01 03:00:00, true"})
				info = h.describe("r")
				same(t, "at the end", []any{info.Finished, len(info.Next), counts(info)}, []any{true, 0, "2 runs, 0 triggered, 0 skipped, 0 missed"})
				if err := h.client.TriggerSchedule(t.Context(), "r"); !errors.Is(err, durable.ErrFinished) {
					t.Errorf("a trigger gives %v, want ErrFinished", err)
				}
				must(t, h.client.DeleteSchedule(t.Context(), "r"))
				if _, err := h.client.DescribeSchedule(t.Context(), "r"); !errors.Is(err, durable.ErrNotFound) {
					t.Errorf("when it is deleted: %v, want ErrNotFound", err)
				}
				h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@daily"}}, "r")
			})
		})
	}
}

// TestAScheduleEndsInATurnOfItsOwn: what ends an execution is stored after what it sends. So it must not send a run that
// hangs on an outlook which is not recorded yet.
func TestAScheduleEndsInATurnOfItsOwn(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		h.keep(reports(o, &notes{}, time.Second))
		h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"* * * * *"}, Overlap: durable.OverlapAllow, MaxRuns: 150}, "r")
		h.pass(151 * time.Minute)
		ends := 0
		for _, m := range h.m.Log() {
			if turn, ok := m.Message.Record.(*history.Turn); ok && turn.End != nil && m.To.ID == "schedule:r" {
				ends++
				if len(turn.Slots) > 0 {
					t.Errorf("it ends as %s in a turn that decides %+v", turn.End.Status, turn.Slots)
				}
			}
		}
		same(t, "executions", ends, 2)
	})
}

// TestScheduleOutlivesItsLog: a schedule that is moved out of the shortened log goes on, on the next worker too.
func TestScheduleOutlivesItsLog(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		s := durable.Schedule{ID: "r", Cron: []string{"@hourly"}}
		h.schedule(o, s, "r")
		for range 3 {
			w := h.workAs(durable.WorkerConfig{KeepLog: 1}, reports(o, &began, time.Minute))
			h.pass(3 * time.Hour)
			h.stop(w)
		}
		var moved backend.Archive
		h.m.View("eye").GetArchive(history.Address{Group: o.Group, ID: "schedule:r"}, func(got backend.Archive, _ uint64, _ error) { moved = got })
		h.pass(time.Second)
		if moved.Status != history.Running || len(moved.Messages) == 0 {
			t.Fatalf("there is no snapshot of it: %+v", moved)
		}
		h.keep(reports(o, &began, time.Minute))
		same(t, "counts", counts(h.describe("r")), "9 runs, 0 triggered, 0 skipped, 0 missed")
		same(t, "runs", len(began.all()), 9)
	})
}

// TestScheduleDelete: runs go on, the id is free at once, and nobody runs what has run under the same id.
func TestScheduleDelete(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		h.keep(reports(o, &began, 10*time.Minute))
		s := durable.Schedule{ID: "r", Cron: []string{"@hourly"}}
		h.schedule(o, s, "r")
		h.pass(time.Hour + time.Minute)
		must(t, h.client.DeleteSchedule(t.Context(), "r"))
		if _, err := h.client.DescribeSchedule(t.Context(), "r"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("describe gives %v, want ErrNotFound", err)
		}
		for name, err := range map[string]error{
			"pause":  h.client.PauseSchedule(t.Context(), "r", ""),
			"delete": h.client.DeleteSchedule(t.Context(), "nobody"),
		} {
			if !errors.Is(err, durable.ErrFinished) && !errors.Is(err, durable.ErrNotFound) {
				t.Errorf("%s gives %v", name, err)
			}
		}
		list, err := h.client.ListSchedules(t.Context())
		must(t, err)
		same(t, "schedules", len(list), 0)
		h.schedule(o, s, "again")
		want(h, durable.AttachInstance[string](h.client, o, "r-2000-01-01T01:00:00Z"), "r")
		h.pass(time.Hour)
		same(t, "what ran", began.all(), []string{"r for 01 01:00:00 at 01 01:00:00, true", "again for 01 02:00:00 at 01 02:00:00, true"})
	})
}

// TestDeleteWaitsForAWorker, and is not forgotten when nobody waits any more.
func TestDeleteWaitsForAWorker(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@hourly"}}, "r")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := h.client.DeleteSchedule(ctx, "r"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a worker it gives %v, want the error of ctx", err)
		}
		h.keep(reports(o, &notes{}, time.Minute))
		h.pass(time.Minute)
		if _, err := h.client.DescribeSchedule(t.Context(), "r"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("with one it gives %v, want ErrNotFound", err)
		}
	})
}

// TestScheduleOfATakenID: a run whose id somebody has is left out, and the next one is not.
func TestScheduleOfATakenID(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		h.keep(reports(o, &began, time.Minute))
		start[string](h, o, "mine", durable.InstanceID("r-2000-01-01T01:00:00Z"))
		h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@hourly"}}, "r")
		h.pass(2*time.Hour + 30*time.Minute)
		same(t, "what ran", began.all()[1:], []string{"r for 01 02:00:00 at 01 02:00:00, true"})
		same(t, "counts", counts(h.describe("r")), "1 runs, 0 triggered, 1 skipped, 0 missed")
	})
}

// TestScheduleUpdate: other times hold from now on, other input from the next run on.
func TestScheduleUpdate(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, other := flow("Report"), flow("Other")
		var began notes
		h.keep(reports(o, &began, time.Minute), reports(other, &began, time.Minute))
		s := durable.Schedule{ID: "r", Cron: []string{"@hourly"}}
		h.schedule(o, s, "r")
		h.pass(90 * time.Minute)
		err := durable.CreateSchedule(t.Context(), h.client, o, s, "r")
		if !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("it is created twice: %v", err)
		}
		says(t, err, `"r"`, "UpdateIfExists")

		s.Cron = []string{"15 1 * * *", "30 2 * * *"} // 01:15 has passed
		must(t, h.client.UpdateSchedule(t.Context(), s))
		h.pass(time.Hour + 10*time.Minute)
		h.schedule(other, s, "new", durable.UpdateIfExists())
		same(t, "it runs", h.describe("r").Orchestrator, "flow.Other")
		must(t, h.client.TriggerSchedule(t.Context(), "r"))
		h.pass(time.Minute)
		same(t, "what ran", began.all(), []string{
			"r for 01 01:00:00 at 01 01:00:00, true", "r for 01 02:30:00 at 01 02:30:00, true", "new for 01 02:40:01 at 01 02:40:01, true",
		})
		elsewhere := &durable.Orchestrator{Name: "x.X", Group: "x"}
		says(t, durable.CreateSchedule(t.Context(), h.client, elsewhere, s, "", durable.UpdateIfExists()), `"flow"`, `"x"`, "delete it first")
	})
}

// TestAnUpdateOfTheSameTimesMissesNothing: a program that tells its schedule at every start does not eat what was due
// while it was away.
func TestAnUpdateOfTheSameTimesMissesNothing(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		w := h.keep(reports(o, &began, time.Minute))
		s := durable.Schedule{ID: "r", Cron: []string{"@hourly"}, Overlap: durable.OverlapAllow}
		h.schedule(o, s, "r", durable.UpdateIfExists())
		h.pass(time.Minute)
		h.stop(w)
		h.pass(150 * time.Minute)
		h.schedule(o, s, "r", durable.UpdateIfExists())
		h.keep(reports(o, &began, time.Minute))
		h.pass(time.Minute)
		same(t, "runs", len(began.all()), 2)
	})
}

// TestScheduleThatCannotBeComputed says why, is tried again, and can be mended.
func TestScheduleThatCannotBeComputed(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		h.keep(reports(o, &began, time.Minute))
		// What a client makes whose machine knows a zone that the worker's does not.
		raw := map[string]any{"orchestrator": o.Name, "input": "r", "schedule": map[string]any{"id": "r", "cron": []string{"@hourly"}, "zone": "Mars/Olympus"}}
		start[durable.None](h, &durable.Orchestrator{Name: "durable.Schedule", Group: "flow"}, raw, durable.InstanceID("schedule:r"))
		h.pass(time.Hour + time.Minute)
		info := h.describe("r")
		if !strings.Contains(info.Problem, "Mars/Olympus") || len(info.Next) > 0 || info.Finished {
			t.Errorf("it says %+v", info)
		}
		tries := 0
		for _, m := range h.m.Log() {
			if turn, ok := m.Message.Record.(*history.Turn); ok {
				for _, s := range turn.Slots {
					if s.Kind == history.SlotVersion {
						tries++
					}
				}
			}
		}
		same(t, "tries: at once, then every minute", tries, 62)
		must(t, h.client.UpdateSchedule(t.Context(), durable.Schedule{ID: "r", Cron: []string{"@hourly"}}))
		h.pass(time.Hour)
		same(t, "what ran", began.all(), []string{"r for 01 02:00:00 at 01 02:00:00, true"})
		same(t, "the problem", h.describe("r").Problem, "")
	})
}

// TestTerminateEndsAScheduleWithItsRuns, which its delete does not.
func TestTerminateEndsAScheduleWithItsRuns(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		h.keep(reports(o, &notes{}, 10*time.Minute))
		h.schedule(o, durable.Schedule{ID: "r", Cron: []string{"@hourly"}}, "r")
		h.pass(time.Hour + time.Minute)
		must(t, h.client.Terminate(t.Context(), "schedule:r", "enough"))
		if err := fails(h, durable.AttachInstance[string](h.client, o, "r-2000-01-01T01:00:00Z")); !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("its run gives %v, want ErrTerminated", err)
		}
		same(t, "finished", h.describe("r").Finished, true)
	})
}

// TestListSchedules: those of all groups, by their ids, also one that no worker has seen.
func TestListSchedules(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		h.keep(reports(o, &notes{}, time.Minute))
		s := durable.Schedule{ID: "b", Cron: []string{"@daily"}}
		h.schedule(o, s, "r")
		s.ID = "a"
		h.schedule(&durable.Orchestrator{Name: "x.X", Group: "x"}, s, "r")
		h.pass(time.Second)
		list, err := h.client.ListSchedules(t.Context())
		must(t, err)
		var got []string
		for _, info := range list {
			got = append(got, info.ID+" "+info.Orchestrator+" "+clock(info.Next[0]))
		}
		same(t, "schedules", got, []string{"a x.X 02 00:00:00", "b flow.Report 02 00:00:00"})
	})
}

// TestScheduleRefuses what cannot be kept, before anything is stored.
func TestScheduleRefuses(t *testing.T) {
	daily := []string{"@daily"}
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		s    durable.Schedule
		says []string
	}{
		"no id":        {durable.Schedule{Cron: daily}, []string{"ID", "empty"}},
		"a long id":    {durable.Schedule{ID: long[:161], Cron: daily}, []string{"161 bytes", "at most 160"}},
		"no cron":      {durable.Schedule{ID: "r"}, []string{`"r"`, "Cron is empty", "0 6 * * *"}},
		"a bad cron":   {durable.Schedule{ID: "r", Cron: []string{"@daily", "0 25 * * *"}}, []string{"Cron[1]", "0 25 * * *", "hour", "0 to 23"}},
		"never":        {durable.Schedule{ID: "r", Cron: []string{"0 0 30 2 *"}}, []string{"Cron[0]", "never"}},
		"many":         {durable.Schedule{ID: "r", Cron: strings.Split(strings.Repeat("@daily,", 33), ",")[:33]}, []string{"33", "at most 32"}},
		"a zone":       {durable.Schedule{ID: "r", Cron: daily, TimeZone: "Mars/Olympus"}, []string{"Mars/Olympus", "Europe/Berlin"}},
		"Local":        {durable.Schedule{ID: "r", Cron: daily, TimeZone: "Local"}, []string{"every machine", "Europe/Berlin"}},
		"its end":      {durable.Schedule{ID: "r", Cron: daily, StartAt: time.Unix(9, 0), EndAt: time.Unix(5, 0)}, []string{"EndAt", "never run"}},
		"a far end":    {durable.Schedule{ID: "r", Cron: daily, EndAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"9999"}},
		"runs":         {durable.Schedule{ID: "r", Cron: daily, MaxRuns: -1}, []string{"MaxRuns is -1"}},
		"overlap":      {durable.Schedule{ID: "r", Cron: daily, Overlap: "queue"}, []string{`"queue"`, "skip", "buffer", "allow"}},
		"the window":   {durable.Schedule{ID: "r", Cron: daily, CatchupWindow: time.Second}, []string{"CatchupWindow is 1s", "10s"}},
		"own tags":     {durable.Schedule{ID: "r", Cron: daily, Tags: durable.Tags{durable.TagSchedule: "x"}}, []string{durable.TagSchedule, "leave it out"}},
		"large tags":   {durable.Schedule{ID: "r", Cron: daily, Tags: durable.Tags{"x": long}}, []string{"Tags", "at most 4096"}},
		"two at once":  {durable.Schedule{ID: "r", MaxRuns: -1}, []string{"Cron is empty", "MaxRuns"}},
		"all together": {durable.Schedule{ID: "r", Cron: strings.Split(strings.Repeat(strings.Repeat("1,", 120)+"1 * * * *;", 32), ";")[:32], Tags: durable.Tags{"x": long[:3500]}}, []string{"at most 8192"}},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				err := durable.CreateSchedule(t.Context(), h.client, flow("Report"), c.s, "r")
				if !errors.Is(err, durable.ErrSchedule) {
					t.Fatalf("got %v, want ErrSchedule", err)
				}
				says(t, err, c.says...)
				if err := h.client.UpdateSchedule(t.Context(), c.s); !errors.Is(err, durable.ErrSchedule) {
					t.Errorf("an update gives %v, want ErrSchedule", err)
				}
				if _, err := c.s.Next(time.Now(), 1); !errors.Is(err, durable.ErrSchedule) {
					t.Errorf("Next gives %v, want ErrSchedule", err)
				}
				if n := len(h.m.Log()); n > 0 {
					t.Errorf("%d messages are stored", n)
				}
			})
		})
	}
	inHub(t, func(t *testing.T, h *hub) {
		if err := h.client.PauseSchedule(t.Context(), "r", long); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("a long note gives %v, want ErrPayload", err)
		}
		err := new(durable.Registry).Add(durable.BindOrchestrator(&durable.Orchestrator{Name: "durable.Schedule"}, func(durable.Context, int) (int, error) { return 0, nil }))
		says(t, err, "durable.Schedule", "name=")
	})
}

// TestALargeScheduleHasRoomInItsStatus: what the limits allow never breaks one.
func TestALargeScheduleHasRoomInItsStatus(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Report")
		var began notes
		h.keep(reports(o, &began, time.Second))
		s := durable.Schedule{ID: strings.Repeat("ü", 80), Cron: []string{"* * * * *"}, TimeZone: "Europe/Berlin", Tags: durable.Tags{"x": strings.Repeat(" ", 4000)}}
		for len(s.Cron) < 16 {
			s.Cron = append(s.Cron, strings.Repeat("1,", 90)+"1 * * * *")
		}
		h.schedule(o, s, "r")
		must(t, h.client.PauseSchedule(t.Context(), s.ID, strings.Repeat("<", 170)))
		must(t, h.client.ResumeSchedule(t.Context(), s.ID, strings.Repeat("<", 170)))
		h.pass(20 * time.Minute)
		if info := h.describe(s.ID); info.Runs != 20 || info.Finished {
			t.Errorf("it says %s, finished %t", counts(info), info.Finished)
		}
	})
}
