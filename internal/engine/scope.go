package engine

import (
	"cmp"
	"slices"

	"github.com/durablegen/durablegen/internal/history"
)

// Scope is what can be cancelled together: the futures made in it and in the scopes below it. nil stands for the scope
// of the whole execution, which a control message cancels.
type Scope struct {
	m      *Machine
	parent *Scope // nil: of the execution, or detached
	below  []*Scope
	cause  *history.Failure // nil until it is cancelled
	done   *Future          // complete when it is cancelled; nil until somebody asks
}

// Scope makes a scope below another.
func (c *Coroutine) Scope(parent *Scope) *Scope {
	m := c.enter()
	parent = m.scope(parent)
	s := &Scope{m: m, parent: parent}
	if parent.cause != nil {
		s.cause = parent.cause
		return s
	}
	parent.below = append(parent.below, s)
	return s
}

// Detached is a scope that nothing cancels.
func (c *Coroutine) Detached() *Scope { return &c.enter().detached }

// Cause is why a scope was cancelled, nil while it was not.
func (c *Coroutine) Cause(s *Scope) *history.Failure { return c.enter().scope(s).cause }

// Cancelled is a future that completes when a scope is cancelled, with the cause as its failure.
func (c *Coroutine) Cancelled(s *Scope) *Future {
	m := c.enter()
	if s = m.scope(s); s.done == nil {
		s.done = &Future{m: m}
		if s.cause != nil {
			m.complete(s.done, nil, s.cause)
		}
	}
	return s.done
}

// CancelScope cancels a scope and those below it: whatever is pending there completes now with cause as its failure, and
// who does it elsewhere is told. A scope that was cancelled before, or the detached one, stays as it is.
func (c *Coroutine) CancelScope(s *Scope, cause *history.Failure) {
	m := c.m
	if m.current == nil {
		m.misused(c)
	}
	if s = m.scope(s); !m.closing && s != &m.detached {
		m.cancel(s, cause)
	}
}

func (m *Machine) scope(s *Scope) *Scope {
	if s == nil {
		return &m.root
	}
	return s
}

// has reports whether f was made in s or below it.
func (s *Scope) has(f *Future) bool {
	for in := f.m.scope(f.scope); in != nil; in = in.parent {
		if in == s {
			return true
		}
	}
	return false
}

// cancel completes what is pending in a scope: slots by their number, then waits for events by their age.
func (m *Machine) cancel(s *Scope, cause *history.Failure) {
	if s.cause != nil {
		return
	}
	if s.parent != nil {
		n := slices.Index(s.parent.below, s)
		s.parent.below = slices.Delete(s.parent.below, n, n+1)
	}
	s.mark(cause)
	for _, f := range slices.Clone(m.open.all()) {
		if f != nil && s.has(f) {
			m.abandon(f, cause)
		}
	}
	var waiting []*Future
	for _, b := range m.mail {
		for f := b.oldest; f != nil; f = f.newer {
			if s.has(f) {
				waiting = append(waiting, f)
			}
		}
	}
	slices.SortFunc(waiting, func(a, b *Future) int { return cmp.Compare(a.order, b.order) })
	for _, f := range waiting {
		m.complete(f, nil, cause)
	}
	m.announce(s)
}

// mark cancels a scope and those below it, before anything is woken.
func (s *Scope) mark(cause *history.Failure) {
	s.cause = cause
	for _, b := range s.below {
		b.mark(cause)
	}
}

// announce completes the futures of scopes that were marked.
func (m *Machine) announce(s *Scope) {
	if s.done != nil && s.done.state == pending {
		m.complete(s.done, nil, s.cause)
	}
	for _, b := range s.below {
		m.announce(b)
	}
	s.below = nil
}

// abandon ends a pending slot: nobody here waits for it any more.
func (m *Machine) abandon(f *Future, cause *history.Failure) {
	switch f.kind {
	case timerFuture:
		m.turn.Cancel = append(m.turn.Cancel, m.ref(f.slot))
		m.close(f, stopped)
		f.failure = cause
		return
	case activityFuture:
		m.turn.Abort = append(m.turn.Abort, Aborted{m.ref(f.slot), f.name})
	case childFuture:
		m.turn.CancelChild = append(m.turn.CancelChild, Child{f.about.Target, m.ref(f.slot)})
	}
	m.complete(f, nil, cause)
}

// cancelled is a future of what was not begun, because its scope was cancelled before.
func (m *Machine) cancelled(s *Scope) *Future {
	m.spin()
	return &Future{m: m, state: done, failure: s.cause}
}

// mostSpins bounds waits in one turn that end at once because of a cancelled scope. A program that waits in a loop and
// does not look at what it gets would never come to an end.
const mostSpins = 100_000

func (m *Machine) spin() {
	if m.spins++; m.spins > mostSpins {
		panic("durable: the orchestration goes on waiting although it was cancelled: return when a wait gives ErrCanceled, or wait with a context from durable.WithoutCancel")
	}
}

// canceled is the cause of a cancellation by a control message.
func canceled(reason string) *history.Failure {
	message := "canceled"
	if reason != "" {
		message += ": " + reason
	}
	return &history.Failure{Kind: history.FailCanceled, Message: message}
}
