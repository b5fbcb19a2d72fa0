package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

const (
	all      = "all"      // -workload: every one
	embedded = "embedded" // -nats: a server in this process
)

// The -durability of the embedded server.
const (
	relaxed     = "relaxed"
	strict      = "strict"        // embedded.Strict: one fsync for all writes that wait
	strictBatch = "strict-batch"  // embedded.StrictAlways: an fsync a write, the backend writes in batches
	strictEach  = "strict-always" // the same without batches
)

var durabilities = []string{relaxed, strict, strictBatch, strictEach}

// config is the command line.
type config struct {
	workload    string
	n           int // orchestrations
	concurrency int // in flight at once
	scale       float64
	durability  string // of the embedded server
	nats        string // embedded, or a URL
	hub         string // task hub on a server by URL
	dir         string // below which the embedded server's store is made; "": the system's temporary folder
	timeout     time.Duration
	pairs       int    // runs of each of two sides
	against     string // program whose runs are the other side; "": another workload
	json        bool
	cpuProfile  string
	memProfile  string
	cache       int                  // waiting: WorkerConfig.Cache; 0: its default, less than 0: no limit
	behind      int                  // cold: messages in the log behind the instances
	csv         string               // where a trial writes its table
	worker      durable.WorkerConfig // of the hub's worker

	// Of a soak.
	waiting   int
	retention time.Duration
	every     time.Duration
	duration  time.Duration
	keepLog   int
}

// parse reads and checks the command line and fills in what the workload brings along.
func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard) // run prints the error
	f.StringVar(&cfg.workload, "workload", all, "`name`: "+strings.Join(names(), ", ")+", or all (of these); or "+strings.Join(trialNames(), ", ")+"; or soak: orchestrations through a hub that forgets them")
	f.IntVar(&cfg.n, "n", 0, "`number` of orchestrations; 0: what suits the workload")
	f.IntVar(&cfg.concurrency, "c", 0, "`number` of orchestrations in flight; 0: what suits the workload")
	f.Float64Var(&cfg.scale, "scale", 1, "`factor` on the workload's own number of orchestrations")
	f.StringVar(&cfg.durability, "durability", relaxed, "when the embedded server acknowledges: "+strings.Join(durabilities, ", "))
	f.StringVar(&cfg.nats, "nats", embedded, "embedded, or the `URL` of a server; of waiting also process: a server in a process of its own")
	f.StringVar(&cfg.hub, "hub", "bench", "task hub on a server by URL, created when it is missing")
	f.StringVar(&cfg.dir, "dir", "", "`folder` for the embedded server's store; defaults to the temporary folder")
	f.DurationVar(&cfg.timeout, "timeout", 10*time.Minute, "give up after this time")
	f.IntVar(&cfg.pairs, "pairs", 0, "run two workloads (-workload A,B) or two programs (-against) in turn, so `many` times, and give the ratios of their figures")
	f.StringVar(&cfg.against, "against", "", "with -pairs: the other side is the same workload in this `program`, another build of bench")
	f.BoolVar(&cfg.json, "json", false, "one JSON line a result")
	f.StringVar(&cfg.cpuProfile, "cpuprofile", "", "write a CPU profile of the measured part to this `file`")
	f.IntVar(&cfg.cache, "cache", 0, "waiting: `instances` kept in memory, in each partition; 0: the default, less than 0: all")
	f.IntVar(&cfg.behind, "behind", 1_000_000, "cold: `messages` in the log behind the instances")
	f.StringVar(&cfg.csv, "csv", "", "write the table of "+strings.Join(trialNames(), ", ")+", or the samples of a soak, to this `file`, too")
	f.StringVar(&cfg.memProfile, "memprofile", "", "write a heap profile of its end to this `file`")
	f.IntVar(&cfg.waiting, "waiting", 300, "soak: `number` of instances that wait from before")
	f.DurationVar(&cfg.retention, "retention", time.Minute, "soak: how long ended runs are kept")
	f.DurationVar(&cfg.every, "every", 5*time.Second, "soak: time between samples")
	f.DurationVar(&cfg.duration, "duration", 0, "soak: begin no more orchestrations after this `time`; 0: all of -n")
	f.IntVar(&cfg.keepLog, "keeplog", 0, "soak: WorkerConfig.KeepLog, messages of the log that those that wait may hold; 0: its default")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(stderr)
			f.PrintDefaults()
			return cfg, err
		}
		return cfg, fmt.Errorf("bench: %w: see -help", err)
	}
	if f.NArg() > 0 {
		return cfg, fmt.Errorf("bench: unexpected argument %q: every setting is a flag, see -help", f.Arg(0))
	}
	return cfg.resolve()
}

func (cfg config) resolve() (config, error) {
	if err := cfg.validate(); err != nil || cfg.workload == all || cfg.pairs > 0 {
		return cfg, err
	}
	if t, ok := trialOf(cfg.workload); ok {
		if cfg.n == 0 {
			cfg.n = max(1, int(float64(t.n)*cfg.scale))
		}
		cfg.concurrency = or(cfg.concurrency, t.concurrency)
		return cfg, nil
	}
	if cfg.workload == soakName {
		cfg.n, cfg.concurrency = or(cfg.n, 1_000_000), or(cfg.concurrency, 100)
		return cfg, nil
	}
	w, _ := workloadOf(cfg.workload)
	if cfg.n == 0 {
		cfg.n = max(1, int(float64(w.n)*cfg.scale))
	}
	if cfg.concurrency == 0 {
		cfg.concurrency = w.concurrency
	}
	cfg.concurrency = min(cfg.concurrency, cfg.n)
	return cfg, nil
}

func (cfg config) validate() error {
	for n, name := range strings.Split(cfg.workload, ",") {
		_, known := workloadOf(name)
		_, trial := trialOf(name)
		if !known && !trial && cfg.workload != all && cfg.workload != soakName || n > 0 && cfg.pairs == 0 {
			return fmt.Errorf("bench: -workload %q: there are %s, and all; two are for -pairs", cfg.workload, strings.Join(append(append(names(), trialNames()...), soakName), ", "))
		}
	}
	switch {
	case cfg.n < 0 || cfg.concurrency < 0:
		return fmt.Errorf("bench: -n %d -c %d: numbers are not negative", cfg.n, cfg.concurrency)
	case !(cfg.scale > 0):
		return fmt.Errorf("bench: -scale %v: want more than 0", cfg.scale)
	case cfg.waiting < 0 || cfg.every <= 0:
		return fmt.Errorf("bench: -waiting %d -every %v: want no negative number, and some time", cfg.waiting, cfg.every)
	case cfg.workload == soakName && cfg.nats != embedded:
		return errors.New("bench: -workload soak with -nats URL: a soak starts its own server again")
	case cfg.timeout <= 0:
		return fmt.Errorf("bench: -timeout %v: want more than 0", cfg.timeout)
	case !slices.Contains(durabilities, cfg.durability):
		return fmt.Errorf("bench: -durability %q: want %s", cfg.durability, strings.Join(durabilities, ", "))
	case cfg.nats != embedded && cfg.durability != relaxed:
		return errors.New("bench: -durability with -nats URL: how durable that server is, its own configuration says (sync_interval)")
	case cfg.pairs < 0:
		return fmt.Errorf("bench: -pairs %d: numbers are not negative", cfg.pairs)
	case cfg.pairs == 0 && cfg.against != "":
		return errors.New("bench: -against is for -pairs")
	case cfg.pairs > 0 && (strings.Count(cfg.workload, ",") == 1) == (cfg.against != "") || cfg.pairs > 0 && cfg.workload == all:
		return errors.New("bench: -pairs wants two workloads (-workload A,B), or one and the program to compare with (-against)")
	case cfg.pairs > 0 && (cfg.cpuProfile != "" || cfg.memProfile != ""):
		return errors.New("bench: -pairs runs processes of its own: profiles belong to one run")
	case strings.HasPrefix(cfg.workload, "flow") && cfg.nats != embedded:
		return errors.New("bench: a flow is measured with the server in its process")
	case strings.HasPrefix(cfg.workload, "latency") && cfg.concurrency > 1:
		return fmt.Errorf("bench: -workload latency -c %d: latency runs one at a time; -workload hello takes -c", cfg.concurrency)
	case cfg.workload == all && (cfg.n > 0 || cfg.concurrency > 0 || cfg.cpuProfile != "" || cfg.memProfile != ""):
		return errors.New("bench: -n, -c and profiles belong to one workload: name it with -workload, or use -scale")
	}
	return nil
}
