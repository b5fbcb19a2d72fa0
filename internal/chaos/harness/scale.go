package harness

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Scale measures how many activities a second end with 1, 2 … most workers, when the slots of the workers are the limit:
// every activity waits for a while. It gives the rates of some rounds.
func Scale(ctx context.Context, cfg Config, most, rounds int) (rates [][]float64, err error) {
	cfg = cfg.withDefaults()
	const slots, wait = 4, 300 * time.Millisecond
	cfg.role = WorkerRole{Slots: slots, Wait: wait}
	rates = make([][]float64, most)
	for range rounds {
		for workers := 1; workers <= most; workers++ {
			cfg.Workers = workers
			rate, err := scaled(ctx, cfg)
			if err != nil {
				return nil, err
			}
			cfg.Log("%d workers: %.1f activities/s", workers, rate)
			rates[workers-1] = append(rates[workers-1], rate)
		}
	}
	return rates, nil
}

func scaled(ctx context.Context, cfg Config) (rate float64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Within, fmt.Errorf("not done within %v", cfg.Within))
	defer cancel()
	w, err := open(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	loading, stop := context.WithCancel(ctx)
	defer w.load.running.Wait()
	defer stop()
	w.load.Begin(loading, 0, cfg.AtOnce)
	wrong := func() bool { return w.load.isStopped() }
	if err := w.ledger.Reach(ctx, cfg.Calm, wrong); err != nil {
		return 0, err
	}
	before, begun := w.ledger.Effects(), time.Now()
	if err := w.ledger.Reach(ctx, before+4*cfg.Calm, wrong); err != nil {
		return 0, err
	}
	return float64(w.ledger.Effects()-before) / time.Since(begun).Seconds(), nil
}
