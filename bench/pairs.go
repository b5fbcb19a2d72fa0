package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// side is one of two things that are compared.
type side struct {
	program  string
	workload string
}

// sides are what -pairs compares: two workloads, or one of them in this program and in another build of it.
func (cfg config) sides() (a, b side, err error) {
	self, err := os.Executable()
	if err != nil {
		return a, b, fmt.Errorf("bench: find this program to run it again: %w", err)
	}
	first, second, two := strings.Cut(cfg.workload, ",")
	if two {
		return side{self, first}, side{self, second}, nil
	}
	return side{self, first}, side{cfg.against, first}, nil
}

// ratios are figures of one side by those of the other, of every pair of runs.
type ratios struct {
	What   string  `json:"what"`
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

// compared are the figures whose ratios are told.
var compared = []struct {
	name string
	of   func(Result) float64
}{
	{"CPU", func(r Result) float64 { return r.CPUMicros }},
	{"rate", func(r Result) float64 { return r.PerSecond }},
	{"p50", func(r Result) float64 { return r.P50 }},
	{"allocations", func(r Result) float64 { return r.Allocs }},
	{"bytes allocated", func(r Result) float64 { return r.AllocBytes }},
	{"disk", func(r Result) float64 { return r.DiskBytes }},
}

// runPairs runs A, B, A, B, … in processes of their own: what the machine does meanwhile hits both. It writes every run
// and then the ratios A by B.
func runPairs(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	a, b, err := cfg.sides()
	if err != nil {
		return err
	}
	values := make([][]float64, len(compared))
	for n := range cfg.pairs {
		ra, errA := cfg.child(ctx, a, stderr)
		rb, errB := cfg.child(ctx, b, stderr)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !cfg.json {
			if err := errors.Join(ra.writeRow(stdout, n == 0), rb.writeRow(stdout, false)); err != nil {
				return err
			}
		}
		for k, c := range compared {
			if over := c.of(rb); over != 0 {
				values[k] = append(values[k], c.of(ra)/over)
			}
		}
	}
	for k, c := range compared {
		if len(values[k]) == 0 {
			continue
		}
		r := ratios{c.name, median(values[k]), slices.Min(values[k]), slices.Max(values[k])}
		if cfg.json {
			err = json.NewEncoder(stdout).Encode(r)
		} else {
			_, err = fmt.Fprintf(stdout, "%s: %.2f (%.2f to %.2f)\n", r.What, r.Median, r.Least, r.Most)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// child runs a workload in a process of its own, so that one's heap is not another's.
func (cfg config) child(ctx context.Context, s side, stderr io.Writer) (r Result, err error) {
	child := exec.CommandContext(ctx, s.program, "-json", "-workload", s.workload, "-durability", cfg.durability, "-nats", cfg.nats,
		"-hub", cfg.hub, "-dir", cfg.dir, "-timeout", cfg.timeout.String(), "-scale", strconv.FormatFloat(cfg.scale, 'g', -1, 64),
		"-n", strconv.Itoa(cfg.n), "-c", strconv.Itoa(cfg.concurrency))
	child.Stderr = stderr
	out, err := child.Output()
	if err != nil {
		return r, fmt.Errorf("bench: workload %s: %w", s.workload, err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("bench: workload %s: read its result: %w", s.workload, err)
	}
	return r, nil
}
