package natsbackend

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// Of a segment some states are copied beside it: those that have ended and of which it has the fewest. What is rare lies in many
// blocks of the stream, which the server has to unpack for a single state each. A copy tells what the state was, not that
// it still is: see finder.prove.
const (
	indexCopies = "index.copies."

	copiedShare = 64       // one state of so many may be copied
	copiedBytes = 16 << 10 // in a segment, about
	copiedState = 4 << 10  // bytes that a copied state has at most
)

// copied is a state with the sequence that it has in the bucket.
type copied struct {
	seq   uint64
	until int64 // when it expires, in Unix seconds; 0: never
	value []byte
}

// copies is what is copied of the segment that has the same words and the same youngest message: sequences are given again by a
// server that was set back.
type copies struct {
	at  int64 // ns
	sum uint32
	all []copied
}

// mostCopied is how many states are copied of a segment with so many rows.
func mostCopied(rows int) int { return max(rows/copiedShare, 4) }

// keepCopy has a row hold its state for as long as its list is so short that it may be copied.
func (d *draft) keepCopy(r *row, m stored, value []byte) {
	if !r.status.Final() || len(value) > copiedState {
		return
	}
	if d.kinds == nil {
		d.kinds = map[kind]int{}
	}
	k := kind{r.status, r.name}
	if d.kinds[k]++; d.kinds[k] > mostCopied(d.most) {
		return
	}
	r.value = value
	if seconds, err := strconv.ParseInt(m.header.Get(headerTTL), 10, 64); err == nil {
		r.until = m.time.Unix() + seconds
	}
}

// rare gives copies of the shortest lists, in the order of their sequences.
func (d *draft) rare(lists map[kind][]entry) (all []copied) {
	kinds := sortedKeys(lists, func(a, b kind) int {
		return cmp.Or(cmp.Compare(len(lists[a]), len(lists[b])), cmp.Compare(a.status, b.status), cmp.Compare(a.name, b.name))
	})
	chosen := map[kind]bool{}
	left := mostCopied(d.most)
	for _, k := range kinds {
		if k.status.Final() && len(lists[k]) <= left {
			chosen[k] = true
			left -= len(lists[k])
		}
	}
	size := 0
	for _, r := range d.rows {
		if r.value != nil && chosen[kind{r.status, r.name}] && size+len(r.value) <= copiedBytes {
			all = append(all, copied{r.seq, r.until, r.value})
			size += len(r.value)
		}
	}
	return all
}

// of reports whether they are of a segment as it is now.
func (c *copies) of(s *segment) bool { return c.at == s.at.UnixNano() && c.sum == s.sum }

func encodeCopies(after uint64, c copies) []byte {
	b := binary.AppendVarint(binary.AppendUvarint([]byte{segmentVersion}, after), c.at)
	b = binary.AppendUvarint(b, uint64(c.sum))
	b = binary.AppendUvarint(b, uint64(len(c.all)))
	for _, s := range c.all {
		b = binary.AppendVarint(binary.AppendUvarint(b, s.seq-after), s.until)
		b = appendText(b, string(s.value))
		after = s.seq
	}
	return b
}

func decodeCopies(b []byte, _ uint64) (*copies, error) {
	r := reader{b: b}
	seq := r.version().uint()
	c := &copies{at: r.int(), sum: uint32(r.uint())}
	for n := r.uint(); n > 0 && !r.bad; n-- {
		seq += r.uint()
		c.all = append(c.all, copied{seq, r.int(), r.bytes(r.uint())})
	}
	if r.bad || len(r.b) > 0 {
		return nil, errSegment
	}
	return c, nil
}

// copiesOf gives what is copied of some segments, by sequence, after a look for what is new.
func (x *index) copiesOf(chain []*segment) (map[uint64][]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.copies.refresh(x.b.meta, decodeCopies); err != nil {
		return nil, err
	}
	all := map[uint64][]byte{}
	for _, s := range chain {
		for _, c := range x.copied(s) {
			all[c.seq] = c.value
		}
	}
	return all, nil
}

// copied gives what is known to be copied of a segment. Lock held.
func (x *index) copied(s *segment) []copied {
	if c := x.copies.values[s.after]; c != nil && c.of(s) {
		return c.all
	}
	return nil
}

// forget takes copies out that stand for nothing any more: the states were replaced, or purged, or have expired, or the segment is
// no more. Nobody would be shown them, but what has been purged must not stay.
func (x *index) forget(ctx context.Context, replaced []uint64) error {
	all, err := x.outdated(replaced)
	if err != nil || len(all) == 0 {
		return err
	}
	answers := make(chan error, len(all))
	for _, f := range all {
		x.b.meta.write(indexCopies+strconv.FormatUint(f.after, 10), f.copies, f.rev, func(_ uint64, err error) { answers <- err })
	}
	err = collect(ctx, answers, len(all))
	x.stored(err)
	return err
}

// outdated gives the copies that forget has to store again, without those that go.
func (x *index) outdated(replaced []uint64) (all []*finished, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.copies.refresh(x.b.meta, decodeCopies); err != nil {
		return nil, err
	}
	chain, err := x.chained() // after the copies: lists are stored before them
	if err != nil {
		return nil, err
	}
	slices.Sort(replaced)
	now := time.Now().Unix()
	for after, c := range x.copies.values {
		n, is := segmentAt(chain, after)
		is = is && c.of(chain[n])
		left := slices.DeleteFunc(slices.Clone(c.all), func(s copied) bool {
			_, gone := slices.BinarySearch(replaced, s.seq)
			return !is || gone || s.until > 0 && s.until < now
		})
		if len(left) < len(c.all) {
			b := encodeCopies(after, copies{c.at, c.sum, left})
			all = append(all, &finished{after: after, rev: x.copies.revs[after], copies: b})
		}
	}
	return all, nil
}
