package durable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// wait turns an asynchronous call of the backend into a blocking one.
func wait[T any](ctx context.Context, call func(done func(T, error))) (T, error) {
	type answer struct {
		v   T
		err error
	}
	ch := make(chan answer, 1)
	call(func(v T, err error) { ch <- answer{v, err} })
	select {
	case a := <-ch:
		return a.v, a.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

func (c *Client) put(ctx context.Context, a backend.Append) error {
	_, err := wait(ctx, func(done func(uint64, error)) { c.be.Append(a, done) })
	return stored(err)
}

// stored tells what a hub refuses to store in the words of this package.
func stored(err error) error {
	if errors.Is(err, backend.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return err
}

func (c *Client) putState(ctx context.Context, s backend.State, rev uint64) (uint64, error) {
	rev, err := wait(ctx, func(done func(uint64, error)) { c.be.PutState(s, rev, done) })
	return rev, stored(err)
}

// errPurged is an ErrNotFound of an instance that there was: nobody need ask the log, which may still show it.
var errPurged = fmt.Errorf("%w: it was purged", ErrNotFound)

// state reads the projection; ErrNotFound is the package's own. A purged instance has the revision of its deletion.
func (c *Client) state(ctx context.Context, id string) (backend.State, uint64, error) {
	type found struct {
		s   backend.State
		rev uint64
	}
	f, err := wait(ctx, func(done func(found, error)) {
		c.be.GetState(id, func(s backend.State, rev uint64, err error) { done(found{s, rev}, err) })
	})
	if errors.Is(err, backend.ErrNotFound) && f.rev > 0 {
		err = errPurged
	}
	return f.s, f.rev, notFound(err)
}

// young reads an instance that is not projected, because it is too young for it. ErrNotFound when there is none, also
// when it has ended and expired and the log shows it still.
func (c *Client) young(ctx context.Context, id string) (backend.Known, history.Address, error) {
	to, err := c.find(ctx, id)
	if err != nil {
		return backend.Known{}, to, err
	}
	k, err := c.load(ctx, to)
	if err == nil && c.be.Info().Retention.Forgotten(k, c.be.Clock().Now()) {
		err = ErrNotFound
	}
	if errors.Is(err, ErrNotFound) {
		c.disown(id)
	}
	return k, to, err
}

// exists finds an instance that is not projected, as young does, without its history where that can be: who sends many events
// before the first projection, or while no worker runs, would read all that he has sent with each of them.
func (c *Client) exists(ctx context.Context, id string) (history.Address, error) {
	if to, ok := c.lately(id); ok {
		return to, nil
	}
	to, err := c.find(ctx, id)
	if err != nil {
		return to, err
	}
	undecided, err := wait(ctx, func(done func(bool, error)) { backend.Undecided(c.be, to, done) })
	if err == nil && !undecided {
		if _, to, err = c.young(ctx, id); err == nil {
			c.saw(to)
		}
	}
	return to, err
}

// saw remembers, for as long as a waiter believes what it has read, that an instance is there.
func (c *Client) saw(to history.Address) {
	now := c.be.Clock().Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) >= startedCacheSize {
		clear(c.seen)
	}
	c.seen[to.ID] = sighting{to, now}
}

// lately gives where an instance was seen a moment ago.
func (c *Client) lately(id string) (to history.Address, ok bool) {
	now := c.be.Clock().Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.seen[id]
	if ok && now.Sub(s.at) > truthEvery {
		delete(c.seen, id)
		ok = false
	}
	return s.to, ok
}

// find gives the address of an instance that is not projected: this client has started it, or the log knows it.
func (c *Client) find(ctx context.Context, id string) (history.Address, error) {
	to := history.Address{Group: c.groupOf(id), ID: id}
	if to.Group != "" {
		return to, nil
	}
	var err error
	to.Group, err = wait(ctx, func(done func(string, error)) { c.be.Group(id, done) })
	return to, notFound(err)
}

// load reads what log and archive hold of the newest run that has not left the log; ErrNotFound when there is none.
func (c *Client) load(ctx context.Context, of history.Address) (backend.Known, error) {
	k, err := wait(ctx, func(done func(backend.Known, error)) { backend.Read(c.be, of, 0, done) })
	if err == nil && k.Start == nil {
		err = ErrNotFound
	}
	return k, err
}

// archive reads the archive entry of an instance; ErrNotFound when there is none.
func (c *Client) archive(ctx context.Context, of history.Address) (backend.Archive, uint64, error) {
	type found struct {
		a   backend.Archive
		seq uint64
	}
	f, err := wait(ctx, func(done func(found, error)) {
		c.be.GetArchive(of, func(a backend.Archive, seq uint64, err error) { done(found{a, seq}, err) })
	})
	return f.a, f.seq, notFound(err)
}

// ended reads the history of a run that is projected as ended; it is empty when it is not kept any more. ErrNotFound when
// its purge has begun.
func (c *Client) ended(ctx context.Context, s backend.State) (backend.Archive, error) {
	a, _, err := c.archive(ctx, s.Address)
	switch {
	case errors.Is(err, ErrNotFound):
		return a, nil
	case err == nil && a.Purged && a.Run >= s.Run:
		return a, errPurged
	}
	return a, err
}

func notFound(err error) error {
	if errors.Is(err, backend.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

func (c *Client) remember(a history.Address, run uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.started) >= startedCacheSize {
		clear(c.started)
	}
	c.started[a.ID] = started{group: a.Group, run: run}
}

func (c *Client) disown(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.started, id)
}

func (c *Client) groupOf(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started[id].group
}

// hear passes a hint on to who waits for it.
func (c *Client) hear(data []byte) {
	o, err := owner.ParseOutcome(data)
	if err != nil {
		return // it may as well have got lost
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ours := c.started[o.ID]; ours {
		if o.Run < s.run {
			return // of a run that was replaced
		}
		s.ended = true
		c.started[o.ID] = s
	}
	for _, ch := range c.waiters[o.ID] {
		select {
		case ch <- o:
		default: // it has one already
		}
	}
}

// settledState reads the projection. Who has been told of an end must not find the instance running afterwards: the
// projection follows the hint within milliseconds.
func (c *Client) settledState(ctx context.Context, id string) (s backend.State, err error) {
	for range truthEvery / soon {
		s, _, err = c.state(ctx, id)
		if err == nil && s.Status.Final() && s.Run >= c.runOf(id) || err != nil && !errors.Is(err, ErrNotFound) || errors.Is(err, errPurged) || !c.told(id) {
			return s, err
		}
		if err := c.rest(ctx, soon); err != nil {
			return s, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ours := c.started[id]; ours { // somebody else has started it again
		known.ended = false
		c.started[id] = known
	}
	return s, err
}

// runOf gives the run that this client has started, 0 when it has not.
func (c *Client) runOf(id string) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started[id].run
}

// told reports whether this client has started an instance and been told of its end.
func (c *Client) told(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started[id].ended
}

// outcome waits for the end of an instance. Hints make it fast, asking makes it sure.
func (c *Client) outcome(ctx context.Context, id string) (o owner.Outcome, err error) {
	err = c.around(ctx, &Operation{Verb: "wait", Instance: id}, func(ctx context.Context) (err error) {
		o, err = c.outcomeNow(ctx, id)
		return err
	})
	return o, err
}

func (c *Client) outcomeNow(ctx context.Context, id string) (owner.Outcome, error) {
	if err := history.CheckID(id); err != nil {
		return owner.Outcome{}, err
	}
	hints := make(chan owner.Outcome, 1)
	c.mu.Lock()
	s, ours := c.started[id]
	ours = ours && !s.rewound // the end is told to who started it first
	c.waiters[id] = append(c.waiters[id], hints)
	c.mu.Unlock()
	defer c.forget(id, hints)
	if !ours {
		stop, err := c.be.Listen(owner.HintTopic(id), c.hear)
		if err != nil {
			return owner.Outcome{}, err
		}
		defer stop()
	}
	// The end of an instance started here is told to this client: nothing to ask while it has not been. Any other may
	// have ended just before this client listened.
	ask, pause := !ours || s.ended, truthEvery
	if ask {
		pause = soon
	}
	for {
		if ask {
			if o, ended, err := c.truth(ctx, id); err != nil || ended {
				return o, err
			}
		}
		o, told, err := hint(ctx, c, pause, hints)
		switch {
		case err != nil:
			return owner.Outcome{}, err
		case told && o.Status != "":
			return o, nil
		case told:
			ask, pause = true, soon
		default:
			ask, pause = true, min(2*pause, truthEvery)
		}
	}
}

// hint waits for a hint for d, and reports whether one came.
func hint[T any](ctx context.Context, c *Client, d time.Duration, hints <-chan T) (o T, told bool, err error) {
	if s, ok := c.be.(backend.Simulated); ok {
		var ready func() bool
		if hints != nil {
			ready = func() bool { return len(hints) > 0 }
		}
		if err := s.WaitFor(ctx, d, ready); err != nil {
			return o, false, err
		}
		select {
		case o = <-hints:
			return o, true, nil
		default:
			return o, false, nil
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case o = <-hints:
		return o, true, nil
	case <-timer.C:
		return o, false, nil
	case <-ctx.Done():
		return o, false, ctx.Err()
	}
}

// rest waits for d.
func (c *Client) rest(ctx context.Context, d time.Duration) error {
	_, _, err := hint[struct{}](ctx, c, d, nil)
	return err
}

func (c *Client) forget(id string, hints chan owner.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := slices.DeleteFunc(c.waiters[id], func(ch chan owner.Outcome) bool { return ch == hints })
	if len(rest) == 0 {
		delete(c.waiters, id)
		return
	}
	c.waiters[id] = rest
}

// truth asks whether an instance has ended. The projection says so only after the archive has its result.
func (c *Client) truth(ctx context.Context, id string) (owner.Outcome, bool, error) {
	s, _, err := c.state(ctx, id)
	if errors.Is(err, ErrNotFound) && !errors.Is(err, errPurged) {
		_, err := c.exists(ctx, id)
		return owner.Outcome{}, false, err
	}
	if err != nil {
		return owner.Outcome{}, false, err
	}
	c.finishClaim(ctx, s)
	if !s.Status.Final() || s.Run < c.runOf(id) {
		return owner.Outcome{}, false, nil
	}
	a, err := c.ended(ctx, s)
	if err == nil && len(a.Messages) == 0 {
		err = fmt.Errorf("its result: %w", ErrNotFound)
	}
	if err != nil {
		return owner.Outcome{}, false, err
	}
	if err := a.Unreadable(); err != nil {
		return owner.Outcome{}, false, fmt.Errorf("its result: %w", err)
	}
	o := owner.Outcome{ID: id, Run: s.Run, Status: s.Status}
	if n := len(a.Messages); n > 0 {
		if t, ok := a.Messages[n-1].Record.(*history.Turn); ok && t.End != nil {
			o.Result, o.Failure = t.End.Result, t.End.Failure
		}
	}
	return o, true, nil
}

// Handle is a typed reference to an instance. The zero Handle refers to nothing: its methods return ErrNotFound.
type Handle[R any] struct {
	client *Client
	group  string
	id     string
}

var errZeroHandle = fmt.Errorf("durable: %w: the Handle refers to no instance", ErrNotFound)

// ID is the instance's id.
func (h Handle[R]) ID() string { return h.id }

// Wait waits for the end and gives the result: an [*OrchestrationError] when the instance failed, or was terminated or
// canceled (errors.Is tells by ErrTerminated and ErrCanceled), ErrNotFound when there is no such instance, or the error of ctx.
func (h Handle[R]) Wait(ctx context.Context) (R, error) {
	var zero R
	if h.client == nil {
		return zero, errZeroHandle
	}
	o, err := h.client.outcome(ctx, h.id)
	if err != nil {
		return zero, fmt.Errorf("durable: wait for %q: %w", h.id, err)
	}
	if o.Failure != nil {
		return zero, orchestrationError(o.Failure, nil)
	}
	return decode[R](o.Result)
}

// Status tells what the hub knows of the instance. ErrNotFound.
func (h Handle[R]) Status(ctx context.Context) (Instance, error) {
	if h.client == nil {
		return Instance{}, errZeroHandle
	}
	return h.client.Get(ctx, h.id)
}

// Terminate ends the instance, see [Client.Terminate].
func (h Handle[R]) Terminate(ctx context.Context, reason string, opts ...TerminateOption) error {
	if h.client == nil {
		return errZeroHandle
	}
	return h.client.Terminate(ctx, h.id, reason, opts...)
}

// Cancel asks the instance to end by itself, see [Client.Cancel].
func (h Handle[R]) Cancel(ctx context.Context, reason string) error {
	if h.client == nil {
		return errZeroHandle
	}
	return h.client.Cancel(ctx, h.id, reason)
}
