package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// Rewind has a failed instance go on: the activities and child orchestrations whose failures are in the error that it
// ended with run again, everything else keeps the result it has. Failed children are rewound in turn. If the error holds
// no such failure, because the orchestrator's own code failed, only that code runs again: which is what one wants after
// a fix has been deployed. An event that could not be delivered is delivered again. [Client.RewindPlan] tells beforehand.
//
// The instance keeps its id and is a new run: Wait of this client waits for its end. It runs as soon as a worker takes
// the request up; until then it is told to be Failed. An activity that had no result yet when the run failed runs again
// as well, and attempts are counted from 1. What the orchestrator decided after it saw one of the failures, such as a
// compensation, stays done in the world outside but is forgotten where the new run decides otherwise.
//
// ErrNotFailed when the instance runs, is completed, or was terminated or canceled; ErrNotFound. The error also tells when the history
// has expired, or was too large to be archived whole.
func (c *Client) Rewind(ctx context.Context, id, reason string) error {
	err := c.around(ctx, &Operation{Verb: "rewind", Instance: id}, func(ctx context.Context) error { return c.rewind(ctx, id, reason) })
	if err != nil {
		return fmt.Errorf("durable: rewind %q: %w", id, err)
	}
	return nil
}

func (c *Client) rewind(ctx context.Context, id, reason string) error {
	if err := checkReason(reason); err != nil {
		return err
	}
	s, _, err := c.failed(ctx, id)
	if err != nil {
		return err
	}
	control := &history.Control{Verb: history.Rewind, ID: c.newID(), Reason: reason, Run: s.Run}
	if err := c.put(ctx, backend.Append{To: s.Address, Record: control}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started[id] = started{group: s.Group, run: s.Run + 1, rewound: true}
	return nil
}

// RewindPlan is what a rewind would run again.
type RewindPlan struct {
	ID           string
	Orchestrator string // wire name
	Status       Status // of the instance: a child that is not Failed only tells its result again, or is started if it never was
	Failure      string // why it failed
	Activities   []RewindActivity
	Children     []RewindPlan // that the instance failed of
	Deliveries   []RewindDelivery
	// Decided tells that the orchestrator decided something after it saw one of the failures. That may not fit any more:
	// from the first decision on that the new run does not repeat, it decides anew.
	Decided bool
}

// RewindActivity is an activity that would run again.
type RewindActivity struct {
	Name string          // wire name
	Slot int             // number among the decisions of the execution, from 0
	Args json.RawMessage // nil of a local activity: the history does not have them
	Open bool            // it has not failed, it had no result yet
}

// RewindDelivery is an event that would be delivered again.
type RewindDelivery struct {
	Event string // name, in lower case
	To    string // id of the receiver
	Slot  int    // as RewindActivity.Slot
	Open  bool   // it was not refused, nobody had heard of it yet
}

// RewindPlan tells what [Client.Rewind] would run again, and changes nothing. The errors are the same.
func (c *Client) RewindPlan(ctx context.Context, id string) (RewindPlan, error) {
	var plan RewindPlan
	err := c.around(ctx, &Operation{Verb: "plan", Instance: id}, func(ctx context.Context) error {
		s, a, err := c.failed(ctx, id)
		if err == nil {
			plan, err = c.planOf(ctx, s, a)
		}
		return err
	})
	if err != nil {
		return plan, fmt.Errorf("durable: rewind plan of %q: %w", id, err)
	}
	return plan, nil
}

// failed reads an instance that can be rewound.
func (c *Client) failed(ctx context.Context, id string) (s backend.State, a backend.Archive, err error) {
	if err := history.CheckID(id); err != nil {
		return s, a, err
	}
	if s, err = c.anyState(ctx, id); err != nil {
		return s, a, err
	}
	if s.Status != history.Failed {
		return s, a, fmt.Errorf("%w: it is %s", ErrNotFailed, s.Status)
	}
	a, err = c.ended(ctx, s)
	switch {
	case err != nil:
	case a.Run > s.Run:
		err = fmt.Errorf("%w: it is just being rewound or replaced", ErrNotFailed)
	case len(a.Messages) == 0:
		err = fmt.Errorf("its history has expired: start it again: %w", ErrNotFound)
	case a.Partial:
		err = fmt.Errorf("%w: it was too large to be archived: start it again", ErrIncomplete)
	}
	return s, a, err
}

func (c *Client) planOf(ctx context.Context, s backend.State, a backend.Archive) (RewindPlan, error) {
	plan := RewindPlan{ID: s.ID, Orchestrator: s.Name, Status: Status(s.Status), Failure: s.Failure}
	if s.Status != history.Failed || len(a.Messages) == 0 || a.Partial {
		return plan, nil
	}
	found := owner.SetbackOf(a)
	plan.Decided = found.Decided
	for _, slot := range found.Failed {
		if slot.Kind != history.SlotChild {
			plan.add(slot, false)
			continue
		}
		child, err := c.childPlan(ctx, s.ID, slot)
		if err != nil {
			return plan, fmt.Errorf("child %q: %w", slot.Target.ID, err)
		}
		plan.Children = append(plan.Children, child)
	}
	for _, slot := range found.Open {
		plan.add(slot, true)
	}
	return plan, nil
}

// add takes an activity or a delivery into the plan.
func (p *RewindPlan) add(slot history.Slot, open bool) {
	if slot.Kind == history.SlotSend {
		p.Deliveries = append(p.Deliveries, RewindDelivery{Event: slot.Name, To: slot.Target.ID, Slot: int(slot.N), Open: open})
		return
	}
	p.Activities = append(p.Activities, RewindActivity{Name: slot.Name, Slot: int(slot.N), Args: json.RawMessage(slot.Args), Open: open})
}

func (c *Client) childPlan(ctx context.Context, parent string, slot history.Slot) (RewindPlan, error) {
	s, _, err := c.state(ctx, slot.Target.ID)
	var a backend.Archive
	if err == nil {
		a, err = c.ended(ctx, s)
	}
	taken := err == nil && (s.Parent == nil || s.Parent.ID != parent) // the id: the child was never started
	if taken || errors.Is(err, ErrNotFound) {
		return RewindPlan{ID: slot.Target.ID, Orchestrator: slot.Name}, nil
	}
	if err != nil {
		return RewindPlan{}, err
	}
	return c.planOf(ctx, s, a)
}
