package natsbackend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Queues implements backend.Survey: each is a consumer of the log. An activity that no worker has ever registered has none,
// only tasks.
func (b *Backend) Queues(ctx context.Context) ([]backend.Queue, error) {
	var infos []*jetstream.ConsumerInfo
	var tasks map[string]uint64
	err := b.patiently(ctx, func(ctx context.Context) error {
		infos = nil
		s, err := b.js.Stream(ctx, b.names.log)
		if err != nil {
			return err
		}
		info, err := s.Info(ctx, jetstream.WithSubjectFilter(b.names.subjects+"*.*.*.task.*"))
		if err != nil {
			return err
		}
		tasks = info.State.Subjects
		list := s.ListConsumers(ctx)
		for c := range list.Info() {
			infos = append(infos, c)
		}
		return list.Err()
	}, b.names.log)
	if err != nil {
		return nil, fmt.Errorf("natsbackend: the consumers of the log %s: %w", b.names.log, asUnavailable(err))
	}
	return b.queues(infos, tasks)
}

// queues reads the oldest message of each queue that has some, all at once. tasks counts those of the log by their subjects.
func (b *Backend) queues(infos []*jetstream.ConsumerInfo, tasks map[string]uint64) (queues []backend.Queue, err error) {
	oldest := map[int]func() (stored, error){}
	known := map[string]bool{}
	for _, c := range infos {
		q, ok := b.names.queue(c)
		if !ok {
			continue
		}
		if q.Waits() {
			oldest[len(queues)] = b.log().one(query{Seq: c.AckFloor.Stream + 1, Next: c.Config.FilterSubject})
		}
		known[q.Activity] = true
		queues = append(queues, q)
	}
	for name, n := range b.names.unknown(tasks, known) {
		oldest[len(queues)] = b.log().one(query{Seq: 1, Next: b.names.subjects + "*.*.*.task." + history.EncodeID(name)})
		queues = append(queues, backend.Queue{Activity: name, Pending: n})
	}
	for n, read := range oldest {
		m, readErr := read()
		if readErr == nil {
			p, _ := b.names.parse(m.subject) // a foreign message has no instance
			queues[n].Oldest, queues[n].OldestID = m.time, p.ID
		} else if !errors.Is(readErr, backend.ErrNotFound) { // acknowledged meanwhile
			err = fmt.Errorf("natsbackend: the oldest message of a queue: %w", readErr)
		}
	}
	return queues, err
}

// unknown counts the tasks of activities that are not known.
func (n *names) unknown(tasks map[string]uint64, known map[string]bool) map[string]uint64 {
	counts := map[string]uint64{}
	for subject, count := range tasks {
		p, err := n.parse(subject)
		if err != nil {
			continue // not of ours
		}
		if name, err := history.DecodeID(p.name); err == nil && !known[name] {
			counts[name] += count
		}
	}
	return counts
}

// queue reads what a consumer of the log is for; ok is false when it is not the hub's.
func (n *names) queue(c *jetstream.ConsumerInfo) (q backend.Queue, ok bool) {
	q = backend.Queue{Pending: c.NumPending, Open: c.NumAckPending, Repeated: c.NumRedelivered, Limit: c.Config.MaxAckPending}
	words := strings.Split(strings.TrimPrefix(c.Config.FilterSubject, n.subjects), ".")
	if !InboxConsumer(c.Name) && !TaskConsumer(c.Name) || len(words) != 5 {
		return q, false
	}
	var err error
	if strings.HasPrefix(c.Name, taskPrefix) { // *.*.*.task.NAME
		q.Activity, err = history.DecodeID(words[4])
		q.Served = c.NumWaiting > 0 || c.NumAckPending > 0
		return q, err == nil
	}
	q.Group, err = history.DecodeID(words[0]) // GROUP.N.*.in.>
	p, errPartition := strconv.Atoi(words[1])
	q.Partition, q.Served = p, c.NumWaiting > 0 || pinOf(c) != "" // nobody is pinned before the first delivery
	return q, errors.Join(err, errPartition) == nil
}

// ListTimers implements backend.Survey.
func (b *Backend) ListTimers(ctx context.Context, of history.Address, yield func(backend.Due) bool) error {
	filter := b.names.subjects + "*.*.*.timer.*"
	if of != (history.Address{}) {
		filter = b.names.instance(of) + "timer.*"
	}
	var failed error
	err := b.log().bulk(ctx, 1, filter, func(m stored) bool {
		if failed = ctx.Err(); failed != nil {
			return false
		}
		d, ok := b.names.due(m)
		return !ok || yield(d)
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("natsbackend: list the timers of the log %s: %w", b.names.log, err)
	}
	return nil
}

// due reads a schedule; ok is false for what is none of ours.
func (n *names) due(m stored) (d backend.Due, ok bool) {
	p, err := n.parse(m.subject)
	if err != nil || p.kind != history.KindTimer {
		return d, false
	}
	d.Address = p.Address
	if d.Ref, err = history.ParseRef(p.name); err != nil {
		return d, false
	}
	if d.At, err = dueOf(m.header); err != nil {
		return d, false
	}
	name, again := strings.CutPrefix(m.header.Get(headerScheduleTarget), n.instance(p.Address)+"task.")
	if !again {
		return d, true
	}
	if d.Activity, err = history.DecodeID(name); err != nil {
		return d, false
	}
	task := parsed{Address: p.Address, kind: history.KindTask, name: name}
	r, _ := task.decode(m.header, m.body, func() ([]byte, error) { return nil, nil })
	if t, whole := r.(*history.Task); whole {
		d.Attempt = t.Attempt
	}
	return d, true
}
