package natsbackend

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
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
}

// Grant implements backend.TaskQueue.
func (t *tasks) Grant(n int) { t.pull.grant(n) }

// Stop implements backend.TaskQueue.
func (t *tasks) Stop() {
	ctx, cancel := context.WithTimeout(t.b.ctx, giveUp)
	defer cancel()
	if err := t.pull.stop(ctx); err != nil && t.b.ctx.Err() == nil {
		t.b.cfg.Logger.Warn("could not give back tasks", "activity", t.activity, "err", err)
	}
}

func (t *tasks) handle(m *nats.Msg) {
	r := &receipt{t.pull.link, m.Reply}
	d := backend.TaskDelivery{Receipt: r, Progress: r.progress}
	at, ok := parseDelivery(m.Reply)
	if !ok {
		t.b.cfg.Logger.Error("a delivery has an unknown form", "activity", t.activity, "reply", m.Reply)
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
	t.deliver(d)
}
