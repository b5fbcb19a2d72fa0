package natsbackend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// The index of the states is a chain of segments in the bucket for meta data: each begins where the one before ends. Whoever
// reads what the chain does not reach yet, to shorten the log or for a list, makes more of it if it may write. They need not
// agree on anything: the first one who stores a segment wins, and what nobody has stored is read.
const (
	indexLists = "index.lists." // and where the segment begins
	indexWords = "index.words."

	mostRows = 4096      // in a segment
	mostText = 128 << 10 // bytes of the texts in it, about
	struck   = 8         // segments from which strike takes all

	mostReplaced = 4 // segments' worth of replaced states that are kept while the index cannot be stored
)

// index is what this process knows of the index of its hub.
type index struct {
	b *Backend

	rows int    // most in a segment
	span uint64 // sequences that are worth a segment
	gets uint64 // sequences that are read one by one rather than by a consumer, for which the server counts all that there is

	mu     sync.Mutex // held while it is read
	lists  shelf[*segment]
	words  shelf[[]byte]
	copies shelf[*copies]
	draft  *draft // what has been read and is not stored
	lent   bool   // somebody has the draft
	silent bool   // it cannot be made longer here: we may not, or there is a state that is not understood
	tidied uint64 // where the tidying goes on

	replaced []uint64 // of which there may be copies to forget

	stale atomic.Bool  // the server may have fewer values than have been read
	doubt atomic.Int64 // how many states it told of when some were not there and could not be found: see finder.prove
}

// shelf is one kind of value of the index, by where the segment begins.
type shelf[V any] struct {
	prefix string
	read   uint64 // sequence of the bucket up to which it has been read
	values map[uint64]V
	revs   map[uint64]uint64 // also of what is not understood
}

func newShelf[V any](prefix string) shelf[V] {
	return shelf[V]{prefix: prefix, values: map[uint64]V{}, revs: map[uint64]uint64{}}
}

func newIndex(b *Backend) *index {
	rows := or(b.cfg.indexRows, mostRows)
	return &index{b: b, rows: rows, span: uint64(rows) / 4, gets: uint64(rows) / 2,
		lists: newShelf[*segment](indexLists), words: newShelf[[]byte](indexWords),
		copies: newShelf[*copies](indexCopies)}
}

// refresh reads what is new on a shelf.
func (s *shelf[V]) refresh(k *bucket, decode func(value []byte, rev uint64) (V, error)) error {
	var failed error
	err := k.read.scan(s.read+1, k.keys+s.prefix+">", func(m stored) bool {
		after, err := strconv.ParseUint(strings.TrimPrefix(m.subject, k.keys+s.prefix), 10, 64)
		if err != nil {
			return true // not of ours
		}
		delete(s.values, after)
		s.revs[after] = m.seq
		if m.header.Get(headerOperation) == "" {
			var value []byte
			if value, failed = k.b.bodyOf(m.header, m.body); failed != nil {
				return false
			}
			if v, err := decode(value, m.seq); err == nil { // else it is of another version, or damaged: as if it were not there
				s.values[after] = v
			}
		}
		s.read = m.seq
		return true
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("natsbackend: read the index of the states: %w", err)
	}
	return nil
}

// chain brings what is known up to date and gives it, the oldest segment first.
func (x *index) chain(ctx context.Context) ([]*segment, error) {
	return wait(ctx, x.b, "find the index of the states", func(done func([]*segment, error)) {
		x.b.loads.do(func() {
			x.mu.Lock()
			chain, err := x.chained()
			x.mu.Unlock()
			done(chain, err)
		})
	})
}

// chained is chain. Lock held.
func (x *index) chained() ([]*segment, error) {
	if x.stale.Swap(false) {
		x.lists, x.words, x.copies = newShelf[*segment](indexLists), newShelf[[]byte](indexWords), newShelf[*copies](indexCopies)
	}
	if err := x.lists.refresh(x.b.meta, decodeSegment); err != nil {
		return nil, err
	}
	for {
		chain := x.links()
		if len(chain) == 0 {
			return nil, nil
		}
		last := chain[len(chain)-1]
		m, err := x.b.states.read.since(last.at.Add(1))()
		switch {
		case errors.Is(err, backend.ErrNotFound):
			return chain, nil
		case err != nil:
			return nil, err
		case m.seq > last.to || !m.time.After(last.at):
			return chain, nil
		}
		// The server has lost what was not on its disk, and gave the sequences to others, which are younger than all that the
		// segment is of.
		maps.DeleteFunc(x.lists.values, func(_ uint64, s *segment) bool { return s.to >= m.seq && s.at.Before(m.time) })
		x.draft = nil
	}
}

// links gives the segments that are known, each where the one before ends. What they cover besides is forgotten.
func (x *index) links() (chain []*segment) {
	end, at := uint64(0), time.Time{}
	for s := x.lists.values[0]; s != nil && !s.at.Before(at); s = x.lists.values[s.to] {
		chain = append(chain, s)
		end, at = s.to, s.at
	}
	covered := func(after uint64) bool {
		_, begins := segmentAt(chain, after)
		return after < end && !begins
	}
	maps.DeleteFunc(x.lists.values, func(after uint64, _ *segment) bool { return covered(after) })
	maps.DeleteFunc(x.words.values, func(after uint64, _ []byte) bool { return covered(after) })
	return chain
}

// segmentAt finds the segment that begins at a sequence, or where it would be.
func segmentAt(chain []*segment, after uint64) (n int, found bool) {
	return slices.BinarySearchFunc(chain, after, func(s *segment, after uint64) int { return cmp.Compare(s.after, after) })
}

// readWords brings the words up to date.
func (x *index) readWords() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.words.refresh(x.b.meta, func(value []byte, _ uint64) ([]byte, error) { return value, nil })
}

// wordsOf gives the words of a segment as they were last read; nil when they are not those that belong to it.
func (x *index) wordsOf(s *segment) []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	if w := x.words.values[s.after]; w != nil && sumOf(w) == s.sum {
		return w
	}
	return nil
}

// draft is what comes after the chain, as far as it has been read.
type draft struct {
	after, last uint64 // its range so far
	at          time.Time
	rows        []row
	text        int
	full        []*finished
	most        int   // rows of a segment
	err         error // something was not understood: the index ends here

	kinds    map[kind]int // rows of them, some of which may be stored by now
	replaced []uint64     // what the messages have replaced
}

// finished is a segment to be stored.
type finished struct {
	after, to    uint64
	rev          uint64 // that its lists replace
	lists, words []byte // no words: those that are stored stay
	copies       []byte // as words
}

// lend gives the draft to whoever is about to read states, with what has been read. It is nil when somebody else has it, or it
// would be in vain. Else it has to be given back.
func (x *index) lend() *draft {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.lent || x.silent {
		return nil
	}
	chain, err := x.chained()
	if err != nil {
		return nil // the index is a help, the states are there without it
	}
	end := endOf(chain)
	d := x.draft
	switch {
	case d == nil || d.after > end.to || d.last < end.to:
		d = &draft{most: x.rows, after: end.to, last: end.to, at: end.at}
	case d.after < end.to: // somebody else has stored a part of it
		d.rows = slices.DeleteFunc(d.rows, func(r row) bool { return r.seq <= end.to })
		d.after = end.to
		if d.at.Before(end.at) {
			d.at = end.at
		}
	}
	x.draft, x.lent = nil, true
	return d
}

// endOf gives the last segment, which is empty when there is none.
func endOf(chain []*segment) *segment {
	if len(chain) == 0 {
		return &segment{}
	}
	return chain[len(chain)-1]
}

// read takes the next message of the bucket, whose value nobody has read yet.
func (d *draft) read(b *Backend, m stored, id string) {
	if d.err != nil || m.seq <= d.last {
		return
	}
	var value []byte
	if value, d.err = b.bodyOf(m.header, m.body); d.err == nil {
		d.add(m, id, value)
	}
}

// add takes the next message of the bucket. All that there are after last have to come.
func (d *draft) add(m stored, id string, value []byte) {
	if d.err != nil || m.seq <= d.last {
		return
	}
	var r row
	if r, d.err = rowOf(m, id, value); d.err != nil {
		return
	}
	d.keepCopy(&r, m, value)
	if seq := replacedBy(m); seq > 0 {
		d.replaced = append(d.replaced, seq)
	}
	d.rows = append(d.rows, r)
	d.last = m.seq
	if m.time.After(d.at) {
		d.at = m.time
	}
	d.text += len(r.name)
	for _, w := range r.words {
		d.text += len(w)
	}
	if len(d.rows) >= d.most || d.text >= mostText {
		d.finish()
	}
}

// finish makes a segment of what has been read.
func (d *draft) finish() {
	lists, words := sortRows(d.rows)
	encoded := encodeWords(d.after, d.last, words)
	f := &finished{after: d.after, to: d.last, words: encoded, lists: encodeLists(d.after, d.last, d.at, sumOf(encoded), lists)}
	if rare := d.rare(lists); len(rare) > 0 {
		f.copies = encodeCopies(f.after, copies{d.at.UnixNano(), sumOf(encoded), rare})
	}
	d.full = append(d.full, f)
	d.after, d.rows, d.text, d.kinds = d.last, nil, 0, nil
}

// storeWithin is how long it may take to store what has been read, also for whoever waits no longer for the rest.
const storeWithin = 5 * time.Second

// giveBack stores what is worth it. That it may not, or that somebody else was quicker, is no error: the index is a help.
func (x *index) giveBack(ctx context.Context, d *draft) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
	defer cancel()
	if d.last-d.after >= x.span {
		d.finish()
	}
	err := x.extend(ctx, d.full)
	x.mu.Lock()
	replaced := append(x.replaced, d.replaced...)
	x.mu.Unlock()
	d.replaced = nil
	switch {
	case x.forget(ctx, replaced) == nil:
		x.strike(ctx, replaced)
		replaced = nil
	case len(replaced) > mostReplaced*x.rows:
		replaced = nil // lists prove nothing by the copies then, and read what is there
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.replaced = replaced
	x.lent = false
	switch {
	case err == nil && d.err == nil:
		d.full = nil
		x.draft = d
	case d.err != nil && !errors.Is(d.err, backend.ErrUnavailable) && !errors.Is(d.err, backend.ErrClosed):
		x.silent = true
	}
}

// extend stores segments behind the chain.
func (x *index) extend(ctx context.Context, all []*finished) error {
	if len(all) == 0 {
		return nil
	}
	if _, err := x.chain(ctx); err != nil {
		return err
	}
	x.mu.Lock()
	quicker := endOf(x.links()).to != all[0].after
	for _, f := range all {
		f.rev = x.lists.revs[f.after]
	}
	x.mu.Unlock()
	if quicker {
		return backend.ErrConflict
	}
	return x.store(ctx, all)
}

// store writes the lists of segments, and then, where nobody else was quicker, the words and copies. Until they are there, the
// lists do without.
func (x *index) store(ctx context.Context, all []*finished) (err error) {
	k := x.b.meta
	defer func() { x.stored(err) }()
	answers := make(chan error, len(all))
	for _, f := range all {
		k.write(indexLists+strconv.FormatUint(f.after, 10), f.lists, f.rev, func(_ uint64, err error) { answers <- err })
	}
	if err := collect(ctx, answers, len(all)); err != nil {
		return err
	}
	answers = make(chan error, 2*len(all))
	sent := 0
	for _, f := range all {
		for prefix, value := range map[string][]byte{indexWords: f.words, indexCopies: f.copies} {
			if value == nil {
				continue
			}
			sent++
			k.b.aside(func() {
				k.b.store(k.put+prefix+strconv.FormatUint(f.after, 10), nil, value, func(_ uint64, err error) { answers <- err })
			}, func(_ uint64, err error) { answers <- err })
		}
	}
	return collect(ctx, answers, sent)
}

// stored notes how it went to store something.
func (x *index) stored(err error) {
	if errors.Is(err, backend.ErrPermission) {
		x.mu.Lock()
		x.silent = true
		x.mu.Unlock()
	} else if err != nil {
		x.stale.Store(true)
	}
}

// collect waits for answers and gives the first error.
func collect(ctx context.Context, answers <-chan error, n int) (err error) {
	for range n {
		select {
		case e := <-answers:
			err = cmp.Or(err, e)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}

// prune takes states out of the index that are not there any more.
func (x *index) prune(ctx context.Context, segments []*segment, gone map[uint64]bool) {
	x.mu.Lock()
	silent := x.silent
	x.mu.Unlock()
	var all []*finished
	for _, s := range segments {
		if lists, left := s.without(gone); left < s.count() {
			all = append(all, &finished{after: s.after, to: s.to, rev: s.rev, lists: encodeLists(s.after, s.to, s.at, s.sum, lists)})
		}
	}
	if !silent && len(all) > 0 {
		_ = x.store(ctx, all) // who else has changed them meanwhile will see the same
	}
}

// count counts the states, and the marks of deletions.
func (s *segment) count() (n int) {
	for _, l := range s.lists {
		n += l.count
	}
	return n
}

// below gives what is before a sequence.
func (s *segment) below(first uint64) (seqs []uint64) {
	if s.after+1 >= first {
		return nil
	}
	for k := range s.lists {
		s.lists[k].all(s, func(e entry) bool {
			if e.seq < first {
				seqs = append(seqs, e.seq)
			}
			return e.seq < first
		})
	}
	return seqs
}

// without gives the lists without some of their entries.
func (s *segment) without(gone map[uint64]bool) (lists map[kind][]entry, left int) {
	lists = map[kind][]entry{}
	for _, l := range s.lists {
		l.all(s, func(e entry) bool {
			if !gone[e.seq] {
				lists[l.kind] = append(lists[l.kind], e)
				left++
			}
			return true
		})
	}
	return lists, left
}

// idOf gives whose state a message of the bucket is.
func (b *Backend) idOf(m stored) (string, error) {
	return history.DecodeID(strings.TrimPrefix(m.subject, b.states.keys))
}

// strike takes out what was replaced: when what has replaced it is in the index, nothing tells any more that it is gone. What had not
// ended is replaced all the time, and mostly soon; for that no older segment is stored again.
func (x *index) strike(ctx context.Context, replaced []uint64) {
	chain, err := x.chain(ctx)
	if err != nil {
		return // the index is a help
	}
	recent := chain[max(0, len(chain)-struck):]
	gone := map[uint64]bool{}
	var of []*segment
	tellOf(chain, replaced, func(s *segment, l *list, seq uint64) {
		if l.status.Final() || s.after >= recent[0].after {
			gone[seq] = true
			if !slices.Contains(of, s) {
				of = append(of, s)
			}
		}
	})
	x.prune(ctx, of, gone)
}
