// Command lint times the linter and durablegen check against go vet on a module that it makes: many packages with many
// annotated functions, each looked at for the first time.
//
//	go run ./bench/lint                                  100 packages with 1,000 annotated functions
//	go run ./bench/lint -packages 20 -functions 200 -rounds 5
//
// Every round changes a comment in every package, so that nobody has results from before; the standard library and the runtime
// are compiled already. It prints the medians of each, their ratios to go vet (on a busy machine only that of the CPU time means
// anything), and the most memory that any of its processes held.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("lint", flag.ContinueOnError)
	f.SetOutput(stderr)
	packages := f.Int("packages", 100, "packages of the module")
	functions := f.Int("functions", 1000, "annotated functions in all of them")
	rounds := f.Int("rounds", 3, "times that each command runs")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if *packages < 1 || *functions < 2**packages || *rounds < 1 {
		fmt.Fprintln(stderr, "lint: at least one round, one package, and two functions in each")
		return 2
	}
	if err := measure(ctx, stdout, *packages, *functions, *rounds); err != nil {
		fmt.Fprintf(stderr, "lint: %s\n", err)
		return 1
	}
	return 0
}

// contender is one way to look at the module.
type contender struct {
	name  string
	args  []string
	times []time.Duration
	cpu   []time.Duration
	peak  int64 // bytes
}

func measure(ctx context.Context, stdout io.Writer, packages, functions, rounds int) error {
	dir, err := os.MkdirTemp("", "durablegen-lint-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := module{dir: dir, packages: packages, functions: functions}
	if err := m.prepare(ctx); err != nil {
		return err
	}
	tool := filepath.Join(dir, "durablegen")
	contenders := []*contender{
		{name: "go vet", args: []string{"go", "vet", "./..."}},
		{name: "durablegen lint", args: []string{tool, "lint", "./..."}},
		{name: "durablegen check", args: []string{tool, "check", "./..."}},
		{name: "go vet -vettool", args: []string{"go", "vet", "-vettool=" + tool, "./..."}},
	}
	for round := range rounds + 1 { // the first one fills what is kept of dependencies, and counts for nothing
		for _, c := range contenders {
			if err := m.write(fmt.Sprintf("%s, round %d", c.name, round)); err != nil {
				return err
			}
			if err := m.command(ctx, "go", "build", "./...").Run(); err != nil { // all of them need it
				return fmt.Errorf("build: %w", err)
			}
			if err := c.run(m.command(ctx, c.args...), round > 0); err != nil {
				return err
			}
		}
	}
	return report(stdout, m, contenders)
}

func (c *contender) run(cmd *exec.Cmd, counts bool) error {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", c.name, err, &out)
	}
	if counts {
		c.times = append(c.times, time.Since(began))
		c.cpu = append(c.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		c.peak = max(c.peak, peak(cmd.ProcessState))
	}
	return nil
}

func report(stdout io.Writer, m module, contenders []*contender) error {
	fmt.Fprintf(stdout, "%d packages, %d annotated functions, %d lines\n\n", m.packages, m.functions, m.lines)
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "command\ts\t× go vet\tCPU s\t× go vet\tlargest process MB\t")
	base, work := median(contenders[0].times), median(contenders[0].cpu)
	for _, c := range contenders {
		t, cpu := median(c.times), median(c.cpu)
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t\n", c.name, t.Seconds(), t.Seconds()/base.Seconds(), cpu.Seconds(), cpu.Seconds()/work.Seconds(), float64(c.peak)/1e6)
	}
	return w.Flush()
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	if len(times) == 0 {
		return 0
	}
	return times[len(times)/2]
}
