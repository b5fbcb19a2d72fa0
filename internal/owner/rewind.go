package owner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// A rewind is a control message to an ended instance. It is no part of a run, so nothing of it is decided by a machine:
// whoever finds the instance ended, with the message behind its end, starts the next run with what is left of the history.
// The run number makes it happen once.

func rewindOf(m history.Message) *history.Control {
	if c, ok := m.Record.(*history.Control); ok && c.Verb == history.Rewind {
		return c
	}
	return nil
}

// heed follows a parent that waits again, while the instance runs: it hears of the end under its new reference.
func (i *instance) heed(m history.Message) {
	if c := rewindOf(m); c != nil {
		i.start.Record = heeding(i.start.Record.(*history.Start), c)
	}
}

func heeding(start *history.Start, c *history.Control) *history.Start {
	if !start.Parent.RenewedBy(c.Parent) {
		return start
	}
	renewed := *start
	renewed.Parent = c.Parent
	return &renewed
}

// heedAll does so for a history that ended with the message at.
func (i *instance) heedAll(tail []history.Message, at uint64) {
	for _, m := range tail {
		if m.Seq <= at {
			i.heed(m)
		}
	}
}

// askedBehind notes the rewinds that the log holds behind the end of a run.
func (i *instance) askedBehind(run uint32, tail []history.Message) {
	for _, end := range tail {
		t, ok := end.Record.(*history.Turn)
		if !ok || t.Run != run || t.End == nil || !t.End.Status.Final() {
			continue
		}
		for _, m := range tail {
			if c := rewindOf(m); c != nil && m.Seq > t.At {
				i.ask(m.Seq, c)
			}
		}
		return
	}
}

func (i *instance) ask(seq uint64, c *history.Control) {
	if i.rewinds == nil {
		i.rewinds = map[uint64]*history.Control{}
	}
	if _, known := i.rewinds[seq]; !known {
		i.rewinds[seq] = c
	}
}

// rewindNext sees to the next rewind of an ended instance, and then acknowledges; false: there is none.
func (i *instance) rewindNext() bool {
	if i.phase == parked || i.dead {
		return false
	}
	for _, d := range i.queue {
		if c := rewindOf(d.Message); c != nil {
			i.ask(d.Message.Seq, c)
		}
	}
	var next uint64
	for seq, c := range i.rewinds {
		if c != nil && (next == 0 || seq < next) {
			next = seq
		}
	}
	if next == 0 {
		return false
	}
	c := i.rewinds[next]
	i.rewinds[next] = nil
	i.rewind(c)
	return true
}

// rewind reads the history of the ended run and decides what becomes of the request.
func (i *instance) rewind(c *history.Control) {
	i.p.begin()
	i.p.be.GetArchive(i.addr, func(a backend.Archive, _ uint64, err error) {
		i.locked(func() {
			switch {
			case err != nil && !errors.Is(err, backend.ErrNotFound):
				i.retry(err, func() { i.rewind(c) })
			case err != nil || len(a.Messages) == 0:
				i.answerParent(c, nil, fmt.Sprintf("instance %q is not there any more: it was purged, or its history has expired", i.addr.ID))
			case a.Snapshot():
				i.rewoundBefore(c, startIn(a))
			case c.Parent == nil && c.Run != a.Run:
				i.acknowledgeAll()
			default:
				i.rewindArchived(c, a)
			}
		})
	})
}

func (i *instance) rewindArchived(c *history.Control, a backend.Archive) {
	start, end := startIn(a), a.Messages[len(a.Messages)-1].Record.(*history.Turn).End
	switch {
	case c.Parent != nil && start.Parent.Reaches(c.Parent):
		i.acknowledgeAll() // it has been told under this reference, or a later one
	case c.Parent != nil && !start.Parent.RenewedBy(c.Parent):
		i.answerParent(c, nil, fmt.Sprintf("instance %q is not its child any more: it was started again by somebody else", i.addr.ID))
	case a.Status != history.Failed || a.Partial:
		if err := backend.Unreadable(&history.Turn{End: end}); err != nil && c.Parent != nil {
			// What is sealed for a record of an end cannot be put into a completion as it is.
			i.p.cfg.Logger.Warn("durable: a parent that was rewound waits for a worker that can read how its child ended", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
			i.retry(err, func() { i.rewind(c) })
			return
		}
		i.answerParent(c, end, "")
	default:
		i.startRewound(c, a)
	}
}

// startRewound publishes the start of the next run. The fence makes it one of several; so does the run (H10).
func (i *instance) startRewound(c *history.Control, ended backend.Archive) {
	i.p.begin()
	end := ended.Messages[len(ended.Messages)-1].Record.(*history.Turn)
	i.p.be.LoadAfter(i.addr, end.At, 0, func(l backend.Loaded, err error) {
		i.locked(func() {
			if err != nil {
				i.retry(err, func() { i.startRewound(c, ended) })
				return
			}
			a := backend.Append{To: i.addr, Record: rewound(ended, c.Parent, l.Tail), Fenced: true}
			if l.Start != nil {
				a.Fence = l.Start.Seq
				if had := l.Start.Record.(*history.Start); had.Run > ended.Run {
					i.rewoundBefore(c, had)
					return
				}
			}
			i.putRewound(c, ended, a)
		})
	})
}

func (i *instance) putRewound(c *history.Control, ended backend.Archive, a backend.Append) {
	i.p.begin()
	i.p.be.Append(a, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.gone = true
				i.acknowledgeAll()
			case errors.Is(err, backend.ErrConflict):
				i.startRewound(c, ended)
			case unfit(err):
				i.p.cfg.Logger.Error("durable: an instance cannot be rewound", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
				i.answerParent(c, nil, fmt.Sprintf("instance %q cannot be rewound: %v", i.addr.ID, err))
			default:
				i.retry(err, func() { i.startRewound(c, ended) })
			}
		})
	})
}

// missed reports whether an event came between the end of a run and the start that a rewind made, and that does not have
// it: whoever sent it could not know. It is sent again, with its id.
func (i *instance) missed(m history.Message) bool {
	start := i.start.Record.(*history.Start)
	return start.Prior != nil && m.Kind() == history.KindEvent && start.Prior.From < m.Seq && m.Seq < i.start.Seq &&
		!slices.ContainsFunc(start.Prior.Messages, func(had history.Message) bool { return had.Seq == m.Seq })
}

// rewoundBefore ends a rewind that comes after the next run has started. If that does not know of the parent that waits
// now, it is told.
func (i *instance) rewoundBefore(c *history.Control, had *history.Start) {
	i.gone = true
	if c.Parent == nil || had.Parent.Reaches(c.Parent) {
		i.acknowledgeAll()
		return
	}
	i.tell(backend.Append{To: i.addr, Record: c})
}

// answerParent tells a parent that waits again how its child ended, or why it will not. A client is not told.
func (i *instance) answerParent(c *history.Control, end *history.End, trouble string) {
	if c.Parent == nil {
		i.acknowledgeAll()
		return
	}
	done := &history.Done{Ref: c.Parent.Ref, Name: c.Child}
	if end != nil {
		done.Result, done.Failure = end.Result, end.Failure
	} else {
		done.Failure = &history.Failure{Kind: history.FailConflict, Name: c.Child, Message: trouble}
	}
	i.tell(backend.Append{To: c.Parent.Address, Record: done})
}

// tell stores a message for somebody and then goes on with the next rewind.
func (i *instance) tell(a backend.Append) {
	i.p.begin()
	i.p.be.Append(a, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
			case unfit(err):
				i.p.cfg.Logger.Error("durable: a parent cannot be told of its child", observe.KeyInstance, i.addr.ID, observe.KeyError, err)
			default:
				i.retry(err, func() { i.tell(a) })
				return
			}
			i.acknowledgeAll()
		})
	})
}

// askAgain has a child of the prior history answer the new run: one that failed is rewound, one that runs will, one that
// has ended otherwise says so again.
func (i *instance) askAgain(o *output, ref history.Ref, s *history.Slot) {
	control := &history.Control{
		Verb: history.Rewind, ID: i.outputID(ref) + "/rewind", Reason: "parent " + i.addr.ID + " was rewound",
		Parent: &history.Parent{Address: i.addr, Ref: ref}, Child: s.Name,
	}
	i.append(o, backend.Append{To: s.Target, Record: control}, func(err error) { i.stored(o, err) })
}

// childrenBefore lists the children of the prior history.
func (i *instance) childrenBefore() (children []history.Address) {
	prior := i.start.Record.(*history.Start).Prior
	if prior == nil {
		return nil
	}
	for _, r := range recordsOf(prior.Messages, i.run, prior.Execution()).list {
		if r.Slot.Kind == history.SlotChild {
			children = append(children, r.Slot.Target)
		}
	}
	return children
}

// startIn gives the start of an archived run, with the parent that was told of its end.
func startIn(a backend.Archive) *history.Start {
	start := startOf(a.Messages[0]).Record.(*history.Start)
	until := a.At
	if final, ok := a.Messages[len(a.Messages)-1].Record.(*history.Turn); ok && !a.Snapshot() {
		until = final.At
	}
	for _, m := range a.Messages[1:] {
		if c := rewindOf(m); c != nil && m.Seq <= until {
			start = heeding(start, c)
		}
	}
	return start
}

func withoutPrior(m history.Message) history.Message {
	if s, ok := m.Record.(*history.Start); ok && s.Prior != nil {
		bare := *s
		bare.Prior = nil
		m.Record = &bare
	}
	return m
}

// Setback is what a rewind finds in the history of a failed run.
type Setback struct {
	Failed []history.Slot // activities, children and deliveries whose failures the run ended with
	Open   []history.Slot // activities and deliveries that had no result yet
	// Decided tells that something was decided after one of these failures was seen: it may not fit any more.
	Decided bool
}

// setback reads the history of a failed run. body is what follows its start, also of the runs before that were rewound.
type setback struct {
	run, execution uint32
	origin         history.Prior
	body           []history.Message
	again          map[uint32]bool // slots whose completions, and for activities also tasks, are dropped
	anew           map[uint32]bool // of them, children that were never started, and deliveries: the record is dropped too
	tasks          map[uint32]bool // slots whose first task is kept; the others are later attempts
	Setback
}

func setbackOf(a backend.Archive) *setback {
	first, last := a.Messages[0], len(a.Messages)-1
	final := a.Messages[last]
	s := &setback{run: a.Run, again: map[uint32]bool{}, anew: map[uint32]bool{}, tasks: map[uint32]bool{}}
	s.origin = history.Prior{Run: a.Run, Started: startOf(first).Time, From: startOf(first).Seq}
	start, ok := first.Record.(*history.Start)
	switch {
	case !ok: // a base
		s.execution = first.Record.(*history.Turn).Execution + 1
		s.body = append(s.body, first)
	case start.Prior != nil:
		s.execution = start.Prior.Execution()
		s.origin.Run, s.origin.Started, s.origin.From = start.Prior.Run, start.Prior.Started, start.Prior.From
		s.body = append(s.body, start.Prior.Messages...)
	}
	s.body = append(s.body, a.Messages[1:last]...)
	s.body = append(s.body, final)
	s.find(final.Record.(*history.Turn).End.Failure)
	return s
}

// find lists the slots that run again: those that the failure names, and activities and deliveries without a result. A
// delivery is decided anew, as a slot of the new run: its event has another id then, which no receiver has seen.
func (s *setback) find(failure *history.Failure) {
	dones := map[uint32]*history.Done{}
	seen := uint64(0) // where the first of the failures was
	for _, m := range s.body {
		if d, ok := m.Record.(*history.Done); ok && s.here(d.Ref) && dones[d.Slot] == nil {
			dones[d.Slot] = d
			if d.Failure != nil && failure != nil && slices.Contains(failure.Slots, d.Slot) {
				s.again[d.Slot] = true
				s.anew[d.Slot] = d.Failure.Kind == history.FailConflict
				if seen == 0 {
					seen = m.Seq
				}
			}
		}
	}
	for _, r := range recordsOf(s.body, s.run, s.execution).list {
		switch {
		case s.again[r.Slot.N]:
			s.Failed = append(s.Failed, r.Slot)
		case (r.Slot.Kind == history.SlotActivity || r.Slot.Confirm) && dones[r.Slot.N] == nil:
			s.again[r.Slot.N] = true
			s.Open = append(s.Open, r.Slot)
		}
		if r.Slot.Confirm && s.again[r.Slot.N] {
			s.anew[r.Slot.N] = true
		}
		s.Decided = s.Decided || seen > 0 && r.Seq > seen
	}
}

func (s *setback) here(ref history.Ref) bool { return ref.Run == s.run && ref.Execution == s.execution }

// SetbackOf tells what a rewind of an archived failed run would run again.
func SetbackOf(a backend.Archive) Setback { return setbackOf(a).Setback }

// rewound gives the start of the run that follows a failed one and goes on with its history. parent, if not nil, is who
// waits for it now. Events that the log has behind the end are kept.
func rewound(a backend.Archive, parent *history.Parent, log []history.Message) *history.Start {
	s := setbackOf(a)
	start := *startIn(a)
	start.Run, start.Claim, start.Born = a.Run+1, "", time.Time{}
	if parent != nil {
		start.Parent = parent
	}
	prior := s.origin
	last := a.Messages[len(a.Messages)-1].Record.(*history.Turn).At
	for n, m := range s.body {
		if m.Kind() == history.KindControl && m.Seq > last {
			continue // it came too late for the run that it was meant for
		}
		if r := s.keep(n, m.Record, start.Run); r != nil {
			prior.Messages = append(prior.Messages, history.Message{Seq: m.Seq, Time: m.Time, Record: r})
		}
	}
	for _, m := range slices.Concat(a.Late, log) {
		if m.Kind() == history.KindEvent && m.Seq > last && !holds(s.body, m) && !holds(prior.Messages, m) {
			prior.Messages = append(prior.Messages, m)
		}
	}
	start.Prior = &prior
	return &start
}

func holds(messages []history.Message, m history.Message) bool {
	return slices.ContainsFunc(messages, func(had history.Message) bool { return had.Seq == m.Seq })
}

// keep gives the record as the next run has it; nil: it does not.
func (s *setback) keep(n int, r history.Record, run uint32) history.Record {
	switch r := r.(type) {
	case *history.Task:
		if !s.here(r.Ref) || s.again[r.Slot] || s.tasks[r.Slot] {
			return nil
		}
		s.tasks[r.Slot] = true
		task := *r
		task.Run = run
		return &task
	case *history.Done:
		if !s.here(r.Ref) || s.again[r.Slot] {
			return nil
		}
		done := *r
		done.Run = run
		return &done
	case *history.Fired:
		if !s.here(r.Ref) {
			return nil
		}
		fired := *r
		fired.Run = run
		return &fired
	case *history.Turn:
		return s.keepTurn(n, r, run)
	case *history.Event:
		return r
	case *history.Control:
		if r.Verb != history.Rewind {
			return r
		}
	}
	return nil
}

func (s *setback) keepTurn(n int, r *history.Turn, run uint32) history.Record {
	turn := *r
	turn.Run = run
	if n == 0 && r.End != nil && r.End.Base != nil {
		return &turn
	}
	turn.End = nil
	turn.Slots = slices.DeleteFunc(slices.Clone(r.Slots), func(slot history.Slot) bool { return s.anew[slot.N] })
	if r.Run != s.run || r.Execution != s.execution || len(turn.Slots) == 0 {
		return nil
	}
	return &turn
}
