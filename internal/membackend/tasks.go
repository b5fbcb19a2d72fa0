package membackend

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// activity is the consumer of an activity, which any worker takes part in.
type activity struct {
	consumer
	queues []*taskQueue
	turn   int // whose turn it is among them
}

const (
	taskAckWait = 5 * time.Second
	pullExpiry  = 2 * time.Second // what got lost on its way was granted; it is granted again after this time
)

// activity finds an activity; its tasks are collected before anybody serves it. Lock held.
func (m *Memory) activity(name string) *activity {
	if m.activities[name] == nil {
		a := &activity{consumer: consumer{m: m, name: "activity " + name, most: mostOpen, wait: taskAckWait}}
		a.pump = a.send
		m.activities[name] = a
	}
	return m.activities[name]
}

// EnsureActivity implements backend.Backend.
func (v *View) EnsureActivity(ctx context.Context, a backend.Activity) error {
	_, err := now(ctx, v, op{verb: "make the consumer of activity", id: a.Name}, func() (struct{}, error) {
		c := v.m.activity(a.Name)
		c.exists, c.most = true, or(a.Concurrency, mostOpen)
		c.pump()
		return struct{}{}, nil
	})
	return err
}

// taskQueue is one view's part in an activity. All but v, act and deliver is under the hub's lock.
type taskQueue struct {
	v       *View
	act     *activity
	deliver func(backend.TaskDelivery)
	granted int // and not yet arrived
	flying  int // of those, on their way
	stopped bool
	busy    chan struct{} // closed when the running deliver returns; nil: none runs
}

// Tasks implements backend.Backend.
func (v *View) Tasks(name string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	o := op{verb: "open the task queue of activity", id: name}
	return now(context.Background(), v, o, func() (backend.TaskQueue, error) {
		a := v.m.activity(name)
		if !a.exists {
			return nil, fmt.Errorf("membackend: open the task queue of activity %s: EnsureActivity has not made it: %w", name, backend.ErrNotFound)
		}
		q := &taskQueue{v: v, act: a, deliver: deliver}
		a.queues = append(a.queues, q)
		v.queues[q] = true
		return q, nil
	})
}

// Grant implements backend.TaskQueue.
func (q *taskQueue) Grant(n int) {
	m := q.v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	q.granted += n
	m.tell(q.v, op{verb: "grant", id: q.act.name}, 0, q.act.pump)
}

// Stop implements backend.TaskQueue. Called within deliver, it does not wait for it.
func (q *taskQueue) Stop(context.Context) {
	m := q.v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	q.stop()
	for q.busy != nil && m.cfg.Live {
		busy := q.busy
		m.mu.Unlock()
		<-busy
		m.mu.Lock()
	}
	q.act.pump()
}

// stop takes the queue out. Lock held.
func (q *taskQueue) stop() {
	q.stopped = true
	q.act.queues = slices.DeleteFunc(q.act.queues, func(x *taskQueue) bool { return x == q })
	delete(q.v.queues, q)
}

// send delivers what can be, to one queue after the other. Lock held.
func (a *activity) send() {
	for a.exists {
		q := a.ready()
		if q == nil {
			return
		}
		n, ok := a.take()
		if !ok {
			return
		}
		a.turn++
		q.fly(n)
	}
}

// ready finds the next queue with a free grant.
func (a *activity) ready() *taskQueue {
	for k := range a.queues {
		q := a.queues[(a.turn+k)%len(a.queues)]
		if q.granted > q.flying && q.v.reachable() {
			a.turn = (a.turn + k) % len(a.queues)
			return q
		}
	}
	return nil
}

// fly sends a task on its way to the process. Lock held.
func (q *taskQueue) fly(n int) {
	m, it := q.v.m, &q.act.items[n]
	e, epoch := it.entry, q.v.epoch
	r := receipt{q.v, &q.act.consumer, n}
	d := backend.TaskDelivery{From: e.to, Seq: e.seq, Time: e.time, Attempts: it.attempts, Receipt: r, Progress: r.progress}
	q.flying++
	if m.happens(m.faults.DeliveryLost, "delivery lost", q.v.name, e.to.ID, e.subject) {
		m.after(pullExpiry, nil, func() { q.flying--; q.act.pump() })
		return
	}
	m.after(q.v.trip("delivery", q.v.name, e.to.ID, e.subject), q.v, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		q.flying--
		switch {
		case epoch != q.v.epoch:
			q.act.pump()
		case q.stopped:
			q.act.nak(n)
		default:
			q.granted--
			q.land(e, d)
		}
	})
}

// land hands a task over. The lock is held, but not while deliver runs.
func (q *taskQueue) land(e *entry, d backend.TaskDelivery) {
	m, busy := q.v.m, make(chan struct{})
	q.busy = busy
	m.mu.Unlock()
	record, err := e.record()
	if d.Task, _ = record.(*history.Task); d.Task == nil {
		d.Task, d.Err = &history.Task{Name: e.name}, err
	}
	q.deliver(d)
	m.mu.Lock()
	q.busy = nil
	close(busy)
}

func (m *Memory) sortedActivities() []*activity {
	return sortedBy(m.activities, func(a *activity) string { return a.name })
}

func (m *Memory) sortedPartitions() []*partition {
	return sortedBy(m.partitions, func(p *partition) string { return p.name })
}

// sortedBy lists a map in an order that does not differ from run to run.
func sortedBy[K comparable, V any](all map[K]V, name func(V) string) []V {
	list := make([]V, 0, len(all))
	for _, v := range all {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b V) int { return cmp.Compare(name(a), name(b)) })
	return list
}
