package natsbackend

import (
	"cmp"
	"context"
	"errors"
	"maps"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// mostProofs is how many entries of the index are looked at, one by one, before all states are read instead.
const mostProofs = 20_000

// CountStates implements backend.States.
func (b *Backend) CountStates(ctx context.Context, q backend.Query) (counts map[history.Status]int, err error) {
	known := false
	if len(termsOf(&q)) == 0 && q.CreatedFrom.IsZero() && q.CreatedBefore.IsZero() && q.FinishedFrom.IsZero() && q.FinishedBefore.IsZero() {
		c := &counter{behind: behind{b: b, ctx: ctx}, q: q, counts: map[history.Status]int{}, gone: map[uint64]bool{}}
		known, err = c.count()
		counts = c.counts
	}
	if err == nil && !known || errors.Is(err, backend.ErrPermission) {
		counts = map[history.Status]int{}
		err = b.ListStates(ctx, func(s backend.State) bool {
			if q.Fits(&s) {
				counts[s.Status]++
			}
			return true
		})
	}
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// counter counts by the index. That may tell of states that are gone, but not of fewer than there are: the stream tells how
// many messages it has, so it shows how many are gone, and when all of those have been found.
type counter struct {
	behind
	q      backend.Query
	counts map[history.Status]int
	excess int // entries of the index that are gone
	gone   map[uint64]bool
}

// count is not known when too many would have to be looked at.
func (c *counter) count() (known bool, err error) {
	chain, err := c.b.index.chain(c.ctx)
	if err != nil {
		return false, err
	}
	state, err := c.b.states.read.state(c.ctx)
	if err != nil {
		return false, err
	}
	c.read = endOf(chain).to
	for _, s := range chain {
		c.excess += s.count()
		for _, seq := range s.below(state.FirstSeq) {
			c.gone[seq] = true
		}
	}
	if c.excess -= int(state.Msgs) + len(c.gone); c.excess > mostProofs {
		return false, nil
	}
	if err := c.tail(state, c.add); err != nil {
		return false, err
	}
	if err := c.prove(chain); err != nil || c.excess > 0 {
		return false, err
	}
	for _, s := range chain {
		for k := range s.lists {
			if l := &s.lists[k]; l.chosen(&c.q) {
				c.counts[l.status] += l.left(s, c.gone)
			}
		}
	}
	maps.DeleteFunc(c.counts, func(_ history.Status, n int) bool { return n == 0 })
	if len(c.gone) >= c.b.index.rows/16 {
		c.b.index.prune(c.ctx, chain, c.gone)
	}
	return true, nil
}

// left counts the states of a list but for those that are gone.
func (l *list) left(s *segment, gone map[uint64]bool) int {
	n := l.count
	if len(gone) > 0 {
		l.all(s, func(e entry) bool {
			if gone[e.seq] {
				n--
			}
			return true
		})
	}
	return n
}

// add counts a message that the index does not reach.
func (c *counter) add(_ stored, _ string, value []byte) error {
	c.excess++
	if value == nil {
		return nil
	}
	s, err := decodeState(value)
	if err == nil && c.q.Fits(&s) {
		c.counts[s.Status]++
	}
	return err
}

// prove looks for what is gone until all of it is found: first among what had not ended, which is replaced, then from the oldest
// on, which expires.
func (c *counter) prove(chain []*segment) error {
	left := mostProofs
	for _, live := range []bool{true, false} {
		for _, s := range chain {
			var seqs []uint64
			for k := range s.lists {
				if l := &s.lists[k]; l.status.Final() != live {
					l.all(s, func(e entry) bool {
						if !c.gone[e.seq] {
							seqs = append(seqs, e.seq)
						}
						return true
					})
				}
			}
			if c.excess <= 0 || left < len(seqs) {
				return nil
			}
			left -= len(seqs)
			gone, err := c.b.states.read.each(seqs, func(stored) error { return nil })
			if err = cmp.Or(err, c.ctx.Err()); err != nil {
				return err
			}
			c.excess -= len(gone)
			for _, seq := range gone {
				c.gone[seq] = true
			}
		}
	}
	return nil
}
