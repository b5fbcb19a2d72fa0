package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const gcPercent = 400 // of all systems, as for bench, unless GOGC says otherwise

// config is the command line.
type config struct {
	rounds  int
	scale   float64
	hellos  int // in flight
	only    string
	dir     string
	csv     string
	keep    string // measurements, one JSON line each
	timeout time.Duration
	list    bool

	variant string // of a child: the one variant it is to measure
	round   int
}

func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.SetOutput(io.Discard) // Main prints the error
	f.IntVar(&cfg.rounds, "rounds", 3, "`number` of rounds: each runs every variant once, and the medians count")
	f.Float64Var(&cfg.scale, "scale", 1, "`factor` on the time that a workload runs; below 1 also on the length of the chain")
	f.IntVar(&cfg.hellos, "c", 200, "`number` of orchestrations in flight, in the first workload; the others run one at a time")
	f.StringVar(&cfg.only, "only", "", "variants whose names contain one of these `parts`: dbos,local/strict")
	f.StringVar(&cfg.dir, "dir", "", "`folder` for the stores; defaults to the temporary folder. What is measured is its disk")
	f.StringVar(&cfg.csv, "csv", "", "write the medians to this `file`")
	f.StringVar(&cfg.keep, "keep", "", "append every measurement to this `file`, and do not repeat what it has: goes on where a run was stopped")
	f.DurationVar(&cfg.timeout, "timeout", 2*time.Minute, "give up a variant in a round after this time")
	f.BoolVar(&cfg.list, "list", false, "print the variants and how they are set, and measure nothing")
	f.StringVar(&cfg.variant, "variant", "", "measure this `variant` in this process, one JSON line a workload")
	f.IntVar(&cfg.round, "round", 1, "`number` of the round that -variant is in")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(stderr)
			f.PrintDefaults()
			return cfg, err
		}
		return cfg, fmt.Errorf("compare: %w: see -help", err)
	}
	switch {
	case f.NArg() > 0:
		return cfg, fmt.Errorf("compare: unexpected argument %q: every setting is a flag, see -help", f.Arg(0))
	case cfg.rounds < 1 || cfg.hellos < 1 || !(cfg.scale > 0) || cfg.timeout <= 0:
		return cfg, fmt.Errorf("compare: -rounds %d -c %d -scale %v -timeout %v: want more than 0", cfg.rounds, cfg.hellos, cfg.scale, cfg.timeout)
	}
	return cfg, nil
}

// Main compares the systems and ends the process: with 0, with 1 after a failure or a wrong result, with 2 after a
// mistake in the command line.
func Main(systems []System) { os.Exit(run(os.Args[1:], systems, os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, systems []System, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if len(args) == 3 && args[0] == serve {
		return told(runServer(ctx, args[1], Durability(args[2]), stdin, stdout), stderr)
	}
	cfg, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 2
	}
	vs := variants(systems, cfg.only)
	switch {
	case cfg.variant != "":
		err = runVariant(ctx, cfg, variants(systems, ""), stdout)
	case len(vs) == 0:
		err = fmt.Errorf("compare: no variant has a name with one of %q in it: -list shows them", cfg.only)
	case cfg.list:
		err = writeSettings(stdout, vs)
	default:
		err = compare(ctx, cfg, vs, stdout, stderr)
	}
	return told(err, stderr)
}

func told(err error, stderr io.Writer) int {
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// runVariant is the child's part: one variant, one round.
func runVariant(ctx context.Context, cfg config, vs []variant, stdout io.Writer) error {
	for _, v := range vs {
		if v.String() == cfg.variant {
			lines := json.NewEncoder(stdout)
			return measure(ctx, v, cfg, func(m Measurement) error { return lines.Encode(m) })
		}
	}
	return fmt.Errorf("compare: -variant %q: there is none of this name: -list shows them", cfg.variant)
}

// compare runs every variant once a round, each in a process of its own, and prints the medians. A variant that fails is
// told, and the others go on.
func compare(ctx context.Context, cfg config, vs []variant, stdout, stderr io.Writer) error {
	var failed []error
	vs, err := present(vs, stderr)
	if err != nil {
		return err
	}
	all, err := readMeasurements(cfg.keep)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(cfg.dir, "compare-")
	if err != nil {
		return fmt.Errorf("compare: make a folder for the stores: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // a database's own user has to get through
		return fmt.Errorf("compare: %w", err)
	}
	fsync, err := fsyncTime(dir)
	if err != nil {
		return err
	}
	for round := 1; round <= cfg.rounds; round++ {
		for _, v := range vs {
			if has(all, v, round) {
				continue
			}
			fmt.Fprintf(stderr, "round %d of %d: %s\n", round, cfg.rounds, v)
			ms, err := runChild(ctx, cfg, v, round, dir, stderr)
			if ctx.Err() != nil {
				return errors.Join(errors.New("compare: interrupted: with -keep the same command goes on from here"), err)
			}
			if err != nil {
				failed = append(failed, err)
				fmt.Fprintln(stderr, err)
				continue
			}
			if err := keepMeasurements(cfg.keep, ms); err != nil {
				return err
			}
			all = append(all, ms...)
		}
	}
	rows := medians(vs, all)
	if err := writeCSV(cfg.csv, rows); err != nil {
		return err
	}
	if err := writeReport(stdout, rows, conditions{cfg: cfg, fsync: fsync}); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("compare: %d runs failed, and are not in the figures: %w", len(failed), errors.Join(failed...))
	}
	return nil
}

// present leaves out the systems whose programs this machine does not have, and tells which.
func present(vs []variant, stderr io.Writer) ([]variant, error) {
	var there []variant
	told := map[string]bool{}
	for _, v := range vs {
		if v.Missing != nil {
			if err := v.Missing(); err != nil {
				if !told[v.ID] {
					fmt.Fprintf(stderr, "compare: left out %s: %v\n", v.ID, err)
				}
				told[v.ID] = true
				continue
			}
		}
		there = append(there, v)
	}
	if len(there) == 0 {
		return nil, errors.New("compare: nothing is left to compare")
	}
	return there, nil
}

// runChild measures a variant in a process of its own, so that one's heap is not another's, on an empty store.
func runChild(ctx context.Context, cfg config, v variant, round int, dir string, stderr io.Writer) (ms []Measurement, err error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()
	store := filepath.Join(dir, fmt.Sprintf("%s-%d", strings.ReplaceAll(v.String(), "/", "-"), round))
	if err := os.Mkdir(store, 0o755); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(store)) }()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("compare: find this program to run it again: %w", err)
	}
	child := exec.CommandContext(ctx, self, "-variant", v.String(), "-round", strconv.Itoa(round), "-dir", store,
		"-c", strconv.Itoa(cfg.hellos), "-scale", strconv.FormatFloat(cfg.scale, 'g', -1, 64))
	child.Stderr = stderr
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) } // it has servers to stop
	child.WaitDelay = 10 * time.Second
	out, err := child.Output()
	if err != nil {
		return nil, fmt.Errorf("compare: %s in round %d: %w", v, round, errors.Join(err, context.Cause(ctx)))
	}
	return decode(strings.NewReader(string(out)))
}

func has(all []Measurement, v variant, round int) bool {
	n := 0
	for _, m := range all {
		if m.Variant == v.String() && m.Round == round {
			n++
		}
	}
	return n == len(loads)
}

func decode(r io.Reader) (ms []Measurement, err error) {
	for dec := json.NewDecoder(bufio.NewReader(r)); ; {
		var m Measurement
		switch err := dec.Decode(&m); {
		case err == io.EOF:
			return ms, nil
		case err != nil:
			return nil, fmt.Errorf("compare: read measurements: %w", err)
		}
		ms = append(ms, m)
	}
}

func readMeasurements(path string) ([]Measurement, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("compare: -keep: %w", err)
	}
	defer f.Close()
	return decode(f)
}

// keepMeasurements appends those of one variant and round in a single write, so that the file has them all or none.
func keepMeasurements(path string, ms []Measurement) error {
	if path == "" {
		return nil
	}
	var lines strings.Builder
	for _, m := range ms {
		line, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("compare: -keep: %w", err)
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("compare: -keep: %w", err)
	}
	_, err = f.WriteString(lines.String())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("compare: -keep: %w", err)
	}
	return nil
}

// fsyncTime gives the median of what a write of 4 KiB with an fsync takes in dir.
func fsyncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return 0, fmt.Errorf("compare: time an fsync: %w", err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	var took []time.Duration
	for range 101 {
		began := time.Now()
		_, err := f.Write(block)
		if err := errors.Join(err, f.Sync()); err != nil {
			return 0, fmt.Errorf("compare: time an fsync: %w", err)
		}
		took = append(took, time.Since(began))
	}
	return medianOf(took), nil
}
