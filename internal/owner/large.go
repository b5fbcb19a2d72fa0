package owner

import (
	"errors"
	"fmt"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// What the store refuses because it is too large is told to the program where the program can hear of it, through its
// inbox; what it cannot hear of ends the run. No repetition mends it, and parking would wait for code that does not come.

// taskTooLarge completes an activity whose task cannot be stored. The slot has no record: a replay decides it again, and
// finds the completion.
func (i *instance) taskTooLarge(c *cause, task *history.Task, refused error) {
	done := &history.Done{Ref: task.Ref, Name: task.Name, Hash: history.ArgsHash(task.Args), Attempt: task.Attempt, Failure: &history.Failure{
		Kind: history.FailTooLarge, Name: task.Name, Attempt: task.Attempt, Final: true,
		Message: fmt.Sprintf("activity %s: its arguments of %d bytes cannot be stored: %v", task.Name, len(task.Args), refused),
	}}
	i.p.begin()
	i.p.be.Append(backend.Append{To: i.addr, Record: done}, func(_ uint64, err error) {
		i.locked(func() {
			switch {
			case err == nil:
				i.forgetLocal(task.Slot)
				i.paid(c)
				i.advance()
				i.settle()
			case unfit(err):
				i.parkFor(err)
			default:
				i.retry(err, func() { i.taskTooLarge(c, task, refused) })
			}
		})
	})
}

// turnTooLarge records a turn of many slots as several records; one that cannot be made smaller ends the run. It is the
// first of the commits, and its record was refused.
func (i *instance) turnTooLarge(c *commit, err error) {
	n := len(c.turn.Slots)
	if end := c.turn.End; n == 0 && end != nil && end.Base != nil && len(end.Base.Start.Input) < eventsOf(end.Base) {
		// Ending the run would lose them. A store that takes more mends it.
		i.parkFor(fmt.Errorf("its next execution has to keep %d events that nobody has received, which cannot be stored: "+
			"have all programs of the hub use a larger Config.MaxPayload; receive events before continuing as new: %w", len(end.Base.Buffered)+len(end.Base.Held), err))
		return
	}
	if n <= 1 && (n == 0 || c.turn.End == nil) {
		i.failTooLarge(c, err)
		return
	}
	head, rest := *c.turn, *c.turn
	head.End = nil
	if c.turn.End != nil {
		rest.Slots = nil
	} else {
		head.Slots, rest.Slots = head.Slots[:n/2], rest.Slots[n/2:]
	}
	i.owe(c.cause, 1)
	last := &commit{cause: c.cause, turn: &rest, after: c.after, issued: c.issued}
	i.commits = slices.Insert(i.commits[1:], 0, &commit{cause: c.cause, turn: &head}, last)
	i.advance()
}

// eventsOf gives the size of the events that a base holds.
func eventsOf(b *history.Base) int {
	n := 0
	for _, e := range b.Buffered {
		n += len(e.Payload)
	}
	for _, m := range b.Held {
		n += sizeOf(m.Record)
	}
	return n
}

// failTooLarge ends the run in place of what was decided: the record is fenced and authoritative, so it does not matter
// that a replay would decide something else (I2).
func (i *instance) failTooLarge(c *commit, err error) {
	what := "a decision"
	switch end := c.turn.End; {
	case end == nil:
		what = fmt.Sprintf("%s with %d bytes", c.turn.Slots[0].Name, len(c.turn.Slots[0].Args))
	case end.Base != nil:
		what = fmt.Sprintf("its next execution, with an input of %d bytes and %d buffered events,", len(end.Base.Start.Input), len(end.Base.Buffered)+len(end.Base.Held))
	case end.Failure != nil:
		what = "its failure"
	default:
		what = fmt.Sprintf("its result of %d bytes", len(end.Result))
	}
	name := i.start.Record.(*history.Start).Orchestrator
	i.dropCommits()
	i.stopAlarms()
	i.phase = ending
	end := *c.turn
	end.Slots, end.End = nil, &history.End{Status: history.Failed, Failure: &history.Failure{
		Kind: history.FailTooLarge, Name: name,
		Message: fmt.Sprintf("orchestrator %s: %s cannot be stored: %v: store large values elsewhere and pass references", name, what, err),
	}}
	c.cause.open++
	i.commits = []*commit{{cause: c.cause, turn: &end}}
	i.advance()
}

// tooLarge reports an error that only a smaller value mends.
func tooLarge(err error) bool { return errors.Is(err, backend.ErrTooLarge) }
