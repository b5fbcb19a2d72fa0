package natsbackend

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

const (
	fewGets = 32 // candidates that are read at once, at first; then ever more
	passes  = 10 // times that it is looked for what has moved meanwhile
)

// FindStates implements backend.States. Who may not read the bucket for meta data does without an index.
func (b *Backend) FindStates(ctx context.Context, q backend.Query) (page []backend.State, more bool, err error) {
	f := &finder{behind: behind{b: b, ctx: ctx}, q: q, terms: termsOf(&q), found: map[string]newest{}, gone: map[uint64]bool{}, late: map[string]struct{}{}}
	indexed := q.FinishedFrom.IsZero() && q.FinishedBefore.IsZero()
	if indexed {
		err = f.find()
	}
	if !indexed || errors.Is(err, backend.ErrPermission) {
		all := backend.NewNewest(q)
		if err = b.ListStates(ctx, func(s backend.State) bool { all.Add(s); return true }); err == nil {
			page, more = all.Page()
		}
	} else if err == nil {
		page, more = f.page()
	}
	if err != nil {
		return nil, false, err
	}
	return page, more, nil
}

// behind reads what the bucket of states has behind the index.
type behind struct {
	b    *Backend
	ctx  context.Context
	read uint64 // how far it has come
}

// taking takes a message of the bucket; value is nil for the mark of a deletion.
type taking func(m stored, id string, value []byte) error

// tail reads on up to where the bucket ends, as state says.
func (t *behind) tail(state jetstream.StreamState, take taking) (err error) {
	if state.FirstSeq > t.read+1 { // nothing is left of what is before it
		t.read = state.FirstSeq - 1
	}
	end := state.LastSeq
	switch {
	case end <= t.read:
		return nil
	case end-t.read <= t.b.index.gets:
		seqs := make([]uint64, 0, end-t.read)
		for seq := t.read + 1; seq <= end; seq++ {
			seqs = append(seqs, seq)
		}
		_, err = t.get(seqs, take)
	default:
		end, err = t.rest(end, take)
	}
	t.read = end
	return err
}

// rest reads on by a consumer, to the end of the bucket, and makes the index longer.
func (t *behind) rest(end uint64, take taking) (read uint64, err error) {
	d := t.b.index.lend()
	if d != nil {
		lent := d
		defer func() { t.b.index.giveBack(t.ctx, lent) }()
		if d.last < t.read { // it would miss what is between
			d = nil
		}
	}
	var failed error
	err = t.b.states.read.bulk(t.ctx, t.read+1, t.b.states.keys+">", func(m stored) bool {
		end = max(end, m.seq)
		failed = t.open(m, func(m stored, id string, value []byte) error {
			if d != nil {
				d.add(m, id, value)
			}
			return take(m, id, value)
		})
		return failed == nil
	})
	return end, errors.Join(err, failed)
}

// get reads messages of the bucket, as far as they are there, and gives those that are gone.
func (t *behind) get(seqs []uint64, take taking) (gone []uint64, err error) {
	return t.b.states.read.each(seqs, func(m stored) error { return t.open(m, take) })
}

func (t *behind) open(m stored, take taking) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	id, err := t.b.idOf(m)
	if err != nil {
		return err
	}
	if m.header.Get(headerOperation) != "" {
		return take(m, id, nil)
	}
	value, err := t.b.bodyOf(m.header, m.body)
	if err == nil {
		err = take(m, id, value)
	}
	if err != nil {
		return fmt.Errorf("natsbackend: the state of %s: %w", id, err)
	}
	return nil
}

// finder looks for the first states that a query chooses: in what the index does not reach, all of it, and then in the index
// for as long as what it has found may not be the first.
type finder struct {
	behind
	q     backend.Query
	terms []term

	found map[string]newest
	more  bool            // some that fit were dropped, since they stand behind the page
	gone  map[uint64]bool // what the index tells of and is not there

	end      uint64              // of the index
	late     map[string]struct{} // instances that were met behind it
	replaced []uint64            // what those had in it
	copies   map[uint64][]byte   // of states that were there
}

// newest is the newest that is known of an instance that fits.
type newest struct {
	backend.State
	seq uint64
}

// find names the steps. What changes meanwhile moves to the end of the bucket, which is why that is read again in the end.
func (f *finder) find() error {
	chain, err := f.b.index.chain(f.ctx)
	if err == nil && len(f.terms) > 0 {
		err = f.b.index.readWords()
	}
	if err != nil {
		return err
	}
	f.end = endOf(chain).to
	f.read = f.end
	c := f.candidates(chain)
	for pass := range passes {
		before := f.read
		state, err := f.b.states.read.state(f.ctx)
		if err == nil {
			err = f.tail(state, f.add)
		}
		if err != nil {
			return err
		}
		if pass > 0 && f.read == before {
			break
		}
		if pass == 0 && c.rare(chain) {
			if err = f.copy(chain); err != nil {
				return err
			}
		}
		if err = f.pick(c); err != nil {
			return err
		}
	}
	if len(f.gone) >= f.b.index.rows/16 {
		f.b.index.prune(f.ctx, chain, f.gone)
	}
	return nil
}

// copy has pick use copies, if those prove to be of what is there.
func (f *finder) copy(chain []*segment) error {
	copies, err := f.b.index.copiesOf(chain)
	if err != nil || len(copies) == 0 {
		return err
	}
	if all, err := f.prove(chain); !all {
		return err
	}
	f.copies = copies
	return nil
}

// add takes a message of the bucket.
func (f *finder) add(m stored, id string, value []byte) (err error) {
	if m.seq > f.end {
		f.late[id] = struct{}{}
		if seq := replacedBy(m); seq > 0 && seq <= f.end {
			f.replaced = append(f.replaced, seq)
		}
	}
	var s backend.State
	if value != nil {
		if s, err = decodeState(value); err != nil {
			return err
		}
	}
	f.keep(m.seq, id, s, value != nil)
	return nil
}

// keep takes what is known of an instance; not there: that it is deleted.
func (f *finder) keep(seq uint64, id string, s backend.State, there bool) {
	if had, ok := f.found[id]; ok && had.seq > seq {
		return
	}
	if !there || !f.q.Fits(&s) || f.q.After != nil && s.Place().Compare(*f.q.After) <= 0 {
		delete(f.found, id)
		return
	}
	f.found[id] = newest{s, seq}
	if len(f.found) > 4*f.q.Limit+1000 {
		for _, s := range f.sorted()[f.q.Limit+1:] {
			delete(f.found, s.ID)
		}
		f.more = true
	}
}

func (f *finder) sorted() []newest {
	all := make([]newest, 0, len(f.found))
	for _, s := range f.found {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b newest) int { return a.Place().Compare(b.Place()) })
	return all
}

func (f *finder) page() (page []backend.State, more bool) {
	for _, s := range f.sorted() {
		page = append(page, s.State)
	}
	return page[:min(len(page), f.q.Limit)], f.more || len(page) > f.q.Limit
}

// pick reads candidates until the page is full and no other one can stand on it.
func (f *finder) pick(c *candidates) error {
	for most := fewGets; ; most = min(2*most, 1024) {
		best := f.sorted()
		next, any := c.peek()
		if !any || len(best) > f.q.Limit && next < best[f.q.Limit].Created.UnixMilli() {
			return nil
		}
		n := max(most, f.q.Limit+1-len(best))
		gone, err := f.get(f.uncopied(c.take(n)), f.add)
		if err != nil {
			return err
		}
		for _, seq := range gone {
			f.gone[seq] = true
		}
	}
}

// uncopied takes what is copied, and gives the rest, without what is known to be gone.
func (f *finder) uncopied(seqs []uint64) (rest []uint64) {
	for _, seq := range seqs {
		if f.gone[seq] {
			continue
		}
		if value, ok := f.copies[seq]; ok {
			if s, err := decodeState(value); err == nil {
				f.keep(seq, s.ID, s, true)
				continue
			}
		}
		rest = append(rest, seq)
	}
	return rest
}

// candidates are the states that the index tells of and that may fit, the newest first.
type candidates struct {
	f     *finder
	lists []listOf // that have not been opened, the one with the newest state last
	open  entries
	words map[*segment][]uint64 // what the words tell of a segment

	newest, oldest int64 // bounds of the time of creation, in ms
}

type listOf struct {
	*list
	of *segment
}

func (f *finder) candidates(chain []*segment) *candidates {
	c := &candidates{f: f, words: map[*segment][]uint64{}, newest: 1<<63 - 1, oldest: -1 << 63}
	if f.q.After != nil {
		c.newest = f.q.After.Created.UnixMilli()
	}
	if t := f.q.CreatedBefore; !t.IsZero() {
		c.newest = min(c.newest, t.UnixMilli())
	}
	if t := f.q.CreatedFrom; !t.IsZero() {
		c.oldest = t.UnixMilli()
	}
	for _, s := range chain {
		for k := range s.lists {
			if l := &s.lists[k]; l.chosen(&f.q) && l.oldest <= c.newest && l.newest >= c.oldest {
				c.lists = append(c.lists, listOf{l, s})
			}
		}
	}
	slices.SortFunc(c.lists, func(a, b listOf) int { return cmp.Compare(a.newest, b.newest) })
	return c
}

// rare reports whether there may be so few candidates that they have been copied.
func (c *candidates) rare(chain []*segment) bool {
	if len(c.f.terms) > 0 {
		return true // the words have not told yet
	}
	n, final := 0, false
	for _, l := range c.lists {
		n += l.count
		final = final || l.status.Final()
	}
	return final && n <= len(chain)*mostCopied(c.f.b.index.rows)
}

// chosen reports whether a query chooses states of a list.
func (l *list) chosen(q *backend.Query) bool {
	return l.status != "" && q.FitsStatus(l.status) && q.FitsName(l.name)
}

// peek tells when the next candidate was created.
func (c *candidates) peek() (created int64, any bool) {
	for n := len(c.lists); n > 0 && (len(c.open) == 0 || c.lists[n-1].newest > c.open[0].created); n-- {
		c.unfold(c.lists[n-1])
		c.lists = c.lists[:n-1]
	}
	if len(c.open) == 0 {
		return 0, false
	}
	return c.open[0].created, true
}

// take gives the next n candidates.
func (c *candidates) take(n int) (seqs []uint64) {
	for len(seqs) < n {
		if _, any := c.peek(); !any {
			break
		}
		seqs = append(seqs, heap.Pop(&c.open).(entry).seq)
	}
	return seqs
}

// unfold opens a list.
func (c *candidates) unfold(l listOf) {
	chosen, told := c.told(l.of)
	l.all(l.of, func(e entry) bool {
		if told {
			if _, ok := slices.BinarySearch(chosen, e.seq); !ok {
				return true
			}
		}
		if e.created >= c.oldest && e.created <= c.newest {
			heap.Push(&c.open, e)
		}
		return true
	})
}

// told gives what the words tell of a segment, if they do.
func (c *candidates) told(s *segment) (seqs []uint64, told bool) {
	if len(c.f.terms) == 0 {
		return nil, false
	}
	if seqs, told = c.words[s]; told {
		return seqs, true
	}
	words := c.f.b.index.wordsOf(s)
	if words == nil {
		return nil, false
	}
	seqs, err := findWords(words, c.f.terms)
	if err != nil {
		return nil, false
	}
	c.words[s] = seqs
	return seqs, true
}

// entries is a heap, the newest first.
type entries []entry

func (h entries) Len() int           { return len(h) }
func (h entries) Less(a, b int) bool { return h[a].created > h[b].created }
func (h entries) Swap(a, b int)      { h[a], h[b] = h[b], h[a] }
func (h *entries) Push(e any)        { *h = append(*h, e.(entry)) }
func (h *entries) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
