package durabletest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

var update = flag.Bool("update", false, "write testdata/schedule.json anew: only when a version that wrote it need not be repeated any more")

// report is an orchestrator that tells for which time it runs, and takes a while.
func report(env *durabletest.Env, takes time.Duration, ran func(at, now time.Time)) *durable.Orchestrator {
	o := flow("Report")
	env.Register(durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (durable.None, error) {
		at, _ := durable.ScheduledTime(ctx)
		if !ctx.Replaying() {
			ran(at, ctx.Now())
		}
		return durable.None{}, durable.Sleep(ctx, takes)
	}))
	return o
}

// TestAYearOfDailyRuns: every day has one run at its time of day, also the two on which the clocks change. The schedule
// is never late, and its history does not grow.
func TestAYearOfDailyRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone    string
		hour    int      // and 30 minutes
		changes []string // the runs of the days on which that hour is skipped, or comes twice
	}{
		{"Europe/Berlin", 2, []string{"2026-03-29T03:00:00+02:00", "2026-10-25T02:30:00+02:00"}},
		{"America/New_York", 2, []string{"2026-03-08T03:00:00-04:00"}},
		{"America/New_York", 1, []string{"2026-11-01T01:30:00-04:00"}},
	} {
		t.Run(fmt.Sprint(c.zone, c.hour), func(t *testing.T) {
			t.Parallel()
			env := durabletest.New(t)
			var times []time.Time
			o := report(env, 10*time.Minute, func(at, now time.Time) {
				if late := now.Sub(at); late < 0 || late > 250*time.Millisecond {
					t.Errorf("the run for %v begins %v late", at, late)
				}
				times = append(times, at)
			})
			s := durable.Schedule{ID: "nightly", Cron: []string{fmt.Sprintf("30 %d * * *", c.hour)}, TimeZone: c.zone}
			must(t, durable.CreateSchedule(t.Context(), env.Client(), o, s, nil))
			env.Advance(364 * 24 * time.Hour)

			loc, err := time.LoadLocation(c.zone)
			must(t, err)
			special := map[string]time.Time{}
			for _, text := range c.changes {
				at, err := time.Parse(time.RFC3339, text)
				must(t, err)
				special[at.Format(time.DateOnly)] = at
			}
			var want []time.Time
			for day := range 364 {
				at := time.Date(2026, 1, 1+day, c.hour, 30, 0, 0, loc)
				if other, ok := special[at.Format(time.DateOnly)]; ok {
					at = other
				}
				want = append(want, at.UTC())
			}
			if diff := cmp.Diff(want, times); diff != "" {
				t.Errorf("times of the runs (-want +got):\n%s", diff)
			}
			info, err := env.Client().DescribeSchedule(t.Context(), "nightly")
			must(t, err)
			if info.Runs != len(want) || info.Skipped+info.Missed > 0 {
				t.Errorf("it counts %d runs, %d skipped, %d missed", info.Runs, info.Skipped, info.Missed)
			}
			if lines := strings.Count(string(env.History("schedule:nightly")), "\n"); lines > 600 {
				t.Errorf("its history has %d lines", lines)
			}
		})
	}
}

// TestScheduleSurvivesEverything: whatever goes wrong, every time that is due has one run.
func TestScheduleSurvivesEverything(t *testing.T) {
	t.Parallel()
	for _, policy := range []durable.Overlap{durable.OverlapSkip, durable.OverlapBuffer, durable.OverlapAllow} {
		durabletest.Explore(t, func(env *durabletest.Env) error {
			ctx := env.T().Context()
			o := report(env, 10*time.Minute, func(time.Time, time.Time) {})
			s := durable.Schedule{ID: "r", Cron: []string{"@hourly"}, Overlap: policy}
			if err := durable.CreateSchedule(ctx, env.Client(), o, s, nil); err != nil {
				return err
			}
			env.Advance(5*time.Hour + 30*time.Minute)
			if err := env.Client().PauseSchedule(ctx, "r", ""); err != nil {
				return err
			}
			env.Advance(2 * time.Hour)
			if err := env.Client().ResumeSchedule(ctx, "r", ""); err != nil {
				return err
			}
			env.Advance(2 * time.Hour)
			if err := env.Client().DeleteSchedule(ctx, "r"); err != nil {
				return err
			}
			runs, err := env.Client().List(ctx, durable.Filter{Name: o.Name})
			if err != nil {
				return err
			}
			var got []string
			for _, run := range runs {
				got = append(got, run.ID[len("r-2026-01-01T"):]+" "+string(run.Status))
			}
			var want []string
			for _, hour := range []int{9, 8, 5, 4, 3, 2, 1} {
				want = append(want, fmt.Sprintf("%02d:00:00Z Completed", hour))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("runs with policy %s (-want +got):\n%s", policy, diff)
			}
			return nil
		})
	}
}

// messages reads what Env.History gives.
func messages(t *testing.T, text []byte) history.Messages {
	t.Helper()
	var s struct{ Messages history.Messages }
	must(t, json.Unmarshal(text, &s))
	return s.Messages
}

// repeat has the code of schedules repeat a history.
func repeat(text history.Messages) error {
	_, err := owner.Rehearsal{Code: inside.Code(&durable.Registry{}, "flow"), Fail: inside.Fail}.Replay(history.Address{Group: "flow", ID: "schedule:r"}, text)
	return err
}

// some makes the history of a schedule in which all has happened.
func some(t *testing.T) []byte {
	t.Helper()
	env := durabletest.New(t)
	o := report(env, 90*time.Minute, func(time.Time, time.Time) {})
	s := durable.Schedule{ID: "r", Cron: []string{"0 */2 * * *"}, TimeZone: "Europe/Berlin", Overlap: durable.OverlapBuffer}
	client := env.Client()
	must(t, durable.CreateSchedule(t.Context(), client, o, s, nil))
	env.Advance(3*time.Hour + 10*time.Minute)
	must(t, client.TriggerSchedule(t.Context(), "r"))
	env.Advance(6 * time.Hour)
	must(t, client.PauseSchedule(t.Context(), "r", "a pause"))
	env.Advance(3 * time.Hour)
	must(t, client.ResumeSchedule(t.Context(), "r", "on"))
	s.Overlap = durable.OverlapSkip
	must(t, client.UpdateSchedule(t.Context(), s))
	must(t, client.TriggerSchedule(t.Context(), "r"))
	env.Advance(5 * time.Hour)
	return env.History("schedule:r")
}

// TestSchedulesOfOlderVersionsGoOn: testdata/schedule.json is what the first version wrote. If this fails, live schedules
// would be parked by a deploy.
func TestSchedulesOfOlderVersionsGoOn(t *testing.T) {
	t.Parallel()
	const file = "testdata/schedule.json"
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(file, some(t), 0o644))
	}
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, repeat(messages(t, text)))
}

// TestWorkersWithOtherTimeZoneDataAgree: what one worker has computed another repeats, although it would compute
// something else. Here Berlin has become Kolkata.
func TestWorkersWithOtherTimeZoneDataAgree(t *testing.T) {
	t.Parallel()
	text := some(t)
	must(t, repeat(messages(t, text)))
	other := strings.ReplaceAll(string(text), "Europe/Berlin", "Asia/Kolkata")
	if other == string(text) {
		t.Fatal("the history does not name the zone")
	}
	must(t, repeat(messages(t, []byte(other))))
}
