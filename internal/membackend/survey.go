package membackend

import (
	"context"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Queues implements backend.Survey.
func (v *View) Queues(ctx context.Context) ([]backend.Queue, error) {
	return now(ctx, v, op{verb: "list", id: "the queues"}, func() (queues []backend.Queue, err error) {
		for key, p := range v.m.partitions {
			if p.exists {
				q := p.queue()
				q.Group, q.Partition, q.Served = key.group, key.p, p.owner != nil && p.owner.open && !p.owner.v.silentFor(pinnedTTL)
				queues = append(queues, q)
			}
		}
		for name, a := range v.m.activities {
			if q := a.queue(); a.exists || q.Waits() {
				q.Activity = name
				q.Served = q.Open > 0 || slices.ContainsFunc(a.queues, func(t *taskQueue) bool { return t.granted > 0 && t.v.reachable() })
				queues = append(queues, q)
			}
		}
		return queues, nil
	})
}

// queue tells what waits in a consumer. Lock held.
func (c *consumer) queue() backend.Queue {
	q := backend.Queue{Open: c.open}
	if c.exists {
		q.Limit = c.most
	}
	for n := c.floor; n < len(c.items); n++ {
		it := &c.items[n]
		switch {
		case it.gone || it.state == acked:
			continue
		case it.state == fresh:
			q.Pending++
		case it.attempts > 1:
			q.Repeated++
		}
		if q.Oldest.IsZero() {
			q.Oldest, q.OldestID = it.time, it.to.ID
		}
	}
	return q
}

// ListTimers implements backend.Survey.
func (v *View) ListTimers(ctx context.Context, of history.Address, yield func(backend.Due) bool) error {
	all, err := now(ctx, v, op{verb: "list timers of", id: of.ID}, func() (all []backend.Due, err error) {
		for key, s := range v.m.schedules {
			if s.entry.gone || of != (history.Address{}) && key.to != of {
				continue
			}
			d := backend.Due{Address: key.to, Ref: key.ref, At: s.entry.due}
			r, err := s.entry.record()
			if err != nil {
				return nil, err
			}
			if t := r.(*history.Timer).Task; t != nil {
				d.Activity, d.Attempt = t.Name, t.Attempt
			}
			all = append(all, d)
		}
		return all, nil
	})
	if err != nil {
		return err
	}
	for _, d := range all {
		if !yield(d) {
			return nil
		}
	}
	return ctx.Err()
}

// Usage implements backend.Survey.
func (v *View) Usage(ctx context.Context) (backend.Usage, error) {
	return now(ctx, v, op{verb: "ask for", id: "usage"}, func() (backend.Usage, error) {
		u := backend.Usage{Server: "memory", Skew: v.skew, MaxMessage: v.m.cfg.MaxPayload}
		log := backend.Store{Name: "log", Holds: backend.HoldsLog, Replicas: 1}
		for _, e := range v.m.log.all {
			if e.gone {
				continue
			}
			if log.Messages++; log.First.IsZero() {
				log.First = e.time
			}
			log.Last = e.time
			log.Bytes += uint64(len(e.body))
		}
		u.Stores = append(u.Stores, log)
		for holds, t := range map[string]*table{backend.HoldsArchive: &v.m.archives, backend.HoldsInstances: &v.m.states, backend.HoldsMeta: &v.m.meta} {
			s := backend.Store{Name: holds, Holds: holds, Replicas: 1}
			for _, key := range t.keys() {
				if row, err := t.get(key, false); err == nil {
					s.Messages++
					s.Bytes += uint64(len(row.value))
				}
			}
			u.Stores = append(u.Stores, s)
		}
		return u, nil
	})
}
