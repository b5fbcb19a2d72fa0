package durabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/membackend"
)

// ErrStuck is the error of waiting for something that cannot happen any more: nothing is due, nothing runs, and whoever
// waits, waits for an event that nobody raises, or cannot run because its code is missing. The text says who waits for what.
var ErrStuck = errors.New("durabletest: nothing can happen any more")

// ErrEndless is the error of waiting for something that a great many steps did not bring about.
var ErrEndless = errors.New("durabletest: no end in sight")

const (
	mostSteps = 2_000_000              // of one wait
	mostLive  = 10                     // instances that an error names
	wakeful   = 10 * time.Second       // how long chores keep their hours after a worker has started
	takeover  = 100 * time.Millisecond // more than a worker's first look at who else is there
)

// world is the hub and its clock. One goroutine drives it, the test's, by waiting for something. What activities do
// happens on goroutines of their own, but never beside the driver or each other: the driver rests until each of them has
// ended or waits for something itself. So the order of everything follows from the order of the hub's events.
type world struct {
	m     *membackend.Memory
	look  *membackend.View // of nobody: for alarms, and to see how instances are
	begin time.Time
	start func() error // starts or replaces the worker if that is needed

	mu      sync.Mutex
	moved   sync.Cond // an activity has ended, begun to wait, or goes on
	driving bool
	running int       // activities whose function has not returned, or whose outcome is not on its way to the store
	waiting []*waiter // activities that wait for something of the world, in the order they began to
	chores  []chore
	awake   time.Time // until then chores keep their hours
	due     []func()  // of Env.At, to be called by the driver
	broken  error     // the test has failed: nothing goes on
	closed  bool
	left    bool // an activity was not waited for
}

// waiter is an activity that waits.
type waiter struct {
	ctx   context.Context
	ready func() bool
	err   error
	woken chan struct{}
}

// chore recurs for ever, and is no reason for time to pass.
type chore struct {
	at time.Time
	fn func()
}

// goal says how far to drive. The zero goal is without an end.
type goal struct {
	end  time.Time // stop here, with the clock at this time
	poll time.Time // stop after the first step that reaches this time
}

func (w *world) now() time.Time { return latest(w.begin, w.m.Now()) }

// drive lets time pass until ready reports true or the goal is reached. An activity that calls it stands by while the
// driver goes on.
func (w *world) drive(ctx context.Context, to goal, ready func() bool) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return backend.ErrClosed
	}
	if w.driving {
		return w.standBy(ctx, to, ready)
	}
	w.driving = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.driving = false
		w.mu.Unlock()
	}()
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.moved.Broadcast()
	})
	defer stop()
	for range mostSteps {
		if err := w.rest(ctx); err != nil {
			return err
		}
		if err := w.start(); err != nil {
			return err
		}
		switch {
		case ready != nil && ready():
			return nil
		case !to.poll.IsZero() && !w.m.Now().Before(to.poll):
			return nil
		case w.wake() || w.call():
		case !w.step(to.end):
			if to.end.IsZero() {
				return w.stuck()
			}
			w.m.RunFor(to.end.Sub(w.m.Now()))
			w.doChores()
			return nil
		}
	}
	return fmt.Errorf("%w after %d steps, %v from the beginning: for orchestrations without end, use Env.Advance and look what has happened%s",
		ErrEndless, mostSteps, w.now().Sub(w.begin), w.live())
}

// rest waits until no activity runs code of its own.
func (w *world) rest(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.running > len(w.waiting) && w.broken == nil && ctx.Err() == nil {
		w.moved.Wait()
	}
	w.left = w.running > len(w.waiting)
	if w.broken != nil {
		return w.broken
	}
	return ctx.Err()
}

// step runs the next event, unless it is after end; false if there is none.
func (w *world) step(end time.Time) bool {
	at, ok := w.m.Next()
	if c, early := w.nextChore(); early && (!ok || c.Before(at)) {
		at, ok = c, true
		if !end.IsZero() && at.After(end) {
			return false
		}
		w.m.RunFor(at.Sub(w.m.Now()))
		w.doChores()
		return true
	}
	if !ok || !end.IsZero() && at.After(end) {
		return false
	}
	w.m.Step()
	w.doChores()
	return true
}

// nextChore tells when the next chore is due, while they keep their hours.
func (w *world) nextChore() (at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.chores {
		if c.at.Before(w.awake) && (!ok || c.at.Before(at)) {
			at, ok = c.at, true
		}
	}
	return at, ok
}

func (w *world) addChore(d time.Duration, fn func()) {
	at := w.m.Now().Add(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chores = append(w.chores, chore{at, fn})
}

// doChores does those that are due, each once.
func (w *world) doChores() {
	now := w.m.Now()
	w.mu.Lock()
	var due []chore
	w.chores = slices.DeleteFunc(w.chores, func(c chore) bool {
		if c.at.After(now) {
			return false
		}
		due = append(due, c)
		return true
	})
	w.mu.Unlock()
	slices.SortStableFunc(due, func(a, b chore) int { return a.at.Compare(b.at) })
	for _, c := range due {
		c.fn()
	}
}

// dropChores forgets those of a worker that is no more.
func (w *world) dropChores() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chores = nil
}

// stayAwake lets chores keep their hours for a while: a worker finds its place by them.
func (w *world) stayAwake() {
	until := w.m.Now().Add(wakeful)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awake = until
}

// call calls the next function of Env.At that is due. It may wait for the world in turn, so it runs between two steps.
func (w *world) call() bool {
	w.mu.Lock()
	if len(w.due) == 0 {
		w.mu.Unlock()
		return false
	}
	fn := w.due[0]
	w.due = w.due[1:]
	w.driving = false
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.driving = true
		w.mu.Unlock()
	}()
	fn()
	return true
}

// standBy waits as an activity. It is called with the lock.
func (w *world) standBy(ctx context.Context, to goal, ready func() bool) error {
	if w.broken != nil {
		defer w.mu.Unlock()
		return w.broken
	}
	switch asked := ready; {
	case !to.poll.IsZero():
		ready = func() bool { return asked() || !w.m.Now().Before(to.poll) }
	case !to.end.IsZero():
		ready = w.alarm(to.end.Sub(w.m.Now()))
	}
	me := &waiter{ctx: ctx, ready: ready, woken: make(chan struct{})}
	w.waiting = append(w.waiting, me)
	w.moved.Broadcast()
	w.mu.Unlock()
	<-me.woken // also when ctx ends: the driver sees it, at the same moment in every run
	return me.err
}

// wake lets the first activity go on that has what it waits for.
func (w *world) wake() bool {
	w.mu.Lock()
	all := slices.Clone(w.waiting)
	w.mu.Unlock()
	for _, me := range all {
		if err := me.ctx.Err(); err != nil || me.ready() {
			me.err = err
			w.mu.Lock()
			w.waiting = slices.DeleteFunc(w.waiting, func(o *waiter) bool { return o == me })
			w.mu.Unlock()
			close(me.woken)
			return true
		}
	}
	return false
}

// alarm gives a function that reports whether d has passed. There will be a step at that time.
func (w *world) alarm(d time.Duration) (rung func() bool) {
	over := false
	w.look.Clock().After(d, func() { over = true })
	return func() bool { return over }
}

// release lets all activities go on that wait, because the test is over, and waits for their ends.
func (w *world) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, me := range w.waiting {
		me.err = backend.ErrClosed
		close(me.woken)
	}
	w.waiting = nil
	for w.running > 0 && !w.left {
		w.moved.Wait()
	}
}

// began and ended count the activities that run.
func (w *world) began() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running++
}

func (w *world) ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	w.moved.Broadcast()
}

// fail ends the test: whoever waits is told why.
func (w *world) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.broken = err
		w.moved.Broadcast()
	}
}

// stuck says who waits for what.
func (w *world) stuck() error { return fmt.Errorf("%w%s", ErrStuck, w.live()) }

// live lists the instances that have not ended, one a line.
func (w *world) live() string {
	var b strings.Builder
	n := 0
	err := w.look.ListStates(context.Background(), func(s backend.State) bool {
		if s.Status.Final() {
			return true
		}
		if n++; n <= mostLive {
			fmt.Fprintf(&b, "\n\tinstance %q, %s, is %s and %s", s.ID, s.Name, s.Status, waitsFor(s))
		}
		return true
	})
	if err != nil {
		return ": " + err.Error()
	}
	switch {
	case n == 0:
		return ": no instance is live"
	case n > mostLive:
		fmt.Fprintf(&b, "\n\tand %d more", n-mostLive)
	}
	return ":" + b.String()
}

func waitsFor(s backend.State) string {
	switch {
	case s.Parked != "":
		return "parked: " + s.Parked
	case s.Waiting != "":
		return "waits for " + s.Waiting
	}
	return "waits for nothing"
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
