package natsbackend

import (
	"context"
	"time"
)

// Hasty lets a hub forget sooner than real ones do.
func Hasty(cfg Config) Config {
	cfg.hasty = true
	return cfg
}

// SweepNow is Sweep without waiting for objects to be old.
func (b *Backend) SweepNow(margin time.Duration) error { return b.sweep(0, margin) }

// SmallIndex has a connection make segments of a few states.
func SmallIndex(cfg Config, rows int) Config {
	cfg.indexRows = rows
	return cfg
}

// IndexSize is how many bytes the index of the states has.
func (b *Backend) IndexSize(ctx context.Context) (n int) {
	values, err := b.Meta().List(ctx, "index")
	if err != nil {
		panic(err)
	}
	for _, v := range values {
		n += len(v)
	}
	return n
}

// ForgetIndex has the index be read anew.
func (b *Backend) ForgetIndex() { b.index.stale.Store(true) }
