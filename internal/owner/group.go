package owner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

const (
	handOverIn = 5 * time.Second  // how long taking or releasing a partition may take
	askAgain   = 10 * time.Second // a worker that resigned asks whether it may work; longest pause between hand-overs that fail
)

// Group is this worker's share of a group of orchestrators: it announces itself, decides with the other workers who
// owns which partition, and runs its own.
type Group struct {
	cfg        Config
	partitions []*Partition
	members    *members

	mu       sync.Mutex
	owned    []bool     // by partition, as far as this worker has taken it
	moving   []bool     // by partition: a hand-over is under way
	failed   []failure  // by partition: hand-overs in a row that did not succeed
	requests [][]func() // by partition: ends the subscriptions to what its owner is asked; of the hand-over under way, then of Stop
	stopping bool
	idle     sync.WaitGroup    // beats and balancing rounds under way
	loops    []*loop           // complete when Start returns
	stop     []func()          // of subscriptions
	draining []<-chan struct{} // of partitions that Leave has released
	cancel   context.CancelFunc
	ctx      context.Context
}

// failure counts hand-overs of a partition that failed.
type failure struct {
	times int
	next  time.Time // when to try again
}

// mostStacks are kept for runs to come: more seldom end before others begin.
const mostStacks = 64

// Start joins the group; ErrPermission when the store does not let this worker own partitions. They are taken as soon as
// the other live workers have had time to answer the first beat.
func Start(ctx context.Context, cfg Config) (*Group, error) {
	cfg = cfg.withDefaults()
	cfg.Logger = cfg.Logger.With(observe.KeyGroup, cfg.Group)
	if err := cfg.Backend.EnsureGroup(ctx, cfg.Group); err != nil {
		return nil, fmt.Errorf("owner: group %q: %w", cfg.Group, err)
	}
	if err := cfg.Backend.MayOwn(ctx, cfg.Group); err != nil {
		return nil, fmt.Errorf("owner: group %q: %w", cfg.Group, err)
	}
	cfg.stacks, cfg.warned = engine.NewStacks(mostStacks), &warned{}
	g := &Group{cfg: cfg, members: newMembers(&cfg)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	n := cfg.Backend.Info().Partitions
	g.owned, g.moving, g.failed, g.requests = make([]bool, n), make([]bool, n), make([]failure, n), make([][]func(), n)
	for p := range n {
		g.partitions = append(g.partitions, newPartition(&g.cfg, p, g.resign))
	}
	stop, err := cfg.Backend.Listen(g.members.topic(), g.hear)
	if err != nil {
		g.cancel()
		return nil, fmt.Errorf("owner: group %q: %w", cfg.Group, err)
	}
	g.stop = append(g.stop, stop)
	g.every(&loop{name: "beat", every: cfg.Heartbeat}, g.beat)
	g.every(&loop{name: "balance", every: cfg.Heartbeat / 5}, g.balance)
	g.every(&loop{name: "rejoin", every: askAgain, reads: true}, g.rejoin)
	if cfg.Retention.Every > 0 {
		g.every(&loop{name: "retention", every: cfg.Retention.Every, reads: true}, (&retention{g: g}).shorten)
	}
	if err := g.watchParked(); err != nil {
		return nil, errors.Join(err, g.Stop(ctx))
	}
	return g, nil
}

// Leave releases the partitions and tells the others, who begin while what is under way here is stored.
func (g *Group) Leave(ctx context.Context) error {
	g.mu.Lock()
	left := g.stopping
	g.stopping = true
	g.mu.Unlock()
	if left {
		return nil
	}
	g.cancel()
	g.idle.Wait()
	var errs []error
	for n, p := range g.partitions {
		g.hearRequests(p, false)
		if g.owned[n] {
			g.owned[n] = false
			drained, err := p.release(ctx)
			errs = append(errs, err)
			if err == nil {
				g.draining = append(g.draining, drained)
			}
		}
	}
	g.cfg.Backend.Signal(g.members.topic(), g.members.beat(true))
	for _, stop := range g.stop {
		stop()
	}
	return errors.Join(errs...)
}

// Stop leaves the group, if Leave has not, and waits until what is under way is stored.
func (g *Group) Stop(ctx context.Context) error {
	err := g.Leave(ctx)
	for _, drained := range g.draining {
		select {
		case <-drained:
		case <-ctx.Done():
		}
	}
	for _, p := range g.partitions {
		p.drop()
	}
	g.cfg.stacks.Close()
	return err
}

// Name is that of the group.
func (g *Group) Name() string { return g.cfg.Group }

// Owned lists the partitions that this worker has.
func (g *Group) Owned() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	var owned []int
	for n, is := range g.owned {
		if is {
			owned = append(owned, n)
		}
	}
	return owned
}

// every runs fn now and then again and again, a pause after its end, until the group stops.
func (g *Group) every(l *loop, fn func()) {
	l.ran.Store(g.cfg.Backend.Clock().Now().UnixNano())
	g.loops = append(g.loops, l)
	g.recur(0, func() { g.again(l, fn) })
}

func (g *Group) again(l *loop, fn func()) {
	if g.busy(fn) {
		l.ran.Store(g.cfg.Backend.Clock().Now().UnixNano())
		g.recur(l.every, func() { g.again(l, fn) })
	}
}

// busy runs a step that Stop waits for, unless the group is stopping.
func (g *Group) busy(fn func()) bool {
	g.mu.Lock()
	if g.stopping {
		g.mu.Unlock()
		return false
	}
	g.idle.Add(1)
	g.mu.Unlock()
	defer g.idle.Done()
	fn()
	return true
}

// recur is Clock.After for what recurs for ever.
func (g *Group) recur(d time.Duration, fn func()) {
	clock := g.cfg.Backend.Clock()
	if r, ok := clock.(backend.Recurring); ok {
		r.Recur(d, fn)
		return
	}
	clock.After(d, fn)
}

// beat tells the others that this worker lives. One that has been silent for too long drops what it believes first:
// the others may have taken its partitions.
func (g *Group) beat() {
	connected := g.cfg.Backend.Connected()
	if g.members.beaten(g.cfg.Backend.Clock().Now(), connected) {
		for _, p := range g.partitions {
			p.fence()
		}
	}
	if connected {
		g.tell()
	}
}

// tell says that this worker lives, if it can own something.
func (g *Group) tell() {
	if !g.members.resigned() {
		g.cfg.Backend.Signal(g.members.topic(), g.members.beat(false))
	}
}

// hear learns of another worker; a new one is answered at once, so that it need not wait for the next beat, and what one
// that leaves has released is taken at once.
func (g *Group) hear(data []byte) {
	stranger, left := g.members.hear(data, g.cfg.Backend.Clock().Now())
	if stranger {
		g.tell()
	}
	if left {
		g.recur(0, func() { g.busy(g.balance) })
	}
}

// resign leaves what this worker owns to the others, because the store does not let it work.
func (g *Group) resign(err error) {
	if g.members.resign(true) {
		g.cfg.Logger.Error("durable: this worker owns nothing until it is permitted to", observe.KeyError, err)
		g.cfg.Backend.Signal(g.members.topic(), g.members.beat(true))
	}
}

// rejoin ends a resignation when the store's mind has changed.
func (g *Group) rejoin() {
	if !g.members.resigned() {
		return
	}
	ctx, cancel := context.WithTimeout(g.ctx, handOverIn)
	defer cancel()
	if g.cfg.Backend.MayOwn(ctx, g.cfg.Group) == nil && g.members.resign(false) {
		g.cfg.Logger.Info("durable: this worker may own partitions again")
		g.tell()
	}
}

// balance has partitions taken and released until they are those that membership gives this worker. One hand-over does
// not wait for another: of a cluster that has lost a server some inboxes have a leader before others.
func (g *Group) balance() {
	now := g.cfg.Backend.Clock().Now()
	owners, ok := g.members.owners(now, len(g.partitions))
	if !ok {
		return // nobody is judged while this worker cannot hear
	}
	for n, p := range g.partitions {
		mine := owners[n] == g.cfg.Worker && !p.isFenced()
		g.mu.Lock()
		due := !g.moving[n] && mine != g.owned[n] && !now.Before(g.failed[n].next)
		g.moving[n] = g.moving[n] || due
		g.mu.Unlock()
		if due {
			g.recur(0, func() { g.busy(func() { g.move(p, mine) }) })
		}
	}
}

// move hands a partition over, to this worker or from it, and notes when to try again.
func (g *Group) move(p *Partition, mine bool) {
	n := p.number
	err := g.handOver(p, mine)
	if err == nil {
		g.hearRequests(p, mine)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.moving[n] = false
	if err == nil {
		g.owned[n], g.failed[n] = mine, failure{}
		return
	}
	f := &g.failed[n]
	f.times++
	f.next = g.cfg.Backend.Clock().Now().Add(min(g.cfg.Heartbeat/5<<min(f.times, 8), askAgain))
	if mine && errors.Is(err, backend.ErrPermission) {
		g.resign(err)
	} else {
		g.cfg.Logger.Warn("durable: partition not handed over yet, will be tried again", observe.KeyPartition, n, observe.KeyError, err)
	}
}

func (g *Group) handOver(p *Partition, mine bool) error {
	ctx, cancel := context.WithTimeout(g.ctx, handOverIn)
	defer cancel()
	if mine {
		return p.take(ctx)
	}
	_, err := p.release(ctx)
	return err
}

// watchParked looks for parked instances: when another worker says that it has parked one, and every now and then, for
// what it says may get lost.
func (g *Group) watchParked() error {
	if !g.cfg.keeps(MarkParked) {
		return nil
	}
	stop, err := g.cfg.Backend.Listen(parkedTopic(g.cfg.Group), g.takeUp)
	if err != nil {
		return fmt.Errorf("owner: group %q: %w", g.cfg.Group, err)
	}
	g.stop = append(g.stop, stop)
	g.every(&loop{name: "parked", every: parkedEvery, reads: true}, g.listParked)
	return nil
}

func (g *Group) listParked() {
	if !g.cfg.Backend.Connected() {
		return
	}
	ctx, cancel := context.WithTimeout(g.ctx, metaTimeout)
	defer cancel()
	marks, err := g.cfg.Backend.Meta().List(ctx, markPrefix+"."+history.EncodeID(g.cfg.Group))
	if err != nil {
		if g.ctx.Err() == nil {
			g.cfg.Logger.Warn("durable: parked instances cannot be listed, will be tried again", observe.KeyError, err)
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(marks)) {
		g.takeUp(marks[key])
	}
}

// takeUp visits a parked instance whose code this worker has and has not tried.
func (g *Group) takeUp(mark []byte) {
	var m Mark
	if json.Unmarshal(mark, &m) != nil || slices.Contains(m.Tried, g.cfg.Worker) {
		return
	}
	if _, ok := g.cfg.Code.Program(m.Name, m.Version); !ok {
		return
	}
	p := g.partitions[history.Partition(m.ID, len(g.partitions))]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.visit(m.Address, m.Acked)
}
