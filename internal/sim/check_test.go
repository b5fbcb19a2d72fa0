package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// failure is how a world has ended badly. Two are alike when their kinds are.
type failure struct {
	kind string
	id   string // instance
	text string
}

func (f *failure) Error() string {
	if f.id == "" {
		return f.kind + ": " + f.text
	}
	return fmt.Sprintf("%s: %s: %s", f.id, f.kind, f.text)
}

func failed(kind, id, format string, args ...any) *failure {
	return &failure{kind, id, fmt.Sprintf(format, args...)}
}

// check compares what the world has come to with what an undisturbed one would have.
func (w *world) check() *failure {
	ends := w.final()
	stored := w.checkProjections
	if w.expires() {
		stored = w.checkGone
	}
	for _, check := range []func(map[string]*history.Turn) *failure{
		w.checkAmount, w.checkSlots, w.checkEnds, w.checkChildren, w.checkAcks, w.checkRest, stored,
	} {
		if f := check(ends); f != nil {
			return f
		}
	}
	return nil
}

// checkEnds asserts that everything that the client has started has come to its end.
func (w *world) checkEnds(ends map[string]*history.Turn) *failure {
	for _, id := range slices.Sorted(maps.Keys(w.wanted)) {
		want, end := w.wanted[id], ends[id]
		var got int
		switch {
		case end == nil:
			return failed("has not ended", id, "%v", w.plans[id])
		case end.End.Status == history.Failed:
			return failed("has failed", id, "%+v", end.End.Failure)
		case !w.plans[id].fulfilled(end):
			return failed("has not come to its end", id, "%v, last %s of run %d", w.plans[id], end.End.Status, end.Run)
		case slices.Contains(want.allowed, end.End.Status):
		case end.End.Status != history.Completed:
			return failed("has ended as "+string(end.End.Status), id, "%+v", end.End.Failure)
		case json.Unmarshal(end.End.Result, &got) != nil || got != want.result:
			return failed("wrong result", id, "%s, want %d", end.End.Result, want.result)
		}
	}
	return nil
}

// most is how many messages the log may hold of an instance: programs are short.
const most = 400

// checkAmount asserts that no instance feeds itself, be it by way of a worker that cannot run it.
func (w *world) checkAmount(map[string]*history.Turn) *failure {
	count := map[string]int{}
	for _, m := range w.m.Log() {
		if count[m.To.ID]++; count[m.To.ID] > most {
			return failed("feeds itself", m.To.ID, "the log holds more than %d messages of it", most)
		}
	}
	if w.steps > mostSteps {
		return failed("never rests", "", "more than %d events", mostSteps)
	}
	return nil
}

// checkAcks asserts that no message waits to be acknowledged.
func (w *world) checkAcks(map[string]*history.Turn) *failure {
	if open := w.m.Unacked(); len(open) > 0 {
		return failed("not acknowledged", open[0].To.ID, "%d messages, the first is %+v", len(open), open[0])
	}
	return nil
}

// checkSlots asserts that all records of a slot are equal (I3), and that every run ended once in the same way.
func (w *world) checkSlots(map[string]*history.Turn) *failure {
	slots, ends, lives := map[string]string{}, map[string]string{}, w.lives()
	same := func(id string, ref history.Ref, s history.Slot) *failure {
		s.N, s.Policy, s.Child = 0, nil, nil
		slot, text := id+" "+ref.String(), fmt.Sprintf("%+v", s)
		if had, ok := slots[slot]; ok && had != text {
			return failed("two records of a slot", id, "%v: %s and %s", ref, had, text)
		}
		slots[slot] = text
		return nil
	}
	for _, m := range w.m.Log() {
		id := lives(m)
		switch r := w.record(m.Message.Record).(type) {
		case *history.Task:
			if f := same(id, r.Ref, history.Slot{Kind: history.SlotActivity, Name: r.Name, Hash: history.ArgsHash(r.Args)}); f != nil {
				return f
			}
		case *history.Done:
			if r.Local {
				if f := same(id, r.Ref, history.Slot{Kind: history.SlotActivity, Name: r.Name, Hash: r.Hash}); f != nil {
					return f
				}
			}
		case *history.Turn:
			for _, s := range r.Slots {
				if f := same(id, history.Ref{Run: r.Run, Execution: r.Execution, Slot: s.N}, s); f != nil {
					return f
				}
			}
			if r.End != nil && r.End.Status.Final() {
				run, text := fmt.Sprint(id, " ", r.Run), fmt.Sprintf("%s %s", r.End.Status, r.End.Result)
				if had, ok := ends[run]; ok && had != text {
					return failed("two ends of a run", id, "run %d: %q and %q", r.Run, had, text)
				}
				ends[run] = text
			}
		}
	}
	return nil
}

// checkChildren asserts that everything that began has ended.
func (w *world) checkChildren(ends map[string]*history.Turn) *failure {
	for _, m := range w.m.Log() {
		s, ok := m.Message.Record.(*history.Start)
		if end := ends[m.To.ID]; ok && (end == nil || end.Run < s.Run) {
			return failed("has not ended", m.To.ID, "run %d, last %+v", s.Run, end)
		}
	}
	return nil
}

// checkProjections asserts that projection and archive agree with the log.
func (w *world) checkProjections(ends map[string]*history.Turn) *failure {
	for _, id := range slices.Sorted(maps.Keys(ends)) {
		if f := w.checkProjection(id, ends[id]); f != nil {
			return f
		}
	}
	return nil
}

func (w *world) checkProjection(id string, turn *history.Turn) *failure {
	var s backend.State
	var a backend.Archive
	var errs [2]error
	answers := 0
	w.client.GetState(id, func(got backend.State, _ uint64, err error) { s, errs[0] = got, err; answers++ })
	w.client.GetArchive(history.Address{Group: group, ID: id}, func(got backend.Archive, _ uint64, err error) { a, errs[1] = got, err; answers++ })
	w.m.Run(func() bool { return answers == 2 })
	purged := w.plans[id] != nil && w.plans[id].purge && !w.plans[id].again
	switch {
	case purged && (!errors.Is(errs[0], backend.ErrNotFound) || !a.Purged || len(a.Messages) > 0):
		return failed("purged and still there", id, "projected as %s of run %d (%v), archived as %s with %d messages", s.Status, s.Run, errs[0], a.Status, len(a.Messages))
	case purged:
	case errs[0] != nil || errs[1] != nil:
		return failed("not stored", id, "projection: %v, archive: %v", errs[0], errs[1])
	case s.Status != turn.End.Status || s.Run != turn.Run || s.Parked != "":
		return failed("wrong projection", id, "%s of run %d, parked %q, want %s of run %d", s.Status, s.Run, s.Parked, turn.End.Status, turn.Run)
	case a.Status != turn.End.Status || a.Run != turn.Run || len(a.Messages) == 0:
		return failed("wrong archive", id, "%s of run %d, %d messages, want %s of run %d", a.Status, a.Run, len(a.Messages), turn.End.Status, turn.Run)
	}
	return nil
}
