package backendtest

import (
	"context"
	"sync"

	"github.com/durablegen/durablegen/internal/backend"
)

// hand hands over a delivery that has a fate. deliver is called once for every copy.
func (f *Faulty) hand(fate Fate, deliver func(copy int)) {
	once := func() {
		if f.alive() {
			deliver(0)
		}
	}
	switch fate.what {
	case drop:
	case hold:
		f.keep(fate.after, once)
	case repeat:
		once()
		if f.alive() {
			deliver(1)
		}
	case crash:
		f.Kill()
	case crashAfter:
		once()
		f.Kill()
	default:
		once()
	}
}

// Inbox implements backend.Backend.
func (f *Faulty) Inbox(group string, p int) backend.Inbox {
	return &faultyInbox{f: f, inner: f.Backend.Inbox(group, p)}
}

type faultyInbox struct {
	f       *Faulty
	inner   backend.Inbox
	serving sync.Mutex // deliver is called once at a time, also for what was held
	extra   uint64     // repetitions so far, which count as deliveries
	opened  int        // counts Opens and Releases: what an earlier Open got is not delivered any more
}

// Open implements backend.Inbox.
func (i *faultyInbox) Open(ctx context.Context, deliver func(backend.Delivery)) (horizon uint64, err error) {
	if err := i.f.living(); err != nil {
		return 0, err
	}
	opened := i.turn()
	return i.inner.Open(ctx, func(d backend.Delivery) {
		d.Receipt = faultyReceipt{i.f, d.Receipt}
		i.serving.Lock()
		d.Order += i.extra
		i.serving.Unlock()
		i.f.hand(decide(i.f.ruled().delivery, d), func(copy int) {
			i.serving.Lock()
			defer i.serving.Unlock()
			if opened != i.opened {
				return
			}
			if copy > 0 {
				i.extra++
				d.Order++
				d.Attempts++
			}
			deliver(d)
		})
	})
}

// Release implements backend.Inbox.
func (i *faultyInbox) Release(ctx context.Context) error {
	if err := i.f.living(); err != nil {
		return err
	}
	i.turn()
	return i.inner.Release(ctx)
}

// turn begins or ends a time of ownership.
func (i *faultyInbox) turn() int {
	i.serving.Lock()
	defer i.serving.Unlock()
	i.opened++
	return i.opened
}

// faultyReceipt keeps the dead from answering.
type faultyReceipt struct {
	f     *Faulty
	inner backend.Receipt
}

// Ack implements backend.Receipt.
func (r faultyReceipt) Ack() {
	if r.f.alive() {
		r.inner.Ack()
	}
}

// Nak implements backend.Receipt.
func (r faultyReceipt) Nak() {
	if r.f.alive() {
		r.inner.Nak()
	}
}

// Tasks implements backend.Backend.
func (f *Faulty) Tasks(activity string, deliver func(backend.TaskDelivery)) (backend.TaskQueue, error) {
	if err := f.living(); err != nil {
		return nil, err
	}
	inner, err := f.Backend.Tasks(activity, func(d backend.TaskDelivery) {
		progress := d.Progress
		d.Receipt = faultyReceipt{f, d.Receipt}
		d.Progress = func() {
			if f.alive() {
				progress()
			}
		}
		f.hand(decide(f.ruled().task, d), func(copy int) {
			d.Attempts += copy
			deliver(d)
		})
	})
	if err != nil {
		return nil, err
	}
	return faultyQueue{f, inner}, nil
}

type faultyQueue struct {
	f     *Faulty
	inner backend.TaskQueue
}

// Grant implements backend.TaskQueue.
func (q faultyQueue) Grant(n int) {
	if q.f.alive() {
		q.inner.Grant(n)
	}
}

// Stop implements backend.TaskQueue.
func (q faultyQueue) Stop(ctx context.Context) {
	if q.f.alive() {
		q.inner.Stop(ctx)
	}
}
