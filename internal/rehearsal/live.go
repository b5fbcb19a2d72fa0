package rehearsal

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// events is what has happened to an instance.
type events struct {
	inbox []history.Message
	slots [][]history.Slot // by message, that of the start first
}

// life is an instance that lives. What happens to it is drawn by what cannot be shifted by something else that happens
// before: a knob that is turned should change one thing.
type life struct {
	x      *pair
	s      *scenario
	m      *engine.Machine
	events events
	open   []waiting
	counts map[string]int // of slots and events, by name
	step   int
	more   int // events that came in between
}

// waiting is a slot that waits for something, with a name: it is which one of its kind.
type waiting struct {
	history.Slot
	name string
}

const mostMessages = 40 // of an instance

// live has the old program run on what is drawn.
func (x *pair) live(s *scenario) (h events, ok bool) {
	tired := false
	l := &life{x: x, s: s, m: x.machine(x.old, s, &tired), counts: map[string]int{}}
	defer l.m.Close()
	turn, err := l.m.Begin()
	now, seq := began, uint64(1)
	for {
		if err != nil || tired {
			return l.events, false
		}
		l.decided(turn.Slots)
		seq += uint64(len(turn.Slots))
		if turn.End != nil || len(l.events.inbox) == mostMessages {
			return l.events, true
		}
		rec := l.next()
		if rec == nil {
			return l.events, true
		}
		seq++
		now = now.Add(s.passes(len(l.events.inbox)))
		msg := history.Message{Seq: seq, Time: now, Record: rec}
		l.events.inbox = append(l.events.inbox, msg)
		turn, err = l.m.Apply(msg)
	}
}

func (l *life) decided(slots []history.Slot) {
	l.events.slots = append(l.events.slots, slots)
	for _, slot := range slots {
		if slot.Kind != history.SlotVersion && (slot.Kind != history.SlotSend || slot.Confirm) {
			kind := strconv.Itoa(int(slot.Kind)) + " " + slot.Name
			l.counts[kind]++
			l.open = append(l.open, waiting{slot, kind + " " + strconv.Itoa(l.counts[kind])})
		}
	}
	l.open = slices.DeleteFunc(l.open, func(o waiting) bool { return !l.m.Pending(history.Ref{Run: 1, Slot: o.N}) })
}

// next is what happens next, nil for nothing.
func (l *life) next() history.Record {
	names := l.x.old.receive
	by := "step " + strconv.Itoa(l.step)
	if between := by + "." + strconv.Itoa(l.more); len(names) > 0 && l.s.yes(between+" event between", false) {
		l.more++
		return l.event(names, between)
	}
	l.step++
	l.more = 0
	switch {
	case l.s.yes(by+" cancels", l.s.cancels && l.s.pick(8, by, "cancels") == 0):
		return &history.Control{Verb: history.Cancel, ID: "cancel"}
	case len(names) > 0 && (len(l.open) == 0 || l.s.yes(by+" event", l.s.pick(10, by, "event") < l.s.eager)):
		return l.event(names, by)
	case len(l.open) == 0:
		return nil
	}
	slot := l.pick(by, "")
	for i := 0; i < l.s.patience && slot.Kind == history.SlotTimer; i++ {
		slot = l.pick(by, strconv.Itoa(i))
	}
	return l.ends(slot)
}

// pick gives one of what waits: mostly the same, whatever else waits.
func (l *life) pick(by, again string) waiting {
	salt := strconv.Itoa(l.s.choose(16, by+" slot"))
	rank := func(w waiting) int { return l.s.pick(1<<30, by, w.name, salt, again) }
	return slices.MaxFunc(l.open, func(a, b waiting) int { return cmp.Compare(rank(a), rank(b)) })
}

func (l *life) event(names []string, by string) history.Record {
	name := names[l.s.choose(len(names), by+" name")]
	if l.s.choose(2, by+" favourite") == 0 {
		name = names[l.s.choose(len(names), "favourite")]
	}
	l.counts["event "+name]++
	id := name + " " + strconv.Itoa(l.counts["event "+name])
	payload := "event " + id
	if l.s.yes("unreadable "+id, l.s.pick(60, "unreadable", id) == 0) {
		payload = unreadable + payload
	}
	return &history.Event{Name: name, ID: id, Payload: payloadOf(payload)}
}

// unreadable begins the payload of an event that is not of its type: who receives it gets an error.
const unreadable = "unreadable "

// payloadOf stands for a value that is drawn when somebody looks at it.
func payloadOf(name string) history.Payload { return history.Payload(strconv.Quote(name)) }

// ends is how what a slot has begun ends.
func (l *life) ends(slot waiting) history.Record {
	ref := history.Ref{Run: 1, Slot: slot.N}
	if slot.Kind == history.SlotTimer {
		return &history.Fired{Ref: ref, Due: slot.Due}
	}
	done := &history.Done{Ref: ref, Name: slot.Name, Hash: history.ArgsHash(slot.Args)}
	if slot.Kind == history.SlotChild {
		done.Hash = 0
	}
	name := slot.name
	if !l.s.yes("failure of "+name, l.s.pick(100, "failure of", name) < l.s.failing) {
		done.Result = payloadOf("result " + name)
		return done
	}
	message := l.s.written("error of "+name, "E"+strconv.Itoa(l.s.pick(3, "error", name)))
	if message == "timeout" || message == "canceled" { // these are other errors
		message += "."
	}
	done.Failure = &history.Failure{Message: message}
	return done
}

// passes is how long it is to the next message.
func (s *scenario) passes(n int) time.Duration {
	name := "until message " + strconv.Itoa(n)
	number := s.numbers[s.pick(len(s.numbers), name)]
	seconds := []int64{60, 3600, int64(1+s.pick(60, name, "days")) * 86400, max(number, -number)%10_000*int64(1+s.pick(2, name, "unit")*59)*60 + 1}[s.pick(4, name, "kind")]
	const most = 10 * 365 * 86400
	return time.Duration(min(max(s.knob(name, seconds), 1), most)) * time.Second
}
