package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	natsembedded "github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

const (
	memoryLimit = 900 << 20 // what the process of waiting asks the garbage collector for, as GOMEMLIMIT does
	everything  = 1 << 20   // WorkerConfig.Cache that evicts nothing
)

// runWaiting has n instances wait in one worker process: kept in memory and evicted, with the server in the process and
// in one of its own. Each row is a run; then every instance gets its event and ends. -nats embedded or process says which
// of the two; memory of the process while all wait is that of a process that has done nothing else, so each run is one.
func runWaiting(ctx context.Context, cfg config) (*table, error) {
	t := &table{head: []string{"waiting", "cache", "server", "RSS MiB", "peak RSS MiB", "heap and stacks B each", "CPU µs each"}}
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(memoryLimit)
	server := "in the process"
	if cfg.nats == ownProcess {
		url, stop, err := startServer(ctx, cfg.dir)
		if err != nil {
			return nil, err
		}
		defer stop()
		cfg.nats, server = url, "another process"
	}
	cache := "default"
	switch {
	case cfg.cache > 0:
		cache = strconv.Itoa(cfg.cache)
	case cfg.cache < 0:
		cache, cfg.cache = "all", everything
	}
	cfg.worker.Cache = cfg.cache
	h, gate, err := openTrial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer h.close()
	before, cpu := memory(), cpuTime()
	handles, err := wait(ctx, h.client, gate, cfg.n, cfg.concurrency)
	if err != nil {
		return nil, err
	}
	each, rss := (memory()-before)/cfg.n, residentMiB()
	if err := wakeAll(ctx, h.client, handles, cfg.concurrency); err != nil {
		return nil, err
	}
	t.add(cfg.n, cache, server, rss, peakRSS()*1e6/(1<<20), each, float64((cpuTime()-cpu).Microseconds())/float64(cfg.n))
	return t, nil
}

// wait starts n instances and returns when all of them wait and are projected.
func wait(ctx context.Context, client *durable.Client, gate *workload.Gate, n, concurrency int) ([]durable.Handle[string], error) {
	arrived := gate.Arrived()
	handles := make([]durable.Handle[string], n)
	if _, err := each(ctx, n, concurrency, func(ctx context.Context, i int) (err error) {
		handles[i], err = workload.IdleOrchestrator.Start(ctx, client)
		return err
	}); err != nil {
		return nil, err
	}
	if err := arrive(ctx, gate, arrived+n); err != nil {
		return nil, err
	}
	return handles, pause(ctx, settle)
}

func arrive(ctx context.Context, gate *workload.Gate, n int) error {
	for gate.Arrived() < n {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d have arrived: %w", gate.Arrived(), n, err)
		}
	}
	return nil
}

// wakeAll wakes the instances in random order, and checks what they give.
func wakeAll(ctx context.Context, client *durable.Client, handles []durable.Handle[string], concurrency int) error {
	order := rand.Perm(len(handles))
	_, err := each(ctx, len(handles), concurrency, func(ctx context.Context, k int) error { return wake(ctx, client, handles[order[k]], order[k]) })
	return err
}

func wake(ctx context.Context, client *durable.Client, h durable.Handle[string], n int) error {
	if err := workload.WakeEvent.Raise(ctx, client, h.ID(), workload.Wake{Number: n}); err != nil {
		return err
	}
	return check(ctx, h, fmt.Sprintf("woken by %d", n))
}

// runCold wakes n instances, one at a time, that no worker holds, without anything behind them in the log and behind
// a million messages of others.
func runCold(ctx context.Context, cfg config) (*table, error) {
	t := &table{head: []string{"messages behind", "p50 ms", "p99 ms", "CPU µs each"}}
	for _, behind := range []int{0, cfg.behind} {
		if err := coldRun(ctx, cfg, behind, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func coldRun(ctx context.Context, cfg config, behind int, t *table) (err error) {
	cfg.worker.KeepLog = -1 // the log is what is measured
	h, gate, err := openTrial(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	handles, err := wait(ctx, h.client, gate, cfg.n, 50)
	if err != nil {
		return err
	}
	if err := h.stopWorker(ctx); err != nil {
		return err
	}
	if err := fill(ctx, h, behind); err != nil {
		return err
	}
	if err := h.again(ctx); err != nil {
		return err
	}
	warm, err := wait(ctx, h.client, gate, 10, 10) // the new worker has its partitions
	if err != nil {
		return err
	}
	if err := wakeAll(ctx, h.client, warm, 1); err != nil {
		return err
	}
	cpu, order := cpuTime(), rand.Perm(cfg.n)
	times, err := each(ctx, cfg.n, 1, func(ctx context.Context, k int) error { return wake(ctx, h.client, handles[order[k]], order[k]) })
	if err != nil {
		return err
	}
	r := Result{N: cfg.n}
	r.take(load{}, tally{latencies: times}, time.Second)
	t.add(behind, r.P50, r.P99, float64((cpuTime()-cpu).Microseconds())/float64(cfg.n))
	return nil
}

// fill stores messages of others, as many to an instance and on as many subjects as a short orchestration has.
func fill(ctx context.Context, h *hub, n int) error {
	if n == 0 {
		return nil
	}
	if h.dial == nil {
		return errors.New("the log of a server by URL is not ours to fill")
	}
	nc, err := h.dial()
	if err != nil {
		return err
	}
	defer nc.Close()
	body := make([]byte, 100)
	for i := range n {
		subject := fmt.Sprintf("durable.default.filler.0.f%07d.%s", i/8, [...]string{"in.start", "task.a", "in.done", "task.a", "in.done", "task.a", "in.done", "turn"}[i%8])
		if i%500 < 499 && i < n-1 {
			err = nc.Publish(subject, body)
		} else {
			_, err = nc.RequestWithContext(ctx, subject, body) // its acknowledgement tells that those before are stored
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// runThrash has n instances get events in turn: in a worker that can keep a tenth of them, and in one that can keep all;
// three pairs of runs.
func runThrash(ctx context.Context, cfg config) (*table, error) {
	t := &table{head: []string{"pair", "events/s, cache for all", "events/s, cache for a tenth", "ratio"}}
	const partitions = 8
	for pair := range 3 {
		var rates [2]float64
		for k, cache := range []int{everything, max(1, cfg.n/10/partitions)} {
			cfg.worker.Cache = cache
			rate, err := thrashRun(ctx, cfg)
			if err != nil {
				return nil, err
			}
			rates[k] = rate
		}
		t.add(pair+1, rates[0], rates[1], rates[1]/rates[0])
	}
	return t, nil
}

func thrashRun(ctx context.Context, cfg config) (rate float64, err error) {
	const rounds = 5
	h, gate, err := openTrial(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	handles := make([]durable.Handle[int], cfg.n)
	if _, err := each(ctx, cfg.n, cfg.concurrency, func(ctx context.Context, i int) (err error) {
		handles[i], err = workload.RoundsOrchestrator.Start(ctx, h.client, rounds)
		return err
	}); err != nil {
		return 0, err
	}
	if err := pause(ctx, settle); err != nil {
		return 0, err
	}
	began := time.Now()
	for round := range rounds {
		order := rand.Perm(cfg.n)
		if _, err := each(ctx, cfg.n, cfg.concurrency, func(ctx context.Context, k int) error {
			return workload.WakeEvent.Raise(ctx, h.client, handles[order[k]].ID(), workload.Wake{Number: round})
		}); err != nil {
			return 0, err
		}
		if err := arrive(ctx, gate, (round+1)*cfg.n); err != nil {
			return 0, err
		}
	}
	rate = float64(rounds*cfg.n) / time.Since(began).Seconds()
	_, err = each(ctx, cfg.n, cfg.concurrency, func(ctx context.Context, i int) error { return check(ctx, handles[i], rounds) })
	return rate, err
}

// residentMiB gives the memory that this process has now; 0 where there is no /proc.
func residentMiB() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kib / 1024
}

// A server in a process of its own is this program, started with the folder of its store in its environment.
const (
	ownProcess = "process" // -nats
	serveDir   = "DURABLE_BENCH_SERVE"
)

// serve is that program: it tells its URL, and ends with its input.
func serve(dir string) int {
	s, err := natsembedded.Start(context.Background(), natsembedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.URL())
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is what is waited for
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func startServer(ctx context.Context, below string) (url string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp(below, "bench-")
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), serveDir+"="+dir)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() {
		in.Close()
		cmd.Wait() //nolint:errcheck // it is only waited for
		os.RemoveAll(dir)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the server told no URL: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}
