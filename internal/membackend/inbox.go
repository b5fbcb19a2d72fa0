package membackend

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

type partitionKey struct {
	group string
	p     int
}

// partition is the consumer of one partition of a group.
type partition struct {
	consumer
	owner   *inbox   // nil: nobody
	standby []*inbox // earlier owners that have not released it, the latest last
}

const (
	inboxAckWait = 30 * time.Second
	inboxWindow  = 256             // deliveries on their way to an owner
	pinnedTTL    = 5 * time.Second // how long an owner that is not heard of keeps out those who stand by
)

// partition finds a partition; its messages are collected before its group is there. Lock held.
func (m *Memory) partition(group string, p int) *partition {
	key := partitionKey{group, p}
	if m.partitions[key] == nil {
		q := &partition{consumer: consumer{m: m, name: fmt.Sprintf("partition %d of group %s", p, group), most: mostOpen, wait: inboxAckWait}}
		q.pump = q.send
		m.partitions[key] = q
	}
	return m.partitions[key]
}

// EnsureGroup implements backend.Backend.
func (v *View) EnsureGroup(ctx context.Context, group string) error {
	_, err := now(ctx, v, op{verb: "make the consumers of group", id: group}, func() (struct{}, error) {
		for p := range v.m.cfg.Partitions {
			v.m.partition(group, p).exists = true
		}
		return struct{}{}, nil
	})
	return err
}

// MayOwn implements backend.Backend: memory refuses nothing.
func (v *View) MayOwn(ctx context.Context, group string) error {
	_, err := now(ctx, v, op{verb: "ask for permissions of group", id: group}, func() (struct{}, error) { return struct{}{}, nil })
	return err
}

// Inbox implements backend.Backend.
func (v *View) Inbox(group string, p int) backend.Inbox { return &inbox{v: v, group: group, p: p} }

// inbox is a view's access to a partition. All but v, group and p is under the hub's lock.
type inbox struct {
	v       *View
	group   string
	p       int
	part    *partition
	deliver func(backend.Delivery)
	open    bool
	opened  uint64        // counts Opens: what was sent to an earlier one does not arrive
	flying  int           // deliveries on their way
	lane    int64         // when the newest of them arrives
	busy    chan struct{} // closed when the running deliver returns; nil: none runs
}

// Open implements backend.Inbox. The old owner gets nothing that is sent from now on.
func (i *inbox) Open(ctx context.Context, deliver func(backend.Delivery)) (horizon uint64, err error) {
	m := i.v.m
	o := op{verb: "open", id: fmt.Sprintf("partition %d of group %s", i.p, i.group)}
	took := false
	horizon, err = now(ctx, i.v, o, func() (uint64, error) {
		if i.open {
			return 0, fmt.Errorf("membackend: %s is open already", o.id)
		}
		if i.p < 0 || i.p >= m.cfg.Partitions || !m.partition(i.group, i.p).exists {
			return 0, fmt.Errorf("membackend: open %s: EnsureGroup has not made it: %w", o.id, backend.ErrNotFound)
		}
		i.part, i.deliver, i.open, i.flying = m.partition(i.group, i.p), deliver, true, 0
		i.opened++
		i.v.inboxes[i] = true
		i.part.pin(i)
		took = true
		horizon := i.part.highest
		i.part.reset()
		i.part.pump()
		return horizon, nil
	})
	if err != nil && took { // the old owner has lost it, and we do not know that we have it
		m.mu.Lock()
		defer m.mu.Unlock()
		i.close()
		i.letGo()
	}
	return horizon, err
}

// close ends the deliveries. Lock held.
func (i *inbox) close() {
	i.open = false
	delete(i.v.inboxes, i)
}

// Release implements backend.Inbox. Called within deliver, it does not wait for it.
func (i *inbox) Release(ctx context.Context) error {
	m := i.v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	i.close()
	for i.busy != nil && m.cfg.Live {
		busy := i.busy
		m.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
		}
		m.mu.Lock()
		if ctx.Err() != nil {
			return fmt.Errorf("membackend: release partition %d of group %s: deliver is still running: %w", i.p, i.group, context.Cause(ctx))
		}
	}
	if i.v.reachable() {
		i.letGo()
		return nil
	}
	opened := i.opened
	m.after(pinnedTTL, nil, func() { // the store notices by itself
		if opened == i.opened {
			i.letGo()
		}
	})
	return nil
}

// letGo leaves the partition to whoever stands by, unless somebody else has it by now. Lock held.
func (i *inbox) letGo() {
	if p := i.part; p != nil {
		p.standby = slices.DeleteFunc(p.standby, func(x *inbox) bool { return x == i })
		if p.owner == i {
			p.owner = nil
			p.pump()
		}
	}
}

// pin makes i the owner. Whoever was it stands by. Lock held.
func (p *partition) pin(i *inbox) {
	old := p.owner
	p.standby = slices.DeleteFunc(p.standby, func(x *inbox) bool { return x == i })
	if old != nil && old != i && old.open {
		p.standby = append(p.standby, old)
	}
	p.owner = i
}

// relieve finds an owner that can be delivered to. Lock held.
func (p *partition) relieve() {
	i := p.owner
	if i != nil && !i.v.silentFor(pinnedTTL) {
		return
	}
	for _, other := range p.standby {
		if other.open && !other.v.silentFor(0) {
			p.pin(other)
			return
		}
	}
}

// send delivers what can be to the owner. Lock held.
func (p *partition) send() {
	p.relieve()
	i := p.owner
	for i != nil && i.open && i.v.reachable() && i.flying < inboxWindow {
		n, ok := p.take()
		if !ok {
			return
		}
		i.fly(n)
	}
}

// fly sends a message on its way to the process. Lock held.
func (i *inbox) fly(n int) {
	m, it := i.v.m, &i.part.items[n]
	e, epoch, opened := it.entry, i.v.epoch, i.opened
	d := backend.Delivery{To: e.to, Order: i.part.order, Attempts: it.attempts, Receipt: receipt{i.v, &i.part.consumer, n}}
	lost := m.happens(m.faults.DeliveryLost, "delivery lost", i.v.name, e.to.ID, e.subject)
	i.flying++
	i.lane = max(i.lane, m.now()+int64(i.v.trip("delivery", i.v.name, e.to.ID, e.subject)))
	m.at(i.lane, i.v, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if opened != i.opened {
			return
		}
		i.flying--
		if i.open && epoch == i.v.epoch && !lost {
			i.land(e, d)
		}
		i.part.pump()
	})
}

// land hands a delivery over. The lock is held, but not while deliver runs.
func (i *inbox) land(e *entry, d backend.Delivery) {
	m, busy, lose := i.v.m, make(chan struct{}), i.v.m.hooks.delivery
	i.busy = busy
	m.mu.Unlock()
	if d.Message, d.Err = e.message(); d.Err != nil {
		d.Message = history.Message{Seq: e.seq, Time: e.time}
	}
	if lose == nil || !lose(i.v.name, d) {
		i.deliver(d)
	}
	m.mu.Lock()
	i.busy = nil
	close(busy)
}

// pumpAll lets every consumer deliver what it can. Lock held.
func (m *Memory) pumpAll() {
	for _, p := range m.sortedPartitions() {
		p.pump()
	}
	for _, a := range m.sortedActivities() {
		a.pump()
	}
}
