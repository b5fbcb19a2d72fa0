package natsbackend

import (
	"slices"
	"strconv"
)

const (
	proofs    = 4   // times that a list asks whether all is there that the index tells of
	mostAsked = 256 // states that it reads for that
)

// prove reports whether everything was there at once, during the list, that the index tells of and that is not among gone. The
// stream says how many messages it has. There is one an instance, so those behind the index are at most as many as the instances that
// were met there, and one for each sequence that has not been read: if it has as many as all of these and the index
// together, then nothing is missing.
func (f *finder) prove(chain []*segment) (bool, error) {
	told := 0
	for _, s := range chain {
		told += s.count()
	}
	if f.b.index.doubt.Load() == int64(told) { // it is as it was: they are still missing
		return false, nil
	}
	for range proofs {
		state, err := f.b.states.read.state(f.ctx)
		if err != nil {
			return false, err
		}
		if state.LastSeq < f.read { // it is a server that is behind
			return false, nil
		}
		for _, s := range chain {
			for _, seq := range s.below(state.FirstSeq) {
				f.gone[seq] = true
			}
		}
		tellOf(chain, f.replaced, func(_ *segment, _ *list, seq uint64) { f.gone[seq] = true })
		excess := told - len(f.gone) + len(f.late) + int(state.LastSeq-f.read) - int(state.Msgs)
		switch {
		case excess <= 0:
			return excess == 0, nil
		case state.LastSeq > f.read:
			err = f.tail(state, f.add)
		default:
			var found bool
			if found, err = f.missing(chain, excess); !found {
				if err == nil {
					f.b.index.doubt.Store(int64(told))
				}
				return false, err
			}
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// replacedBy gives what a message of the bucket has replaced; 0: nothing.
func replacedBy(m stored) uint64 {
	seq, _ := strconv.ParseUint(m.header.Get(headerFence), 10, 64)
	return seq
}

// tellOf calls yield for those of some sequences that segments tell of. It sorts them.
func tellOf(chain []*segment, seqs []uint64, yield func(s *segment, l *list, seq uint64)) {
	slices.Sort(seqs)
	for _, s := range chain {
		from, _ := slices.BinarySearch(seqs, s.after+1)
		to, _ := slices.BinarySearch(seqs, s.to+1)
		if from == to {
			continue
		}
		for k := range s.lists {
			l := &s.lists[k]
			l.all(s, func(e entry) bool {
				if _, ok := slices.BinarySearch(seqs[from:to], e.seq); ok {
					yield(s, l, e.seq)
				}
				return true
			})
		}
	}
}

// missing looks for n states that are gone among those that had not ended, the youngest first: they are replaced.
func (f *finder) missing(chain []*segment, n int) (found bool, err error) {
	left := mostAsked
	for _, s := range slices.Backward(chain) {
		var seqs []uint64
		for k := range s.lists {
			if l := &s.lists[k]; !l.status.Final() {
				l.all(s, func(e entry) bool {
					if !f.gone[e.seq] {
						seqs = append(seqs, e.seq)
					}
					return true
				})
			}
		}
		if left -= len(seqs); left < 0 {
			return false, nil
		}
		gone, err := f.b.states.read.each(seqs, func(stored) error { return f.ctx.Err() })
		if err != nil {
			return false, err
		}
		for _, seq := range gone {
			f.gone[seq] = true
		}
		if n -= len(gone); n <= 0 {
			return true, nil
		}
	}
	return false, nil
}
