// Command bench measures durable orchestrations on JetStream: rate, latency, CPU, disk and memory, with every result
// checked.
//
//	go run ./bench                                    every workload, each in a process of its own
//	go run ./bench -workload hello -n 20000 -c 200    one of them
//	go run ./bench -workload hello -durability strict -json
//	go run ./bench -workload hello,flow -pairs 5      two of them in turn, and the ratios of their figures
//	go run ./bench -compare                           beside other systems: go run ./bench -compare -help
//
// docs/performance.md says what the workloads are and what was measured.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
)

const gcPercent = 400 // unless GOGC says otherwise

func main() {
	if dir := os.Getenv(serveDir); dir != "" {
		os.Exit(serve(dir))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments. The exit code is 0, 1 after a failure or a wrong result, 2 after a
// mistake in the command line.
func run(args []string, stdout, stderr io.Writer) int {
	if rest, asked := compares(args); asked {
		return compare(rest, stdout, stderr)
	}
	cfg, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 2
	}
	if os.Getenv("GOGC") == "" {
		// A server, a worker and a client that share a small heap collect it all the time; docs/operations.md advises
		// the same for a worker with an embedded server.
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("bench: not done within -timeout %v", cfg.timeout))
	defer cancel()

	if t, ok := trialOf(cfg.workload); ok {
		if err := runTrial(ctx, t, cfg, stdout); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	if cfg.workload == soakName {
		if err := runSoak(ctx, cfg, stdout); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	var results []Result
	if cfg.pairs > 0 {
		err = runPairs(ctx, cfg, stdout, stderr)
	} else {
		results, err = measureAll(ctx, cfg, stderr)
	}
	for i, r := range results {
		if cfg.json {
			err = errors.Join(err, json.NewEncoder(stdout).Encode(r))
		} else {
			err = errors.Join(err, r.writeRow(stdout, i == 0))
		}
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", err, cause)
		}
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// measureAll measures what cfg asks for. Several workloads run in a process each, so that one's heap is not another's.
func measureAll(ctx context.Context, cfg config, stderr io.Writer) ([]Result, error) {
	if cfg.workload != all {
		r, err := measure(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return []Result{r}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: find this program to run it again: %w", err)
	}
	var rs []Result
	for _, w := range workloads {
		if w.flow && cfg.nats != embedded {
			continue
		}
		r, err := cfg.child(ctx, side{self, w.name}, stderr)
		if err != nil {
			return rs, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}
