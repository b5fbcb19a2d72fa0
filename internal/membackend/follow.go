package membackend

import (
	"context"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
)

// FollowLog implements backend.Log. It blocks, also in virtual mode: call it on a goroutine of its own.
func (v *View) FollowLog(ctx context.Context, after uint64, yield func(backend.Happening) bool) (last uint64, err error) {
	for last = after; ; {
		var grown <-chan struct{}
		var end uint64
		found, err := now(ctx, v, op{verb: "follow", id: "the log"}, func() (found []backend.Happening, err error) {
			all := v.m.log.all
			grown, end = v.m.log.growing(), uint64(len(all))
			for _, e := range all[min(last, end):] {
				if e.gone {
					continue
				}
				m, err := e.message()
				if err != nil {
					return nil, err
				}
				if h, ok := backend.HappeningOf(e.to, m); ok {
					found = append(found, h)
				}
			}
			return found, nil
		})
		if err != nil {
			return last, err
		}
		last = end
		for _, h := range found {
			if !yield(h) {
				return h.Seq, nil
			}
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return last, ctx.Err()
		case <-v.gone:
			return last, fmt.Errorf("membackend: follow the log: %w", backend.ErrClosed)
		}
	}
}

// growing gives a channel that is closed when the log has more. Hub's lock held.
func (l *log) growing() <-chan struct{} {
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return l.more
}

// grew tells who follows the log. Hub's lock held.
func (l *log) grew() {
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}
