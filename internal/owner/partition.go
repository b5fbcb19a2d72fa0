package owner

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Partition is one partition of a group: the instances that this worker has live, and the inbox while it owns it.
type Partition struct {
	cfg     *Config
	be      backend.Backend
	inbox   backend.Inbox
	number  int
	denied  func(error)                                              // told that the store does not let this worker have deliveries
	changed func(orchestrator string, e *engine.NondeterminismError) // Config.tellChanged, made once

	mu        sync.Mutex
	owned     bool
	fenced    bool              // given up without being released
	unheeded  []backend.Receipt // of what came while it was fenced
	order     uint64            // Order of the last delivery; 0 when the next may have any
	horizon   uint64            // what is at or below it may have been delivered before, to somebody else or to us
	delivered uint64            // highest sequence the partition's consumer is known to have delivered (I5)
	unsure    bool              // it may have delivered more, to somebody else
	served    uint64            // highest sequence delivered to this worker since the last flush
	instances map[string]*instance
	recent    list.List   // instances by use, latest in front
	dirty     []*instance // whose projection is behind, in the order they became so
	ticking   bool
	cached    atomic.Int32 // len(instances), for who does not have the mutex
	open      int          // outputs, loads and projections under way
	drained   func()
}

func newPartition(cfg *Config, number int, denied func(error)) *Partition {
	p := &Partition{
		cfg: cfg, be: cfg.Backend, number: number, denied: denied,
		inbox:     cfg.Backend.Inbox(cfg.Group, number),
		instances: map[string]*instance{},
		changed:   cfg.tellChanged,
	}
	return p
}

// take makes this worker the owner and begins to apply deliveries.
func (p *Partition) take(ctx context.Context) error {
	// Deliveries may come before Open has told the horizon: hold them until it is known.
	p.mu.Lock()
	p.drained = nil
	if p.cfg.keeps(FlushOnTake) {
		p.flush()
	}
	p.owned = true
	ready := make(chan struct{})
	p.mu.Unlock()
	defer close(ready) // after the mutex is free again
	horizon, err := p.inbox.Open(ctx, func(d backend.Delivery) {
		<-ready
		p.deliver(d)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.owned = false
		return fmt.Errorf("owner: take partition %d of group %q: %w", p.number, p.cfg.Group, err)
	}
	p.order = 0
	p.horizon = horizon
	p.delivered, p.unsure = max(p.delivered, horizon), false
	return nil
}

// release lets go of the partition: no more deliveries come, and what is under way is stored and acknowledged while the
// next owner begins. The channel is closed when nothing is under way any more.
func (p *Partition) release(ctx context.Context) (drained <-chan struct{}, err error) {
	if err := p.inbox.Release(ctx); err != nil {
		return nil, fmt.Errorf("owner: release partition %d of group %q: %w", p.number, p.cfg.Group, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owned, p.fenced = false, false
	for _, r := range p.unheeded {
		r.Nak()
	}
	p.unheeded = nil
	p.projectAll()
	p.dropRefused()
	idle := make(chan struct{})
	p.drained = sync.OnceFunc(func() {
		p.drained = nil
		p.flush()
		close(idle)
	})
	p.checkDrained()
	return idle, nil
}

// fence drops everything at once, because this worker may have been judged dead: its caches, and its idea of ownership
// until the partition has been released and taken again.
func (p *Partition) fence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fenced = p.fenced || p.owned
	p.owned = false
	p.flush()
}

// setBack drops everything: what it follows from may be gone from the log.
func (p *Partition) setBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flush()
	p.unsure = true
}

func (p *Partition) isFenced() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fenced
}

// drop forgets all instances; callbacks still under way find them dead.
func (p *Partition) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flush()
}

// begin and end count work under way, so that release can wait for it.
func (p *Partition) begin() { p.open++ }
func (p *Partition) end() {
	p.open--
	p.checkDrained()
}

func (p *Partition) checkDrained() {
	if p.drained != nil && p.open == 0 && len(p.dirty) == 0 {
		p.drained()
	}
}

// deliver applies one inbox message.
func (p *Partition) deliver(d backend.Delivery) {
	if d.Receipt == nil {
		if errors.Is(d.Err, backend.ErrSetBack) {
			p.setBack()
		} else {
			p.denied(d.Err)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.owned {
		if p.fenced {
			p.unheeded = append(p.unheeded, d.Receipt) // given back now it would come again at once
		} else {
			d.Nak()
		}
		return
	}
	// I5: a cached instance is trusted only while the deliveries are contiguous, across pins too. The first delivery proves
	// nothing: somebody else may have been served since this worker opened the inbox, and it may have taken up instances.
	if d.Order != p.order+1 && p.cfg.keeps(ContiguousOrder) && (p.order > 0 || p.cfg.keeps(FlushOnTake)) {
		p.flush()
		p.unsure = true
		// What comes again after a reset counts as delivered for the first time, and is not: its instance may have ended.
		p.horizon = max(p.horizon, p.delivered)
	}
	p.order = d.Order
	p.delivered, p.served = max(p.delivered, d.Message.Seq), max(p.served, d.Message.Seq)
	if d.Err == nil {
		d.Err = backend.Unreadable(d.Message.Record)
	}
	if d.Err != nil && !errors.Is(d.Err, backend.ErrCodec) {
		// Nobody will ever be able to read it; the log keeps it for people.
		p.cfg.Logger.Error("durable: message dropped, it cannot be decoded", observe.KeyInstance, d.To.ID, "sequence", d.Message.Seq, observe.KeyError, d.Err)
		d.Ack()
		return
	}
	p.tellDelivered(d)
	p.dispatch(d)
}

func (p *Partition) dispatch(d backend.Delivery) {
	i := p.instances[d.To.ID]
	if i == nil {
		i = p.add(d.To)
		if start, ok := d.Message.Record.(*history.Start); ok && p.fresh(d, start) {
			i.startFresh(d)
			p.evict()
			return
		}
		i.queue = append(i.queue, d)
		if p.unseen(d) {
			i.news = d.Message.Seq
		}
		i.load()
		p.evict()
		return
	}
	p.recent.MoveToFront(i.place)
	i.deliver(d)
}

// fresh reports whether a start that can be read is the beginning of a new instance for sure, so that no load is needed. A
// generated id and a first run cannot have an archive, unless the start is a late copy (H10); a first delivery above the
// horizon has been seen by nobody.
func (p *Partition) fresh(d backend.Delivery, s *history.Start) bool {
	if d.Err != nil || !p.unseen(d) || s.Run > 1 || s.Claim != "" {
		return false
	}
	age := d.Message.Time.Sub(s.Born).Abs()
	return age <= min(p.cfg.Retention.Age/4, p.be.Info().Retention.Memory()) || !p.cfg.keeps(DoubtLate)
}

// unseen reports whether a message was delivered to nobody before.
func (p *Partition) unseen(d backend.Delivery) bool {
	return d.Attempts <= 1 && d.Message.Seq > p.horizon
}

func (p *Partition) add(addr history.Address) *instance {
	i := &instance{p: p, addr: addr, proven: p.be.Clock().Now()} // a delivery shows that it lives, or a load will
	i.place = p.recent.PushFront(i)
	p.instances[addr.ID] = i
	p.cached.Add(1)
	return i
}

// remove forgets an instance. Callbacks that still come for it find it dead and change nothing.
func (p *Partition) remove(i *instance) {
	if i.dead {
		return
	}
	i.dead = true
	p.open -= i.retries // nobody waits for what will not be done
	i.closeMachine()
	delete(p.instances, i.addr.ID)
	p.cached.Add(-1)
	i.clean()
	p.recent.Remove(i.place)
	p.checkDrained()
}

// flush drops all instances and gives back what they held, so that it comes again now and not after the ack wait.
func (p *Partition) flush() {
	for e := p.recent.Back(); e != nil; e = p.recent.Back() {
		e.Value.(*instance).giveBack()
	}
	p.order, p.served = 0, 0
}

// evict drops the least recently used instances above the limit. One that has something under way is put in front: else a
// few of them that stay so would keep all the others in memory.
func (p *Partition) evict() {
	for tries := 0; tries < 8 && p.recent.Len() > p.cfg.Cache; tries++ {
		e := p.recent.Back()
		if i := e.Value.(*instance); i.idle() {
			p.remove(i)
		} else {
			p.recent.MoveToFront(e)
		}
	}
}

// tick projects what has been dirty for a whole interval.
func (p *Partition) tick() {
	if p.ticking || len(p.dirty) == 0 {
		return
	}
	p.ticking = true
	p.be.Clock().After(p.cfg.Coalesce, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ticking = false
		now := p.be.Clock().Now()
		for len(p.dirty) > 0 && now.Sub(p.dirty[0].dirtySince) >= p.cfg.Coalesce {
			p.dirty[0].project()
		}
		p.tick()
	})
}

// dropRefused gives back the instances that wait to do what is refused: the next owner may be allowed to.
func (p *Partition) dropRefused() {
	for _, i := range p.instances {
		if i.refused > 0 {
			i.giveBack()
		}
	}
}

func (p *Partition) projectAll() {
	for len(p.dirty) > 0 {
		p.dirty[0].project()
	}
}
