package sim

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

var (
	seeds = flag.Int("seeds", 150, "how many seeds to run")
	first = flag.Uint64("seed", 1, "the first of them")
	fresh = flag.Int("fresh", 0, "how many seeds to run that nobody has seen")
)

// TestEverythingEndsOnce runs random orchestrations under random misfortune.
func TestEverythingEndsOnce(t *testing.T) {
	t.Parallel()
	endsOnce(t, *first, *seeds)
}

// TestEverythingEndsOnceInFreshWorlds looks where no run before has.
func TestEverythingEndsOnceInFreshWorlds(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seeds from %d", seed)
	endsOnce(t, seed, *fresh)
}

func endsOnce(t *testing.T, first uint64, seeds int) {
	t.Helper()
	for n := range seeds {
		seed := first + uint64(n)
		if err := newWorld(seed, switches{}).simulate(); err != nil {
			t.Fatalf("seed %d (go test ./internal/sim -seed %d -seeds 1): %v", seed, seed, err)
		}
	}
}

func (w *world) simulate() error {
	for n := range 2 + w.rng.IntN(2) {
		if err := w.join(rare[n%len(rare)]); err != nil {
			return err
		}
	}
	w.m.SetFaults(membackend.Faults{
		RequestLost: 0.02, AnswerLost: 0.02, RequestDelayed: 0.01, DelayedBy: 4 * time.Second, RecordDoubled: 0.01,
		DeliveryLost: 0.01, DeliveryRepeated: 0.02, Shuffled: 0.2, AckLost: 0.02, SignalLost: 0.02,
		Behind: 0.3,
	})
	for n := range instances {
		w.start(n)
	}
	w.tend()
	for range 12 {
		w.m.RunFor(time.Duration(w.rng.IntN(1200)) * time.Millisecond)
		if err := w.misfortune(); err != nil {
			return err
		}
	}
	w.m.RunFor(3 * time.Second)
	if err := w.heal(); err != nil {
		return err
	}
	for range 60 {
		w.m.RunFor(5 * time.Second)
		if w.finished() {
			break
		}
	}
	w.m.RunFor(time.Minute) // stragglers: schedules, late requests
	return w.check()
}

// check compares what the world has come to with what an undisturbed one would have.
func (w *world) check() error {
	ends := w.final()
	for id, want := range w.wanted {
		if !w.plans[id].fulfilled(ends[id]) {
			return fmt.Errorf("%s has not come to its end: %v, last %+v\n%s", id, w.plans[id], ends[id], w.story(id))
		}
		end := ends[id].End
		var got int
		if slices.Contains(want.allowed, end.Status) {
			continue
		}
		if end.Status != history.Completed {
			return fmt.Errorf("%s ended as %s: %+v\n%s", id, end.Status, end.Failure, w.story(id))
		}
		if err := json.Unmarshal(end.Result, &got); err != nil || got != want.result {
			return fmt.Errorf("%s gave %s, want %d\n%s", id, end.Result, want.result, w.story(id))
		}
	}
	if open := w.m.Unacked(); len(open) > 0 {
		return fmt.Errorf("%d messages are not acknowledged, the first is %+v\n%s", len(open), open[0], w.story(open[0].To.ID))
	}
	if err := errors.Join(w.checkSlots(), w.checkChildren(ends)); err != nil {
		return err
	}
	return w.checkProjection(ends)
}

// checkSlots asserts that all records of a slot are equal (I3), and that every run ended once in the same way.
func (w *world) checkSlots() error {
	type key struct {
		id string
		history.Ref
	}
	slots := map[key]string{}
	ends := map[string]string{}
	same := func(k key, s history.Slot) error {
		s.N, s.Policy, s.Child = 0, nil, nil
		text := fmt.Sprintf("%+v", s)
		if had, ok := slots[k]; ok && had != text {
			return fmt.Errorf("slot %v of %s is recorded as %s and as %s\n%s", k.Ref, k.id, had, text, w.story(k.id))
		}
		slots[k] = text
		return nil
	}
	for _, m := range w.m.Log() {
		id := m.To.ID
		switch r := w.record(m.Message.Record).(type) {
		case *history.Task:
			if err := same(key{id, r.Ref}, history.Slot{Kind: history.SlotActivity, Name: r.Name, Args: r.Args}); err != nil {
				return err
			}
		case *history.Turn:
			for _, s := range r.Slots {
				if err := same(key{id, history.Ref{Run: r.Run, Execution: r.Execution, Slot: s.N}}, s); err != nil {
					return err
				}
			}
			if r.End != nil && r.End.Status.Final() {
				run, text := fmt.Sprint(id, " ", r.Run), fmt.Sprintf("%s %s", r.End.Status, r.End.Result)
				if had, ok := ends[run]; ok && had != text {
					return fmt.Errorf("run %s ended as %q and as %q\n%s", run, had, text, w.story(id))
				}
				ends[run] = text
			}
		}
	}
	return nil
}

// checkChildren asserts that everything that began has ended.
func (w *world) checkChildren(ends map[string]*history.Turn) error {
	for _, m := range w.m.Log() {
		s, ok := m.Message.Record.(*history.Start)
		if ok && (ends[m.To.ID] == nil || ends[m.To.ID].Run < s.Run) {
			return fmt.Errorf("%s has not ended\n%s", m.To.ID, w.story(m.To.ID))
		}
	}
	return nil
}

// checkProjection asserts that projection and archive agree with the log.
func (w *world) checkProjection(ends map[string]*history.Turn) error {
	for id, turn := range ends {
		end := turn.End
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
			return fmt.Errorf("%s was purged, but it is projected as %+v (%v) and archived as %+v\n%s", id, s, errs[0], a, w.story(id))
		case purged:
		case errs[0] != nil || errs[1] != nil:
			return fmt.Errorf("%s: projection: %v, archive: %v\n%s", id, errs[0], errs[1], w.story(id))
		case s.Status != end.Status || s.Run != turn.Run || s.Parked != "":
			return fmt.Errorf("%s is projected as %+v, want %s\n%s", id, s, end.Status, w.story(id))
		case a.Status != end.Status || a.Run != turn.Run || len(a.Messages) == 0:
			return fmt.Errorf("%s is archived as %s, want %s\n%s", id, a.Status, end.Status, w.story(id))
		}
	}
	return nil
}

// story tells what the log holds of an instance and its children.
func (w *world) story(id string) string {
	family := map[string]bool{id: true}
	var out strings.Builder
	for _, m := range w.m.Log() {
		if s, ok := m.Message.Record.(*history.Start); ok && s.Parent != nil && family[s.Parent.ID] {
			family[m.To.ID] = true
		}
		if family[m.To.ID] {
			data, err := json.Marshal(m.Message)
			fmt.Fprintln(&out, m.To.ID, string(data), err)
		}
	}
	for _, u := range w.m.Unacked() {
		fmt.Fprintf(&out, "not acknowledged: %+v\n", u)
	}
	for _, k := range w.workers {
		fmt.Fprint(&out, k.group)
	}
	return out.String()
}
