package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	natsembedded "github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// A soak runs orchestrations through a hub that forgets them after a minute, while some wait since before. Every few
// seconds it notes what the hub holds. At the end the server is started again, and those that wait get their event.

const soakName = "soak"

// soak is a hub that lives through its own restarts.
type soak struct {
	cfg   config
	gate  *workload.Gate
	code  durable.Registry
	dir   string
	began time.Time
	done  atomic.Int64 // orchestrations that have ended

	server  *natsembedded.Server
	client  *durable.Client
	streams []jetstream.Stream
	undo    []func() error
}

// The streams of a hub, in the order of the columns.
var soakStreams = [...]string{"DURABLE_" + soakName, "DURABLE_" + soakName + "_ARCHIVE", "KV_durable_" + soakName + "_instances"}

const (
	logStream = iota
	archiveStream
	statesStream
)

// runSoak soaks a hub and reports on out.
func runSoak(ctx context.Context, cfg config, out io.Writer) (err error) {
	s := &soak{cfg: cfg, gate: &workload.Gate{}}
	if err := workload.RegisterDurable(&s.code, workload.DurableReceivers{Gate: s.gate}); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp(cfg.dir, "soak-"); err != nil {
		return fmt.Errorf("bench: make a folder for the store: %w", err)
	}
	defer func() { err = errors.Join(err, s.close(), os.RemoveAll(s.dir)) }()
	if err := s.open(ctx); err != nil {
		return err
	}
	waiting, err := s.await(ctx)
	if err != nil {
		return err
	}
	profiled, err := startProfile(cfg.cpuProfile)
	if err != nil {
		return err
	}
	rows, err := s.run(ctx)
	if err = errors.Join(err, profiled(), writeHeapProfile(cfg.memProfile)); err != nil {
		return err
	}
	report(out, rows)
	if err := s.expire(ctx, out); err != nil {
		return err
	}
	return s.restart(ctx, out, waiting)
}

// open starts server, worker and client on the folder.
func (s *soak) open(ctx context.Context) (err error) {
	durability := natsembedded.Relaxed
	if s.cfg.durability == strict {
		durability = natsembedded.Strict
	}
	if s.server, err = natsembedded.Start(ctx, natsembedded.Config{Dir: s.dir, Durability: durability}); err != nil {
		return err
	}
	s.undo = append(s.undo, s.server.Close)
	keep := s.cfg.retention
	connect := func() (*natsbackend.Backend, error) {
		return s.server.Backend(ctx, natsbackend.Config{Hub: soakName, Retention: natsbackend.Retention{Completed: keep, Failed: keep, Terminated: keep, Canceled: keep}})
	}
	works, err := connect()
	if err != nil {
		return err
	}
	s.undo = append(s.undo, works.Close)
	worker := durable.NewWorker(works, &s.code, durable.WorkerConfig{KeepLog: s.cfg.keepLog})
	if err := worker.Start(ctx); err != nil {
		return err
	}
	s.undo = append(s.undo, func() error { return worker.Stop(context.Background()) })
	asks, err := connect()
	if err != nil {
		return err
	}
	s.client = durable.NewClient(asks, durable.ClientConfig{})
	s.undo = append(s.undo, asks.Close, s.client.Close)
	return s.look(ctx)
}

// look opens a connection to look at the streams.
func (s *soak) look(ctx context.Context) error {
	nc, err := nats.Connect("", s.server.Option())
	if err != nil {
		return fmt.Errorf("bench: connect to look at the streams: %w", err)
	}
	s.undo = append(s.undo, func() error { nc.Close(); return nil })
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	s.streams = nil
	for _, name := range soakStreams {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			return fmt.Errorf("bench: stream %s: %w", name, err)
		}
		s.streams = append(s.streams, stream)
	}
	return nil
}

func (s *soak) close() error {
	h := hub{undo: s.undo}
	s.undo = nil
	return h.close()
}

// await starts the instances that wait, and waits until they do.
func (s *soak) await(ctx context.Context) ([]durable.Handle[string], error) {
	handles := make([]durable.Handle[string], s.cfg.waiting)
	_, err := each(ctx, len(handles), 50, func(ctx context.Context, i int) (err error) {
		handles[i], err = workload.IdleOrchestrator.Start(ctx, s.client)
		return err
	})
	for err == nil && s.gate.Arrived() < len(handles) {
		err = pause(ctx, 50*time.Millisecond)
	}
	return handles, err
}

// run runs the orchestrations and takes samples meanwhile.
func (s *soak) run(ctx context.Context) (rows []sample, err error) {
	out := io.Discard
	if s.cfg.csv != "" {
		f, err := os.Create(s.cfg.csv)
		if err != nil {
			return nil, fmt.Errorf("bench: -csv: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	w := csv.NewWriter(out)
	if err := w.Write(sampleHead); err != nil {
		return nil, err
	}
	s.began = time.Now()
	over := make(chan error, 1)
	go func() {
		_, err := each(ctx, s.cfg.n, s.cfg.concurrency, func(ctx context.Context, _ int) error {
			if s.cfg.duration > 0 && time.Since(s.began) > s.cfg.duration {
				return nil
			}
			defer s.done.Add(1)
			_, err := runHello(ctx, s.client, nil, 1, 1)
			return err
		})
		over <- err
	}()
	tick := time.NewTicker(s.cfg.every)
	defer tick.Stop()
	for {
		select {
		case err := <-over:
			return rows, err
		case <-tick.C:
			row, err := s.sample(ctx, rows)
			if err == nil {
				rows = append(rows, row)
				err = w.Write(row.fields())
				w.Flush()
			}
			if err != nil {
				return rows, errors.Join(err, ctx.Err())
			}
		}
	}
}

// expire waits until what has ended is gone, and tells what is left.
func (s *soak) expire(ctx context.Context, out io.Writer) error {
	for {
		row, err := s.sample(ctx, nil)
		if err != nil {
			return err
		}
		if row.states == s.cfg.waiting && row.archive <= s.cfg.waiting && row.kept() <= soakLog {
			fmt.Fprintf(out, "all has expired: %d states and %d archive entries are left of %d that wait; the log holds %d messages\n", row.states, row.archive, s.cfg.waiting, row.kept())
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return fmt.Errorf("bench: %d states, %d archive entries and %d messages of the log are left: %w", row.states, row.archive, row.kept(), err)
		}
	}
}

// soakLog is how many messages the log may hold when nothing runs: what live instances may hold, and a little.
const soakLog = 110_000

// restart starts the server again, and then those that wait go on.
func (s *soak) restart(ctx context.Context, out io.Writer, waiting []durable.Handle[string]) error {
	if err := s.close(); err != nil {
		return err
	}
	began := time.Now()
	if err := s.open(ctx); err != nil {
		return err
	}
	opened := time.Since(began)
	if _, err := runHello(ctx, s.client, nil, 1, 1); err != nil {
		return err
	}
	fmt.Fprintf(out, "restart: the hub is open after %v, and has run an orchestration after %v\n", opened.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	_, err := each(ctx, len(waiting), 50, func(ctx context.Context, i int) error {
		if err := workload.WakeEvent.Raise(ctx, s.client, waiting[i].ID(), workload.Wake{Number: i}); err != nil {
			return err
		}
		got, err := workload.IdleOrchestrator.Attach(s.client, waiting[i].ID()).Wait(ctx)
		if want := fmt.Sprintf("woken by %d", i); err == nil && got != want {
			err = wrong(waiting[i].ID(), got, want)
		}
		return err
	})
	if err == nil {
		fmt.Fprintf(out, "%d instances from before have gone on and finished right\n", len(waiting))
	}
	return err
}

// sample is what the hub holds at a time.
type sample struct {
	seconds         float64
	done            int
	rate            float64 // orchestrations a second since the one before
	disk            [len(soakStreams)]int64
	rss, heap       float64 // MB
	goroutines      int
	first, last     uint64 // of the log
	states, archive int
}

func (s sample) kept() int { return int(s.last - s.first + 1) }

var sampleHead = []string{"orchestrations", "seconds", "rate (1/s)", "log on disk (MB)", "archive on disk (MB)", "states on disk (MB)",
	"RSS (MB)", "heap (MB)", "goroutines", "log first", "log last", "log (messages)", "states (keys)", "archive (messages)"}

func (s sample) fields() []string {
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	mb := func(b int64) string { return f(float64(b) / 1e6) }
	return []string{strconv.Itoa(s.done), f(s.seconds), f(s.rate), mb(s.disk[logStream]), mb(s.disk[archiveStream]), mb(s.disk[statesStream]),
		f(s.rss), f(s.heap), strconv.Itoa(s.goroutines), fmt.Sprint(s.first), fmt.Sprint(s.last), strconv.Itoa(s.kept()), strconv.Itoa(s.states), strconv.Itoa(s.archive)}
}

func (s *soak) sample(ctx context.Context, before []sample) (row sample, err error) {
	row.seconds, row.done = time.Since(s.began).Seconds(), int(s.done.Load())
	row.rate = float64(row.done) / row.seconds
	if n := len(before); n > 0 {
		row.rate = float64(row.done-before[n-1].done) / (row.seconds - before[n-1].seconds)
	}
	for n, stream := range s.streams {
		info, err := stream.Info(ctx)
		if err != nil {
			return row, fmt.Errorf("bench: stream %s: %w", soakStreams[n], err)
		}
		switch n {
		case logStream:
			row.first, row.last = info.State.FirstSeq, info.State.LastSeq
		case archiveStream:
			row.archive = int(info.State.Msgs)
		case statesStream:
			row.states = int(info.State.Msgs)
		}
		h := hub{store: s.dir + "/jetstream/$G/streams/" + soakStreams[n]}
		if row.disk[n], err = h.disk(); err != nil {
			return row, err
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	row.heap, row.rss, row.goroutines = float64(m.HeapAlloc)/1e6, currentRSS(), runtime.NumGoroutine()
	return row, nil
}

// report compares the last third of a soak with the second: what grows there grows for ever.
func report(out io.Writer, rows []sample) {
	if len(rows) < 6 {
		return
	}
	third := len(rows) / 3
	mean := func(rows []sample, of func(sample) float64) (sum float64) {
		for _, r := range rows {
			sum += of(r) / float64(len(rows))
		}
		return sum
	}
	fmt.Fprintf(out, "%-22s %12s %12s %8s\n", "mean of", "second third", "last third", "change")
	for _, q := range []struct {
		name string
		of   func(sample) float64
	}{
		{"rate (1/s)", func(s sample) float64 { return s.rate }},
		{"log on disk (MB)", func(s sample) float64 { return float64(s.disk[logStream]) / 1e6 }},
		{"archive on disk (MB)", func(s sample) float64 { return float64(s.disk[archiveStream]) / 1e6 }},
		{"states on disk (MB)", func(s sample) float64 { return float64(s.disk[statesStream]) / 1e6 }},
		{"RSS (MB)", func(s sample) float64 { return s.rss }},
		{"heap (MB)", func(s sample) float64 { return s.heap }},
		{"goroutines", func(s sample) float64 { return float64(s.goroutines) }},
		{"log (messages)", func(s sample) float64 { return float64(s.kept()) }},
		{"states (keys)", func(s sample) float64 { return float64(s.states) }},
		{"archive (messages)", func(s sample) float64 { return float64(s.archive) }},
	} {
		a, b := mean(rows[third:2*third], q.of), mean(rows[2*third:], q.of)
		fmt.Fprintf(out, "%-22s %12.1f %12.1f %+7.1f%%\n", q.name, a, b, 100*(b-a)/max(a, 1e-9))
	}
}
