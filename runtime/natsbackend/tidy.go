package natsbackend

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
)

// mostTidied is how many entries of the index are looked at in a round.
const mostTidied = 16_000

// tidy looks for what is gone in a part of the index, if a fifth of it is, and makes one segment of several that have little
// left. It does what it can: the index is a help.
func (x *index) tidy(ctx context.Context) {
	chain, err := x.chain(ctx)
	if err != nil {
		return
	}
	state, err := x.b.states.read.state(ctx)
	total := 0
	for _, s := range chain {
		total += s.count()
	}
	enough := err != nil || total <= int(state.Msgs)/4*5+x.rows
	x.mu.Lock()
	if enough || x.tidied >= endOf(chain).to {
		x.tidied = 0 // the next time it begins with the oldest again, which expire
	}
	from, _ := segmentAt(chain, x.tidied)
	x.mu.Unlock()
	if enough {
		return
	}
	var m merger
	looked := 0
	for _, s := range chain[from:] {
		var seqs []uint64
		gone := s.below(state.FirstSeq)
		for k := range s.lists {
			s.lists[k].all(s, func(e entry) bool {
				if e.seq >= state.FirstSeq {
					seqs = append(seqs, e.seq)
				}
				return true
			})
		}
		if looked += len(seqs); looked > mostTidied && len(m.of) > 0 {
			break
		}
		more, err := x.b.states.read.each(seqs, func(stored) error { return ctx.Err() })
		if err != nil {
			return
		}
		gone = append(gone, more...)
		if left := s.count() - len(gone); m.count+left > x.rows && len(m.of) > 0 {
			if err := x.replace(ctx, &m); err != nil {
				return
			}
			m = merger{}
		}
		m.add(s, gone)
	}
	if x.replace(ctx, &m) == nil {
		x.mu.Lock()
		x.tidied = endOf(m.of).to
		x.mu.Unlock()
	}
}

// merger is segments that become one.
type merger struct {
	of    []*segment
	lists map[kind][]entry
	count int
	was   int // entries before
}

func (m *merger) add(s *segment, gone []uint64) {
	if m.lists == nil {
		m.lists = map[kind][]entry{}
	}
	dead := make(map[uint64]bool, len(gone))
	for _, seq := range gone {
		dead[seq] = true
	}
	lists, left := s.without(dead)
	for k, entries := range lists {
		m.lists[k] = append(m.lists[k], entries...)
	}
	m.of = append(m.of, s)
	m.count += left
	m.was += s.count()
}

// replace stores a merger in place of its first segment; the others are in nobody's way, and are removed.
func (x *index) replace(ctx context.Context, m *merger) error {
	if len(m.of) == 0 || len(m.of) == 1 && m.count == m.was {
		return nil
	}
	first, last := m.of[0], endOf(m.of)
	f := &finished{after: first.after, to: last.to, rev: first.rev}
	words, err := x.wordsOfMerger(m)
	switch {
	case err == nil:
		f.words = encodeWords(f.after, f.to, words)
	case !errors.Is(err, errSegment) && !errors.Is(err, backend.ErrNotFound):
		return err
	}
	f.lists = encodeLists(f.after, f.to, last.at, sumOf(f.words), m.lists)
	f.copies = encodeCopies(f.after, copies{last.at.UnixNano(), sumOf(f.words), x.copiesOfMerger(m)})
	if err := x.store(ctx, []*finished{f}); err != nil {
		return err
	}
	for _, s := range m.of[1:] {
		for _, prefix := range []string{indexLists, indexWords, indexCopies} {
			if err := x.purge(ctx, prefix+strconv.FormatUint(s.after, 10)); err != nil {
				return err
			}
		}
	}
	return nil
}

// copiesOfMerger gives the copies of what is left, as far as they are known.
func (x *index) copiesOfMerger(m *merger) (all []copied) {
	left := m.left()
	x.mu.Lock()
	defer x.mu.Unlock()
	size := 0
	for _, s := range m.of {
		for _, c := range x.copied(s) {
			if left[c.seq] && size+len(c.value) <= copiedBytes {
				all = append(all, c)
				size += len(c.value)
			}
		}
	}
	return all
}

// left tells which sequences are left.
func (m *merger) left() map[uint64]bool {
	left := map[uint64]bool{}
	for _, entries := range m.lists {
		for _, e := range entries {
			left[e.seq] = true
		}
	}
	return left
}

// wordsOfMerger gives the words of all that is left; errSegment or ErrNotFound when those of one segment are not there.
func (x *index) wordsOfMerger(m *merger) ([]word, error) {
	type key struct {
		text string
		cut  bool
	}
	left := m.left()
	all := map[key][]uint64{}
	for _, s := range m.of {
		value, _, _, err := x.b.meta.get(indexWords + strconv.FormatUint(s.after, 10))
		if err != nil {
			return nil, err
		}
		words, err := decodeWords(value)
		if err != nil || sumOf(value) != s.sum {
			return nil, errSegment
		}
		for _, w := range words {
			k := key{w.text, w.cut}
			for _, seq := range w.seqs {
				if left[seq] {
					all[k] = append(all[k], seq)
				}
			}
		}
	}
	var words []word
	for _, k := range sortedKeys(all, func(a, b key) int {
		switch {
		case a.text != b.text:
			return cmp.Compare(a.text, b.text)
		case a.cut:
			return 1
		}
		return -1
	}) {
		slices.Sort(all[k])
		words = append(words, word{k.text, k.cut, slices.Compact(all[k])})
	}
	return words, nil
}

// purge removes a key without a mark: keys are never used again.
func (x *index) purge(ctx context.Context, key string) error {
	return x.b.patiently(ctx, func(ctx context.Context) error {
		s, err := x.b.js.Stream(ctx, x.b.meta.read.stream)
		if err == nil {
			err = s.Purge(ctx, jetstream.WithPurgeSubject(x.b.meta.keys+key))
		}
		return err
	}, x.b.meta.read.stream)
}
