package engine

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Now is the time of the message being applied, never earlier than that of one before (I8).
func (c *Coroutine) Now() time.Time { return c.enter().clock }

// Self is the address of this instance.
func (c *Coroutine) Self() history.Address { return c.enter().cfg.Self }

// Start is what began this execution: the start of the run, with the input of the execution. It is not to be changed.
func (c *Coroutine) Start() *history.Start { return &c.enter().start }

// Replaying reports whether the program repeats what it has decided before.
func (c *Coroutine) Replaying() bool { return c.enter().repeats }

// SetStatus replaces the custom status.
func (c *Coroutine) SetStatus(p history.Payload) {
	if m := c.enter(); !m.closing {
		m.status = p
	}
}

// namespace of the UUIDs made here, itself a random one.
var namespace = [16]byte{0x5c, 0x1f, 0x0e, 0x7a, 0x0b, 0x3d, 0x4c, 0x59, 0x9a, 0x41, 0x6e, 0x2f, 0x8d, 0x10, 0xc7, 0xb6}

// UUID makes a version 5 UUID from the instance, the execution and a counter: the same on every replay.
func (c *Coroutine) UUID() [16]byte {
	m := c.enter()
	m.uuids++
	sum := m.digest(m.uuids)
	u := [16]byte(sum[:16])
	u[6] = u[6]&0x0f | 0x50 // version 5
	u[8] = u[8]&0x3f | 0x80 // variant of RFC 9562
	return u
}

// Rand is a source of random numbers that is the same on every replay. All coroutines share it.
func (c *Coroutine) Rand() *rand.Rand {
	m := c.enter()
	if m.random == nil {
		sum := m.digest(0)
		m.random = rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
	}
	return m.random
}

// digest hashes what tells this execution from every other, and a number. Ids hold no control characters.
func (m *Machine) digest(n uint64) [sha1.Size]byte {
	return sha1.Sum(fmt.Appendf(namespace[:len(namespace):len(namespace)], "%s\x00%s\x00%d\x00%d\x00%d", m.cfg.Self.Group, m.cfg.Self.ID, m.seed, m.execution, n))
}

// Logger writes to Config.Logger, with the instance's id, what the program has not logged before.
func (c *Coroutine) Logger() *slog.Logger {
	m := c.enter()
	if m.logger == nil {
		to := slog.DiscardHandler
		if m.cfg.Logger != nil {
			to = m.cfg.Logger.Handler().WithAttrs([]slog.Attr{
				slog.String(observe.KeyInstance, m.cfg.Self.ID), slog.Uint64(observe.KeyRun, uint64(m.run)), slog.String(observe.KeyOrchestrator, m.start.Orchestrator),
			})
		}
		m.logger = slog.New(handler{m, to})
	}
	return m.logger
}

// handler drops records while its program repeats itself or is unwound.
type handler struct {
	m  *Machine
	to slog.Handler
}

func (h handler) Enabled(ctx context.Context, l slog.Level) bool {
	return !h.m.repeats && !h.m.closing && h.to.Enabled(ctx, l)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error { return h.to.Handle(ctx, r) }
func (h handler) WithAttrs(as []slog.Attr) slog.Handler           { return handler{h.m, h.to.WithAttrs(as)} }
func (h handler) WithGroup(name string) slog.Handler              { return handler{h.m, h.to.WithGroup(name)} }

// Waiting tells in words what the program waits for: the first few activities, children, deliveries, timers and events. It is
// "" after the end.
func (m *Machine) Waiting() string {
	if m.end != nil {
		return ""
	}
	const most = 4
	var waits []string
	known := map[*Future]bool{}
	for c := m.first; c != nil; c = c.newer {
		for _, w := range c.waits {
			what := w.f.String()
			if what == "" || known[w.f] {
				continue
			}
			if len(waits) == most {
				return strings.Join(waits, ", ") + ", …"
			}
			known[w.f] = true
			waits = append(waits, what)
		}
	}
	return strings.Join(waits, ", ")
}

// String names what a future is of; a promise is of the program itself and is "".
func (f *Future) String() string {
	switch f.kind {
	case activityFuture:
		return "activity " + f.name
	case childFuture:
		if f.about != nil {
			return fmt.Sprintf("child %s (%s)", f.about.Target.ID, f.name)
		}
		return "child " + f.name
	case timerFuture:
		if f.about != nil {
			return "timer until " + f.about.Due.UTC().Format(time.RFC3339)
		}
		return "timer"
	case eventFuture:
		return "event " + f.name
	case deliveryFuture:
		if f.about != nil {
			return fmt.Sprintf("delivery of event %s to %s", f.name, f.about.Target.ID)
		}
		return "delivery of event " + f.name
	case instantFuture:
		return "slot " + f.name
	}
	return ""
}
