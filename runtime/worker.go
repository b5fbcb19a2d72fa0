package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
	"github.com/durablegen/durablegen/runtime/observe"
)

// WorkerConfig configures a Worker. The zero value is ready.
type WorkerConfig struct {
	Name         string        // shown to people; made unique in any case
	Build        string        // what this program was built from, shown to people; "": the main module and what the go command has stamped
	Slots        int           // executions of each activity at once in this worker, as many of local calls beside those of tasks; 0: 200
	Cache        int           // instances kept in memory per partition, a soft limit; 0: 4,096
	KeepLog      int           // messages that the log may hold before waiting instances are moved out of it; 0: 100,000, less than 0: this worker does not shorten it
	Poison       int           // deliveries of one task, each but the last without an answer, before it fails for good; 0: 10, less than 0: never
	DrainTimeout time.Duration // how long Run waits for running activities when it stops; 0: 30 s
	Heartbeat    time.Duration // 0: 500 ms
	Dead         time.Duration // silence after which the others take a worker's partitions over; 0: 2 s
	Interceptors WorkerInterceptors
	LeftBehind   LeftBehind    // what Start does about live instances of a version that no worker runs any more; 0: WarnLeftBehind
	Hooks        observe.Hooks // told of what happens; see docs/observability.md
	Logger       *slog.Logger  // of orchestrators and of what an operator should see; nil discards
}

func (c WorkerConfig) withDefaults() WorkerConfig {
	if c.Slots == 0 {
		c.Slots = 200
	}
	if c.Poison == 0 {
		c.Poison = 10
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 30 * time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 500 * time.Millisecond
	}
	if c.Dead == 0 {
		c.Dead = 2 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// validate is asked with the defaults filled in: they must fit what was set, too.
func (c WorkerConfig) validate() error {
	switch {
	case c.Slots < 0:
		return fmt.Errorf("WorkerConfig.Slots is %d, want a positive number", c.Slots)
	case c.Cache < 0:
		return fmt.Errorf("WorkerConfig.Cache is %d, want a positive number", c.Cache)
	case c.DrainTimeout < 0:
		return fmt.Errorf("WorkerConfig.DrainTimeout is %v, want a positive duration", c.DrainTimeout)
	case c.LeftBehind != WarnLeftBehind && c.LeftBehind != RefuseLeftBehind:
		return fmt.Errorf("WorkerConfig.LeftBehind is %d, want WarnLeftBehind or RefuseLeftBehind", c.LeftBehind)
	case c.Heartbeat < 0 || c.Dead < 2*c.Heartbeat:
		return fmt.Errorf("WorkerConfig.Dead is %v and Heartbeat %v, want Dead at least twice Heartbeat", c.Dead, c.Heartbeat)
	}
	return nil
}

// Worker runs the orchestrators and activities of a Registry. Any number of workers share a hub.
type Worker struct {
	be       Backend
	registry *Registry
	cfg      WorkerConfig
	name     string
	logger   *slog.Logger // with hub and worker

	mu     sync.Mutex
	state  workerState
	groups []*owner.Group
	queues []*activity.Queue
	silent func() // ends the answers to who asks for workers; nil before there are any

	looking  sync.WaitGroup  // for versions that are left behind, or that nobody has any more
	watching context.Context // while it may
	unlook   func()          // ends that; nil before it begins

	seen atomic.Pointer[parts] // for who must not wait for mu, which Start and Stop hold for long
}

// parts is what a worker consists of, as others see it. It does not change.
type parts struct {
	state  workerState
	groups []*owner.Group
	queues []*activity.Queue
}

type workerState int

const (
	workerNew workerState = iota
	workerStarted
	workerStopped
)

// NewWorker makes a worker; Start or Run makes it work.
func NewWorker(b Backend, r *Registry, cfg WorkerConfig) *Worker {
	w := &Worker{be: b, registry: r, cfg: cfg.withDefaults(), name: cfg.Name + "-" + newID()}
	w.seen.Store(&parts{})
	w.logger = w.cfg.Logger.With(observe.KeyHub, b.Info().Hub, observe.KeyWorker, w.name)
	return w
}

// Run starts the worker, works until ctx ends or the process gets SIGTERM or SIGINT, and stops it: running activities
// end, partitions are handed over. When the connection to the hub is lost for good, it stops and returns [ErrClosed]: a
// program that exits with an error then is started anew by whatever looks after it.
func (w *Worker) Run(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := w.Start(ctx); err != nil {
		return err
	}
	var lost <-chan struct{} // nil: for ever
	if l, ok := backend.As[backend.Linked](w.be); ok {
		lost = l.Done()
	}
	select {
	case <-ctx.Done():
	case <-lost:
	}
	stop() // a second signal kills
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.DrainTimeout)
	defer cancel()
	return errors.Join(w.lost(), w.Stop(drain))
}

// Start begins to work and returns. It reports a name that belongs to other code, a hub that is not provisioned,
// [ErrVersionInUse] if the configuration has it look for that, and what the server refuses; then nothing runs.
func (w *Worker) Start(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != workerNew {
		return errors.New("durable: worker: started before: make a new one")
	}
	if err := w.start(ctx); err != nil {
		stopping, cancel := context.WithCancel(context.Background())
		cancel()
		err = errors.Join(fmt.Errorf("durable: worker: %w", err), w.stop(stopping))
		w.queues, w.groups = nil, nil
		return err
	}
	w.state = workerStarted
	w.seen.Store(&parts{workerStarted, w.groups, w.queues})
	return nil
}

func (w *Worker) start(ctx context.Context) error {
	if err := w.cfg.validate(); err != nil {
		return err
	}
	if w.registry == nil || len(w.registry.orchestrators)+len(w.registry.activities) == 0 {
		return errors.New("the registry is empty: call RegisterDurable of the packages that it should run")
	}
	if err := w.refuse(ctx); err != nil {
		return err
	}
	if err := claimNames(ctx, w.be.Meta(), w.registry); err != nil {
		return err
	}
	var err error
	if w.silent, err = w.answerWhoIsThere(); err != nil { // before it announces: who lowers a version has asked after that
		return err
	}
	if err = w.watchNewest(); err != nil {
		return err
	}
	lacks, err := announce(ctx, w.be.Meta(), w.registry)
	if err != nil {
		return err
	}
	locals := activity.Local{}
	for _, name := range slices.Sorted(maps.Keys(w.registry.activities)) { // in order: a test sees the same run
		b := w.registry.activities[name]
		q, err := activity.Start(ctx, activity.Config{
			Backend: w.be, Name: name, Activity: b.activity.Name, Run: w.intercepted(b), Policy: policyOf(b.activity),
			Slots: w.cfg.Slots, Concurrency: b.activity.Concurrency, Poison: max(w.cfg.Poison, 0), Logger: w.logger, Hooks: w.cfg.Hooks,
		})
		if err != nil {
			return err
		}
		w.queues = append(w.queues, q)
		locals[name] = q
	}
	for _, group := range w.registry.groups() {
		retention := owner.Retention{Keep: uint64(max(w.cfg.KeepLog, 0))}
		if w.cfg.KeepLog < 0 {
			retention.Every = -1
		}
		code := newGroupCode(w.registry, group)
		code.interceptors, code.clock = w.cfg.Interceptors.Orchestrators, w.be.Clock().Now
		g, err := owner.Start(ctx, owner.Config{
			Backend: w.be, Group: group, Worker: w.name, Code: code, Fail: failureOf,
			Logger: w.logger, Hooks: w.cfg.Hooks, Cache: w.cfg.Cache, Heartbeat: w.cfg.Heartbeat, Dead: w.cfg.Dead,
			Retention: retention, Local: locals,
		})
		if err != nil {
			return err
		}
		w.groups = append(w.groups, g)
	}
	w.warn(lacks)
	return nil
}

// Stop hands the partitions over, takes no more tasks and waits for what runs. When ctx ends
// first, the contexts of running activities are cancelled and their tasks go to other workers. A worker that was
// stopped, or never started, stops without error.
func (w *Worker) Stop(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != workerStarted {
		return nil
	}
	w.state = workerStopped
	w.seen.Store(&parts{workerStopped, w.groups, w.queues})
	if err := w.stop(ctx); err != nil {
		return fmt.Errorf("durable: worker: stop: %w", err)
	}
	return nil
}

// Partitions go first: as long as this worker has some, what they call locally has a place here.
func (w *Worker) stop(ctx context.Context) error {
	if w.silent != nil {
		w.silent()
	}
	if w.unlook != nil {
		w.unlook()
	}
	var errs []error
	for _, g := range w.groups {
		errs = append(errs, g.Leave(ctx))
	}
	var wg sync.WaitGroup
	for _, q := range w.queues {
		wg.Go(func() { q.Stop(ctx) })
	}
	wg.Wait()
	for _, g := range w.groups {
		errs = append(errs, g.Stop(ctx))
	}
	return errors.Join(errs...)
}

// claimNames makes each wire name belong to one package in the hub: short names that silently reach the wrong code are
// a known disaster. A name given in the directive states intent and moves the claim.
func claimNames(ctx context.Context, meta backend.Meta, r *Registry) error {
	var errs []error
	for name, l := range r.orchestrators {
		o := l.newest()
		errs = append(errs, claimName(ctx, meta, "orchestrator", name, o.Source, o.Pinned))
	}
	for name, b := range r.activities {
		errs = append(errs, claimName(ctx, meta, "activity", name, b.activity.Source, b.activity.Pinned))
	}
	return errors.Join(errs...)
}

func nameKey(kind, name string) string { return "name." + kind + "." + history.EncodeID(name) }

// samePackage lets functions of one package have a name in turns: builds with another newest version of an orchestrator, or
// with a function renamed or made a method, run side by side. In one build the generator sees to it that each name is one's.
func samePackage(had, source string) bool {
	return had == source || packageOf(had) != "" && packageOf(had) == packageOf(source)
}

// packageOf gives the import path of a function or method, up to the first dot of its last element.
func packageOf(source string) string {
	last := strings.LastIndexByte(source, '/') + 1
	name, _, found := strings.Cut(source[last:], ".")
	if !found {
		return ""
	}
	return source[:last] + name
}

func claimName(ctx context.Context, meta backend.Meta, kind, name, source string, pinned bool) error {
	key := nameKey(kind, name)
	for {
		had, rev, err := meta.Get(ctx, key)
		switch {
		case err != nil && !errors.Is(err, backend.ErrNotFound):
			return fmt.Errorf("claim the name %q: %w", name, err)
		case err == nil && samePackage(string(had), source):
			return nil
		case err == nil && !pinned:
			return fmt.Errorf("the %s name %q belongs to %s in this hub, not to %s: give one of them another with name=, or write name=%s here if the code has moved", kind, name, had, source, name)
		}
		if _, err = meta.Put(ctx, key, []byte(source), rev); !errors.Is(err, backend.ErrConflict) {
			if err != nil {
				return fmt.Errorf("claim the name %q: %w", name, err)
			}
			return nil
		}
	}
}
