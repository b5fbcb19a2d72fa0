package natsbackend

import (
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Tasks implements backend.Backend.
func (b *Backend) Tasks(activity string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	t := &tasks{b: b, activity: activity, deliver: deliver}
	var err error
	if t.pull, err = b.newPuller(b.ctx, roleActivities, taskConsumer(activity), "", 0, t.handle); err == nil {
		err = t.pull.start(b.ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("natsbackend: open the task queue of %s: %w", activity, err)
	}
	return t, nil
}

// tasks is the task queue of an activity, for this worker.
type tasks struct {
	b        *Backend
	activity string
	deliver  func(backend.TaskDelivery)
	pull     *puller

	mu      sync.Mutex
	stopped bool
	held    sync.WaitGroup // tasks that wait to be durable
}

// Grant implements backend.TaskQueue.
func (t *tasks) Grant(n int) { t.pull.grant(n) }

// Stop implements backend.TaskQueue.
func (t *tasks) Stop(patience context.Context) {
	ctx, cancel := context.WithTimeout(t.b.ctx, giveUp)
	defer cancel()
	t.pull.finish(patience)
	err := t.pull.stop(ctx)
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.held.Wait()
	if err != nil && t.b.ctx.Err() == nil {
		t.b.cfg.Logger.Warn("could not give back tasks", observe.KeyActivity, t.activity, observe.KeyError, err)
	}
}

func (t *tasks) handle(m *nats.Msg) {
	r := &receipt{t.pull.link, m.Reply, &t.b.barrier}
	d := backend.TaskDelivery{Receipt: r, Progress: r.progress}
	at, ok := parseDelivery(m.Reply)
	if !ok {
		t.b.cfg.Logger.Error("a delivery has an unknown form", observe.KeyActivity, t.activity, "reply", m.Reply)
		return
	}
	d.Seq, d.Time, d.Attempts = at.stream, at.time, at.attempts
	record, from, err := t.b.record(m)
	if err != nil && t.b.ctx.Err() != nil {
		return
	}
	d.From, d.Err = from, err
	if task, ok := record.(*history.Task); ok {
		d.Task = task
	} else {
		d.Task = &history.Task{Name: t.activity}
	}
	if !t.b.barrier.on.Load() {
		t.deliver(d)
		return
	}
	t.held.Add(1)
	t.b.barrier.told(spot{at.stream, t.pull.link.ConnectedServerId()}, theLog, func(err error) { t.durable(d, err) })
}

// durable hands out a task that no power cut can take back any more.
func (t *tasks) durable(d backend.TaskDelivery, err error) {
	defer t.held.Done()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil && !t.stopped:
		t.deliver(d)
	default:
		d.Nak()
		t.pull.grant(1)
	}
}
