package natsbackend

import (
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// Clock implements backend.Backend.
func (b *Backend) Clock() backend.Clock { return clock{} }

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) After(d time.Duration, fn func()) (stop func()) {
	t := time.AfterFunc(d, fn)
	return func() { t.Stop() }
}
