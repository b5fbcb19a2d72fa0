package durabletest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
)

// Env is a task hub in memory with a worker, in virtual time. Its methods are for the goroutine of the test and for
// activities that it runs.
type Env struct {
	t      testing.TB
	cfg    config
	world  *world
	base   durable.Registry // what RegisterDurable fills
	fakes  []durable.Binding
	code   *durable.Registry                 // what the worker runs: base, and fakes in its place
	around []durable.OrchestratorInterceptor // of the worker
	stale  bool                              // the worker does not have all that is registered
	worker *durable.Worker
	view   *membackend.View // of the worker
	client *durable.Client
	luck   *luck // of Explore; nil otherwise

	next func() // registers the next build; nil: there is none
	due  bool   // it is to take over
	took bool   // it has

	mu    sync.Mutex
	ids   int
	calls []Call
	runs  []*run // under way
	fails []*failing
}

// Option changes an Env.
type Option interface{ apply(*config) }

type config struct {
	seed   uint64
	begin  time.Time
	logger *slog.Logger
	trip   time.Duration // longest way of a message; negative: none
	seeds  int           // of Explore
	vary   bool          // results are not compared
	worker func(durable.WorkerConfig) durable.WorkerConfig
	client func(durable.ClientConfig) durable.ClientConfig
}

// Seed is an [Option] that makes messages take up to a millisecond each way, so that what happens at the same time
// happens in an order that the seed decides. Without it nothing takes time and everything comes in the order in which it
// was caused. [Explore] runs only this seed.
type Seed uint64

func (s Seed) apply(c *config) { c.seed, c.trip = uint64(s), time.Millisecond }

// Begin is an [Option] that sets the virtual time at which the test begins: by default the beginning of 2026, UTC.
func Begin(at time.Time) Option { return beginOption(at) }

type beginOption time.Time

func (o beginOption) apply(c *config) { c.begin = time.Time(o) }

// Logger is an [Option] that shows what orchestrators and the worker log. By default it is dropped.
func Logger(l *slog.Logger) Option { return loggerOption{l} }

type loggerOption struct{ l *slog.Logger }

func (o loggerOption) apply(c *config) { c.logger = o.l }

// Configure is an [Option] that changes how the test's worker and client are configured: to see what hooks and
// interceptors do. Either may be nil. Hooks must not depend on real time.
func Configure(worker func(durable.WorkerConfig) durable.WorkerConfig, client func(durable.ClientConfig) durable.ClientConfig) Option {
	return configureOption{worker, client}
}

type configureOption struct {
	worker func(durable.WorkerConfig) durable.WorkerConfig
	client func(durable.ClientConfig) durable.ClientConfig
}

func (o configureOption) apply(c *config) {
	if o.worker != nil {
		c.worker = o.worker
	}
	if o.client != nil {
		c.client = o.client
	}
}

// New makes a hub and a worker for a test. All of it ends with the test.
func New(t testing.TB, opts ...Option) *Env {
	t.Helper()
	return newEnv(t, newConfig(opts))
}

func newConfig(opts []Option) config {
	cfg := config{
		worker: func(c durable.WorkerConfig) durable.WorkerConfig { return c },
		client: func(c durable.ClientConfig) durable.ClientConfig { return c },
		begin:  time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), trip: -1,
	}
	for _, o := range opts {
		o.apply(&cfg)
	}
	return cfg
}

func newEnv(t testing.TB, cfg config) *Env {
	m := membackend.New(membackend.Config{
		Seed: cfg.seed, Hub: "test", Partitions: 1, Latency: cfg.trip, Late: -1,
		Start: cfg.begin.Add(-takeover), // the worker is there when the test begins
	})
	e := &Env{t: t, cfg: cfg, stale: true, world: &world{m: m, look: m.View("look"), begin: cfg.begin.UTC()}}
	e.world.moved.L = &e.world.mu
	e.world.start = e.start
	e.client = durable.NewClient(clientHub{m.View("client"), e}, cfg.client(durable.ClientConfig{Logger: cfg.logger}))
	t.Cleanup(e.close)
	return e
}

// T is the test. In a scenario of [Explore] it stands for one run of it: a failure is that of the seed.
func (e *Env) T() testing.TB { return e.t }

// Client is a client of the hub. Each call of it lets as much virtual time pass as its answer takes, and the Wait of a
// handle as much as the instance takes; it returns [ErrStuck] when the instance can never end. It may be given to
// activities.
func (e *Env) Client() *durable.Client { return e.client }

// Registry is for RegisterDurable of the packages that the test runs. What [Env.Register] is given comes in place of
// what is registered here.
func (e *Env) Registry() *durable.Registry {
	e.stale = true
	return &e.base
}

// Register adds orchestrators and activities: real functions or fakes, by the Bind of their handles. A later binding of
// a handle comes in place of an earlier one, and of one in [Env.Registry]. When the worker runs already, it is replaced at
// the next moment that time passes, as by a deploy.
func (e *Env) Register(bindings ...durable.Binding) {
	e.t.Helper()
	for _, b := range bindings {
		if err := new(durable.Registry).Add(b); err != nil {
			e.t.Fatal(err)
		}
	}
	e.fakes = append(e.fakes, bindings...)
	e.stale = true
}

// Now is the virtual time.
func (e *Env) Now() time.Time { return e.world.now() }

// Advance lets time pass: all that is due in the next d happens, and the clock is d later then.
func (e *Env) Advance(d time.Duration) {
	e.t.Helper()
	e.check(e.world.drive(context.Background(), goal{end: e.Now().Add(d)}, nil))
}

// After calls fn once when the virtual time has come to d from now, on the test's goroutine, while the test waits for
// something or advances the time: to raise an event, let an activity fail, stop the worker. fn may use the client.
func (e *Env) After(d time.Duration, fn func()) { e.At(e.Now().Add(d), fn) }

// At is [Env.After] for a moment of the virtual time.
func (e *Env) At(at time.Time, fn func()) {
	e.world.look.Clock().After(at.Sub(e.world.m.Now()), func() {
		e.world.mu.Lock()
		defer e.world.mu.Unlock()
		e.world.due = append(e.world.due, fn)
	})
}

// Fail makes the next attempts of an activity fail with err instead of running its function, so many times from now on.
// The name is a wire name or its last part. An error by durable.NonRetryable ends the call at once.
func (e *Env) Fail(activity string, times int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fails = append(e.fails, &failing{activity, times, err})
}

// failing is what Fail has asked for.
type failing struct {
	activity string
	times    int
	err      error
}

// failure is what Fail has asked for the attempt of an activity that begins. Lock held.
func (e *Env) failure(activity string) error {
	for _, f := range e.fails {
		if f.times > 0 && named(activity, f.activity) {
			f.times--
			return f.err
		}
	}
	return nil
}

// Sleep lets an activity take d of virtual time; it returns early, with an error, when ctx ends, as when the instance is
// cancelled, and when the test is over. An attempt that takes longer than its timeout fails, although its function goes on.
func (e *Env) Sleep(ctx context.Context, d time.Duration) error {
	return e.world.drive(ctx, goal{}, e.world.alarm(d))
}

// Crash ends the worker as a power cut does, in the middle of what it does, and starts another one.
func (e *Env) Crash() {
	e.t.Helper()
	e.kill()
	e.stale = true
	e.check(e.world.drive(context.Background(), goal{}, always))
}

func (e *Env) check(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// Run gives the result of an instance that was just started:
//
//	outcome, err := durabletest.Run(JoinOrchestrator.Start(ctx, env.Client(), applicant, rules))
//
// It lets time pass until the instance has ended. The error is that of the start, that of the orchestration, or
// [ErrStuck].
func Run[R any](handle durable.Handle[R], err error) (R, error) {
	if err != nil {
		var zero R
		return zero, err
	}
	return handle.Wait(context.Background())
}

// serves reports whether the worker has an activity.
func (e *Env) serves(activity string) bool { return inside.Serves(e.code, activity) }

// start starts the worker, or replaces it when more has been registered.
func (e *Env) start() error {
	if !e.stale {
		return nil
	}
	e.stale = false
	if e.worker != nil {
		e.kill()
	}
	if e.due {
		if err := e.takeOver(); err != nil {
			e.world.fail(err)
			return err
		}
	}
	e.code = &durable.Registry{}
	inside.Merge(e.code, &e.base)
	for _, b := range e.fakes {
		inside.Override(e.code, b)
	}
	inside.Intercept(e.code, e.seeBegin)
	e.view = e.world.m.View("worker")
	cfg := e.cfg.worker(durable.WorkerConfig{Name: "test", Logger: e.cfg.logger})
	e.around = cfg.Interceptors.Orchestrators
	e.worker = durable.NewWorker(workerHub{e.view, e}, e.code, cfg)
	e.world.stayAwake()
	if err := e.worker.Start(context.Background()); err != nil {
		e.world.fail(err)
		return err
	}
	for e.world.step(e.world.begin) { // it finds its place before the test begins
	}
	e.world.m.RunFor(e.world.begin.Sub(e.world.m.Now()))
	return nil
}

// die is a crash in the middle of what the worker does; the driver finds it dead.
func (e *Env) die() {
	e.view.Kill()
	e.stale = true
}

// kill ends the worker as a crash does.
func (e *Env) kill() {
	e.view.Kill()
	e.world.dropChores()
	inside.Crash(e.worker)
	e.worker = nil
}

func (e *Env) close() {
	e.world.release()
	if e.worker != nil {
		e.kill()
	}
	_ = e.client.Close()
	_ = e.world.m.Close()
}
