package backup

import (
	"bytes"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// tasks finds out, from a log that is being copied, which tasks are done. A consumer tells up to where all are
// acknowledged, but not which ones behind that, and nothing of a moment that is the log's own. An activity is over when the
// log has its completion, or its next attempt.
type tasks struct {
	subjects string            // that all of the hub begin with
	queues   map[string]*queue // by the last word of a task's subject
	open     map[string]*task  // by instance and slot
}

// queue is that of an activity.
type queue struct {
	floor Sequences // all that is acknowledged, from before the log was read
	tasks []*task   // behind that
}

type task struct {
	seq  uint64
	at   time.Time
	done bool
}

func newTasks(log Stream, floors []Consumer) *tasks {
	t := &tasks{subjects: strings.TrimSuffix(log.Config.Subjects[0], ">"), queues: map[string]*queue{}, open: map[string]*task{}}
	for _, c := range floors {
		if natsbackend.TaskConsumer(c.Config.Name) {
			t.queues[activityOf(c)] = &queue{floor: c.State.Floor}
		}
	}
	return t
}

// activityOf is the last word of the subjects that a queue takes.
func activityOf(c Consumer) string {
	return c.Config.FilterSubject[strings.LastIndexByte(c.Config.FilterSubject, '.')+1:]
}

// note sees a message of the log.
func (t *tasks) note(m *nats.Msg, seq uint64, at time.Time) {
	words := strings.SplitN(strings.TrimPrefix(m.Subject, t.subjects), ".", 4) // group, partition, instance
	if len(words) < 4 {
		return
	}
	instance, what := words[0]+"."+words[2]+" ", words[3]
	switch {
	case strings.HasPrefix(what, "task."):
		key := instance + slot(m.Data)
		t.over(key)
		if q := t.queues[strings.TrimPrefix(what, "task.")]; q != nil && seq > q.floor.Stream {
			this := &task{seq: seq, at: at}
			q.tasks = append(q.tasks, this)
			t.open[key] = this
		}
	case what == "in.done":
		t.over(instance + slot(m.Data))
	case strings.HasPrefix(what, "timer.") && strings.Contains(m.Header.Get("Nats-Schedule-Target"), ".task."):
		t.over(instance + strings.TrimPrefix(what, "timer."))
	}
}

func (t *tasks) over(key string) {
	if open := t.open[key]; open != nil {
		open.done = true
		delete(t.open, key)
	}
}

// slot is the first word of a task or a completion.
func slot(data []byte) string {
	if end := bytes.IndexAny(data, " \n"); end >= 0 {
		data = data[:end]
	}
	return string(data)
}

// position is where the consumer of an activity is in the copy: what is done does not run again, all else does.
func (t *tasks) position(activity string) Position {
	q := t.queues[activity]
	p := Position{Delivered: q.floor, Floor: q.floor, Pending: map[uint64]Delivery{}}
	last := len(q.tasks)
	for last > 0 && !q.tasks[last-1].done {
		last--
	}
	for _, this := range q.tasks[:last] {
		p.Delivered = Sequences{Consumer: p.Delivered.Consumer + 1, Stream: this.seq}
		switch {
		case !this.done:
			p.Pending[this.seq] = Delivery{Sequence: p.Delivered.Consumer, Timestamp: this.at.UnixNano()}
		case len(p.Pending) == 0:
			p.Floor = p.Delivered
		}
	}
	return p
}
