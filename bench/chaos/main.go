// Command chaos breaks parts of a hub on a cluster of three server processes, with worker processes, under load, and
// counts afterwards: every effect, every record, every end. It prints what each fault cost as a table.
//
//	go run ./bench/chaos                              every fault, with seed 1
//	go run ./bench/chaos -fault cut-leader -seeds 5   one of them, with five seeds
//	go run ./bench/chaos -measure replicas            a hub of three replicas against one of one
//	go run ./bench/chaos -measure rebalance           how long a partition pauses when its owner changes
//	go run ./bench/chaos -measure scale               what one more worker adds when the store is not the limit
//	go run ./bench/chaos -measure hubs                two streams against one on the same server
//
// The exit code is 1 when something was lost, doubled, or not acknowledged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/chaos/harness"
)

func main() {
	harness.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(stderr)
	only := f.String("fault", "", "`names` of faults, comma-separated: "+strings.Join(names(), ", ")+"; all unless given")
	seed := f.Uint64("seed", 1, "decides who is chosen and when")
	seeds := f.Uint64("seeds", 1, "`number` of seeds, from -seed on, for each fault")
	what := f.String("measure", "", "measure instead, `one` of "+strings.Join(slices.Sorted(maps.Keys(measures)), ", "))
	s := settings{out: stdout}
	cfg := &s.Config
	f.IntVar(&cfg.Workers, "workers", 3, "worker processes")
	f.IntVar(&cfg.AtOnce, "c", 24, "errands or hellos at once")
	f.IntVar(&cfg.Calm, "calm", 60, "errands before and after a fault")
	f.DurationVar(&cfg.Within, "timeout", 5*time.Minute, "for one fault, all in all")
	f.StringVar(&cfg.Keep, "keep", "", "`folder` for what all processes say; nowhere unless given")
	f.IntVar(&cfg.Replicas, "replicas", 3, "of the hub of faults, rebalance and scale")
	f.IntVar(&cfg.Partitions, "partitions", 8, "of that hub")
	f.IntVar(&s.rounds, "rounds", 5, "of a measure")
	f.IntVar(&s.n, "n", 2000, "hellos in a run of replicas and hubs")
	f.StringVar(&s.csv, "csv", "", "`file` for all pauses of rebalance")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	cfg.Log = func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	if *what != "" {
		return measure(ctx, *what, s, stderr)
	}
	var reports []harness.Report
	failed := false
	for _, fault := range harness.Faults {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), fault.Name) {
			continue
		}
		for n := *seed; n < *seed+*seeds && ctx.Err() == nil; n++ {
			cfg.Seed = n
			cfg.Log("%s, seed %d", fault.Name, n)
			r := harness.Try(ctx, *cfg, fault)
			if r.Err != nil {
				failed = true
				cfg.Log("%s, seed %d: %v", fault.Name, n, r.Err)
			}
			reports = append(reports, r)
		}
	}
	if len(reports) == 0 {
		fmt.Fprintf(stderr, "chaos: -fault %s: there are %s\n", *only, strings.Join(names(), ", "))
		return 2
	}
	if err := harness.WriteTable(stdout, reports); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if failed {
		return 1
	}
	return 0
}

func measure(ctx context.Context, what string, s settings, stderr io.Writer) (code int) {
	do, ok := measures[what]
	if !ok {
		fmt.Fprintf(stderr, "chaos: -measure %s: there are %v\n", what, slices.Sorted(maps.Keys(measures)))
		return 2
	}
	if err := do(ctx, s); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func names() (all []string) {
	for _, f := range harness.Faults {
		all = append(all, f.Name)
	}
	return all
}
