package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// In every other world ended runs are kept for so short that they expire while the rest goes on: those that ask for them,
// send them something, or believe them alive come too late.

// keep says how long the hub keeps ended runs: those that failed for as long as it takes until somebody rewinds their parents,
// who may be suspended.
func keep(s setup) (r backend.Retention) {
	if s.seed%2 == 0 {
		return r.WithDefaults()
	}
	rng := (&world{setup: s, counts: map[string]int{}}).source("keep")
	some := func() time.Duration { return 12*time.Second + upTo(rng, 30*time.Second) }
	return backend.Retention{Completed: some(), Failed: 90*time.Second + some(), Terminated: some(), Canceled: some()}
}

// expires reports whether nothing is left of a world that has come to its end.
func (w *world) expires() bool { return w.seed%2 == 1 }

// outlast lets time pass until everything should have expired.
func (w *world) outlast() {
	if w.expires() {
		w.pass(4 * time.Minute)
	}
}

// lives names the instance that a message of the log is of. An id that begins anew when nothing is left of it is another
// instance: its runs are counted from 1 again. It is to be asked in the order of the log.
func (w *world) lives() func(m membackend.Stored) string {
	first, ended, life := map[string]*history.Start{}, map[string]time.Time{}, map[string]int{}
	forgets := keep(w.setup).Shortest()
	return func(m membackend.Stored) string {
		id := m.To.ID
		switch r := w.record(m.Message.Record).(type) {
		case *history.Start:
			had := first[id]
			if had == nil {
				first[id] = r
				break
			}
			other := had.Claim != r.Claim || r.Parent == nil && !had.Born.Equal(r.Born) || r.Parent != nil && (had.Parent == nil || *had.Parent != *r.Parent)
			if over := ended[id]; r.Run == 1 && other && !over.IsZero() && m.Message.Time.Sub(over) > forgets {
				first[id] = r
				life[id]++
			}
		case *history.Turn:
			if r.Ends() {
				ended[id] = m.Message.Time
			}
		}
		return fmt.Sprint(id, "#", life[id])
	}
}

// checkRest asserts that nothing runs on, or again, once it has ended. While workers are frozen or cut off they may.
func (w *world) checkRest(map[string]*history.Turn) *failure {
	ended, lives := map[string]time.Time{}, w.lives()
	for _, m := range w.m.Log() {
		run, final, id := uint32(0), false, lives(m)
		switch r := w.record(m.Message.Record).(type) {
		case *history.Task:
			run = r.Run
		case *history.Turn:
			run, final = r.Run, r.End != nil && r.End.Status.Final()
		default:
			continue
		}
		key := fmt.Sprint(id, " ", run)
		at, over := ended[key]
		if at.Before(w.healedAt) {
			at = w.healedAt
		}
		if over && m.Message.Time.After(at.Add(30*time.Second)) {
			return failed("runs again", m.To.ID, "run %d makes a record at %v, and had ended at %v", run, m.Message.Time, ended[key])
		}
		if final && !over {
			ended[key] = m.Message.Time
		}
	}
	return nil
}

// checkGone asserts that nothing is left of anybody, be it in projection, archive, marks or log.
func (w *world) checkGone(ends map[string]*history.Turn) *failure {
	left := map[string]backend.State{}
	err := w.client.ListStates(context.Background(), func(s backend.State) bool { left[s.ID] = s; return true })
	for _, id := range slices.Sorted(maps.Keys(left)) {
		s := left[id]
		return failed("has not expired", id, "it is projected as %s of run %d, claim %+v", s.Status, s.Run, s.Claim)
	}
	marks, errMarks := w.client.Meta().List(context.Background(), "parked")
	if err = errors.Join(err, errMarks); err != nil || len(marks) > 0 {
		return failed("has not expired", "", "marks %v, %v", slices.Collect(maps.Keys(marks)), err)
	}
	for _, id := range slices.Sorted(maps.Keys(ends)) {
		var a backend.Archive
		var group string
		var errs [2]error
		answers := 0
		w.client.GetArchive(history.Address{Group: group, ID: id}, func(got backend.Archive, _ uint64, err error) { a, errs[0] = got, err; answers++ })
		w.client.Group(id, func(got string, err error) { group, errs[1] = got, err; answers++ })
		w.m.Run(func() bool { return answers == 2 })
		if !errors.Is(errs[0], backend.ErrNotFound) {
			return failed("has not expired", id, "archived as %s of run %d (%v)", a.Status, a.Run, errs[0])
		}
		if !errors.Is(errs[1], backend.ErrNotFound) {
			return failed("holds the log", id, "the log knows it in group %q (%v)", group, errs[1])
		}
	}
	return nil
}
