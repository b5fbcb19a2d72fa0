package natsbackend

import "time"

// Hasty lets a hub forget sooner than real ones do.
func Hasty(cfg Config) Config {
	cfg.hasty = true
	return cfg
}

// SweepNow is Sweep without waiting for objects to be old.
func (b *Backend) SweepNow(margin time.Duration) error { return b.sweep(0, margin) }
