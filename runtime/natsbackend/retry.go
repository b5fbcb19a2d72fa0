package natsbackend

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Retry implements backend.Log.
func (b *Backend) Retry(of history.Address, ref history.Ref, done func(*history.Timer, error)) {
	b.loads.do(func() {
		t, err := b.retry(of, ref)
		if err != nil {
			err = fmt.Errorf("natsbackend: the next attempt of slot %s of %s/%s: %w", ref, of.Group, of.ID, err)
		}
		done(t, err)
	})
}

// retry reads a schedule, which holds the task that it will publish.
func (b *Backend) retry(of history.Address, ref history.Ref) (*history.Timer, error) {
	instance := b.names.instance(of)
	s, err := b.log().last(instance + timerSuffix(ref))()
	if err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(s.header.Get(headerScheduleTarget), instance+"task.")
	if !ok { // a timer of the orchestrator, or the mark of a cancellation
		return nil, backend.ErrNotFound
	}
	due, errDue := dueOf(s.header)
	p := parsed{Address: of, kind: history.KindTask, name: name}
	r, err := p.decode(s.header, s.body, func() ([]byte, error) { return b.bodyFor(p.kind, s.header, nil) })
	if err := errors.Join(errDue, err); err != nil {
		return nil, fmt.Errorf("message %d on %s: %w", s.seq, s.subject, err)
	}
	return &history.Timer{Ref: ref, Due: due, Task: r.(*history.Task)}, nil
}

// dueOf is when a schedule fires.
func dueOf(h nats.Header) (time.Time, error) {
	at, _ := strings.CutPrefix(h.Get(headerSchedule), "@at ")
	return time.Parse(time.RFC3339Nano, at)
}
