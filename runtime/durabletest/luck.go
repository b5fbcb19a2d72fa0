package durabletest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// plan is the misfortune of one run.
type plan struct {
	seed   uint64
	trip   time.Duration // longest way of a message; negative: none
	faults []fault
}

// fault is one thing that goes wrong.
type fault struct {
	kind misfortune
	n    int           // at the worker's or the client's record number n, or at delivery n, from 0
	by   time.Duration // of late and lateEvent
}

type misfortune int

const (
	crashBefore misfortune = iota // the worker dies instead of writing a record
	crashAfter                    // it dies when it has
	lose                          // a record does not reach the store, the worker has to write it again
	loseAnswer                    // the worker does not learn that it has
	double                        // it is stored twice
	late                          // it is stored later, what is written after it may come first
	lateEvent                     // the same of what the client writes
	doubleEvent
	redeliver // a delivery is lost, it comes again
	misfortunes

	takeOver // the worker dies when it has written a record, and the next build takes over
)

// mostTakeOvers is at how many records the next build takes over without other misfortune; of more, so many are spread evenly.
const mostTakeOvers = 400

// takeOvers is of how many seeds the plan is that the next build takes over, and nothing else.
func takeOvers(records int) int { return min(1+records, mostTakeOvers) }

// planToTakeOver is the plan of a seed of a scenario that has a next build: first it takes over at each place, then at one
// that the seed draws, with the misfortune of another seed.
func planToTakeOver(seed uint64, records, deliveries int) plan {
	places := takeOvers(records)
	if seed <= uint64(places) {
		n := int(seed-1) * (1 + records) / places
		return plan{seed: seed, trip: -1, faults: []fault{{kind: takeOver, n: atOnce + n}}}
	}
	p := planOf(seed-uint64(places), records, deliveries)
	n := rand.New(rand.NewPCG(seed, 0x6275_696c_64)).IntN(1 + records)
	p.seed, p.faults = seed, append(p.faults, fault{kind: takeOver, n: atOnce + n})
	return p
}

// planOf draws what goes wrong under a seed, of a scenario that writes so many records in a run without faults. Odd seeds
// are one crash each, spread over all records; even ones mix everything.
func planOf(seed uint64, records, deliveries int) plan {
	rng := rand.New(rand.NewPCG(seed, 0x6475_7261_626c_6574))
	p := plan{seed: seed, trip: -1}
	if records == 0 {
		return p
	}
	if seed%2 == 1 {
		const golden = 0.6180339887498949 // its multiples spread evenly, however many there are
		k := float64(seed/2) * golden
		f := fault{kind: crashBefore, n: int((k - float64(int(k))) * float64(records))}
		if seed/2%2 == 1 {
			f.kind = crashAfter
		}
		p.faults = []fault{f}
		return p
	}
	p.trip = time.Millisecond
	for range 1 + rng.IntN(5) {
		f := fault{kind: misfortune(rng.IntN(int(misfortunes))), by: time.Duration(rng.IntN(1000)) * time.Millisecond}
		switch f.kind {
		case redeliver:
			f.n = rng.IntN(max(deliveries, 1))
		case lateEvent, doubleEvent:
			f.n = rng.IntN(8)
		default:
			f.n = rng.IntN(records)
		}
		p.faults = append(p.faults, f)
	}
	return p
}

// luck does what a plan says. Its counters move on the goroutine that drives or on that of the activity which it rests
// for, one at a time.
type luck struct {
	env        *Env
	plan       plan
	records    int // of workers so far
	events     int // of clients so far
	deliveries int
	verdict    membackend.Verdict // on the append that is being made
	notes      []note
}

// note is a fault that has happened, after so many records of the log.
type note struct {
	after int
	text  string
}

func newLuck(env *Env, p plan) *luck {
	l := &luck{env: env, plan: p}
	m := env.world.m
	m.OnAppend(func(backend.Append) membackend.Verdict {
		v := l.verdict
		l.verdict = membackend.Verdict{}
		return v
	})
	m.OnDelivery(func(_ string, d backend.Delivery) bool {
		n := l.deliveries
		l.deliveries++
		lost := l.has(redeliver, n) != nil
		if lost {
			l.note("a delivery is lost, it comes again: %s", describe(d.Message.Record))
		}
		return lost
	})
	return l
}

func (l *luck) has(kind misfortune, n int) *fault {
	at := slices.IndexFunc(l.plan.faults, func(f fault) bool { return f.kind == kind && f.n == n })
	if at < 0 {
		return nil
	}
	return &l.plan.faults[at]
}

func (l *luck) note(format string, args ...any) {
	l.notes = append(l.notes, note{len(l.env.world.m.Log()), fmt.Sprintf("✗ "+format, args...)})
}

// client decides about a record that the client is about to write.
func (l *luck) client(a backend.Append) {
	n := l.events
	l.events++
	if f := l.has(lateEvent, n); f != nil {
		l.note("%s is late by %v", describe(a.Record), f.by)
		l.verdict.Delay = f.by
	}
	if l.has(doubleEvent, n) != nil {
		l.note("%s is stored twice", describe(a.Record))
		l.verdict.Double = true
	}
}

// worker decides about a record that a worker is about to write, and tells whether the worker dies afterwards.
func (l *luck) worker(a backend.Append) (dies bool) {
	n := l.records
	l.records++
	if l.has(crashBefore, n) != nil {
		l.note("the worker dies instead of writing %s", describe(a.Record))
		l.env.die()
		return false
	}
	if l.has(lose, n) != nil {
		l.note("%s does not arrive", describe(a.Record))
		l.verdict.LoseRequest = true
	}
	if l.has(loseAnswer, n) != nil {
		l.note("%s is stored, the answer is lost", describe(a.Record))
		l.verdict.LoseAnswer = true
	}
	if l.has(double, n) != nil {
		l.note("%s is stored twice", describe(a.Record))
		l.verdict.Double = true
	}
	if f := l.has(late, n); f != nil {
		l.note("%s is late by %v", describe(a.Record), f.by)
		l.verdict.Delay = f.by
	}
	if l.env.next != nil && !l.env.took && l.has(takeOver, n) != nil {
		l.env.due = true
	}
	return l.has(crashAfter, n) != nil || l.env.due
}

// dies notes that a worker dies with a record that it has written.
func (l *luck) dies(a backend.Append) {
	if l.env.due {
		l.note("the next build takes over after %s", describe(a.Record))
		return
	}
	l.note("the worker dies after writing %s", describe(a.Record))
}

// trace tells what happened: the log, and the faults between its records.
func (l *luck) trace() []string {
	var lines []string
	notes := l.notes
	marked := -1
	put := func(upTo int) {
		for ; len(notes) > 0 && notes[0].after <= upTo; notes = notes[1:] {
			if marked < 0 {
				marked = len(lines)
			}
			lines = append(lines, notes[0].text)
		}
	}
	log := l.env.world.m.Log()
	for n, s := range log {
		put(n)
		lines = append(lines, fmt.Sprintf("%s %s: %s", after(s.Message.Time.Sub(l.env.world.begin)), s.To.ID, describe(s.Message.Record)))
	}
	put(len(log))
	const most, before = 60, 20
	if begin := max(marked-before, 0); len(lines) > most {
		begin = min(begin, len(lines)-most)
		cut := slices.Clone(lines[begin : begin+most])
		if begin > 0 {
			cut = slices.Insert(cut, 0, fmt.Sprintf("… %d records before", begin))
		}
		if rest := len(lines) - begin - most; rest > 0 {
			cut = append(cut, fmt.Sprintf("… %d records more", rest))
		}
		return cut
	}
	return lines
}

// describe names a record.
func describe(r history.Record) string {
	switch r := r.(type) {
	case *history.Start:
		return "start of " + r.Orchestrator
	case *history.Task:
		return fmt.Sprintf("task %s, attempt %d, slot %d", r.Name, r.Attempt, r.Slot)
	case *history.Done:
		if r.Failure != nil {
			return fmt.Sprintf("%s failed: %s", r.Name, r.Failure.Message)
		}
		return fmt.Sprintf("%s done, slot %d", r.Name, r.Slot)
	case *history.Fired:
		return fmt.Sprintf("timer fired, slot %d", r.Slot)
	case *history.Event:
		return "event " + r.Name
	case *history.Control:
		return string(r.Verb)
	case *history.Timer:
		if r.Task != nil {
			return fmt.Sprintf("schedule of attempt %d of %s", r.Task.Attempt, r.Task.Name)
		}
		return fmt.Sprintf("schedule of slot %d", r.Slot)
	case *history.Turn:
		return describeTurn(r)
	}
	return "a record that cannot be read"
}

func describeTurn(t *history.Turn) string {
	text := "turn"
	for _, s := range t.Slots {
		switch s.Kind {
		case history.SlotTimer:
			text += fmt.Sprintf(", timer in slot %d", s.N)
		case history.SlotChild:
			text += fmt.Sprintf(", child %s in slot %d", s.Name, s.N)
		case history.SlotSend:
			text += fmt.Sprintf(", event %s in slot %d", s.Name, s.N)
		default:
			text += fmt.Sprintf(", slot %d", s.N)
		}
	}
	if t.End != nil {
		text += ", " + string(t.End.Status)
	}
	return text
}

// exit ends the goroutine of a scenario, as FailNow does.
func exit() { runtime.Goexit() }
