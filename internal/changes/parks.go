package changes

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"github.com/durablegen/durablegen/runtime/observe"
)

// parks keeps the first instance that was parked. The next message may wake it again, so that it is not seen at the end
// of a run, but an operator sees it stand until then. As a log it hears why.
type parks struct{ first, why string }

func (p *parks) parked(park observe.Park) {
	p.first = cmp.Or(p.first, fmt.Sprintf("instance %q is parked: %s", park.Instance, cmp.Or(p.why, "it has no code")))
}

// isParked is what a worker logs, but not of an instance whose code is gone.
const isParked = "durable: instance parked"

func (p *parks) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (p *parks) WithAttrs([]slog.Attr) slog.Handler               { return p }
func (p *parks) WithGroup(string) slog.Handler                    { return p }

func (p *parks) Handle(_ context.Context, r slog.Record) error {
	if r.Message != isParked || p.why != "" {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == observe.KeyError {
			p.why = a.Value.String()
		}
		return true
	})
	return nil
}
