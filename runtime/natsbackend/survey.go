package natsbackend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// ListLog implements backend.Log.
func (b *Backend) ListLog(ctx context.Context, yield func(of history.Address, run uint32) bool) error {
	more := true
	for _, subject := range [...]string{"*.*.*.in.start", "*.*.*.turn"} {
		var failed error
		err := b.log().bulk(ctx, 1, b.names.subjects+subject, func(m stored) bool {
			if failed = ctx.Err(); failed != nil {
				return false
			}
			p, err := b.names.parse(m.subject)
			if err != nil {
				return true // not of ours
			}
			more = yield(p.Address, p.runOf(m))
			return more
		})
		if err = errors.Join(err, failed); err != nil {
			return fmt.Errorf("natsbackend: list the log %s: %w", b.names.log, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// runOf is the run of a start or turn record; 0 when its message is not whole.
func (pl parsed) runOf(m stored) uint32 {
	record, err := pl.decode(m.header, m.body, func() ([]byte, error) { return nil, nil })
	if err != nil {
		return 0
	}
	switch r := record.(type) {
	case *history.Start:
		return r.Run
	case *history.Turn:
		return r.Run
	}
	return 0
}

// ListArchives implements backend.Archives.
func (b *Backend) ListArchives(ctx context.Context, yield func(a backend.Archive) bool) error {
	var failed error
	err := b.archives.bulk(ctx, 1, b.names.archiveSubjects+">", func(m stored) bool {
		if failed = ctx.Err(); failed != nil {
			return false
		}
		value, err := b.bodyOf(m.header, m.body)
		if errors.Is(err, errPayload) {
			return true // replaced meanwhile, or lost: a read of the entry tells
		}
		var a backend.Archive
		if err == nil {
			a, err = headOf(value)
		}
		if err != nil {
			failed = fmt.Errorf("the entry on %s: %w", m.subject, err)
			return false
		}
		return yield(a)
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("natsbackend: list the archive %s: %w", b.names.archive, err)
	}
	return nil
}

// headOf reads an entry but for what is the user's.
func headOf(value []byte) (backend.Archive, error) {
	var h struct {
		history.Address
		Run    uint32         `json:"run"`
		Status history.Status `json:"status"`
		At     uint64         `json:"at"`
		Ended  time.Time      `json:"ended"`
		Purged bool           `json:"purged"`
	}
	err := json.Unmarshal(value, &h)
	return backend.Archive{Address: h.Address, Run: h.Run, Status: h.Status, At: h.At, Ended: h.Ended, Purged: h.Purged}, err
}
