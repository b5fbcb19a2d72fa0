package engine

import (
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
)

// A program decodes a payload when it asks for it, and may go on when it cannot. Whether new code can read what old code
// has left must not depend on either, so a machine with Config.Reading has each payload read as it comes.

// reading is what has been found out about payloads. A nil one looks at nothing.
type reading struct {
	futures map[*Future]func(history.Payload) error
	events  map[string]func(history.Payload) error // of all that were received, by name
	err     error                                  // the first that cannot be read
}

// Reading reports whether payloads are to be read in a way that tells: see [Coroutine.Reads].
func (c *Coroutine) Reading() bool { return c.m.cfg.Reading }

// Redacted reports whether payloads were left out of the history that is replayed.
func (c *Coroutine) Redacted() bool { return c.m.cfg.Redacted }

// Reads says how the result of f is read.
func (c *Coroutine) Reads(f *Future, read func(history.Payload) error) {
	m := c.enter()
	if !m.cfg.Reading {
		return
	}
	r := m.reads()
	r.futures[f] = read
	if f.kind == eventFuture {
		r.events[f.name] = read
	}
}

// Read reads the input of the program.
func (c *Coroutine) Read(input history.Payload, read func(history.Payload) error) {
	m := c.enter()
	if !m.cfg.Reading {
		return
	}
	if err := read(input); err != nil {
		m.reads().note(fmt.Errorf("input of orchestrator %s: %w", m.start.Orchestrator, err))
	}
}

func (m *Machine) reads() *reading {
	if m.reading == nil {
		m.reading = &reading{futures: map[*Future]func(history.Payload) error{}, events: map[string]func(history.Payload) error{}}
	}
	return m.reading
}

func (r *reading) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reading) completed(f *Future) {
	if r == nil || f.failure != nil {
		return
	}
	if read := r.futures[f]; read != nil {
		if err := read(f.result); err != nil {
			r.note(fmt.Errorf("%s: %w", f, err))
		}
		delete(r.futures, f)
	}
}

// Unread tells, after a replay, of the first payload that the program cannot read, be it that of an event which waits to be
// received. It must be asked before Close.
func (m *Machine) Unread() error {
	r := m.reading
	if r == nil {
		return nil
	}
	waiting := m.buffered()
	for _, h := range m.held {
		if e, ok := h.Record.(*history.Event); ok {
			waiting = append(waiting, *e)
		}
	}
	for _, e := range waiting {
		if read := r.events[eventName(e.Name)]; read != nil {
			if err := read(e.Payload); err != nil {
				r.note(fmt.Errorf("event %s, which is not received yet: %w", e.Name, err))
			}
		}
	}
	return r.err
}
