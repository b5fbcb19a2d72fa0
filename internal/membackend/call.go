package membackend

import (
	"context"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// op names a call for errors, and its place in the order of requests.
type op struct {
	verb, id string
	subject  string // of a record, within its instance
	reads    bool   // log or archive or a state
	lane     string // requests of one lane reach the store in the order of the calls; "": any order
}

func (o op) lost() error {
	return fmt.Errorf("membackend: %s %s: no answer: %w", o.verb, o.id, backend.ErrUnavailable)
}

// ask makes an asynchronous call: act runs on the store when the request arrives, done in the process when the answer
// does.
func ask[T any](v *View, o op, verdict Verdict, record bool, act func() (T, error), done func(T, error)) {
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if v.killed {
		return
	}
	if v.paused {
		v.held = append(v.held, event{view: v, run: func() { ask(v, o, verdict, record, act, done) }})
		return
	}
	v.called++
	n, epoch := v.called, v.epoch
	v.calls[n] = func(err error) {
		var zero T
		done(zero, err)
	}
	answer := func(after time.Duration, res T, err error) {
		m.after(after, v, func() {
			m.mu.Lock()
			_, open := v.calls[n]
			delete(v.calls, n)
			if epoch != v.epoch { // the connection that the answer was to come by is gone
				var zero T
				res, err = zero, o.lost()
			}
			m.mu.Unlock()
			if open {
				done(res, err)
			}
		})
	}
	verdict = v.fate(o, verdict, record)
	var zero T
	switch {
	case v.closed:
		answer(0, zero, backend.ErrClosed)
		return
	case v.cut, verdict.LoseRequest:
		answer(m.cfg.GiveUp, zero, o.lost())
		return
	}
	m.arrive(v, o, verdict.Delay, func() {
		res, err := act()
		m.did(v, o, res, err)
		if verdict.Double {
			m.after(v.trip("copy", v.name, o.verb, o.id, o.subject), nil, func() { // nobody waits for the second answer
				res, err := act()
				m.did(v, o, res, err)
			})
		}
		if verdict.LoseAnswer {
			answer(m.cfg.GiveUp, zero, o.lost())
			return
		}
		answer(v.trip("answer", v.name, o.verb, o.id, o.subject), res, err)
	})
}

// arrive runs act on the store when a request that is sent now gets there. Lock held.
func (m *Memory) arrive(v *View, o op, delay time.Duration, act func()) {
	at, lane := m.now()+int64(v.trip("request", v.name, o.verb, o.id, o.subject))+int64(delay), o.lane
	if lane != "" && delay == 0 && m.cfg.Latency > 0 {
		at = max(at, v.lanes[lane])
		v.lanes[lane] = at
		m.at(at, nil, func() {
			if v.lanes[lane] == at {
				delete(v.lanes, lane)
			}
			act()
		})
		return
	}
	if delay == 0 && m.cfg.Latency == 0 && v.slow == 0 {
		act()
		return
	}
	m.at(at, nil, act)
}

// tell sends something that has no answer. Lock held.
func (m *Memory) tell(v *View, o op, lost float64, act func()) {
	switch {
	case v.killed, v.closed, v.cut, m.happens(lost, "lost", v.name, o.verb, o.id, o.subject):
	case v.paused:
		v.held = append(v.held, event{view: v, run: func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.tell(v, o, lost, act)
		}})
	default:
		m.arrive(v, o, 0, func() {
			m.did(v, o, nil, nil)
			act()
		})
	}
}

// now makes a blocking call, which acts at once: there may be nobody else to step.
func now[T any](ctx context.Context, v *View, o op, act func() (T, error)) (res T, err error) {
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	var zero T
	verdict := v.fate(o, Verdict{}, false)
	switch {
	case v.killed, v.closed:
		return zero, fmt.Errorf("membackend: %s %s: %w", o.verb, o.id, backend.ErrClosed)
	case ctx.Err() != nil:
		return zero, fmt.Errorf("%w: %w", o.lost(), context.Cause(ctx))
	case v.cut, verdict.LoseRequest:
		return zero, o.lost()
	}
	res, err = act()
	m.did(v, o, res, err)
	if verdict.LoseAnswer {
		return zero, o.lost()
	}
	return res, err
}
