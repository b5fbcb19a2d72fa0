package owner

import (
	"github.com/durablegen/durablegen/internal/history"
)

// Local runs activities in the process of the owner. It must not block.
type Local interface {
	// Run begins a call and stores what comes of it: the Done of its slot, or the task of a later attempt. done gets the
	// record with its sequence, nil when nothing was stored; it is called once, never inside Run, and may be called after
	// cancel. ok is false when the call cannot run here now.
	Run(from history.Address, task *history.Task, done func(seq uint64, r history.Record)) (cancel func(), ok bool)
}

// A local activity costs no task: the Done is the record of its slot. Until it is stored nothing but memory knows that it
// runs, so the newest message of the instance is not acknowledged (I4), and whoever loads the instance decides the slot
// again. If the message that caused it was delivered before, he sends a task: what has once come to no end in a process, or
// has ended it, is for the queue, which counts. The owner may do that at any time, for it is the same slot with the same
// arguments, and the first Done in the log counts (I2). It is applied when it is delivered, never here (H22).

// local is an activity that runs here.
type local struct {
	cancel func()
	over   bool // nobody waits for it
}

// runLocal runs a local activity that was just decided, if there is room for it.
func (i *instance) runLocal(task *history.Task) bool {
	if i.again || i.p.cfg.Local == nil {
		return false
	}
	l := &local{}
	cancel, ok := i.p.cfg.Local.Run(i.addr, task, func(seq uint64, r history.Record) {
		i.p.mu.Lock()
		defer i.p.mu.Unlock()
		if !l.over {
			l.over = true
			i.ranLocal(task, seq, r)
			i.p.end()
		}
	})
	if !ok {
		return false
	}
	i.p.begin()
	l.cancel = cancel
	if i.locals == nil {
		i.locals = map[uint32]*local{}
	}
	i.locals[task.Slot] = l
	return true
}

// ranLocal goes on when a local activity has come to something, or to nothing, because its worker stops.
func (i *instance) ranLocal(task *history.Task, seq uint64, r history.Record) {
	if r == nil {
		i.owe(nil, 1)
		i.putTask(nil, task, i.past.add(history.Message{Record: task})) // which then forgets it
		return
	}
	if r.Kind() == history.KindTask {
		i.past.add(history.Message{Seq: seq, Record: r})
	}
	i.forgetLocal(task.Slot)
	i.made(seq, r, nil)
	i.settle()
}

func (i *instance) forgetLocal(slot uint32) { delete(i.locals, slot) }

// stopLocal ends an activity that nobody waits for any more; false: it does not run here.
func (i *instance) stopLocal(slot uint32) bool {
	l := i.locals[slot]
	if l == nil || l.over {
		return false
	}
	l.over = true
	i.forgetLocal(slot)
	l.cancel()
	i.p.be.Clock().After(0, func() { // not at once: it may be all that a release waits for
		i.p.mu.Lock()
		defer i.p.mu.Unlock()
		i.p.end()
	})
	return true
}

func (i *instance) stopLocals() {
	for slot := range i.locals {
		i.stopLocal(slot)
	}
}

// busy reports whether something that was decided is not known to be stored.
func (i *instance) busy() bool { return i.open > 0 || len(i.locals) > 0 }
