package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
)

func TestParse(t *testing.T) {
	t.Parallel()
	preset := config{behind: 1_000_000, scale: 1, durability: relaxed, nats: embedded, hub: "bench", timeout: 10 * time.Minute, waiting: 300, retention: time.Minute, every: 5 * time.Second}
	for _, c := range []struct {
		name string
		args string
		want func(*config)
		err  string
	}{
		{name: "nothing said", want: func(c *config) { c.workload = all }},
		{name: "defaults of a workload", args: "-workload hello", want: func(c *config) { c.workload, c.n, c.concurrency = "hello", 20_000, 200 }},
		{name: "scale", args: "-workload hello -scale 0.01", want: func(c *config) { c.workload, c.n, c.concurrency, c.scale = "hello", 200, 200, 0.01 }},
		{name: "never more in flight than there are", args: "-workload fanout -n 3", want: func(c *config) { c.workload, c.n, c.concurrency = "fanout", 3, 3 }},
		{name: "server by URL", args: "-workload chain -nats nats://example:4222 -json", want: func(c *config) {
			c.workload, c.n, c.concurrency, c.nats, c.json = "chain", 10, 1, "nats://example:4222", true
		}},
		{name: "a soak", args: "-workload soak -duration 1m -csv f", want: func(c *config) {
			c.workload, c.n, c.concurrency, c.duration, c.csv = soakName, 1_000_000, 100, time.Minute, "f"
		}},
		{name: "a soak has its own server", args: "-workload soak -nats nats://example:4222", err: "its own server"},
		{name: "a soak without samples", args: "-workload soak -every 0s", err: "some time"},
		{name: "unknown workload", args: "-workload hullo", err: `-workload "hullo": there are hello, hello-local, flow`},
		{name: "unknown durability", args: "-durability safe", err: "want relaxed, strict, strict-batch, strict-always"},
		{name: "strict is not ours to set", args: "-durability strict -nats nats://example:4222", err: "sync_interval"},
		{name: "latency is one at a time", args: "-workload latency -c 2", err: "one at a time"},
		{name: "n for all", args: "-n 3", err: "name it with -workload"},
		{name: "negative", args: "-workload hello -n -3", err: "not negative"},
		{name: "pairs of workloads", args: "-workload hello,flow -pairs 3", want: func(c *config) { c.workload, c.pairs = "hello,flow", 3 }},
		{name: "pairs of programs", args: "-workload hello -pairs 3 -against old -n 7", want: func(c *config) { c.workload, c.pairs, c.against, c.n = "hello", 3, "old", 7 }},
		{name: "pairs of one", args: "-workload hello -pairs 3", err: "-pairs wants two workloads"},
		{name: "pairs of three", args: "-workload hello,flow,chain -pairs 3", err: "-pairs wants two workloads"},
		{name: "pairs of four", args: "-workload hello,flow -pairs 3 -against old", err: "-pairs wants two workloads"},
		{name: "two without pairs", args: "-workload hello,flow", err: "two are for -pairs"},
		{name: "against without pairs", args: "-workload hello -against old", err: "-against is for -pairs"},
		{name: "flow elsewhere", args: "-workload flow -nats nats://example:4222", err: "with the server in its process"},
		{name: "no time", args: "-timeout 0s", err: "more than 0"},
		{name: "a trial", args: "-workload sizes", want: func(c *config) { c.workload, c.n, c.concurrency = "sizes", 10_000, 50 }},
		{name: "stray argument", args: "hello", err: `unexpected argument "hello"`},
		{name: "unknown flag", args: "-workloads hello", err: "not defined: -workloads: see -help"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(strings.Fields(c.args), io.Discard)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error is %v, want it to contain %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := preset
			c.want(&want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{}), cmpopts.IgnoreTypes(durable.WorkerConfig{})); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		n    int
		p    float64
		want time.Duration
	}{
		{name: "none", n: 0, p: 50, want: 0},
		{name: "one", n: 1, p: 99, want: 1},
		{name: "middle of four", n: 4, p: 50, want: 2},
		{name: "p99 of a hundred", n: 100, p: 99, want: 99},
		{name: "p99 of ten", n: 10, p: 99, want: 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sorted := make([]time.Duration, c.n)
			for i := range sorted {
				sorted[i] = time.Duration(i + 1)
			}
			if got := percentile(sorted, c.p); got != c.want {
				t.Errorf("percentile %v of 1 to %d is %d, want %d", c.p, c.n, got, c.want)
			}
		})
	}
}

// TestWorkloads runs a few orchestrations of every workload, strict too, as the command does.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"-workload hello -n 20 -c 5",
		"-workload hello -n 10 -c 5 -durability strict",
		"-workload hello -n 10 -c 5 -durability strict-batch",
		"-workload hello -n 10 -c 5 -durability strict-always",
		"-workload fanout -n 2",
		"-workload chain -n 1",
		"-workload latency -n 5",
		"-workload idle -n 20",
		"-workload flow -n 20 -c 5",
		"-workload flow-local -n 20 -c 5",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			if code := run(append(strings.Fields(args), "-json", "-dir", t.TempDir()), &out, &errs); code != 0 {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			var r Result
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatalf("%v in %q", err, out.String())
			}
			w, _ := workloadOf(r.Workload)
			if r.N == 0 || r.PerSecond <= 0 || r.P50 <= 0 || r.P99 < r.P50 || r.Max < r.P99 || r.DiskBytes <= 0 || r.Activities != r.PerSecond*float64(w.activities) {
				t.Errorf("figures that cannot be: %+v", r)
			}
			if (r.LastByFirst > 0) != (r.Workload == "chain") || (r.BytesPerInstance != 0) != (r.Workload == "idle") {
				t.Errorf("figures of another workload: %+v", r)
			}
		})
	}
}

// TestTrials runs every trial in short.
func TestTrials(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		rows int
	}{
		{"-workload waiting -n 30 -cache 1", 1},
		{"-workload waiting -n 10 -nats process", 1},
		{"-workload cold -n 5 -behind 1000", 2},
		{"-workload thrash -n 80 -c 20", 3},
		{"-workload sizes -n 100", 1},
		{"-workload payloads -n 512 -scale 0.02", 10},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "out.csv")
			var out, errs bytes.Buffer
			if code := run(append(strings.Fields(c.args), "-dir", t.TempDir(), "-csv", file), &out, &errs); code != 0 {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(string(text), "\n"); lines != c.rows+1 {
				t.Errorf("%d lines, want a head and %d: %s", lines, c.rows, text)
			}
		})
	}
}

// TestMain is also the server in a process of its own.
func TestMain(m *testing.M) {
	if dir := os.Getenv(serveDir); dir != "" {
		os.Exit(serve(dir))
	}
	os.Exit(m.Run())
}

// TestWrongResult: a benchmark that does not look at its results measures nothing.
func TestWrongResult(t *testing.T) {
	t.Parallel()
	var code durable.Registry
	if err := code.Add(
		workload.HelloOrchestrator.Bind(workload.Hello),
		workload.GreetActivity.Bind(func(city string) (string, error) { return "Bye " + city, nil }),
	); err != nil {
		t.Fatal(err)
	}
	cfg, err := parse([]string{"-workload", "hello", "-n", "3", "-dir", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHub(t.Context(), cfg, &code)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	_, err = runHello(t.Context(), h.client, nil, 3, 1)
	if err == nil || !strings.Contains(err.Error(), "wrong result: instance") {
		t.Errorf("error is %v, want a wrong result", err)
	}
}

// TestFlow: a flow leaves in the streams what the engine leaves there, message for message and nearly byte for byte (times and
// sequences have other lengths), and has as much acknowledged.
func TestFlow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flow, hello string }{{"flow", "hello"}, {"flow-local", "hello-local"}} {
		t.Run(c.flow, func(t *testing.T) {
			t.Parallel()
			flow, hello := footprint(t, c.flow), footprint(t, c.hello)
			for name, want := range hello {
				got := flow[name]
				if got.messages != want.messages || got.acked != want.acked {
					t.Errorf("%s: the flow leaves %d messages and has %d acknowledged, the engine %d and %d", name, got.messages, got.acked, want.messages, want.acked)
				}
				if d := float64(got.bytes)/float64(want.bytes) - 1; d < -0.08 || d > 0.08 {
					t.Errorf("%s: the flow leaves %d bytes, the engine %d", name, got.bytes, want.bytes)
				}
			}
		})
	}
}

// trace is what a run has left in a stream.
type trace struct{ messages, bytes, acked uint64 }

// footprint runs a workload and looks at the streams that hold its instances.
func footprint(t *testing.T, name string) map[string]trace {
	t.Helper()
	const n = 50
	cfg, err := parse([]string{"-workload", name, "-dir", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var code durable.Registry
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: &workload.Gate{}}); err != nil {
		t.Fatal(err)
	}
	h, err := openHub(t.Context(), cfg, &code)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	w, _ := workloadOf(name)
	if _, err := h.run(t.Context(), w, nil, n, 5); err != nil {
		t.Fatal(err)
	}
	if err := h.stopWorker(t.Context()); err != nil {
		t.Fatal(err)
	}
	nc, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	traces := map[string]trace{}
	for _, name := range []string{"DURABLE_default", "DURABLE_default_ARCHIVE", "KV_durable_default_instances"} {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		state := s.CachedInfo().State
		tr := trace{messages: state.Msgs, bytes: state.Bytes}
		consumers := s.ListConsumers(t.Context())
		for c := range consumers.Info() {
			c = settled(t, nc, s, c)
			tr.acked += c.Delivered.Consumer - uint64(c.NumAckPending)
		}
		if err := consumers.Err(); err != nil {
			t.Fatal(err)
		}
		traces[name] = tr
	}
	return traces
}

// settled gives what is known of a consumer when the server has worked off the acknowledgements that it was sent: it queues them
// for each consumer, and answers one that asks for an answer in its turn.
func settled(t *testing.T, nc *nats.Conn, s jetstream.Stream, c *jetstream.ConsumerInfo) *jetstream.ConsumerInfo {
	t.Helper()
	const inProgress = "+WPI"
	if _, err := nc.RequestWithContext(t.Context(), fmt.Sprintf("$JS.ACK.%s.%s.1.1.1.0.0", c.Stream, c.Name), []byte(inProgress)); err != nil {
		t.Fatal(err)
	}
	consumer, err := s.Consumer(t.Context(), c.Name)
	if err != nil {
		t.Fatal(err)
	}
	return consumer.CachedInfo()
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	_, err := each(t.Context(), 1000, 4, func(_ context.Context, i int) error {
		if i == 17 {
			return context.DeadlineExceeded
		}
		return nil
	})
	if err != context.DeadlineExceeded {
		t.Errorf("error is %v, want the one of call 17", err)
	}
}
