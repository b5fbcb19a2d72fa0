package chaos_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// logStream is the log of the hub "default".
const logStream = "DURABLE_default"

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until waits until cond says "" and fails with what it says else.
func until(t *testing.T, cond func(ctx context.Context) string) {
	t.Helper()
	ctx := within(t)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		missing := cond(ctx)
		if missing == "" {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal(missing)
		}
	}
}

// serve starts a server that lives as long as the test.
func serve(t *testing.T) *embedded.Server {
	t.Helper()
	s := start(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { s.Close() })
	return s
}

func start(t *testing.T, dir, listen string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(within(t), embedded.Config{Dir: dir, Listen: listen})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func address(url string) string { return strings.TrimPrefix(url, "nats://") }

func connect(t *testing.T, cfg natsbackend.Config) *natsbackend.Backend {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = failureLog(t, "backend")
	}
	b, err := natsbackend.Connect(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// work starts a worker in this process. It stops with the test, or before.
func work(t *testing.T, b durable.Backend, l *ledger) (stop func(context.Context)) {
	t.Helper()
	var log lines
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the worker said:\n%s", log.tail())
		}
	})
	return workSaying(t, b, l, &log)
}

// workSaying is work with a log to look at.
func workSaying(t *testing.T, b durable.Backend, l *ledger, log *lines) (stop func(context.Context)) {
	t.Helper()
	cfg := durable.WorkerConfig{Logger: slog.New(slog.NewTextHandler(log, nil))}
	w := durable.NewWorker(b, registry(l.enter), cfg)
	if err := w.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	stop = func(ctx context.Context) {
		l.allow(1 << 30)
		if err := w.Stop(ctx); err != nil {
			t.Errorf("stop the worker: %v", err)
		}
	}
	t.Cleanup(func() { stop(within(t)) })
	return stop
}

// load is a number of errands that a client runs, some of them at once.
type load struct {
	t       *testing.T
	url     string
	client  *durable.Client
	be      *natsbackend.Backend // the client's
	ledger  *ledger
	started time.Time
	running sync.WaitGroup

	twice struct{ tasks, results int } // that the log holds more than once

	mu      sync.Mutex
	errands map[string]outcome // by instance id
}

// newLoad connects a client, which creates the hub.
func newLoad(t *testing.T, cfg natsbackend.Config, l *ledger) *load {
	t.Helper()
	cfg.Provision = true
	b := connect(t, cfg)
	c := durable.NewClient(b, durable.ClientConfig{Logger: failureLog(t, "client")})
	t.Cleanup(func() { c.Close() })
	return &load{t: t, url: cfg.URL, client: c, be: b, ledger: l, started: time.Now(), errands: map[string]outcome{}}
}

// begin runs n errands, at most atOnce at the same time, in the background.
func (l *load) begin(n, atOnce int) {
	l.t.Helper()
	ctx := within(l.t)
	next := make(chan int)
	go func() {
		defer close(next)
		for from := range n {
			next <- from
		}
	}()
	for range atOnce {
		l.running.Go(func() {
			for from := range next {
				l.run(ctx, from)
			}
		})
	}
}

// run does one errand: start, event, wait.
func (l *load) run(ctx context.Context, from int, opts ...durable.StartOption) {
	defer l.ledger.look() // it may have failed
	event := from * 7
	h, err := durable.StartInstance[int](ctx, l.client, &errandInfo, from, opts...)
	if err != nil {
		l.t.Errorf("start errand %d: %v", from, err)
		return
	}
	want := outcomeOf(from, event)
	l.mu.Lock()
	l.errands[h.ID()] = want
	l.mu.Unlock()
	if err := durable.RaiseEvent(ctx, l.client, h.ID(), goAhead, event); err != nil {
		l.t.Errorf("raise the event of errand %d (%s): %v", from, h.ID(), err)
		return
	}
	if got, err := h.Wait(ctx); err != nil || got != want.result {
		l.t.Errorf("errand %d (%s) gave %d, %v, want %d", from, h.ID(), got, err, want.result)
	}
}

// finish waits for all errands and checks everything that is left of them.
func (l *load) finish() {
	l.t.Helper()
	l.ledger.allow(1 << 30)
	l.running.Wait()
	l.t.Logf("%d errands ended after %v", len(l.errands), time.Since(l.started).Round(time.Millisecond))
	if l.t.Failed() {
		return // the rest would only repeat it
	}
	children := l.listed()
	want := map[string]int{}
	for id, o := range l.errands {
		for slot, v := range o.own {
			want[key(id, slot)] = v
		}
		want[key(children[id], 0)] = o.child
		l.history(id)
		l.history(children[id])
	}
	l.ledger.check(l.t, want)
	l.t.Logf("in the log again: %d tasks, %d results", l.twice.tasks, l.twice.results)
	l.acknowledged()
	l.t.Logf("settled after %v", time.Since(l.started).Round(time.Millisecond))
}

// listed checks that the client lists every errand and its child as completed, and gives the children by parent.
func (l *load) listed() map[string]string {
	l.t.Helper()
	children := map[string]string{}
	until(l.t, func(ctx context.Context) string {
		all, err := l.client.List(ctx, durable.Filter{Limit: 10 * len(l.errands)})
		if err != nil {
			return err.Error()
		}
		clear(children)
		errands := 0
		for _, inst := range all {
			if inst.Status != durable.Completed {
				return fmt.Sprintf("the list has %+v", inst)
			}
			if inst.ParentID == "" {
				errands++
			} else {
				children[inst.ParentID] = inst.ID
			}
		}
		if errands != len(l.errands) || len(children) != len(l.errands) || len(all) != 2*errands {
			return fmt.Sprintf("the list has %d errands and %d of their parents among %d, want %d", errands, len(children), len(all), len(l.errands))
		}
		return ""
	})
	return children
}

// history checks what the log holds of an instance: one final record, each slot recorded once, one result a slot.
func (l *load) history(id string) {
	l.t.Helper()
	type answer struct {
		backend.Loaded
		err error
	}
	answers := make(chan answer, 1)
	l.be.Load(history.Address{Group: group, ID: id}, 0, func(got backend.Loaded, err error) { answers <- answer{got, err} })
	a := <-answers
	if a.err != nil || a.Start == nil {
		l.t.Errorf("%s: the log has no start: %v", id, a.err)
		return
	}
	finals := 0
	recorded := map[history.Ref]int{}
	tasks := map[history.Ref]*history.Task{}
	results := map[history.Ref]string{}
	for _, m := range a.Tail {
		switch r := m.Record.(type) {
		case *history.Start:
			l.t.Errorf("%s: a second start at %d", id, m.Seq)
		case *history.Turn:
			for _, s := range r.Slots {
				recorded[history.Ref{Run: r.Run, Execution: r.Execution, Slot: s.N}]++
			}
			if r.End != nil {
				finals++
			}
		case *history.Task:
			if had := tasks[r.Ref]; had != nil {
				l.twice.tasks++
				if !reflect.DeepEqual(had, r) {
					l.t.Errorf("%s: two tasks of slot %v: %+v and %+v", id, r.Ref, had, r)
				}
			}
			tasks[r.Ref] = r
		case *history.Done:
			if r.Failure != nil {
				l.t.Errorf("%s: slot %v failed: %+v", id, r.Ref, r.Failure)
			}
			if had, ok := results[r.Ref]; ok {
				l.twice.results++
				if had != string(r.Result) {
					l.t.Errorf("%s: two results of slot %v: %s and %s", id, r.Ref, had, r.Result)
				}
			}
			results[r.Ref] = string(r.Result)
		}
	}
	if finals != 1 {
		l.t.Errorf("%s: %d final records", id, finals)
	}
	for ref, times := range recorded {
		if times != 1 || tasks[ref] != nil {
			l.t.Errorf("%s: slot %v is recorded %d times, task %v", id, ref, times, tasks[ref])
		}
	}
}

// acknowledged waits until no consumer of the hub holds anything back: all that a message caused is stored (I4).
func (l *load) acknowledged() {
	l.t.Helper()
	nc, err := nats.Connect(l.url)
	if err != nil {
		l.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		l.t.Fatal(err)
	}
	until(l.t, func(ctx context.Context) string {
		s, err := js.Stream(ctx, logStream)
		if err != nil {
			return err.Error()
		}
		n, left := 0, ""
		consumers := s.ListConsumers(ctx)
		for c := range consumers.Info() {
			n++
			if c.NumAckPending > 0 || c.NumPending > 0 {
				left = fmt.Sprintf("consumer %s has %d pending and %d unacknowledged", c.Name, c.NumPending, c.NumAckPending)
			}
		}
		if err := consumers.Err(); err != nil {
			return err.Error()
		}
		if n < 9 {
			return fmt.Sprintf("%d consumers", n)
		}
		return left
	})
}
