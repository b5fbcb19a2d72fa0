package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// MaxQuery is the most bytes of a query's arguments or answer.
const MaxQuery = owner.QueryLimit

// ErrUnknownQuery says that the orchestrator does not answer this query; the text lists those that it does.
var ErrUnknownQuery = errors.New("durable: no such query")

// SetQueryHandler makes fn answer the queries of this name, see [Query], in place of the handler it had. Set it before
// the orchestrator first waits, else an early query does not know it; names are exact.
//
// fn runs while the orchestrator waits, never at the same time, and reads what the orchestrator's variables hold then. It
// must not change them, or the instance is not deterministic any more, and must not use the Context, which panics. The
// instance waits for it, others do not: after 2 s the query fails, and the instance goes on without it, loaded anew. A
// panic is the error of the query.
func SetQueryHandler[A, R any](ctx Context, name string, fn func(args A) (R, error)) {
	ctx.co.Answer(name, func(p history.Payload) (history.Payload, error) {
		args, err := decode[A](p)
		if err != nil {
			return nil, fmt.Errorf("its arguments: %w", err)
		}
		result, err := fn(args)
		if err != nil {
			return nil, err
		}
		payload, failure := encode(result)
		if failure != nil {
			return nil, errors.New(failure.Message)
		}
		return payload, nil
	})
}

const (
	firstAsk = 250 * time.Millisecond // a question may get lost, and owners change: it is asked again
	lastAsk  = 2 * time.Second
)

// Query asks a live instance for what it has in memory: its worker runs the handler of [SetQueryHandler]. Nothing is
// written; an instance that is not in memory is loaded first. It asks again until there is an answer or ctx ends, so give
// it a deadline: without any worker of the instance nobody answers.
//
// ErrNotFound, ErrFinished, ErrUnknownQuery; ErrPayload when args have more than [MaxQuery] bytes or the answer does not
// fit R; else an error with the text of the handler's.
func Query[R any](ctx context.Context, c *Client, id, name string, args any) (R, error) {
	var result history.Payload
	err := c.around(ctx, &Operation{Verb: "query", Instance: id, Name: name}, func(ctx context.Context) (err error) {
		result, err = c.query(ctx, id, name, args)
		return err
	})
	if err == nil {
		var r R
		if r, err = decode[R](result); err == nil {
			return r, nil
		}
	}
	var zero R
	return zero, fmt.Errorf("durable: query %s of %q: %w", name, id, err)
}

func (c *Client) query(ctx context.Context, id, name string, args any) (history.Payload, error) {
	if err := history.CheckID(id); err != nil {
		return nil, err
	}
	if len(name) > history.MaxName { // it travels with the arguments
		return nil, fmt.Errorf("%w: its name has %d bytes, at most %d are allowed", ErrUnknownQuery, len(name), history.MaxName)
	}
	payload, failure := encode(args)
	if failure != nil {
		return nil, errorOf(failure)
	}
	if len(payload) > MaxQuery {
		return nil, fmt.Errorf("%w: its arguments have %d bytes, at most %d can be sent", ErrPayload, len(payload), MaxQuery)
	}
	reply := c.be.Topic()
	question, err := json.Marshal(owner.Question{ID: id, Name: name, Args: payload, Reply: reply})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	answers := make(chan owner.Answer, 1)
	stop, err := c.be.Listen(reply, func(data []byte) {
		var a owner.Answer
		if json.Unmarshal(data, &a) != nil {
			return
		}
		select {
		case answers <- a:
		default: // it was asked twice
		}
	})
	if err != nil {
		return nil, err
	}
	defer stop()
	for pause := firstAsk; ; pause = min(2*pause, lastAsk) {
		group, err := c.askable(ctx, id)
		if err != nil {
			return nil, err
		}
		c.be.Signal(owner.QueryTopic(group, history.Partition(id, c.be.Info().Partitions)), question)
		a, answered, err := hint(ctx, c, pause, answers)
		if err != nil {
			return nil, fmt.Errorf("no worker has answered: %w", err)
		}
		if answered {
			return a.Result, answerError(a)
		}
	}
}

func answerError(a owner.Answer) error {
	switch {
	case a.Unknown:
		return fmt.Errorf("%w: %s", ErrUnknownQuery, a.Error)
	case a.Error != "":
		return errors.New(a.Error)
	}
	return nil
}

// askable gives the group of an instance that somebody may have in memory.
func (c *Client) askable(ctx context.Context, id string) (group string, err error) {
	s, _, err := c.state(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound) && !errors.Is(err, errPurged): // or it is too young to be projected
		to, err := c.exists(ctx, id)
		return to.Group, err
	case err != nil:
		return "", err
	case s.Status.Final():
		return "", ErrFinished
	case s.Parked != "":
		return "", fmt.Errorf("no worker runs it: %s", s.Parked)
	}
	c.finishClaim(ctx, s)
	return s.Group, nil
}
