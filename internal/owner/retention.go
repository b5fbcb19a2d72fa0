package owner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Retention says how the log is shortened. The owner of a group's first partition does it for the hub; several groups'
// do no harm, since each removes only what nobody needs.
type Retention struct {
	Every time.Duration // between two rounds; 0: 30 s; negative: never
	// Keep is how many messages the log may hold before live instances are moved out of it; 0: 100,000.
	Keep uint64
	// Age is how old a message must be at least to be removed. A start that is stored within a quarter of it is taken for
	// new; of a later one the archive is asked (H10). So clocks must not differ by more than half of it. 0: a minute.
	Age time.Duration
	// Late is how long after it was decided a start may be stored at most, if nothing but its message tells of it: clients
	// have been told by then that it is not known whether it was. It must be less than Age, and than half of what the hub
	// keeps the shortest. 0: 30 s.
	Late time.Duration
}

func (r Retention) withDefaults() Retention {
	r.Every = or(r.Every, 30*time.Second)
	r.Keep = or(r.Keep, 100_000)
	r.Age = or(r.Age, time.Minute)
	r.Late = or(r.Late, backend.LateStart)
	return r
}

const (
	mostFrozen  = 1000 // instances moved out of the log in a round: with more that wait the log holds as many rounds more
	restFactor  = 4    // a round that took long is followed by a pause that many times as long
	mostSamples = 200  // ends of the log that are remembered
)

// retention shortens the log, a round at a time.
type retention struct {
	g *Group

	mu      sync.Mutex // the answers of a round come on other goroutines
	samples []sample   // ends of the log, oldest first
	last    uint64     // what the log was last shortened to
	rest    time.Time
	refused bool // said that it is not permitted
	running bool // a round is

	live   map[string]need // what is live, as of revision seen of the projection
	seen   uint64
	listed time.Time // when that was all there is
}

// need is from where on a live instance needs the log.
type need struct {
	history.Address
	from uint64
}

// sample is where the log ended.
type sample struct {
	at   time.Time
	next uint64
}

// FreezeTopic is where the owner of a partition is asked to move an instance out of the log.
func FreezeTopic(group string, partition int) string {
	return fmt.Sprintf("freeze.%s.%d", history.EncodeID(group), partition)
}

// shorten begins a round. Floors come first, what is live after that (H18): a message is acknowledged only when the
// projection holds its instance (I4), so one that the floors do not hold is held by what is listed later.
func (r *retention) shorten() {
	now := r.g.cfg.Backend.Clock().Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running || !slices.Contains(r.g.Owned(), 0) || !r.g.cfg.Backend.Connected() || now.Before(r.rest) {
		return
	}
	r.running = true
	if !r.g.cfg.keeps(FloorsFirst) {
		lowest, err := r.needs()
		if err != nil {
			r.failed(err)
			return
		}
		r.floors(now, func(floor, next uint64) { r.remove(now, floor, lowest, next) })
		return
	}
	r.floors(now, func(floor, next uint64) {
		lowest, err := r.needs()
		if err != nil {
			r.failed(err)
			return
		}
		r.remove(now, floor, lowest, next)
	})
}

// floors reads how far the consumers are, and then goes on unless the group has been stopped.
func (r *retention) floors(begun time.Time, then func(floor, next uint64)) {
	r.g.cfg.Backend.Floor(func(floor, next uint64, err error) {
		r.goOn(err, func() {
			if !r.g.cfg.keeps(HonourFloors) {
				floor = next
			}
			then(min(floor, r.aged(begun, next)), next)
		})
	})
}

// aged gives where the log ended long enough ago, and notes where it ends now.
func (r *retention) aged(now time.Time, next uint64) (before uint64) {
	r.samples = append(r.samples, sample{now, next})
	old := 0
	for n, s := range r.samples {
		if now.Sub(s.at) >= r.g.cfg.Retention.Age {
			before, old = s.next, n
		}
	}
	r.samples = slices.Delete(r.samples, 0, max(old, len(r.samples)-mostSamples))
	return before
}

// needs gives the lowest sequence that something live needs. A claim is no instance yet: its start is not acknowledged
// before the projection says so.
func (r *retention) needs() (lowest uint64, err error) {
	ctx, cancel := context.WithTimeout(r.g.ctx, listTime)
	defer cancel()
	lowest = backend.TheEnd
	marks, err := r.g.cfg.Backend.Meta().List(ctx, markPrefix)
	if err != nil {
		return 0, err
	}
	for _, value := range marks {
		var m Mark
		if json.Unmarshal(value, &m) != nil {
			m.From = 0 // whatever it holds
		}
		lowest = min(lowest, m.From)
	}
	begun, keeps := r.g.cfg.Backend.Clock().Now(), r.g.cfg.Backend.Info().Retention
	if late := begun.Sub(r.listed) > keeps.Memory() && r.g.cfg.keeps(ListAnew); r.live == nil || !r.listed.IsZero() && late {
		r.live, r.seen, r.listed = map[string]need{}, 0, time.Time{} // what has ended and expired meanwhile would not show
	}
	r.seen, err = r.g.cfg.Backend.LiveStates(ctx, r.seen, func(a history.Address, from uint64, live bool) {
		if live {
			r.live[a.ID] = need{a, from}
		} else {
			delete(r.live, a.ID)
		}
	})
	if err != nil {
		return 0, err // the next round goes on from there
	}
	r.listed = begun
	for _, n := range r.live {
		lowest = min(lowest, n.from)
	}
	return lowest, nil
}

const listTime = time.Minute

// remove shortens the log and asks for those who hold too much of it to be moved out. All below floor is acknowledged.
func (r *retention) remove(begun time.Time, floor, lowest, next uint64) {
	if before := min(floor, lowest); before > r.last {
		r.g.cfg.Backend.Shorten(before, func(err error) {
			r.goOn(err, func() {
				r.last = before
				r.sweep()
			})
		})
	} else {
		r.sweep()
	}
	r.rest = begun.Add(restFactor * r.g.cfg.Backend.Clock().Now().Sub(begun))
	holders := slices.SortedFunc(maps.Values(r.live), func(a, b need) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.ID, b.ID))
	})
	for k, n := range holders {
		if k == mostFrozen || n.from+r.g.cfg.Retention.Keep > next {
			break
		}
		r.g.cfg.Backend.Signal(FreezeTopic(n.Group, history.Partition(n.ID, len(r.g.partitions))), AskFreeze(n.ID, floor))
	}
}

// sweep removes the payloads that nothing needs any more, some of them. It ends the round.
func (r *retention) sweep() {
	r.g.cfg.Backend.Sweep(func(err error) {
		r.goOn(err, func() { r.running = false })
	})
}

// goOn goes on with a round after an answer, unless the group has been stopped.
func (r *retention) goOn(err error, then func()) {
	r.g.busy(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			r.failed(err)
			return
		}
		then()
	})
}

func (r *retention) failed(err error) {
	r.running = false
	if r.g.ctx.Err() == nil && !r.refused {
		r.g.cfg.Logger.Warn("durable: the log is not shortened, will be tried again", observe.KeyError, err)
	}
	r.refused = unfit(err)
}

// AskFreeze is what is asked there. All messages below floor are acknowledged, whoever has got them.
func AskFreeze(id string, floor uint64) []byte { return fmt.Appendf(nil, "%d %s", floor, id) }

// freeze moves an instance out of the log, on behalf of whoever shortens it.
func (p *Partition) freeze(data []byte) {
	number, id, _ := strings.Cut(string(data), " ")
	floor, err := strconv.ParseUint(number, 10, 64)
	if err != nil || history.CheckID(id) != nil || history.Partition(id, p.be.Info().Partitions) != p.number {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.owned {
		return
	}
	i := p.instances[id]
	if i != nil && (i.entry == 0 || i.rev == 0) && i.doubtful() && i.idle() {
		p.remove(i) // to be read anew: it is about to say that it lives
		i = nil
	}
	if i == nil {
		i = p.add(history.Address{Group: p.cfg.Group, ID: id})
		i.load()
	}
	i.wanted, i.floor = true, max(i.floor, floor)
	i.freezeWanted()
}
