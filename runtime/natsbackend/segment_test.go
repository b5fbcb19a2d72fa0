package natsbackend

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// someRows are those of a segment after sequence 10.
func someRows() (rows []row) {
	for n := range 200 {
		r := row{entry: entry{seq: uint64(11 + 3*n), created: int64(1000 - n%7)}, status: history.Completed, name: fmt.Sprint("club.", n%3)}
		id := fmt.Sprintf("order-%d-2026", n)
		r.words = []string{wordID + id, hashed(wordTag, fmt.Sprint("kind=", n%5))}
		if n%10 == 9 {
			r.words = append(r.words, hashed(wordParent, "order-3-2026"), hashed(wordRoot, "order-1-2026"))
		}
		rows = append(rows, r)
	}
	rows = append(rows, row{entry: entry{seq: 700}}) // the mark of a deletion
	return rows
}

func TestSegment(t *testing.T) {
	t.Parallel()
	at := time.Unix(1, 2)
	rows := someRows()
	lists, words := sortRows(rows)
	b := encodeLists(10, 800, at, 7, lists)
	s, err := decodeSegment(b, 3)
	if err != nil {
		t.Fatal(err)
	}
	if s.after != 10 || s.to != 800 || !s.at.Equal(at) || s.sum != 7 || s.rev != 3 || s.count() != len(rows) {
		t.Errorf("it came back as %d, %d, %v, %d, %d with %d entries", s.after, s.to, s.at, s.sum, s.rev, s.count())
	}
	back, _ := s.without(nil)
	if diff := cmp.Diff(lists, back, cmp.AllowUnexported(kind{}, entry{})); diff != "" {
		t.Errorf("lists: (-want +got)\n%s", diff)
	}
	for _, l := range s.lists {
		l.all(s, func(e entry) bool {
			if e.created < l.oldest || e.created > l.newest {
				t.Errorf("%d is not within %d and %d", e.created, l.oldest, l.newest)
			}
			return true
		})
	}
	for _, c := range []struct {
		q    backend.Query
		want []uint64 // all of these, and at most two more
	}{
		{backend.Query{IDPrefix: "order-19"}, seqsOf(19, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199)},
		{backend.Query{IDPrefix: "order-19-2026"}, seqsOf(19)},
		{backend.Query{IDPrefix: "order-19-2026-and-more"}, nil},
		{backend.Query{IDPrefix: "p"}, nil},
		{backend.Query{ParentID: "order-3-2026"}, seqsOf(9, 19, 29, 39, 49, 59, 69, 79, 89, 99, 109, 119, 129, 139, 149, 159, 169, 179, 189, 199)},
		{backend.Query{ParentID: "order-3-2026", IDPrefix: "order-2"}, seqsOf(29)},
		{backend.Query{ParentID: "order-3-2026", Tags: map[string]string{"kind": "3"}}, nil},
		{backend.Query{RootID: "order-1-2026", IDPrefix: "order-1-"}, seqsOf(1)},
		{backend.Query{RootID: "order-4-2026"}, seqsOf(4)},
	} {
		got, err := findWords(encodeWords(10, 800, words), termsOf(&c.q))
		if err != nil {
			t.Fatal(err)
		}
		for _, seq := range c.want {
			if _, ok := slices.BinarySearch(got, seq); !ok {
				t.Errorf("%+v: %d is not among %d", c.q, seq, got)
			}
		}
		if len(got) > len(c.want)+2 {
			t.Errorf("%+v: %d, want %d and hardly more", c.q, got, c.want)
		}
	}
}

func seqsOf(rows ...int) (seqs []uint64) {
	for _, n := range rows {
		seqs = append(seqs, uint64(11+3*n))
	}
	return seqs
}

// TestCopies: what is copied of a segment is the shortest lists of what has ended.
func TestCopies(t *testing.T) {
	t.Parallel()
	d := &draft{most: 1000, last: 10, after: 10}
	at := time.Unix(1000, 0)
	for n := uint64(11); n < 900; n++ {
		s := backend.State{Address: history.Address{ID: fmt.Sprint("a", n)}, Name: "club.Join", Status: history.Completed, Created: at}
		header := nats.Header{}
		switch {
		case n%100 == 7: // 8 of them
			s.Status = history.Failed
			header.Set(headerTTL, "60")
		case n%50 == 8: // 18 of them, and 15 may be copied
			s.Name = "club.Leave"
		case n%100 == 9:
			s.Status = history.Running
		case n == 500:
			s.Status, s.Failure = history.Terminated, string(make([]byte, copiedState))
		}
		value, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		d.add(stored{seq: n, time: at, header: header}, s.ID, value)
	}
	d.finish()
	got, err := decodeCopies(d.full[0].copies, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := decodeSegment(d.full[0].lists, 1)
	if err != nil || !got.of(s) {
		t.Errorf("the copies are not of their segment, %v", err)
	}
	var seqs []uint64
	for _, c := range got.all {
		seqs = append(seqs, c.seq)
		state, err := decodeState(c.value)
		if err != nil || state.Status != history.Failed || c.until != 1060 {
			t.Errorf("%d is copied as %+v until %d, %v", c.seq, state, c.until, err)
		}
	}
	if diff := cmp.Diff([]uint64{107, 207, 307, 407, 507, 607, 707, 807}, seqs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// FuzzSegment: whatever stands in the bucket does no harm.
func FuzzSegment(f *testing.F) {
	lists, words := sortRows(someRows())
	f.Add(encodeLists(10, 800, time.Unix(1, 2), 7, lists))
	f.Add(encodeWords(10, 800, words))
	f.Add(encodeCopies(10, copies{1, 7, []copied{{11, 0, []byte("{}")}, {700, 1 << 40, []byte(`{"id":"a"}`)}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeSegment(b, 1); err == nil {
			lists, n := s.without(nil)
			if n > len(b) {
				t.Errorf("%d entries of %d bytes", n, len(b))
			}
			if s.to <= s.after {
				t.Error("its range is empty")
			}
			again, err := decodeSegment(encodeLists(s.after, s.to, s.at, s.sum, lists), 1)
			if err != nil || again.count() != n {
				t.Errorf("encoded again: %v", err)
			}
		}
		if c, err := decodeCopies(b, 1); err == nil {
			if again, err := decodeCopies(encodeCopies(0, *c), 1); err != nil || len(again.all) != len(c.all) || len(c.all) > len(b) {
				t.Errorf("%d copies of %d bytes, encoded again: %v", len(c.all), len(b), err)
			}
		}
		if words, err := decodeWords(b); err == nil {
			if _, err := findWords(b, []term{{{[]byte("i"), true}}}); err != nil {
				t.Error(err)
			}
			for _, w := range words {
				if len(w.text) > len(b) {
					t.Errorf("a word of %d bytes of %d", len(w.text), len(b))
				}
			}
		}
	})
}

// BenchmarkSegment is what the index costs for each state that is read anyway.
func BenchmarkSegment(b *testing.B) {
	at := time.Now()
	value, err := json.Marshal(backend.State{
		Address: history.Address{Group: "workload", ID: "k2v7abcdefghijklmnop"}, Name: "workload.Hello", Status: history.Completed,
		Run: 1, At: 1000, Created: at, Updated: at, Finished: at,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	d := &draft{most: mostRows}
	for n := uint64(1); b.Loop(); n++ {
		d.add(stored{seq: n, time: at}, fmt.Sprintf("%x7abcdefghijklmnop", n*2654435761%100_003), value)
		if len(d.full) > 100 {
			d.full = nil
		}
	}
}
