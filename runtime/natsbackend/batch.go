package natsbackend

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/durablegen/durablegen/internal/backend"
)

const (
	headerBatch       = "Nats-Batch-Id"
	headerBatchSeq    = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"

	fewest    = 8       // writes that are worth a batch: it costs as much as about so many single ones
	most      = 512     // writes in a batch; the server takes 1000
	mostBytes = 4 << 20 // bytes in a batch
)

// committer groups writes to the log (Config.GroupCommit). One flight is on its way at a time, a batch or a few single writes;
// what comes meanwhile goes with the next one. So nothing waits for company, and writes to one subject stay in order,
// also when a batch is refused and its writes go singly. It is guarded by the mutex of its calls.
type committer struct {
	prefix string // of the subjects that it is for; "": none
	queue  []*call
	flying int // calls of the flight that are not answered
}

// groups reports whether a write to subject goes by the committer.
func (m *committer) groups(subject string) bool {
	return m.prefix != "" && strings.HasPrefix(subject, m.prefix)
}

// board has a write go with the next flight.
func (t *calls) board(c *call) {
	t.mu.Lock()
	c.begun = t.now()
	if t.closed {
		t.mu.Unlock()
		go c.finish(0, backend.ErrClosed)
		return
	}
	t.commits.queue = append(t.commits.queue, c)
	failed := t.takeOff()
	t.wake()
	t.mu.Unlock()
	if len(failed) > 0 {
		go failed.finish()
	}
}

// takeOff sends what waits, unless a flight is on its way. Lock held.
func (t *calls) takeOff() (failed failures) {
	m := &t.commits
	for m.flying == 0 && len(m.queue) > 0 && len(failed) == 0 {
		n := together(m.queue)
		flight := slices.Clone(m.queue[:n])
		if m.queue = m.queue[n:]; len(m.queue) == 0 {
			m.queue = nil
		}
		if n >= fewest {
			flight = []*call{t.batchOf(flight)}
		}
		failed = t.fly(flight)
	}
	return failed
}

// fly sends calls as a flight, or as more of one. Lock held.
func (t *calls) fly(flight []*call) (failed failures) {
	now := t.now()
	for _, c := range flight {
		c.flies = t
		t.commits.flying++
		if err := t.send(c, now); err != nil {
			failed = append(failed, failure{c, err})
		}
	}
	return failed
}

// landed counts a call of the flight as answered.
func (t *calls) landed() {
	t.mu.Lock()
	t.commits.flying--
	failed := t.takeOff()
	t.mu.Unlock()
	failed.finish()
}

// together tells how many of the writes at the head of the queue fit into one batch. The server refuses one that fences a subject
// which it has written before, or replaces its schedule.
func together(queue []*call) int {
	subjects := make(map[string]bool, min(len(queue), most)) // true: alone
	bytes := 0
	for n, c := range queue[:min(len(queue), most)] {
		alone := c.msg.Header[headerFence] != nil || c.msg.Header[headerSchedule] != nil
		was, again := subjects[c.msg.Subject]
		bytes += len(c.msg.Data)
		if n > 0 && (again && (was || alone) || bytes > mostBytes) {
			return n
		}
		subjects[c.msg.Subject] = alone
	}
	return min(len(queue), most)
}

// batchOf makes one call of several. It is never sent again: whatever keeps it from being stored whole (a fence that does not
// hold, a lost answer) has its writes go singly, and they find out for themselves.
func (t *calls) batchOf(writes []*call) *call {
	c := &call{batchOf: writes, begun: t.now()}
	c.msg.Subject = writes[len(writes)-1].msg.Subject
	c.done = func(seq uint64, err error) {
		switch {
		case errors.Is(err, backend.ErrClosed):
			for _, w := range writes {
				w.finish(0, err)
			}
		case err != nil:
			t.mu.Lock()
			failed := t.fly(writes)
			t.wake()
			t.mu.Unlock()
			failed.finish()
		default:
			for n, w := range writes {
				w.finish(seq-uint64(len(writes)-1-n), nil)
			}
		}
	}
	return c
}

// publishBatch puts a batch on the wire; only its last message is answered.
func (t *calls) publishBatch(c *call) error {
	id := []string{nuid.Next()}
	for n, w := range c.batchOf {
		m := nats.Msg{Subject: w.msg.Subject, Data: w.msg.Data, Header: make(nats.Header, len(w.msg.Header)+3)}
		for key, values := range w.msg.Header {
			m.Header[key] = values
		}
		m.Header[headerBatch], m.Header[headerBatchSeq] = id, []string{strconv.Itoa(n + 1)}
		if n == len(c.batchOf)-1 {
			m.Header[headerBatchCommit] = []string{"1"}
			m.Reply = c.msg.Reply
		}
		if err := t.link.PublishMsg(&m); err != nil {
			return err
		}
	}
	return nil
}

// writesTo reports whether a call publishes to a subject.
func (c *call) writesTo(subject string) bool {
	for _, w := range c.batchOf {
		if w.msg.Subject == subject {
			return true
		}
	}
	return c.msg.Subject == subject
}
