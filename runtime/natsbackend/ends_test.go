package natsbackend_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// spy sees the reads of the log of the hub "default".
type spy struct {
	t    *testing.T
	nc   *nats.Conn
	subs []*nats.Subscription
}

func spyOn(t *testing.T, s *embedded.Server) *spy {
	t.Helper()
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	y := &spy{t: t, nc: nc}
	for _, subject := range []string{"$JS.API.DIRECT.GET.DURABLE_default", "$JS.API.DIRECT.GET.DURABLE_default.>", "$JS.API.STREAM.MSG.GET.DURABLE_default"} {
		sub, err := nc.SubscribeSync(subject)
		if err != nil {
			t.Fatal(err)
		}
		y.subs = append(y.subs, sub)
	}
	y.reads()
	return y
}

// reads counts what was read since the last call. None may look for the messages of a wildcard, which the server would
// do up to the end of the log.
func (y *spy) reads() int {
	y.t.Helper()
	if err := y.nc.Flush(); err != nil {
		y.t.Fatal(err)
	}
	n := 0
	for _, sub := range y.subs {
		for {
			pending, _, err := sub.Pending()
			if err != nil {
				y.t.Fatal(err)
			}
			if pending == 0 {
				break
			}
			m, err := sub.NextMsg(patience)
			if err != nil {
				y.t.Fatal(err)
			}
			n++
			var q struct {
				Next string `json:"next_by_subj"`
			}
			if json.Unmarshal(m.Data, &q) == nil && strings.ContainsAny(q.Next, "*>") {
				y.t.Errorf("a read of %s to the end of the log", q.Next)
			}
		}
	}
	return n
}

// manyEvents appends n events to an instance and waits until they are stored.
func manyEvents(t *testing.T, b *natsbackend.Backend, to history.Address, n int) (last uint64) {
	t.Helper()
	answers := make(chan result[uint64], n)
	for i := range n {
		b.Append(backend.Append{To: to, Record: &history.Event{Name: "e", ID: fmt.Sprint(i)}}, func(seq uint64, err error) { answers <- result[uint64]{seq, err} })
	}
	for range n {
		r := receive(t, answers)
		if r.err != nil {
			t.Fatal(r.err)
		}
		last = max(last, r.v)
	}
	return last
}

// TestALoadCostsTheInstanceNotTheLog: the reads of a load are the same with an empty log behind the instance and with a
// long one.
func TestALoadCostsTheInstanceNotTheLog(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	put(t, b, anna, start(1))
	put(t, b, anna, &history.Task{Ref: history.Ref{Run: 1}, Name: "a", Attempt: 1})
	put(t, b, anna, done(0))
	last := put(t, b, anna, turn(1, 0, 3, 0, nil))
	y := spyOn(t, s)
	if l := load(t, b, anna, last); len(l.Tail) != 3 {
		t.Fatalf("%d messages", len(l.Tail))
	}
	short := y.reads()
	manyEvents(t, b, history.Address{Group: anna.Group, ID: "others"}, 5000)
	y.reads()
	if l := load(t, b, anna, last); len(l.Tail) != 3 {
		t.Fatalf("%d messages behind a long log", len(l.Tail))
	}
	if long := y.reads(); long != short || long > 5 {
		t.Errorf("%d reads, and %d behind a long log: want as many, at most 5", short, long)
	}
}

// TestALongTailIsReadInPages: the reads of a load grow with the pages of its history.
func TestALongTailIsReadInPages(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	y := spyOn(t, s)
	put(t, b, anna, start(1))
	have := 0
	for _, c := range []struct{ events, most int }{{1, 3}, {8, 12}, {1000, 16}, {4000, 30}} {
		last := manyEvents(t, b, anna, c.events-have)
		have = c.events
		y.reads()
		l := load(t, b, anna, last)
		if len(l.Tail) != c.events || l.Tail[len(l.Tail)-1].Seq != last {
			t.Errorf("%d messages of %d", len(l.Tail), c.events)
		}
		if n := y.reads(); n > c.most {
			t.Errorf("%d reads for %d messages, want at most %d", n, c.events, c.most)
		}
	}
}

// TestLoadsOfManySubjects: what the server does not tell at once is read in another way.
func TestLoadsOfManySubjects(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	put(t, b, anna, start(1))
	const n = 1100 // the server tells of 1,024 subjects
	for i := range n - 1 {
		b.Append(backend.Append{To: anna, Record: &history.Event{Name: fmt.Sprint("e", i), ID: fmt.Sprint(i)}}, func(uint64, error) {})
	}
	last := put(t, b, anna, &history.Event{Name: "last", ID: "last"})
	if l := load(t, b, anna, last); l.Start == nil || len(l.Tail) != n {
		t.Errorf("start %v and %d messages, want %d", l.Start, len(l.Tail), n)
	}
	answers := make(chan result[bool], 1)
	backend.Undecided(b, anna, func(undecided bool, err error) { answers <- result[bool]{undecided, err} })
	if r := receive(t, answers); !r.v || r.err != nil {
		t.Errorf("undecided: %t, error %v", r.v, r.err)
	}
}
