package durable

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Queue is what waits for workers: the tasks of an activity, or the inbox of one partition of a group.
type Queue = backend.Queue

// Usage is what a hub holds, and what serves it.
type Usage = backend.Usage

// Store is a part of the hub that holds messages: Holds says which one (log, archive, instances, meta or payloads).
type Store = backend.Store

// Limit is a limit of the server, and how much of it is used.
type Limit = backend.Limit

// Queues tells of the inboxes of all groups that ever had a worker or a start, by group and partition, then of the queues
// of all activities, by name. They are there whether a worker runs or not.
func (c *Client) Queues(ctx context.Context) ([]Queue, error) {
	queues, err := c.be.Queues(ctx)
	if err != nil {
		return nil, fmt.Errorf("durable: queues: %w", err)
	}
	slices.SortFunc(queues, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Activity, b.Activity), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Partition, b.Partition))
	})
	return queues, nil
}

// PendingTimer is a timer that has not fired, or a next attempt of an activity that has not begun.
type PendingTimer struct {
	Instance string    `json:"instance"`
	Group    string    `json:"group"`
	Slot     int       `json:"slot"` // number of the decision, see Step
	Due      time.Time `json:"due"`
	Activity string    `json:"activity,omitempty"` // wire name, of a next attempt; "" for a timer
	Attempt  int       `json:"attempt,omitempty"`  // which one it will be
}

// Timers tells what is due, the soonest first: at most limit, or all if it is 0; of an instance, or of the whole hub if id
// is "", which reads all of its timers. What is due and has not fired yet is told, too. ErrNotFound.
func (c *Client) Timers(ctx context.Context, id string, limit int) ([]PendingTimer, error) {
	timers, err := c.timers(ctx, id, limit)
	if err != nil {
		return nil, fmt.Errorf("durable: timers: %w", err)
	}
	return timers, nil
}

func (c *Client) timers(ctx context.Context, id string, limit int) (timers []PendingTimer, err error) {
	if limit < 0 {
		return nil, fmt.Errorf("the limit is %d, want a positive number, or 0 for none", limit)
	}
	var of history.Address
	if id != "" {
		if err := history.CheckID(id); err != nil {
			return nil, err
		}
		s, err := c.anyState(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("of %q: %w", id, err)
		}
		of = s.Address
	}
	err = c.be.ListTimers(ctx, of, func(d backend.Due) bool {
		timers = append(timers, PendingTimer{d.ID, d.Group, int(d.Slot), d.At, d.Activity, d.Attempt})
		if limit > 0 && len(timers) > 2*limit+100 { // no more is held than two answers, however many there are
			timers = soonest(timers, limit)
		}
		return true
	})
	if limit == 0 {
		limit = len(timers)
	}
	return soonest(timers, limit), err
}

func soonest(timers []PendingTimer, n int) []PendingTimer {
	slices.SortFunc(timers, func(a, b PendingTimer) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Slot, b.Slot))
	})
	return timers[:min(n, len(timers))]
}

// Stats counts what is in a hub.
type Stats struct {
	Instances int     `json:"instances"`
	Counts    []Count `json:"counts"`  // of the instances, by orchestrator, version and status, in this order
	Started   Rate    `json:"started"` // of what is still kept
	Ended     Rate    `json:"ended"`   // of what is still kept
	Usage     Usage   `json:"usage"`
}

// Count is how many instances have something in common.
type Count struct {
	Name      string    `json:"name"` // wire name of the orchestrator
	Version   string    `json:"version,omitempty"`
	Group     string    `json:"group"`
	Status    Status    `json:"status"`
	Instances int       `json:"instances"`
	Parked    int       `json:"parked"` // of those, that no worker runs although they are live
	Oldest    time.Time `json:"oldest"` // when the first of them was started
}

// Rate counts instances by how long ago something happened.
type Rate struct {
	Minute int `json:"minute"` // within the last minute
	Hour   int `json:"hour"`
	Day    int `json:"day"`
}

func (r *Rate) add(now, at time.Time) {
	if at.IsZero() {
		return
	}
	for _, c := range []struct {
		within time.Duration
		count  *int
	}{{time.Minute, &r.Minute}, {time.Hour, &r.Hour}, {24 * time.Hour, &r.Day}} {
		if now.Sub(at) <= c.within {
			*c.count++
		}
	}
}

// Stats counts the instances of the hub, and measures what it holds. It reads the whole projection.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	type kind struct {
		name, version, group string
		status               Status
	}
	counts, now := map[kind]*Count{}, c.be.Clock().Now()
	err := c.be.ListStates(ctx, func(st backend.State) bool {
		k := kind{st.Name, st.Version, st.Group, Status(st.Status)}
		n := counts[k]
		if n == nil {
			n = &Count{Name: k.name, Version: k.version, Group: k.group, Status: k.status, Oldest: st.Created}
			counts[k] = n
		}
		n.Instances++
		if st.Parked != "" && !st.Status.Final() {
			n.Parked++
		}
		if st.Created.Before(n.Oldest) {
			n.Oldest = st.Created
		}
		s.Instances++
		s.Started.add(now, st.Created)
		s.Ended.add(now, st.Finished)
		return true
	})
	if err == nil {
		s.Usage, err = c.be.Usage(ctx)
	}
	if err != nil {
		return Stats{}, fmt.Errorf("durable: stats: %w", err)
	}
	for _, n := range slices.SortedFunc(maps.Values(counts), func(a, b *Count) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Status, b.Status))
	}) {
		s.Counts = append(s.Counts, *n)
	}
	return s, nil
}
