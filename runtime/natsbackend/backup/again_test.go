package backup_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend/backup"
)

// TestCopyOfSchedules copies a hub whose schedules are at work. Elsewhere they go on where they were: no run is left out, none is
// begun twice, and what had ended does not run again; one that is paused stays so.
func TestCopyOfSchedules(t *testing.T) {
	t.Parallel()
	there := serve(t)
	cfg := config(there)
	cfg.Provision = true
	a := open(t, there, cfg)
	stop := a.work()
	const runs = 5
	for _, s := range []durable.Schedule{
		{ID: "tick", Cron: []string{"@every 1s"}, MaxRuns: runs, Overlap: durable.OverlapAllow},
		{ID: "held", Cron: []string{"@every 1s"}},
		{ID: "yearly", Cron: []string{"@yearly"}},
	} {
		if err := durable.CreateSchedule(t.Context(), a.client, whole, s, input{ID: s.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.client.PauseSchedule(t.Context(), "held", "the printer is broken"); err != nil {
		t.Fatal(err)
	}
	if err := a.client.TriggerSchedule(t.Context(), "yearly"); err != nil {
		t.Fatal(err)
	}
	before := map[string]durable.ScheduleInfo{
		"tick":   a.scheduled("tick", func(i durable.ScheduleInfo) bool { return i.Runs > 0 }),
		"held":   a.scheduled("held", func(i durable.ScheduleInfo) bool { return i.Paused }),
		"yearly": a.scheduled("yearly", func(i durable.ScheduleInfo) bool { return i.Triggered == 1 }),
	}
	first := before["tick"].Recent[0].ID
	a.shows(first)
	path := filepath.Join(t.TempDir(), "ward.backup")
	if _, err := backup.Write(t.Context(), cfg, path, nil); err != nil {
		t.Fatal(err)
	}
	stop() // two hubs must not both go on

	here := serve(t)
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: config(here)}); err != nil {
		t.Fatal(err)
	}
	b := open(t, here, config(here))
	b.work()
	// Its counts are a moment older than its end.
	info := b.scheduled("tick", func(i durable.ScheduleInfo) bool { return i.Finished && i.Runs >= runs })
	met := map[string]bool{}
	for _, run := range info.Recent {
		if met[run.ID] {
			t.Errorf("%s is a run twice", run.ID)
		}
		met[run.ID] = true
		inst, err := b.client.Wait(t.Context(), run.ID)
		if err != nil || inst.Status != durable.Completed || inst.Run != 1 {
			t.Errorf("%s: %+v, %v", run.ID, inst, err)
		}
	}
	if info.Runs != runs || len(met) != runs || !met[first] || info.Missed+info.Skipped > 0 {
		t.Errorf("%d runs, missed %d, skipped %d: %v, want %d with %s", info.Runs, info.Missed, info.Skipped, info.Recent, runs, first)
	}
	if n := b.count("tick", 0); n >= runs {
		t.Errorf("%d first activities have run here, of %d runs of which some had ended before", n, runs)
	}
	held := b.scheduled("held", func(durable.ScheduleInfo) bool { return true })
	if !held.Paused || held.Note != "the printer is broken" || held.Runs != before["held"].Runs {
		t.Errorf("the paused one: %+v, want %+v", held, before["held"])
	}
	yearly := b.scheduled("yearly", func(durable.ScheduleInfo) bool { return true })
	if yearly.Triggered != 1 || len(yearly.Next) == 0 || !yearly.Next[0].Equal(before["yearly"].Next[0]) {
		t.Errorf("the yearly one: %+v, want %+v", yearly, before["yearly"])
	}
	if err := b.client.TriggerSchedule(t.Context(), "yearly"); err != nil {
		t.Fatal(err)
	}
	b.scheduled("yearly", func(i durable.ScheduleInfo) bool { return i.Triggered == 2 })
}

// scheduled waits until a schedule is as it should be.
func (s *site) scheduled(id string, is func(durable.ScheduleInfo) bool) (info durable.ScheduleInfo) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var err error
		if info, err = s.client.DescribeSchedule(s.t.Context(), id); err != nil {
			s.t.Fatal(err)
		}
		if !info.Created.IsZero() && is(info) {
			return info
		}
	}
	s.t.Fatalf("the schedule %s is %+v", id, info)
	return info
}

// TestCopyInTheMiddleOfARestart: what has ended is restarted while the hub is copied, between any two of its streams, so that the
// copy has the end of the first run, and in the log the second one at work or at its end. Elsewhere the second run comes to
// its end, once.
func TestCopyInTheMiddleOfARestart(t *testing.T) {
	t.Parallel()
	there := serve(t)
	cfg := config(there)
	cfg.Provision = true
	a := open(t, there, cfg)
	a.work()
	half, done := kind("half", input{Event: true, Size: 3000}), kind("done", input{Event: true, Size: 3000})
	all := append(half[:len(half):len(half)], done...)
	for _, in := range all {
		a.start(in)
		a.raise(in.ID)
	}
	for _, in := range all {
		a.ends(in)
		a.shows(in.ID)
	}
	restart := func(in input) {
		if _, err := a.client.Restart(t.Context(), in.ID); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	more := func() (in input, ended input) { next++; return half[next-1], done[next-1] }
	before, _ := more()
	restart(before)
	path := filepath.Join(t.TempDir(), "ward.backup")
	var inLog []int // places of those that were restarted before the log was copied
	round := 0
	_, err := backup.Write(t.Context(), cfg, path, func(backup.Progress) {
		if next == several {
			return
		}
		in, ended := more()
		restart(in)
		restart(ended)
		a.raise(ended.ID)
		a.ends(ended)
		if round++; round <= beforeLog {
			inLog = append(inLog, next-1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}

	here := serve(t)
	if _, err := backup.Restore(t.Context(), path, backup.Config{Server: config(here)}); err != nil {
		t.Fatal(err)
	}
	b := open(t, here, config(here))
	b.work()
	if len(inLog) != beforeLog {
		t.Fatalf("%d rounds before the log, want %d", len(inLog), beforeLog)
	}
	for _, n := range inLog {
		b.runs(done[n], 2)
		b.begins(half[n].ID, 2)
		b.raise(half[n].ID)
		b.runs(half[n], 2)
	}
	b.begins(before.ID, 2)
	b.raise(before.ID)
	b.runs(before, 2)
	for n, in := range half[next:] {
		b.runs(in, 1)
		b.runs(done[next+n], 1)
		if b.count(in.ID, 0)+b.count(in.ID, 2) > 0 {
			t.Errorf("activities of %s, which nobody had restarted, ran again", in.ID)
		}
	}
	for n := range next { // also those of which the copy has the first run only
		_ = b.client.Raise(t.Context(), half[n].ID, "go", 1)
		_ = b.client.Raise(t.Context(), done[n].ID, "go", 1)
		b.ends(half[n])
		b.ends(done[n])
	}
	// And what is restored can be restarted.
	if _, err := b.client.Restart(t.Context(), done[several-1].ID); err != nil {
		t.Fatal(err)
	}
	b.raise(done[several-1].ID)
	b.runs(done[several-1], 2)
}

// begins waits until a hub shows a run: the states in the copy may be from before its start, which a worker finds in the log.
func (s *site) begins(id string, run uint32) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if inst, err := s.client.Get(s.t.Context(), id); err == nil && inst.Run == run {
			return
		}
	}
	s.t.Fatalf("nobody begins run %d of %s", run, id)
}

// runs waits for the end of an instance, and checks which run it was.
func (s *site) runs(in input, run uint32) {
	s.t.Helper()
	s.ends(in)
	inst, err := s.client.Get(s.t.Context(), in.ID)
	if err != nil || inst.Run != run {
		s.t.Errorf("%s is run %d, want %d: %v", in.ID, inst.Run, run, fmt.Sprint(err))
	}
}
