package durable

import (
	"context"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// RestartOption changes a restart: [InstanceID], [FreshID].
type RestartOption interface{ applyRestart(*restartOptions) }

type restartOptions struct {
	id    string
	fresh bool
}

func (id InstanceID) applyRestart(o *restartOptions) { o.id, o.fresh = string(id), false }

// FreshID has a restart make a random id, beside the instance that it restarts.
func FreshID() RestartOption { return freshID{} }

type freshID struct{}

func (freshID) applyRestart(o *restartOptions) { o.id, o.fresh = "", true }

// Restart starts an instance again as it first began: the same orchestrator, the version and the input that its run was
// started with (also after it continued as new, in another version perhaps), the same tags, no parent and no delay. It gives the id of what it
// started. By default that is the same id: the instance gets another run in place of the one that ended, or
// ErrNotFinished when it has not ended; ErrAlreadyExists when another caller has just replaced it. With [InstanceID] or
// [FreshID] it starts another instance, whatever the state of the first; ErrAlreadyExists when that id is taken.
// ErrNotFound when there is no such instance, or when its input is kept nowhere any more.
func (c *Client) Restart(ctx context.Context, id string, opts ...RestartOption) (newID string, err error) {
	err = c.around(ctx, &Operation{Verb: "restart", Instance: id}, func(ctx context.Context) (err error) {
		newID, err = c.restart(ctx, id, opts)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("durable: restart %q: %w", id, err)
	}
	return newID, nil
}

func (c *Client) restart(ctx context.Context, id string, opts []RestartOption) (string, error) {
	var ro restartOptions
	for _, opt := range opts {
		opt.applyRestart(&ro)
	}
	if err := history.CheckID(id); err != nil {
		return "", err
	}
	s, err := c.anyState(ctx, id)
	if err != nil {
		return "", err
	}
	same := !ro.fresh && (ro.id == "" || ro.id == id)
	if same && !s.Status.Final() {
		return "", fmt.Errorf("%w: it is %s: terminate it first, or give the new one another id", ErrNotFinished, s.Status)
	}
	first, err := c.firstStart(ctx, s)
	if err == nil {
		err = backend.Unreadable(first)
	}
	if err != nil {
		return "", err
	}
	topic, err := c.ready(ctx, s.Group)
	if err != nil {
		return "", err
	}
	start := &history.Start{Run: 1, Orchestrator: first.Orchestrator, Version: first.Version, Input: first.Input, Tags: first.Tags, Notify: topic, Born: c.be.Clock().Now()}
	switch {
	case ro.fresh:
		return c.startMade(ctx, s.Group, start)
	case same:
		return id, c.startOwn(ctx, s.Address, start, ReplaceFinished)
	}
	return ro.id, c.startOwn(ctx, history.Address{Group: s.Group, ID: ro.id}, start, FailIfExists)
}

// anyState describes an instance that is projected, or that the log knows.
func (c *Client) anyState(ctx context.Context, id string) (backend.State, error) {
	s, err := c.settledState(ctx, id)
	if !errors.Is(err, ErrNotFound) || errors.Is(err, errPurged) {
		return s, err
	}
	l, to, err := c.young(ctx, id)
	if err != nil {
		return s, err
	}
	return youngState(to, l.Start, c.be.Clock().Now()), nil
}

// firstStart finds the start of the present run of an instance, in the log or the archive.
func (c *Client) firstStart(ctx context.Context, s backend.State) (*history.Start, error) {
	if s.Claim != nil {
		return s.Claim, nil
	}
	a, err := c.ended(ctx, s)
	if err != nil {
		return nil, err
	}
	l, err := c.load(ctx, s.Address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err == nil {
		if start := l.First(); start.Run == s.Run {
			return start, nil
		}
	}
	if start := a.First(); a.Run == s.Run && start != nil {
		return start, nil
	}
	return nil, fmt.Errorf("%w: its first input is kept nowhere any more: start it with an input of your own", ErrNotFound)
}
