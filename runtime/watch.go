package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// Watch tells of an instance now, after each change of its status, its custom status or why it is parked, and when it
// has ended, which is the last. Changes that follow each other within a quarter of a second are told as one, and so are
// those that happen while the caller's loop body runs; the newest is never missed. A change is told at once when the
// owner's hint arrives, else within 2 s.
//
// An error is the last, too: ErrNotFound, or the error of ctx when that ends before the instance does. Input and result
// are told as by [Client.Get].
func (c *Client) Watch(ctx context.Context, id string) iter.Seq2[Instance, error] {
	return func(yield func(Instance, error) bool) {
		left := false
		err := c.around(ctx, &Operation{Verb: "watch", Instance: id}, func(ctx context.Context) error {
			return c.watch(ctx, id, func(inst Instance) bool {
				left = !yield(inst, nil)
				return !left
			})
		})
		if err != nil && !left {
			yield(Instance{}, fmt.Errorf("durable: watch %q: %w", id, err))
		}
	}
}

// watch calls tell until that returns false. Hints make it fast, asking makes it sure.
func (c *Client) watch(ctx context.Context, id string, tell func(Instance) bool) error {
	if err := history.CheckID(id); err != nil {
		return err
	}
	hints := make(chan bool, 2) // whether it is of the end
	for topic, end := range map[string]bool{owner.StateTopic(id): false, owner.HintTopic(id): true} {
		stop, err := c.be.Listen(topic, func([]byte) {
			if end || len(hints) == 0 { // there is room for one of each
				select {
				case hints <- end:
				default:
				}
			}
		})
		if err != nil {
			return err
		}
		defer stop()
	}
	inst, err := c.get(ctx, id)
	pause := soon // it may have changed just before this client listened
	for told := (Instance{}); err == nil; inst, err = c.look(ctx, inst) {
		if inst.news(told) {
			if told = inst; !tell(inst) {
				return nil
			}
		}
		if inst.Status.Final() {
			return nil
		}
		end, hinted, err := hint(ctx, c, pause, hints)
		switch {
		case err != nil:
			return err
		case end:
			pause = soon // the projection follows the hint within milliseconds
		case !hinted:
			pause = min(2*pause, truthEvery)
		}
	}
	return err
}

// news reports whether an instance has something to tell that old has not.
func (i Instance) news(old Instance) bool {
	return i.Status != old.Status || !bytes.Equal(i.CustomStatus, old.CustomStatus) || i.Parked != old.Parked || !i.Created.Equal(old.Created)
}

// look reads the projection of an instance that was had before, and no more than that while it goes on.
func (c *Client) look(ctx context.Context, had Instance) (Instance, error) {
	s, err := c.settledState(ctx, had.ID)
	switch {
	case errors.Is(err, ErrNotFound) && !errors.Is(err, errPurged): // it is too young to be projected
		return had, nil
	case err != nil:
		return Instance{}, err
	}
	if err := s.Unreadable(); err != nil {
		return Instance{}, err
	}
	inst := instanceOf(s)
	if inst.Status.Final() || had.Status == Pending || !inst.Created.Equal(had.Created) { // another run has another input
		return c.get(ctx, had.ID)
	}
	inst.Input = had.Input
	return inst, nil
}
