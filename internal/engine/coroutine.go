package engine

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/durablegen/durablegen/internal/history"
)

// Coroutine is one line of execution of a program. Its methods may be called by the code that was given it and by
// nothing else: not from another goroutine, not from another coroutine, not after it ended; they panic then.
type Coroutine struct {
	m            *Machine
	body         func(*Coroutine)
	stack        *stack // nil until it first runs, and after it has returned
	yield        func(struct{}) bool
	waits        []wait
	returned     bool
	older, newer *Coroutine
}

// spawn makes a coroutine that first runs when its creator is blocked and all that are ready have run.
func (m *Machine) spawn(body func(*Coroutine)) {
	c := &Coroutine{m: m, body: body, older: m.last}
	if m.last == nil {
		m.first = c
	} else {
		m.last.newer = c
	}
	m.last = c
	m.ready = append(m.ready, c)
}

// forget drops a coroutine that has ended.
func (m *Machine) forget(c *Coroutine) {
	if c.older == nil {
		m.first = c.newer
	} else {
		c.older.newer = c.newer
	}
	if c.newer == nil {
		m.last = c.older
	} else {
		c.newer.older = c.older
	}
}

// unwound is the panic that ends a coroutine which does not return. User code cannot see it: it starts below.
type unwound struct{}

// resume runs c until it blocks or ends.
func (m *Machine) resume(c *Coroutine) (alive bool) {
	if c.stack == nil {
		c.stack = m.cfg.Stacks.of(c)
	}
	m.current = c
	defer m.returnTo()
	_, alive = c.stack.next()
	if !c.returned {
		return alive
	}
	m.cfg.Stacks.put(c.stack)
	c.stack = nil
	return false
}

// unwind ends a coroutine that is blocked.
func (m *Machine) unwind(c *Coroutine) {
	if c.stack == nil {
		return
	}
	m.current = c
	defer m.returnTo()
	c.stack.stop()
}

// returnTo catches the end of a coroutine that has been unwound.
func (m *Machine) returnTo() {
	m.current = nil
	if r := recover(); r != nil && r != any(unwound{}) {
		panic(r)
	}
}

func (c *Coroutine) run(yield func(struct{}) bool) {
	c.yield = yield
	defer c.exit()
	c.body(c)
	c.returned = true
}

// exit sees how a coroutine ends. iter.Pull passes a Goexit on to whoever resumes it, which would end the owner's
// goroutine, and a recovered panic does not stop a Goexit; only a panic that begins here does both.
func (c *Coroutine) exit() {
	if c.returned {
		return
	}
	r := recover()
	m := c.m
	switch {
	case m.closing || m.end != nil:
	case r != nil:
		m.fail(panicFailure(r))
	default:
		m.fail(&history.Failure{Kind: history.FailPanic, Message: "the orchestrator called runtime.Goexit: it may only return or panic (a test's t.Fatal calls it, too)"})
	}
	panic(unwound{})
}

// block hands over to the machine. A coroutine that is not to go on is unwound by runtime.Goexit, which runs deferred
// functions and, unlike a panic, cannot be swallowed by a recover of user code.
func (c *Coroutine) block() {
	if !c.yield(struct{}{}) {
		runtime.Goexit()
	}
}

// enter checks that c is what runs.
func (c *Coroutine) enter() *Machine {
	if c.m.current != c {
		c.m.misused(c)
	}
	return c.m
}

// decide is enter for what changes the course of things. A coroutine that is being unwound may not: it ends here.
func (c *Coroutine) decide() *Machine {
	m := c.enter()
	if m.closing {
		runtime.Goexit()
	}
	return m
}

func (m *Machine) misused(c *Coroutine) {
	who := fmt.Sprintf("durable: the context of orchestration %q ", m.cfg.Self.ID)
	switch {
	case m.asking:
		panic(who + "is used by the handler of a query: it may only read variables")
	case m.current != nil:
		panic(who + "is used in a coroutine it was not given to: use the context that the function passed to durable.Go gets")
	case c.returned:
		panic(who + "is used after its function has returned")
	default:
		panic(who + "is used while the orchestration waits: by a goroutine of its own, or after it was closed. Only the orchestrator's code may use it; for concurrency there is durable.Go, for work there are activities")
	}
}

// Await blocks until one of fs is complete and returns its index, the first in argument order if several are. A
// cancelled scope does not end the wait itself, but completes the futures made in it.
func (c *Coroutine) Await(fs ...*Future) int {
	if n := c.look(fs); n >= 0 {
		return n
	}
	return c.wait(fs)
}

// AwaitIn is Await that also ends when s is cancelled: then it returns -1.
func (c *Coroutine) AwaitIn(s *Scope, fs ...*Future) int {
	if n := c.look(fs); n >= 0 {
		return n
	}
	m := c.m
	s = m.scope(s)
	if s.cause != nil {
		m.spin()
		return -1
	}
	outside := func(f *Future) bool { return f.kind == promiseFuture || !s.has(f) }
	if s == &m.detached || !slices.ContainsFunc(fs, outside) {
		return c.wait(fs)
	}
	n := c.wait(append(fs[:len(fs):len(fs)], c.Cancelled(s)))
	if n == len(fs) {
		return -1
	}
	return n
}

// look finds a future that is complete, or for which there is an event; -1 when there is none.
func (c *Coroutine) look(fs []*Future) int {
	m := c.decide()
	if len(fs) == 0 {
		panic("durable: waiting for nothing would never end")
	}
	for n, f := range fs {
		if f == nil || f.m != m {
			panic(fmt.Sprintf("durable: the future that is argument %d of a wait is none of orchestration %q", n, m.cfg.Self.ID))
		}
	}
	for n, f := range fs {
		switch {
		case f.state != pending:
			return n
		case f.kind != eventFuture:
		case m.scope(f.scope).cause != nil: // nobody waited when that happened
			m.complete(f, nil, m.scope(f.scope).cause)
			return n
		case m.offer(f, fs):
			return n
		}
	}
	return -1
}

func (c *Coroutine) wait(fs []*Future) int {
	c.m.listen(c, fs)
	c.block()
	for n, f := range fs {
		if f.state != pending {
			return n
		}
	}
	panic("engine: a coroutine was woken for nothing")
}

// Go starts a coroutine of the same orchestration. It first runs when this one is blocked, after those that are ready
// already. A panic in it ends the run; what is left of it when the program returns is unwound.
func (c *Coroutine) Go(fn func(*Coroutine)) { c.decide().spawn(fn) }

// Promise makes a future that the program completes itself.
func (c *Coroutine) Promise() *Future { return &Future{m: c.enter()} }

// Resolve completes a promise. One that is complete stays as it is.
func (c *Coroutine) Resolve(f *Future, result history.Payload, failure *history.Failure) {
	if m := c.enter(); f.kind == promiseFuture && f.state == pending {
		m.complete(f, result, failure)
	}
}

// Give completes a promise with a value of the program, which stays in memory: nothing stores it, a replay makes it
// again. A promise that is complete stays as it is.
func (c *Coroutine) Give(f *Future, value any) {
	if m := c.enter(); f.kind == promiseFuture && f.state == pending {
		f.value = value
		m.complete(f, nil, nil)
	}
}

// Receive makes a future of an event. It takes nothing yet: only while some coroutine waits on it can it be given one.
func (c *Coroutine) Receive(event string) *Future { return c.ReceiveIn(nil, event) }

// ReceiveIn is Receive in a scope.
func (c *Coroutine) ReceiveIn(s *Scope, event string) *Future {
	m := c.enter()
	if in := m.scope(s); in.cause != nil && !m.closing {
		return m.cancelled(in)
	}
	m.arrivals++
	return &Future{m: m, kind: eventFuture, name: eventName(event), order: m.arrivals, scope: s}
}

// Cancel ends a pending timer before it is due, or a Receive that has got no event: it counts as complete, and
// Stopped. Anything else stays as it is. Any coroutine of the orchestration may do it, also in a deferred function.
func (c *Coroutine) Cancel(f *Future) {
	m := c.m
	if m.current == nil {
		m.misused(c)
	}
	if f == nil || f.m != m || f.state != pending || m.closing {
		return
	}
	switch f.kind {
	case timerFuture:
		m.turn.Cancel = append(m.turn.Cancel, m.ref(f.slot))
		m.close(f, stopped)
	case eventFuture:
		m.close(f, stopped)
	}
}
