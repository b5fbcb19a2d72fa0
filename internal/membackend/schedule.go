package membackend

import (
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// schedule is a timer in the store. There is one for each slot of an instance: a new one replaces it.
type schedule struct {
	entry *entry
	key   scheduleKey
}

type scheduleKey struct {
	to  history.Address
	ref history.Ref
}

// schedule arms the timer of an entry. It fires late, never early. Lock held.
func (m *Memory) schedule(e *entry, ref history.Ref) {
	s := &schedule{e, scheduleKey{e.to, ref}}
	m.schedules[s.key] = s
	at := max(int64(e.due.Sub(m.cfg.Start)), m.now())
	m.at(at+int64(m.upTo(m.cfg.Late, "late", e.to.ID, e.subject)), nil, func() { m.fire(s) })
}

// fire replaces the schedule by what it makes, in one step. Lock held.
func (m *Memory) fire(s *schedule) {
	if m.schedules[s.key] != s || s.entry.gone {
		return
	}
	m.unschedule(s.key.to, s.key.ref)
	e := s.entry
	kind := e.produces()
	m.put(&entry{to: e.to, kind: kind, name: e.name, subject: subjectOf(kind, e.name, history.Ref{}), header: e.header, body: e.body})
}

// unschedule removes a timer, if there is one. Lock held.
func (m *Memory) unschedule(to history.Address, ref history.Ref) {
	key := scheduleKey{to, ref}
	if s := m.schedules[key]; s != nil {
		delete(m.schedules, key)
		if !s.entry.gone {
			m.log.remove(s.entry)
		}
	}
}

// CancelTimer implements backend.Log.
func (v *View) CancelTimer(to history.Address, ref history.Ref, done func(err error)) {
	o := op{verb: "cancel a timer of", id: to.ID}
	if v.m.cfg.Latency > 0 {
		o.lane = to.Group + "\x00" + to.ID + "\x00" + subjectOf(history.KindTimer, "", ref)
	}
	ask(v, o, Verdict{}, false, func() (struct{}, error) {
		v.m.unschedule(to, ref)
		return struct{}{}, nil
	}, func(_ struct{}, err error) { done(err) })
}

// Retry implements backend.Log.
func (v *View) Retry(of history.Address, ref history.Ref, done func(*history.Timer, error)) {
	ask(v, op{verb: "read the schedule of", id: of.ID}, Verdict{}, false, func() (*history.Timer, error) {
		s := v.m.schedules[scheduleKey{of, ref}]
		if s == nil || s.entry.gone || s.entry.produces() != history.KindTask {
			return nil, fmt.Errorf("membackend: the next attempt of slot %s of %s/%s: %w", ref, of.Group, of.ID, backend.ErrNotFound)
		}
		r, err := s.entry.record()
		if err != nil {
			return nil, err
		}
		return r.(*history.Timer), nil
	}, done)
}

// clock is the time of a process, which may be off.
type clock struct{ v *View }

// Now implements backend.Clock.
func (c clock) Now() time.Time {
	m := c.v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.time(m.now() + int64(c.v.skew))
}

// After implements backend.Clock. In virtual mode fn runs on the goroutine that steps.
func (c clock) After(d time.Duration, fn func()) (stop func()) {
	m := c.v.m
	stopped := false
	ring := func() {
		m.mu.Lock()
		over := stopped
		stopped = true
		m.mu.Unlock()
		switch {
		case over:
		case m.cfg.Live:
			go fn()
		default:
			fn()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after(max(d, 0), c.v, ring)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		stopped = true
	}
}

// Clock implements backend.Backend.
func (v *View) Clock() backend.Clock { return clock{v} }
