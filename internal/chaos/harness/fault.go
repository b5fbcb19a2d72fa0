package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Fault is something that happens to a world.
type Fault struct {
	Name  string // a short one, for flags
	What  string
	Cause func(ctx context.Context, w *World) error // until everything is there again
}

// Report is what a fault came to.
type Report struct {
	Fault   Fault
	Seed    uint64
	Calm    Silence       // longest before the fault
	Silence Silence       // longest after it
	Slowest time.Duration // of all errands
	Patient int           // calls of clients that had no answer and were made again
	Account
	Notes []string
	Err   error // what is wrong; nil: nothing
}

// Try lets a fault happen to a new world under load, and counts afterwards.
func Try(ctx context.Context, cfg Config, f Fault) (r Report) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Within, fmt.Errorf("not done within %v", cfg.Within))
	defer cancel()
	if cfg.Keep != "" {
		cfg.Keep = filepath.Join(cfg.Keep, fmt.Sprintf("%s-%d", f.Name, cfg.Seed))
	}
	r = Report{Fault: f, Seed: cfg.Seed}
	w, err := open(ctx, cfg)
	if err != nil {
		r.Err = err
		return r
	}
	defer func() { r.Err = errors.Join(r.Err, w.close()) }()
	r.Err = w.try(ctx, f, &r)
	return r
}

func (w *World) try(ctx context.Context, f Fault, r *Report) error {
	ctx, cancel := context.WithCancel(ctx)
	defer w.load.running.Wait()
	defer cancel()
	w.load.Begin(ctx, 0, w.cfg.AtOnce)
	if err := w.load.More(ctx, -1, w.cfg.Calm/2); err != nil { // which warm up
		return err
	}
	begun := time.Now()
	if err := w.load.More(ctx, -1, w.cfg.Calm+w.rng.IntN(w.cfg.Calm/2+1)); err != nil {
		return err
	}
	partitions := w.load.Clients[0].Backend.Info().Partitions
	r.Calm = w.ledger.Silence(begun, time.Now(), partitions)
	if err := f.Cause(ctx, w); err != nil {
		return err
	}
	if err := w.caughtUp(ctx); err != nil {
		return err
	}
	if err := w.load.More(ctx, -1, w.cfg.Calm); err != nil {
		return err
	}
	r.Silence = w.ledger.Silence(w.struck, time.Now(), partitions)
	w.cfg.Log("struck at %s; partition %d was silent longest, from %.1f s after that on, for %.1f s",
		w.struck.Format(time.TimeOnly), r.Silence.Which, r.Silence.After.Seconds(), r.Silence.Partition.Seconds())
	w.load.Stop()
	if err := w.load.Finish(); err != nil {
		return err
	}
	w.load.mu.Lock()
	r.Slowest, r.Patient, r.Notes = w.load.slowest, w.load.patient, w.notes
	w.load.mu.Unlock()
	js, err := w.servers.js()
	if err != nil {
		return err
	}
	r.Account, err = w.load.Audit(ctx, js)
	for _, what := range r.Slow {
		w.cfg.Log("%s", what)
	}
	return err
}

// caughtUp waits until all servers have everything. One that was cut off or frozen sometimes never gets there by itself,
// because the leader of the log and it do not agree on where to begin; a restart helps.
func (w *World) caughtUp(ctx context.Context) error {
	const enough = 45 * time.Second
	try, cancel := context.WithTimeout(ctx, enough)
	err := w.servers.Current(try)
	cancel()
	if err == nil || ctx.Err() != nil || !w.isolated {
		return err
	}
	n := w.server
	w.remark("server %d did not catch up within %v: restarted", n, enough)
	if err := w.servers.Stop(ctx, n); err != nil {
		return err
	}
	if err := w.servers.Start(ctx, n); err != nil {
		return err
	}
	return w.servers.Current(ctx)
}
