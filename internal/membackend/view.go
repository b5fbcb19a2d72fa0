package membackend

import (
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// View is one process's access to a hub. Its callbacks come one at a time, on the goroutine that steps or on the hub's.
type View struct {
	m    *Memory
	name string
	gone chan struct{} // closed when it is closed or killed

	// Below: the hub's lock.
	calls   map[uint64]func(error) // without an answer yet, by their number
	called  uint64
	lanes   map[string]int64 // when the newest request of a subject reaches the store
	epoch   uint64           // counts connections: what was under way when one broke is lost
	cut     bool             // disconnected
	closed  bool
	killed  bool
	paused  bool
	pauses  uint64  // counts them, so that an old alarm does not end a new pause
	held    []event // what would have happened while paused
	silent  int64   // when the store heard the process last, if quiet
	quiet   bool    // it is cut off, frozen or dead
	skew    time.Duration
	slow    time.Duration // longest trip above Config.Latency
	muted   bool          // neither heard nor hearing, though connected
	inboxes map[*inbox]bool
	queues  map[*taskQueue]bool
}

var _ backend.Backend = (*View)(nil)

// Name is the name the view was made with.
func (v *View) Name() string { return v.name }

// Kill is a crash: no callback comes any more, calls go nowhere and are never answered, and blocking calls return
// ErrClosed. What is on its way to the store may still arrive.
func (v *View) Kill() {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	if v.killed || v.closed {
		return
	}
	v.killed = true
	v.held = nil
	close(v.gone)
	v.hush()
	v.m.deafen(v)
	v.m.pumpAll()
}

// Pause freezes the process for d, or until Resume if d is 0: its callbacks and asynchronous calls wait, its clock and
// the store go on. Blocking calls, which a frozen process could not make, are not affected.
func (v *View) Pause(d time.Duration) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.paused = true
	v.pauses++
	v.hush()
	if n := v.pauses; d > 0 {
		v.m.after(d, nil, func() {
			if v.pauses == n {
				v.resume()
			}
		})
	}
}

// Resume ends a pause; all that should have happened meanwhile happens now.
func (v *View) Resume() {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.resume()
}

func (v *View) resume() {
	v.paused = false
	v.pauses++
	v.heard()
	v.m.pumpAll()
	held := v.held
	v.held = nil
	for _, e := range held {
		v.m.soon(e)
	}
}

// Disconnect breaks the connection: what is under way in either direction is lost, though a request may have arrived;
// calls report ErrUnavailable, nothing is delivered, and signals get lost, until Reconnect.
func (v *View) Disconnect() {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.cut = true
	v.epoch++
	v.hush()
	v.m.pumpAll() // others may have what this view was going to get
}

// Reconnect ends Disconnect. Deliveries go on with what is next; what was lost comes again after AckWait.
func (v *View) Reconnect() {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.cut = false
	v.heard()
	v.m.pumpAll()
	v.m.notify()
}

// Skew puts the clock of this process ahead of the store's, or behind if negative.
func (v *View) Skew(d time.Duration) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.skew = d
}

// Slow makes every trip between this process and the store up to d longer; 0 ends that. Virtual mode only.
func (v *View) Slow(d time.Duration) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.slow = d
}

// Mute has all signals from and to this process get lost, while the store answers it as before.
func (v *View) Mute(muted bool) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.muted = muted
}

// reachable reports whether the store can send to the process. Lock held.
func (v *View) reachable() bool { return !v.cut && !v.killed && !v.closed }

// hush notes that the store does not hear the process from now on. Lock held.
func (v *View) hush() {
	if !v.quiet {
		v.quiet, v.silent = true, v.m.now()
		v.m.after(pinnedTTL, nil, v.m.pumpAll) // others may stand by
	}
}

// heard notes that it may be heard again. Lock held.
func (v *View) heard() { v.quiet = v.cut || v.paused || v.killed }

// silentFor reports whether the store has not heard the process for d. Lock held.
func (v *View) silentFor(d time.Duration) bool {
	return v.quiet && v.m.now()-v.silent >= int64(d)
}

// Info implements backend.Backend.
func (v *View) Info() backend.Info { return v.m.info() }

// Settle implements backend.Backend. There are no power cuts.
func (v *View) Settle(done func(err error)) { v.Clock().After(0, func() { done(nil) }) }

// Close implements backend.Backend. It must not be called from a callback of a live hub.
func (v *View) Close() error {
	m := v.m
	m.mu.Lock()
	if v.closed || v.killed {
		m.mu.Unlock()
		return nil
	}
	v.closed = true
	close(v.gone)
	m.deafen(v)
	open := make([]func(error), 0, len(v.calls))
	for _, n := range slices.Sorted(maps.Keys(v.calls)) {
		open = append(open, v.calls[n])
	}
	clear(v.calls)
	finish := func() {
		for _, done := range open {
			done(backend.ErrClosed)
		}
	}
	if !m.cfg.Live || m.closed {
		m.mu.Unlock()
		finish()
		return nil
	}
	// The last event of this view: when it is over no callback of the view runs.
	over := make(chan struct{})
	m.soon(event{bare: true, run: func() { finish(); close(over) }})
	m.mu.Unlock()
	<-over
	return nil
}

// deafen ends all deliveries to a view. Lock held.
func (m *Memory) deafen(v *View) {
	for topic := range m.topics {
		m.topics[topic] = slices.DeleteFunc(m.topics[topic], func(l *listener) bool { return l.view == v })
	}
	m.watchers = slices.DeleteFunc(m.watchers, func(w *watcher) bool { return w.view == v })
	for i := range v.inboxes {
		i.close()
		if v.closed {
			i.letGo()
		}
	}
	for q := range v.queues {
		q.stop()
	}
	if v.closed {
		m.pumpAll()
	}
}
