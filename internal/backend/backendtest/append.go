package backendtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var appends = []promise{
	{"sequences grow in the order of the calls", growInOrder},
	{"fence", fenceHolds},
	{"a second start is refused by fence 0", fenceStart},
	{"every record is delivered as it was appended", deliverRecords},
	{"every record is loaded as it was appended", loadRecords},
	{"names with odd characters stay apart", stayApart},
	{"time stamps never go back", timesGrow},
	{"too large", refuseTooLarge},
}

func growInOrder(t *testing.T, h Hub) {
	c := connect(t, h)
	const rounds = 100
	kinds := []func(n int) history.Record{
		func(n int) history.Record { return event(fmt.Sprint(n)) },
		func(n int) history.Record { return &history.Done{Ref: history.Ref{Run: 1, Slot: uint32(n)}, Name: "a"} },
		func(n int) history.Record { return &history.Turn{Run: 1, At: uint64(n + 1)} },
	}
	type stored struct {
		kind, n int
		seq     uint64
	}
	c.put(anna, start(1))
	answers := make(chan stored, rounds*len(kinds))
	for n := range rounds {
		for k, make := range kinds {
			c.Append(backend.Append{To: anna, Record: make(n)}, func(seq uint64, err error) {
				if err != nil {
					t.Errorf("append: %v", err)
				}
				answers <- stored{k, n, seq}
			})
		}
	}
	seqs := make([][rounds]uint64, len(kinds))
	var all []uint64
	for range rounds * len(kinds) {
		s := receive(t, answers, "an append")
		seqs[s.kind][s.n] = s.seq
		all = append(all, s.seq)
	}
	for k := range kinds {
		if !slices.IsSorted(seqs[k][:]) {
			t.Errorf("sequences of one subject, in the order of the calls: %v", seqs[k])
		}
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("two messages have one sequence: %v", all)
	}
	var loaded []uint64
	for _, m := range c.load(anna, all[len(all)-1]).Tail {
		loaded = append(loaded, m.Seq)
	}
	differs(t, "sequences of the log", all, loaded)
}

func fenceHolds(t *testing.T, h Hub) {
	c := connect(t, h)
	c.put(anna, start(1))
	turn := func(to history.Address, fence uint64) (uint64, error) {
		return c.try(backend.Append{To: to, Record: &history.Turn{Run: 1, At: 1}, Fenced: true, Fence: fence})
	}
	stored := func(what string, to history.Address, fence uint64) uint64 {
		t.Helper()
		seq, err := turn(to, fence)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return seq
	}
	refused := func(what string, fence uint64) {
		t.Helper()
		if seq, err := turn(anna, fence); !errors.Is(err, backend.ErrConflict) {
			t.Errorf("%s: sequence %d, error %v, want ErrConflict", what, seq, err)
		}
	}
	refused("a fence on a record that never was", 1)
	first := stored("0 when there is none", anna, 0)
	refused("0 when there is one", 0)
	refused("a sequence in the future", first+1)
	c.put(anna, event("1"))
	c.put(anna, task("bank.Charge", 0))
	stored("0 for another instance", odd, 0)
	second := stored("the last of its kind, after a conflict and other records", anna, first)
	refused("the one before", first)
	third, err := c.try(backend.Append{To: anna, Record: &history.Turn{Run: 1, At: 2}, Fence: 1})
	if err != nil {
		t.Errorf("without Fenced: %v", err)
	}
	refused("overtaken by an append without a fence", second)
	stored("the last", anna, third)
	if l := c.load(anna, third); l.TurnSeq <= third {
		t.Errorf("the fence of the next turn is %d after %d", l.TurnSeq, third)
	}
}

func fenceStart(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	seq, err := a.try(backend.Append{To: anna, Record: start(1), Fenced: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.try(backend.Append{To: anna, Record: start(2), Fenced: true}); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("second start: %v, want ErrConflict", err)
	}
	l := b.load(anna, seq)
	differs[history.Record](t, "the start", start(1), l.Start.Record)
}

func deliverRecords(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(odd)
	for _, r := range records {
		if !r.record.Kind().Inbox() {
			continue
		}
		seq := c.put(odd, r.record)
		d := b.next()
		if d.Message.Seq != seq || d.To != odd {
			t.Errorf("%s: message %d to %v was delivered as message %d to %v", r.name, seq, odd, d.Message.Seq, d.To)
		}
		differs(t, r.name, r.record, d.Message.Record)
		d.Ack()
	}
	for _, r := range records {
		if r.record.Kind() != history.KindTask {
			continue
		}
		want := r.record.(*history.Task)
		q := c.tasks(want.Name, backend.Activity{Name: want.Name})
		seq := c.put(odd, want)
		q.Grant(1)
		d := q.next()
		if d.Seq != seq || d.From != odd {
			t.Errorf("%s: task %d from %v was delivered as task %d from %v", r.name, seq, odd, d.Seq, d.From)
		}
		differs(t, r.name, want, d.Task)
		d.Ack()
		q.Stop(c.t.Context())
	}
}

func loadRecords(t *testing.T, h Hub) {
	c := connect(t, h)
	for n, r := range records {
		to := history.Address{Group: odd.Group, ID: fmt.Sprintf("%s %d", odd.ID, n)}
		if s, ok := r.record.(*history.Start); ok {
			l := c.load(to, c.put(to, s))
			if l.Start == nil {
				t.Errorf("%s: not found", r.name)
				continue
			}
			differs[history.Record](t, r.name, s, l.Start.Record)
			continue
		}
		first := c.put(to, start(1))
		record := r.record
		if turn, ok := record.(*history.Turn); ok {
			turn := *turn // a load follows these
			turn.Run, turn.Execution, turn.At, turn.Base = 1, 0, first, 0
			record = &turn
		}
		seq := c.put(to, record)
		l := c.load(to, seq)
		if len(l.Tail) != 1 || l.Tail[0].Seq != seq {
			t.Errorf("%s: loaded %d messages, want the one", r.name, len(l.Tail))
			continue
		}
		differs(t, r.name, record, l.Tail[0].Record)
	}
}

func stayApart(t *testing.T, h Hub) {
	c := connect(t, h)
	ids := []string{"a", "a.b", "a.b.c", "*", ">", "a.>", "a.*", " ", "=", "a=20", "A", "ä", "a\x00", "in", "turn"}
	var addresses []history.Address
	for _, group := range []string{"g", "g.a", "*", "G"} {
		for _, id := range ids {
			addresses = append(addresses, history.Address{Group: group, ID: id})
		}
	}
	for n, a := range addresses {
		c.put(a, start(uint32(n+1)))
	}
	for n, a := range addresses {
		l := c.load(a, 1)
		if l.Start == nil {
			t.Errorf("%q: no start", a)
			continue
		}
		differs[history.Record](t, fmt.Sprintf("start of %q", a), start(uint32(n+1)), l.Start.Record)
		if len(l.Tail) > 0 {
			t.Errorf("%q has %d messages of others", a, len(l.Tail))
		}
	}
}

func timesGrow(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	in := a.open(anna)
	a.put(anna, start(1))
	var last uint64
	for n := range 20 {
		last = []*client{a, b}[n%2].put(anna, event(fmt.Sprint(n)))
	}
	l := b.load(anna, last)
	loaded := append([]history.Message{*l.Start}, l.Tail...)
	for n, m := range loaded {
		d := in.next()
		differs(t, "time of a message, delivered and loaded", m.Time, d.Message.Time)
		if m.Time.IsZero() || n > 0 && m.Time.Before(loaded[n-1].Time) {
			t.Errorf("message %d has the time %v, the one before it %v", m.Seq, m.Time, loaded[max(n-1, 0)].Time)
		}
	}
}

func refuseTooLarge(t *testing.T, h Hub) {
	c := connect(t, h)
	most := c.Info().MaxPayload
	if most <= 0 {
		t.Fatalf("MaxPayload is %d", most)
	}
	large := make(history.Payload, most+1)
	for n := range large {
		large[n] = '1' // a number, so that it is as long in JSON
	}
	_, appended := c.try(backend.Append{To: anna, Record: &history.Event{Name: "answer", ID: "1", Payload: large}})
	_, state := await(t, "a state", func(done func(uint64, error)) {
		c.PutState(backend.State{Address: anna, Custom: large}, 0, done)
	})
	_, archive := await(t, "an archive entry", func(done func(uint64, error)) {
		half := history.Message{Seq: 1, Record: &history.Event{Name: "a", Payload: large[:most/2+1]}}
		c.PutArchive(backend.Archive{Address: anna, Messages: []history.Message{half, half}}, 0, done)
	})
	_, meta := c.Meta().Put(within(t), "key", large, 0)
	if archive != nil {
		t.Errorf("an archive entry of more than %d bytes: %v, want it stored: a history may be larger than a payload", most, archive)
	}
	for what, err := range map[string]error{"append": appended, "state": state, "meta": meta} {
		if !errors.Is(err, backend.ErrTooLarge) {
			t.Errorf("%s of %d bytes: %v, want ErrTooLarge", what, len(large), err)
		}
	}
	c.put(anna, &history.Event{Name: "answer", ID: "1", Payload: large[:most]})
}
