// Package activity runs the tasks of activities: deliveries become calls of a handler, results become Done records,
// failures become schedules of the next attempt. A task is acknowledged after its outcome is stored.
package activity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Config says how one activity is run by one worker. Backend, Name, Run and Policy's Timeout and Attempts are required.
type Config struct {
	Backend     backend.Backend
	Name        string // wire name of the queue, possibly an alias of the activity
	Activity    string // the activity's own wire name
	Run         func(ctx context.Context, call Call) (history.Payload, *Failure)
	Policy      history.Policy // what the activity was registered with; the zero fields of a call's own policy
	Slots       int            // executions at once in this worker
	Concurrency int            // executions at once in the whole hub; 0: the backend's default
	Poison      int            // deliveries of one task before it fails for good; each but the last ended without an answer
	Logger      *slog.Logger
	Hooks       observe.Hooks // told of what happens
}

// Call is one execution of an activity.
type Call struct {
	From history.Address
	*history.Task
}

// Key is equal on every attempt and delivery of the same call, and different for every other.
func (c Call) Key() string { return c.From.Group + "/" + c.From.ID + "/" + c.Ref.String() }

// Failure is what went wrong, and whether another attempt may mend it.
type Failure struct {
	history.Failure
	Final bool
	Later bool // no failure: somebody outside completes the call, see Attempt.Later
}

const (
	progressEvery = time.Second
	grace         = 500 * time.Millisecond // for a handler to return after its context has ended
	firstRetry    = 200 * time.Millisecond
	lastRetry     = 10 * time.Second
	passFor       = 10 * time.Second // until a task that this worker cannot decode comes again, to whichever worker
)

// Queue runs the tasks of one activity.
type Queue struct {
	cfg   Config
	queue backend.TaskQueue
	ctx   context.Context
	stop  context.CancelCauseFunc

	silence func()        // ends the subscription to aborts
	next    chan *running // to a goroutine that has run one before; closed by Leave

	mu      sync.Mutex
	running map[*running]struct{}
	locals  int                 // of them, those without a task whose function has not returned
	resting map[*local]struct{} // between two attempts
	ticking bool
	closed  bool
	idle    sync.WaitGroup // executions and stores under way
}

// running is a task in a slot.
type running struct {
	d       backend.TaskDelivery
	policy  history.Policy
	own     Attempt
	attempt atomic.Pointer[Attempt] // own, nil until its handler runs
	ends    time.Time               // when its attempt has had its time, and some more
	decided atomic.Bool             // its outcome is being stored; what comes later is dropped
	pause   time.Duration           // how long its slot stays empty after it

	local  *local // it has no task: the owner asked for it
	placed bool   // it is one of the queue's locals
	seq    uint64 // of what it has stored, if it is local
	stored history.Record

	watched func(lastErr string)
}

// ErrStopped is the cause of an activity's context that ends because its worker stops.
var ErrStopped = errors.New("activity: the worker stops")

// Start begins to take tasks.
func Start(ctx context.Context, cfg Config) (*Queue, error) {
	q := &Queue{cfg: cfg, running: map[*running]struct{}{}, resting: map[*local]struct{}{}, next: make(chan *running)}
	q.ctx, q.stop = context.WithCancelCause(context.Background())
	if err := cfg.Backend.EnsureActivity(ctx, backend.Activity{Name: cfg.Name, Concurrency: cfg.Concurrency}); err != nil {
		return nil, fmt.Errorf("activity %q: %w", cfg.Name, err)
	}
	silence, err := cfg.Backend.Listen(backend.AbortTopic(cfg.Name), q.abort)
	if err != nil {
		return nil, fmt.Errorf("activity %q: %w", cfg.Name, err)
	}
	queue, err := cfg.Backend.Tasks(cfg.Name, q.deliver)
	if err != nil {
		silence()
		return nil, fmt.Errorf("activity %q: %w", cfg.Name, err)
	}
	q.silence = silence
	q.mu.Lock()
	q.queue = queue
	q.mu.Unlock()
	queue.Grant(cfg.Slots)
	return q, nil
}

// Stop takes no more tasks, which may take a moment, and waits for those that run. When ctx ends first, their contexts are
// cancelled; a task whose outcome is not stored is delivered to another worker. It does not wait for handlers that ignore their
// context, nor for a store that does not answer.
func (q *Queue) Stop(ctx context.Context) {
	q.queue.Stop(ctx)
	q.Leave()
	done := make(chan struct{})
	go func() {
		q.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		q.stop(ErrStopped)
		q.abandon(done)
	}
	q.stop(ErrStopped)
	q.silence()
}

// Leave takes no more tasks. Those that run are left to themselves.
func (q *Queue) Leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.next)
	}
	for c := range q.resting {
		c.wake()
	}
}

// abandon gives back what does not end soon after its context has.
func (q *Queue) abandon(done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-time.After(grace): // not the backend's clock: it may be closed
	}
	q.mu.Lock()
	var left []*running
	for r := range q.running {
		left = append(left, r)
	}
	q.mu.Unlock()
	for _, r := range left {
		if q.decide(r, verdict{outcome: observe.Returned}) {
			q.conclude(r, true, func() { q.release(r, false) })
		}
	}
}

// deliver takes a task; there is a slot for it, since only as many are granted as there are.
func (q *Queue) deliver(d backend.TaskDelivery) {
	if !q.admit(&running{d: d}) {
		d.Nak()
	}
}

// admit has a task run, unless the queue is closed, or the task is a local one too many.
func (q *Queue) admit(r *running) bool {
	r.policy = Merge(r.d.Task.Policy, q.cfg.Policy)
	now := q.cfg.Backend.Clock().Now()
	r.own.q, r.own.r, r.own.began, r.own.start = q, r, now, time.Now()
	limit, _ := r.limit(now)
	r.ends = now.Add(limit + grace)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || r.local != nil && q.locals >= q.cfg.Slots {
		return false
	}
	if r.local != nil {
		q.locals++
		r.placed = true
		r.local.now = r
	}
	q.idle.Add(1)
	q.running[r] = struct{}{}
	q.tick()
	if w, ok := q.cfg.Backend.(backend.Watched); ok && r.local != nil {
		q.cfg.Backend.Clock().After(0, func() {
			r.watched = w.Began(r.d)
			go q.work(r)
		})
		return true
	}
	if r.local != nil && q.cfg.Backend.Info().Trails {
		q.cfg.Backend.Settle(func(err error) { q.settledLocal(r, err) })
		return true
	}
	select {
	case q.next <- r:
	default:
		go q.work(r)
	}
	return true
}

// work runs tasks, one after the other, until it is sent home: a goroutine whose stack has grown once is worth keeping.
func (q *Queue) work(r *running) {
	for r != nil {
		q.run(r)
		r = <-q.next
	}
}

// rest sends the goroutines home that wait for a task. Lock held.
func (q *Queue) rest() {
	for !q.closed {
		select {
		case q.next <- nil:
		default:
			return
		}
	}
}

// run executes a task and stores what came of it.
func (q *Queue) run(r *running) {
	d := r.d
	defer r.own.expire()
	if d.Err == nil {
		d.Err = backend.Unreadable(d.Task)
	}
	if errors.Is(d.Err, backend.ErrCodec) {
		q.pass(r, d.Err)
		return
	}
	if d.Err != nil {
		// Nobody will ever be able to read it, and it does not say which slot waits for it; the log keeps it for people.
		q.cfg.Logger.Error("durable: task dropped, it cannot be decoded", observe.KeyActivity, q.cfg.Name, observe.KeyInstance, d.From.ID, "sequence", d.Seq, observe.KeyError, d.Err)
		q.release(r, true)
		return
	}
	if due := d.Task.NotBefore; !due.IsZero() && q.cfg.Backend.Clock().Now().Before(due) {
		again := *d.Task
		again.NotBefore = time.Time{}
		q.store(r, &history.Timer{Ref: again.Ref, Due: due, Task: &again}, verdict{})
		return
	}
	if failure := q.stillborn(r); failure != nil {
		q.fail(r, failure)
		return
	}
	a := q.begin(r)
	defer a.leave()
	result, failure := q.cfg.Run(a, Call{From: d.From, Task: d.Task})
	switch {
	case failure != nil && a.aborted():
		q.drop(r)
	case failure == nil:
		q.store(r, r.done(result, nil), verdict{outcome: observe.Succeeded})
	case failure.Later:
		q.putOff(r, failure)
	default:
		a.judge(failure)
		q.fail(r, failure)
	}
}

// fail stores a failure, or the schedule of the next attempt.
func (q *Queue) fail(r *running, f *Failure) {
	if q.ctx.Err() != nil && !f.Final { // stopped by this worker: somebody else's attempt, not a failure
		if q.decide(r, verdict{outcome: observe.Returned}) {
			q.conclude(r, true, func() { q.release(r, false) })
		}
		return
	}
	if due, ok := r.again(f, q.cfg.Backend.Clock().Now()); ok {
		next, v := r.next(due, f.Message), verdict{observe.Retried, f.Kind}
		if r.local != nil {
			r.local.retry(r, next, v)
			return
		}
		q.store(r, next, v)
		return
	}
	if f.Failure.Final = f.Final; f.Kind != "" && f.LastErr == "" {
		f.LastErr = r.d.Task.LastErr
	}
	q.store(r, r.done(nil, &f.Failure), verdict{observe.Failed, f.Kind})
}

func (r *running) done(result history.Payload, f *history.Failure) history.Record {
	t := r.d.Task
	d := &history.Done{Ref: t.Ref, Name: t.Name, Hash: history.ArgsHash(t.Args), Attempt: t.Attempt, Result: result, Failure: f}
	if r.local != nil {
		d.Local, d.Site = true, t.Site
	}
	return d
}

// pass schedules a task again, sealed as it is, that another worker may be able to decode. It is not given back: the
// store would count that as a delivery, and the next worker might take it for one that kills its workers. Its slot stays
// empty meanwhile, so that a worker without the key does not take everything from those who have it.
func (q *Queue) pass(r *running, err error) {
	q.cfg.Logger.Error("durable: task left to other workers, this one cannot decode it", observe.KeyActivity, q.cfg.Name, observe.KeyInstance, r.d.From.ID, observe.KeyAttempt, r.d.Task.Attempt, observe.KeyError, err)
	r.pause = passFor
	again := *r.d.Task
	again.LastErr = err.Error()
	if r.policy.Deadline > 0 {
		again.Since = r.since()
	}
	q.store(r, &history.Timer{Ref: again.Ref, Due: q.cfg.Backend.Clock().Now().Add(passFor), Task: &again}, verdict{})
}

// store writes the first outcome of a task and then acknowledges it.
func (q *Queue) store(r *running, rec history.Record, v verdict) {
	if q.decide(r, v) {
		if r.local != nil {
			q.vacate(r)
		}
		q.conclude(r, rec.Kind() != history.KindDone, func() { q.put(r, rec, firstRetry) })
	}
}

func (q *Queue) put(r *running, rec history.Record, wait time.Duration) {
	q.cfg.Backend.Append(backend.Append{To: r.d.From, Record: rec}, func(seq uint64, err error) {
		if err == nil {
			r.seq, r.stored = seq, rec
		}
		switch {
		case err == nil && rec.Kind() == history.KindDone:
			q.settled(r)
		case err == nil:
			q.release(r, true)
		case errors.Is(err, backend.ErrClosed):
			q.release(r, false)
		case errors.Is(err, backend.ErrTooLarge):
			t, what := r.d.Task, "its result is"
			if rec.Kind() == history.KindTask {
				what = "its arguments, which have to be stored for its next attempt, are"
			}
			q.put(r, r.done(nil, &history.Failure{
				Kind: history.FailTooLarge, Name: t.Name, Attempt: t.Attempt,
				Message: fmt.Sprintf("activity %s: %s larger than %d bytes", t.Name, what, q.cfg.Backend.Info().MaxPayload),
			}), wait)
		case errors.Is(err, backend.ErrPermission) && q.stopped():
			q.release(r, false) // the next worker may be allowed to
		default:
			q.cfg.Logger.Warn("durable: the outcome of an activity is not stored yet, will be tried again", observe.KeyActivity, q.cfg.Name, observe.KeyInstance, r.d.From.ID, observe.KeyAttempt, r.d.Task.Attempt, observe.KeyError, err)
			q.cfg.Backend.Clock().After(wait, func() { q.put(r, rec, min(2*wait, lastRetry)) })
		}
	})
}

func (q *Queue) stopped() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// release ends a task and lets the next one come. A handler that ignores its context may still run beside it; it is one
// goroutine too many, which is better than a slot lost for ever.
func (q *Queue) release(r *running, ack bool) {
	q.mu.Lock()
	delete(q.running, r)
	closed := q.closed
	q.mu.Unlock()
	if r.local != nil {
		q.vacate(r)
		r.ended("")
		r.local.done(r.seq, r.stored)
		q.idle.Done()
		return
	}
	if ack {
		r.d.Ack()
	} else {
		r.d.Nak()
	}
	switch {
	case closed:
	case r.pause > 0:
		q.cfg.Backend.Clock().After(r.pause, func() {
			if !q.stopped() {
				q.queue.Grant(1)
			}
		})
	default:
		q.queue.Grant(1)
	}
	q.idle.Done()
}

// tick tells the store once a second that what runs is still running, and ends what has run too long.
func (q *Queue) tick() {
	if q.ticking || len(q.running) == 0 {
		return
	}
	q.ticking = true
	q.cfg.Backend.Clock().After(progressEvery, func() {
		q.mu.Lock()
		q.ticking = false
		now := q.cfg.Backend.Clock().Now()
		var late []*running
		for r := range q.running {
			if now.After(r.ends) && !r.decided.Load() {
				late = append(late, r)
			} else {
				r.d.Progress()
			}
		}
		if q.tick(); !q.ticking {
			q.rest()
		}
		q.mu.Unlock()
		for _, r := range late {
			q.overdue(r)
		}
	})
}
