package peer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// settle is how long, at scale 1, trailing work of a system may take after the last result of a workload is known. It is
// part of the price: the CPU of it counts.
const settle = 500 * time.Millisecond

// Measurement is what one workload came to with one variant in one round.
type Measurement struct {
	Variant    string  `json:"variant"`
	Workload   string  `json:"workload"`
	Round      int     `json:"round"`
	N          int     `json:"n"` // orchestrations
	InFlight   int     `json:"in_flight"`
	Activities int     `json:"activities"` // of one orchestration
	PerSecond  float64 `json:"orch_per_s"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	CPUMicros  float64 `json:"cpu_us_per_orch"` // user and system, of client, worker, server and store
	Bytes      float64 `json:"bytes_per_orch"`  // growth of what is kept
	MemoryMB   float64 `json:"memory_mb"`       // most of this process and now of those below it; only after the first workload
	Load1      float64 `json:"load1"`           // load average before the workload
}

// measure opens a variant in an empty folder, runs every workload on it and hands each figure to took.
func measure(ctx context.Context, v variant, cfg config, took func(Measurement) error) (err error) {
	r, err := v.Open(ctx, Setup{Dir: cfg.dir, Mode: v.mode, Durability: v.durability, InFlight: cfg.hellos})
	if err != nil {
		return fmt.Errorf("peer: open %s: %w", v, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for i, l := range loads {
		if i == 0 {
			l.inFlight = cfg.hellos
		}
		m, err := l.measure(ctx, r, l.activities(v, cfg.scale), cfg.scale)
		if err != nil {
			return fmt.Errorf("peer: %s of %s: %w", l.name, v, err)
		}
		m.Variant, m.Round = v.String(), cfg.round
		if i == 0 {
			if m.MemoryMB, err = memory(); err != nil {
				return err
			}
		}
		if err := took(m); err != nil {
			return err
		}
	}
	return nil
}

func (l load) measure(ctx context.Context, r Runner, activities int, scale float64) (m Measurement, err error) {
	m = Measurement{Workload: l.name, InFlight: l.inFlight, Activities: activities}
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) * scale) }
	run := func(ctx context.Context) error { return l.run(ctx, r, activities) }
	if l.warm > 0 {
		if _, err := during(ctx, scaled(l.warm), l.inFlight, run); err != nil {
			return m, fmt.Errorf("warm-up: %w", err)
		}
		if err := pause(ctx, scaled(settle)); err != nil {
			return m, err
		}
	}
	before, err := r.Bytes(ctx)
	if err != nil {
		return m, err
	}
	m.Load1 = loadAverage()
	cpu, err := cpuTime()
	if err != nil {
		return m, err
	}
	began := time.Now()
	took, err := during(ctx, scaled(l.lasts), l.inFlight, run)
	elapsed := time.Since(began)
	if err != nil {
		return m, err
	}
	if err := pause(ctx, scaled(settle)); err != nil {
		return m, err
	}
	spent, err := cpuTime()
	if err != nil {
		return m, err
	}
	after, err := r.Bytes(ctx)
	if err != nil {
		return m, err
	}
	m.N = len(took)
	n := float64(m.N)
	m.PerSecond = n / elapsed.Seconds()
	m.CPUMicros = float64((spent - cpu).Microseconds()) / n
	m.Bytes = float64(after-before) / n
	slices.Sort(took)
	m.P50, m.P99 = milliseconds(percentile(took, 50)), milliseconds(percentile(took, 99))
	return m, nil
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// percentile gives the smallest value that p percent of the sorted values do not exceed; 0 of none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// TryOut opens a system in an empty folder and runs every workload a few times with it, checking the results: for tests.
func TryOut(ctx context.Context, s System, setup Setup) (err error) {
	r, err := s.Open(ctx, setup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, l := range loads {
		if _, err := during(ctx, 0, setup.InFlight, func(ctx context.Context) error { return l.run(ctx, r, 10) }); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	bytes, err := r.Bytes(ctx)
	if err == nil && bytes <= 0 {
		err = fmt.Errorf("peer: %d bytes are kept after work was done", bytes)
	}
	return err
}
