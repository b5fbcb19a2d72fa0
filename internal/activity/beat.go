package activity

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

const (
	beatEvery    = time.Second     // details of one task are stored at most this often
	beatPatience = 5 * time.Second // for the store to take them
	beatTries    = 3               // when others write them too
)

// beatKey is where the details of a call are kept.
func beatKey(of history.Address, ref history.Ref) string {
	return backend.DetailsKey + history.EncodeID(of.ID) + "." + ref.String()
}

// kept is the form of the details in the store. Who writes for an older attempt, or an older delivery of it, is a zombie.
type kept struct {
	Attempt  int             `json:"a"`
	Delivery int             `json:"d"`
	Details  history.Payload `json:"v"`
}

func (k kept) newer(than kept) bool {
	return k.Attempt > than.Attempt || k.Attempt == than.Attempt && k.Delivery > than.Delivery
}

// Beat tells that the attempt goes on, and how far it is; nil keeps what was told before. It does not wait for the
// store. The error, once the attempt should end, is the cause.
func (a *Attempt) Beat(details history.Payload) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.beaten = a.q.cfg.Backend.Clock().Now()
		if details != nil {
			a.keep().put(details)
		}
	}
	return a.cause()
}

// watch begins to listen for beats, if the policy wants them.
func (a *Attempt) watch() {
	if a.r.policy.Heartbeat > 0 {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.beaten = a.began
		a.listen(a.r.policy.Heartbeat)
	}
}

// listen looks after a while whether the attempt has beaten. Lock held.
func (a *Attempt) listen(wait time.Duration) {
	clock := a.q.cfg.Backend.Clock()
	a.unwatch = clock.After(wait, func() {
		a.mu.Lock()
		silent := clock.Now().Sub(a.beaten)
		dead := !a.over && silent >= a.r.policy.Heartbeat
		if !a.over && !dead {
			a.listen(a.r.policy.Heartbeat - silent)
		}
		a.mu.Unlock()
		if dead {
			a.cancel(ErrHeartbeat)
			a.q.hasten(a.r)
		}
	})
}

// hasten gives the handler of a task no longer than it needs to return.
func (q *Queue) hasten(r *running) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.ends = q.cfg.Backend.Clock().Now().Add(grace)
}

// fresh reports whether nobody can have stored details of the call before.
func (r *running) fresh() bool {
	return r.d.Task.Attempt <= 1 && r.d.Attempts <= 1 && r.d.Task.LastErr == "" // which a worker that passed it on sets
}

// Details gives what the last attempt that told details told last: one that failed, or one whose worker died.
func (a *Attempt) Details(ctx context.Context) (history.Payload, bool) {
	if a.r.fresh() {
		return nil, false
	}
	a.mu.Lock()
	k := a.keep()
	a.mu.Unlock()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		past, err := k.past(ctx)
		if err == nil {
			return past, past != nil
		}
		a.q.cfg.Logger.Warn("durable: the details of an earlier attempt cannot be read", observe.KeyActivity, a.q.cfg.Name, observe.KeyInstance, a.r.d.From.ID, observe.KeyError, err)
		if errors.Is(err, backend.ErrPermission) || errors.Is(err, backend.ErrClosed) || !k.pause(ctx.Done(), wait) {
			return nil, false
		}
	}
}

// keeper stores the details of one attempt, one write at a time.
type keeper struct {
	a    *Attempt
	key  string
	mine kept // without details
	wake chan struct{}
	over chan struct{} // closed when there will be no more details
	done chan struct{} // closed when run has returned

	mu      sync.Mutex
	runs    bool
	details history.Payload // not stored yet; nil: none

	store sync.Mutex // held during a request
	read  bool       // what was there is known
	had   history.Payload
	rev   uint64
	lost  bool // a later attempt writes
}

// keep gives the keeper. Lock held.
func (a *Attempt) keep() *keeper {
	if a.keeper != nil {
		return a.keeper
	}
	a.keeper = &keeper{
		a: a, key: beatKey(a.r.d.From, a.r.d.Task.Ref), mine: kept{Attempt: a.r.d.Task.Attempt, Delivery: a.r.d.Attempts},
		wake: make(chan struct{}, 1), over: make(chan struct{}), done: make(chan struct{}), read: a.r.fresh(),
	}
	return a.keeper
}

func (k *keeper) put(details history.Payload) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.details = details
	if !k.runs {
		k.runs = true
		go k.run()
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// take gives what is to be stored next.
func (k *keeper) take() history.Payload {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.details
	k.details = nil
	return d
}

// untake gives back what could not be stored, unless there is something newer.
func (k *keeper) untake(d history.Payload) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.details == nil {
		k.details = d
	}
}

// run stores details as they come, until finish.
func (k *keeper) run() {
	defer close(k.done)
	for {
		select {
		case <-k.wake:
			k.write()
			if k.pause(k.over, beatEvery) {
				continue
			}
		case <-k.over:
		}
		k.write()
		return
	}
}

// finish ends run, and waits for it. again says that somebody may want the details.
func (k *keeper) finish(again bool) {
	if !again {
		k.take()
	}
	close(k.over)
	k.mu.Lock()
	runs := k.runs
	k.mu.Unlock()
	if runs {
		<-k.done
	}
}

// pause waits for d, and reports whether end did not come first.
func (k *keeper) pause(end <-chan struct{}, d time.Duration) bool {
	passed := make(chan struct{})
	stop := k.a.q.cfg.Backend.Clock().After(d, func() { close(passed) })
	defer stop()
	select {
	case <-passed:
		return true
	case <-end:
		return false
	}
}

func (k *keeper) write() {
	details := k.take()
	if details == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), beatPatience)
	defer cancel()
	k.store.Lock()
	err := k.save(ctx, details)
	k.store.Unlock()
	if err != nil {
		k.untake(details)
		k.a.q.cfg.Logger.Warn("durable: the details of a heartbeat are not stored", observe.KeyActivity, k.a.q.cfg.Name, observe.KeyInstance, k.a.r.d.From.ID, observe.KeyError, err)
	}
}

// save writes over what this attempt or an earlier one has written. store is held.
func (k *keeper) save(ctx context.Context, details history.Payload) error {
	mine := k.mine
	mine.Details = details
	value, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	if !k.read { // Details must not find what is about to be written
		if err := k.load(ctx); err != nil {
			return err
		}
	}
	meta := k.a.q.cfg.Backend.Meta()
	for range beatTries {
		if k.lost {
			return nil
		}
		var rev uint64
		if rev, err = meta.Put(ctx, k.key, value, k.rev); err == nil {
			k.rev = rev
			return nil
		}
		if !errors.Is(err, backend.ErrConflict) {
			return err
		}
		if _, err := k.look(ctx); err != nil {
			return err
		}
	}
	return err
}

// past gives what an earlier attempt has stored.
func (k *keeper) past(ctx context.Context) (history.Payload, error) {
	k.store.Lock()
	defer k.store.Unlock()
	if !k.read {
		if err := k.load(ctx); err != nil {
			return nil, err
		}
	}
	return k.had, nil
}

func (k *keeper) load(ctx context.Context) (err error) {
	if k.had, err = k.look(ctx); err == nil {
		k.read = true
	}
	return err
}

// look reads what is stored now, and whether it is of a later attempt.
func (k *keeper) look(ctx context.Context) (history.Payload, error) {
	value, rev, err := k.a.q.cfg.Backend.Meta().Get(ctx, k.key)
	if errors.Is(err, backend.ErrNotFound) {
		k.rev = 0
		return nil, nil
	}
	sealed := errors.Is(err, backend.ErrCodec)
	if err != nil && !sealed {
		return nil, err
	}
	k.rev = rev
	var there kept
	if sealed || json.Unmarshal(value, &there) != nil {
		return nil, nil // nobody can read it: it is written over
	}
	k.lost = there.newer(k.mine)
	return there.Details, nil
}

// Forget removes the details of a call that has its outcome.
func Forget(ctx context.Context, meta backend.Meta, of history.Address, ref history.Ref) error {
	key := beatKey(of, ref)
	var err error
	for range beatTries {
		var rev uint64
		if _, rev, err = meta.Get(ctx, key); err == nil || errors.Is(err, backend.ErrCodec) {
			err = meta.Delete(ctx, key, rev)
		}
		if !errors.Is(err, backend.ErrConflict) {
			break
		}
	}
	if errors.Is(err, backend.ErrNotFound) {
		return nil
	}
	return err
}

// forget removes the details of a task that has its outcome, if there can be any. What stays after a crash, or when the
// store refuses, is a few bytes.
func (q *Queue) forget(r *running) {
	beat := false
	if a := r.attempt.Load(); a != nil {
		a.mu.Lock()
		beat = a.keeper != nil
		a.mu.Unlock()
	}
	if r.fresh() && !beat {
		return
	}
	q.idle.Add(1) // the task's own is not done yet
	go func() {
		defer q.idle.Done()
		ctx, cancel := context.WithTimeout(context.Background(), beatPatience)
		defer cancel()
		if err := Forget(ctx, q.cfg.Backend.Meta(), r.d.From, r.d.Task.Ref); err != nil {
			q.cfg.Logger.Warn("durable: the details of a heartbeat are left behind", observe.KeyActivity, q.cfg.Name, observe.KeyInstance, r.d.From.ID, observe.KeyError, err)
		}
	}()
}
