package owner

import (
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// What the projection shows can be told from log and archive, for who has lost it.

// ArchivedState is the state of a run that has ended, from its archive entry; ok is false when the entry has no end.
func ArchivedState(a backend.Archive) (s backend.State, ok bool) {
	if len(a.Messages) == 0 {
		return s, false
	}
	final, ok := a.Messages[len(a.Messages)-1].Record.(*history.Turn)
	if !ok || final.End == nil || !final.End.Status.Final() || a.First() == nil {
		return s, false
	}
	first := startOf(a.Messages[0])
	first.Record = startIn(a)
	i := instance{addr: a.Address, run: a.Run, start: first}
	s = i.stateOf(final.End.Status)
	s.At, s.Custom, s.Ended = final.At, a.Custom, a.Ended
	s.Finished = clockOf(a.Messages, final.At)
	s.Updated = s.Finished
	if f := final.End.Failure; f != nil {
		s.Failure = f.Message
	}
	return s, true
}

// clockOf is the time of a run at an inbox position: the running maximum of the time stamps (I8).
func clockOf(messages []history.Message, at uint64) (clock time.Time) {
	later := func(t time.Time) {
		if t.After(clock) {
			clock = t.Round(0).UTC()
		}
	}
	for _, m := range messages {
		if m.Kind().Inbox() && m.Seq <= at {
			later(m.Time)
		}
		switch r := m.Record.(type) {
		case *history.Start:
			if r.Prior != nil {
				later(clockOf(r.Prior.Messages, at))
			}
		case *history.Turn:
			if r.End != nil && r.End.Base != nil {
				later(r.End.Base.Clock)
			}
		}
	}
	return clock
}

// LiveState is what log and snapshot tell of a live instance, nothing of the log being dispensable. Its owner knows more.
func LiveState(of history.Address, k backend.Known) backend.State {
	i := instance{addr: of, run: k.Run(), start: *k.Start}
	return i.stateOf(history.Running)
}

// EndedIn reports whether a run has ended in a tail of the log.
func EndedIn(tail []history.Message, run uint32) bool {
	for _, m := range tail {
		if t, ok := m.Record.(*history.Turn); ok && t.Run == run && t.End != nil && t.End.Status.Final() {
			return true
		}
	}
	return false
}

// ShowTopic is where the owner of a partition is asked to project an instance anew.
func ShowTopic(group string, partition int) string {
	return fmt.Sprintf("show.%s.%d", history.EncodeID(group), partition)
}

// show projects an instance, on behalf of whoever misses it. What a load comes to is projected anyway.
func (p *Partition) show(data []byte) {
	id := string(data)
	if history.CheckID(id) != nil || history.Partition(id, p.be.Info().Partitions) != p.number {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch i := p.instances[id]; {
	case !p.owned:
	case i == nil:
		p.add(history.Address{Group: p.cfg.Group, ID: id}).load()
		p.evict()
	case i.phase == live:
		i.touch()
	}
}
