package durable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// ErrCompleteLater is what an activity returns whose outcome comes from [Client.CompleteActivity] or
// [Client.FailActivity]: see [CompleteLater].
var ErrCompleteLater = errors.New("durable: the activity is completed later")

// CompleteLater gives the token with which anybody may complete this call, also when this worker is gone: hand it out,
// then return [ErrCompleteLater]. It is text of letters, digits, '-' and '_'; it is no secret by itself, whoever completes
// needs the permissions of a worker. Called again in the same attempt, it gives the same token.
//
// The attempt keeps its Timeout, counted from its start: when nobody has completed it by then, the next attempt runs by
// the policy, or the call fails with [ErrTimeout]. An older attempt's token is good as long as the call has no outcome.
// A heartbeat is not asked for after the return.
//
// It stores, before it returns, what happens when nobody completes; the error is that of the store or of ctx, or tells
// that ctx is no activity's.
func CompleteLater(ctx context.Context) (token string, err error) {
	a := activity.AttemptOf(ctx)
	if a == nil {
		return "", errors.New("durable: CompleteLater: the context is not one that an activity was given")
	}
	t, err := a.Later(ctx)
	if err != nil {
		return "", fmt.Errorf("durable: CompleteLater: %w", err)
	}
	return t.String(), nil
}

// CompleteActivity gives an activity that returned [ErrCompleteLater] its result, which must fit what the orchestrator
// expects. ErrPayload for what is no token, or a result that cannot be stored; ErrNotFound when there is no such call; ErrCodec when this
// client cannot read the instance's payloads;
// ErrFinished when it has its outcome, from here or elsewhere, or its instance has ended. Of two that complete at the same
// time the first one counts, and both may be told that they did.
func (c *Client) CompleteActivity(ctx context.Context, token string, result any) error {
	payload, failure := encode(result)
	if failure != nil {
		return fmt.Errorf("durable: complete activity: %w", errorOf(failure))
	}
	if err := c.settle(ctx, token, func(history.Token) history.Done { return history.Done{Result: payload} }); err != nil {
		return fmt.Errorf("durable: complete activity: %w", err)
	}
	return nil
}

// FailActivity is CompleteActivity with an error: the call fails for good, whatever its policy says of attempts. nil
// stands for an error without a reason.
func (c *Client) FailActivity(ctx context.Context, token string, err error) error {
	if err == nil {
		err = errors.New("failed from outside, no reason given")
	}
	return c.failActivity(ctx, token, err)
}

func (c *Client) failActivity(ctx context.Context, token string, reason error) error {
	err := c.settle(ctx, token, func(t history.Token) history.Done {
		f := failureOf(reason)
		f.Name, f.Attempt, f.Final, f.After = t.Name, t.Attempt, true, 0
		return history.Done{Failure: f}
	})
	if err != nil {
		return fmt.Errorf("durable: fail activity: %w", err)
	}
	return nil
}

// settle stores the outcome of a call, and removes what stood in for it.
func (c *Client) settle(ctx context.Context, token string, outcome func(history.Token) history.Done) error {
	t, err := history.ParseToken(token)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPayload, err)
	}
	err = c.openCall(ctx, t)
	if errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil {
		done := outcome(t)
		done.Ref, done.Name, done.Hash, done.Attempt = t.Ref, t.Name, t.Hash, t.Attempt
		if err := c.put(ctx, backend.Append{To: t.Address, Record: &done}); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrFinished) {
		return err
	}
	// Also of a call that has its outcome: an attempt that ran again after it has left these behind.
	if _, cancelErr := wait(ctx, func(done func(struct{}, error)) {
		c.be.CancelTimer(t.Address, t.Ref, func(err error) { done(struct{}{}, err) })
	}); cancelErr != nil {
		c.logger.Warn("durable: an activity that is complete may run once more: its schedule is not removed", observe.KeyInstance, t.ID, observe.KeyError, cancelErr)
	}
	tidy, cancel := context.WithTimeout(ctx, tidyTime)
	defer cancel()
	if tidyErr := activity.Forget(tidy, c.be.Meta(), t.Address, t.Ref); tidyErr != nil {
		c.logger.Debug("durable: the details of a heartbeat are left behind", observe.KeyInstance, t.ID, observe.KeyError, tidyErr)
	}
	return err
}

// tidyTime bounds what a completion waits for beside its outcome.
const tidyTime = 5 * time.Second

// openCall reports whether the log holds the call of a token, and whether it has no outcome: ErrNotFound, ErrFinished.
func (c *Client) openCall(ctx context.Context, t history.Token) error {
	l, err := c.load(ctx, t.Address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err != nil {
		s, _, err := c.state(ctx, t.ID)
		switch {
		case err != nil:
			return err
		case s.Status.Final() && s.Group == t.Group:
			return ErrFinished
		}
		return ErrNotFound
	}
	if err := l.Unreadable(); err != nil {
		return err
	}
	run := l.Start.Record.(*history.Start).Run
	execution := l.Start.Record.(*history.Start).Prior.Execution()
	if l.Base != nil {
		execution = l.Base.Record.(*history.Turn).Execution + 1
	}
	switch {
	case run > t.Run || run == t.Run && execution > t.Execution:
		return ErrFinished
	case run < t.Run || execution < t.Execution:
		return ErrNotFound
	}
	found := false
	for _, m := range l.Tail {
		switch r := m.Record.(type) {
		case *history.Task:
			found = found || r.Ref == t.Ref && r.Name == t.Name && history.ArgsHash(r.Args) == t.Hash
		case *history.Done:
			if r.Ref == t.Ref && r.Name == t.Name && r.Hash == t.Hash {
				return ErrFinished
			}
		case *history.Turn:
			if r.Run == t.Run && r.End != nil && r.End.Status.Final() {
				return ErrFinished
			}
		}
	}
	if !found {
		return ErrNotFound
	}
	return nil
}
