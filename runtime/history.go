package durable

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/steps"
)

// Step is one thing that an instance did, or that happened to it.
type Step = steps.Step

// StepKind says what a [Step] is.
type StepKind = steps.Kind

// The kinds of steps. StepActivity to StepVersion are decisions of the orchestrator.
const (
	StepStarted    = steps.Started
	StepActivity   = steps.Activity
	StepTimer      = steps.Timer
	StepChild      = steps.Child
	StepSent       = steps.Sent
	StepVersion    = steps.Version
	StepEvent      = steps.Event
	StepSuspended  = steps.Suspended
	StepResumed    = steps.Resumed
	StepCanceled   = steps.Canceled
	StepTerminated = steps.Terminated
	StepRewound    = steps.Rewound
	StepEnded      = steps.Ended
)

// StepState says what has become of a [Step].
type StepState = steps.State

// The states of a step.
const (
	StepOpen    = steps.Open
	StepDone    = steps.Done
	StepFailed  = steps.Failed
	StepDropped = steps.Dropped // it had no end when the run ended
)

// History is what an instance has done in its present or last execution.
type History struct {
	Instance Instance
	Steps    []Step // in the order in which they began; none before the log has its start, and when the history is not kept any more
	Summary  string // one sentence: what it waits for, how often that was tried, or how it ended

	SuspendedFor string // the reason of the suspend that holds
}

// History tells what an instance has done so far. It reads all of the history, whatever state the instance is in.
// ErrNotFound; ErrCodec when this program has no codec or key for it.
func (c *Client) History(ctx context.Context, id string) (History, error) {
	if err := history.CheckID(id); err != nil {
		return History{}, fmt.Errorf("durable: history: %w", err)
	}
	var h History
	err := c.around(ctx, &Operation{Verb: "history", Instance: id}, func(ctx context.Context) (err error) {
		h, err = c.history(ctx, id)
		return err
	})
	if err != nil {
		return History{}, fmt.Errorf("durable: history of %q: %w", id, err)
	}
	return h, nil
}

func (c *Client) history(ctx context.Context, id string) (History, error) {
	s, err := c.anyState(ctx, id)
	if err != nil {
		return History{}, err
	}
	messages, err := c.messages(ctx, s)
	if err == nil && !s.Status.Final() {
		messages, err = c.withRetries(ctx, s.Address, messages)
	}
	if err := cmp.Or(err, s.Unreadable()); err != nil {
		return History{}, err
	}
	inst := instanceOf(s)
	inst.fill(messages)
	if s.Claim != nil {
		inst.Input = []byte(s.Claim.Input)
	}
	h, now := steps.Of(messages), c.be.Clock().Now()
	return History{Instance: inst, Steps: h.Steps, SuspendedFor: h.SuspendedFor(), Summary: summary(h, inst, now)}, nil
}

func summary(h steps.History, i Instance, now time.Time) string {
	if i.Status.Final() && len(h.Steps) == 0 { // it is not kept any more
		h.Started = i.Created
		h.Steps = []Step{{Kind: StepEnded, Status: string(i.Status), Failure: i.Failure, Began: i.Finished}}
	}
	if h.Started.IsZero() {
		h.Started = i.Created
	}
	return h.Sentence(now, steps.Live{Status: string(i.Status), Waiting: i.Waiting, Parked: i.Parked, ScheduledFor: i.ScheduledFor})
}

// messages reads the history of an instance from the archive when it has ended, else from the log. A claim has none.
func (c *Client) messages(ctx context.Context, s backend.State) ([]history.Message, error) {
	if s.Claim != nil {
		return nil, nil
	}
	if s.Status.Final() {
		a, err := c.ended(ctx, s)
		return a.Messages, cmp.Or(err, a.Unreadable())
	}
	l, err := c.load(ctx, s.Address)
	if err != nil {
		return nil, err
	}
	first := l.Start
	if l.Base != nil {
		first = l.Base
	}
	return append([]history.Message{*first}, l.Tail...), l.Unreadable()
}

// mostRetries is of how many activities under way the next attempt is looked up: each is a read.
const mostRetries = 20

// withRetries adds the schedules of the next attempts of activities, which are no part of a history.
func (c *Client) withRetries(ctx context.Context, of history.Address, messages []history.Message) ([]history.Message, error) {
	h, looked := steps.Of(messages), 0
	for _, s := range h.Steps {
		if s.Kind != steps.Activity || s.State != steps.Open || looked == mostRetries {
			continue
		}
		looked++
		ref := history.Ref{Run: h.Run, Execution: h.Execution, Slot: uint32(s.Slot)}
		t, err := wait(ctx, func(done func(*history.Timer, error)) { c.be.Retry(of, ref, done) })
		switch {
		case errors.Is(err, backend.ErrNotFound), errors.Is(err, backend.ErrCodec):
		case err != nil:
			return nil, err
		default:
			messages = append(messages, history.Message{Time: messages[len(messages)-1].Time, Record: t})
		}
	}
	return messages, nil
}
