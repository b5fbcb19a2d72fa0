package natsbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// An object that holds the body of a message is needed for as long as its message is there. The log loses its messages from
// the front: it needs none of the objects that are older than its first message. Other messages are one a subject, so the
// name of an object tells the subject, and the message there whether it still means this one. An object without a message,
// because its maker died in between, goes in the same way.

const (
	objectOfLog   = "log/"
	objectOfEntry = "entry/" // then the subject, '/' and the sum

	reuse     = 10 * time.Minute // an object that is older is stored again rather than shared
	sweepAge  = 30 * time.Minute // none younger is removed: its message may be under way, or that of who shares it
	sweepMost = 1000             // objects looked at in a round
	sweepTime = 10 * time.Second // and how long it may take

	sweepTogether = 100 // removals after one look whether the hub is being copied
)

// objectName says whose body an object is.
func (b *Backend) objectName(subject, sum string) string {
	subject = strings.TrimPrefix(subject, b.api) // of a bucket in a domain
	if strings.HasPrefix(subject, b.names.subjects) {
		return objectOfLog + sum
	}
	return objectOfEntry + subject + "/" + sum
}

// Sweep implements backend.Log.
func (b *Backend) Sweep(done func(err error)) {
	b.loads.do(func() {
		err := b.sweep(sweepAge, sweepAge)
		if err = asUnavailable(err); err != nil {
			err = fmt.Errorf("natsbackend: remove payloads that are not needed from %s: %w", b.names.payloads, err)
		}
		done(err)
	})
}

// object is what the store says of one, under the subject of its description.
type object struct {
	Name    string `json:"name"`
	NUID    string `json:"nuid"`
	Deleted bool   `json:"deleted"`
}

// described is an object with the sequence of its description.
type described struct {
	object
	seq uint64
}

// sweep looks at some objects, the oldest first, but at none younger than age. One of the log that is older than its first
// message by margin is not needed. It goes on where it stopped, and begins anew at the end.
func (b *Backend) sweep(age, margin time.Duration) error {
	b.sweeping.Lock()
	defer b.sweeping.Unlock()
	ctx, cancel := context.WithTimeout(b.ctx, sweepTime)
	defer cancel()
	var log, objects jetstream.Stream
	err := b.patiently(ctx, func(ctx context.Context) (err error) {
		if log, err = b.js.Stream(ctx, b.names.log); err == nil {
			objects, err = b.js.Stream(ctx, "OBJ_"+b.names.payloads)
		}
		return err
	}, b.api+"STREAM.")
	if err != nil {
		return err
	}
	now := time.Now()
	first := now
	if state := log.CachedInfo().State; state.Msgs > 0 {
		first = state.FirstTime
	}
	seen, failed := 0, error(nil)
	var unneeded []described
	err = b.payloads.scan(b.swept+1, "$O."+b.names.payloads+".M.>", func(m stored) bool {
		if failed = ctx.Err(); failed != nil || seen == sweepMost || now.Sub(m.time) < age {
			return false
		}
		seen++
		d := described{seq: m.seq}
		if json.Unmarshal(m.body, &d.object) == nil && d.NUID != "" {
			var needed bool
			if needed, failed = b.needs(d.object, first.Sub(m.time) < margin); failed == nil && !needed {
				unneeded = append(unneeded, d)
			}
		}
		if len(unneeded) == sweepTogether {
			failed = errors.Join(failed, b.removeObjects(ctx, log, objects, unneeded))
			unneeded = unneeded[:0]
		}
		b.swept = m.seq
		return failed == nil
	})
	if failed == nil && err == nil {
		failed = b.removeObjects(ctx, log, objects, unneeded)
	}
	if seen < sweepMost && failed == nil && err == nil {
		b.swept = 0
	}
	return errors.Join(err, failed)
}

// needs reports whether a message needs an object; young tells whether one of the log may. Objects of before names told are
// left alone.
func (b *Backend) needs(o object, young bool) (bool, error) {
	if strings.HasPrefix(o.Name, objectOfLog) {
		return young && !o.Deleted, nil
	}
	entry, ok := strings.CutPrefix(o.Name, objectOfEntry)
	if !ok {
		return true, nil
	}
	subject := entry[:max(strings.LastIndexByte(entry, '/'), 0)]
	from := b.archives
	switch {
	case strings.HasPrefix(subject, b.states.keys):
		from = b.states.read
	case strings.HasPrefix(subject, b.meta.keys):
		from = b.meta.read
	case !strings.HasPrefix(subject, b.names.archiveSubjects):
		return true, nil
	}
	m, err := from.last(subject)()
	if errors.Is(err, backend.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	ref, outside, err := referenceOf(m.header)
	return err != nil || outside && ref.name == o.Name, nil
}

// removeObjects removes what nobody needs, unless the hub is being copied: then it is found again in a later round.
func (b *Backend) removeObjects(ctx context.Context, log, objects jetstream.Stream, unneeded []described) error {
	if len(unneeded) == 0 {
		return nil
	}
	err := b.link.guarded(ctx, func(ctx context.Context) error { return held(ctx, log) }, b.names.log)
	if errors.Is(err, backend.ErrConflict) {
		return nil
	}
	for _, d := range unneeded {
		if err == nil {
			err = b.removeObject(ctx, objects, d.object, d.seq)
		}
	}
	return err
}

// removeObject leaves nothing of an object, unless it has just been stored anew.
func (b *Backend) removeObject(ctx context.Context, objects jetstream.Stream, o object, seq uint64) error {
	err := b.link.guarded(ctx, func(ctx context.Context) error {
		return objects.Purge(ctx, jetstream.WithPurgeSubject("$O."+b.names.payloads+".C."+o.NUID))
	}, b.names.payloads)
	if err != nil {
		return err
	}
	err = b.link.guarded(ctx, func(ctx context.Context) error { return objects.DeleteMsg(ctx, seq) }, b.names.payloads)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return nil
	}
	return err
}
