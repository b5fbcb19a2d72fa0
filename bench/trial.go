package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

// trial measures something that is no rate of orchestrations; it gives a table. `all` leaves trials out.
type trial struct {
	name        string
	n           int // what it means, the trial says
	concurrency int
	flat        bool // no column is to rise: its last value by its first is told
	run         func(ctx context.Context, cfg config) (*table, error)
}

// table is a CSV file: x first.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...any) {
	var row []string
	for _, c := range cells {
		switch c := c.(type) {
		case float64:
			row = append(row, strconv.FormatFloat(c, 'f', 2, 64))
		default:
			row = append(row, fmt.Sprint(c))
		}
	}
	t.rows = append(t.rows, row)
}

// ratios gives the last value of each column by its first.
func (t *table) ratios() []string {
	ratios := []string{"last by first"}
	for k := 1; k < len(t.head); k++ {
		first, err1 := strconv.ParseFloat(t.rows[0][k], 64)
		last, err2 := strconv.ParseFloat(t.rows[len(t.rows)-1][k], 64)
		if err1 != nil || err2 != nil || first == 0 {
			ratios = append(ratios, "")
			continue
		}
		ratios = append(ratios, strconv.FormatFloat(last/first, 'f', 2, 64))
	}
	return ratios
}

var trials = []trial{
	{name: "waiting", n: 100_000, concurrency: 200, run: runWaiting},
	{name: "cold", n: 200, concurrency: 1, run: runCold},
	{name: "thrash", n: 800, concurrency: 100, run: runThrash},
	{name: "sizes", n: 10_000, concurrency: 50, flat: true, run: runSizes},
	{name: "payloads", n: 8 << 10, concurrency: 2, flat: true, run: runPayloads},
}

func trialOf(name string) (trial, bool) {
	for _, t := range trialList() {
		if t.name == name {
			return t, true
		}
	}
	return trial{}, false
}

// trialList keeps the trials out of the initialisation of what they use.
var trialList = func() []trial { return nil }

func init() { trialList = func() []trial { return trials } }

func trialNames() []string {
	var all []string
	for _, t := range trialList() {
		all = append(all, t.name)
	}
	return all
}

// runTrial runs a trial and writes its table.
func runTrial(ctx context.Context, t trial, cfg config, stdout io.Writer) error {
	profiled, err := startProfile(cfg.cpuProfile)
	if err != nil {
		return err
	}
	got, err := t.run(ctx, cfg)
	if err = errors.Join(err, profiled(), writeHeapProfile(cfg.memProfile)); err != nil {
		return fmt.Errorf("bench: %s: %w", t.name, err)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows := append([][]string{got.head}, got.rows...)
	if t.flat {
		rows = append(rows, got.ratios())
	}
	for _, row := range rows {
		for _, cell := range row {
			fmt.Fprint(w, cell, "\t")
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if cfg.csv == "" {
		return nil
	}
	f, err := os.Create(cfg.csv)
	if err != nil {
		return fmt.Errorf("bench: -csv: %w", err)
	}
	out := csv.NewWriter(f)
	return errors.Join(out.Write(got.head), out.WriteAll(got.rows), f.Close())
}

// openTrial opens a hub with the workloads' code.
func openTrial(ctx context.Context, cfg config) (*hub, *workload.Gate, error) {
	code, gate := &durable.Registry{}, &workload.Gate{}
	if err := workload.RegisterDurable(code, workload.DurableReceivers{Gate: gate}); err != nil {
		return nil, nil, err
	}
	h, err := openHub(ctx, cfg, code)
	return h, gate, err
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
