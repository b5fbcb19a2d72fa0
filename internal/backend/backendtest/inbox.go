package backendtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var inboxes = []promise{
	{"deliveries follow one another", deliverInOrder},
	{"only the inbox is delivered", deliverInboxOnly},
	{"what came before Open is delivered", deliverEarlier},
	{"ack removes", ackRemoves},
	{"nak brings it again", nakRedelivers},
	{"an old receipt acknowledges", ackByOldReceipt},
	{"takeover", takeOver},
	{"the old owner's receipt acknowledges after a takeover", ackByOldOwner},
	{"release hands over", releaseHandsOver},
	{"one that was taken over from stands by", standBy},
	{"partitions are independent", partitionsApart},
	{"groups are independent", groupsApart},
	{"a group has to be made first", openUnknownGroup},
	{"asking whether one may own disturbs nobody", mayOwn},
}

// putEvents appends n events and gives their sequences.
func (c *client) putEvents(to history.Address, ids ...string) (seqs []uint64) {
	c.t.Helper()
	for _, id := range ids {
		seqs = append(seqs, c.put(to, event(id)))
	}
	return seqs
}

func deliverInOrder(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	if b.horizon != 0 {
		t.Errorf("horizon of an empty partition is %d", b.horizon)
	}
	const n = 500
	answers := make(chan struct{}, n)
	for i := range n {
		c.Append(backend.Append{To: anna, Record: event(fmt.Sprint(i))}, func(_ uint64, err error) {
			if err != nil {
				t.Errorf("append: %v", err)
			}
			answers <- struct{}{}
		})
	}
	var last uint64
	for i := range n {
		d := b.next()
		if d.Message.Seq <= last || d.Attempts != 1 {
			t.Errorf("message %d for the %d. time after message %d", d.Message.Seq, d.Attempts, last)
		}
		last = d.Message.Seq
		differs[history.Record](t, "event", event(fmt.Sprint(i)), d.Message.Record)
	}
	for range n { // a delivery may overtake the answer to its append
		receive(t, answers, "the answer to an append")
	}
}

func deliverInboxOnly(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	first := c.put(anna, start(1))
	c.put(anna, &history.Turn{Run: 1, At: first})
	c.put(anna, task("bank.Charge", 0))
	c.put(anna, &history.Timer{Ref: history.Ref{Run: 1, Slot: 1}, Due: due})
	last := c.put(anna, event("1"))
	b.want(1, first, last)
}

func deliverEarlier(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	seqs := a.putEvents(anna, "1", "2", "3") // before the group has consumers
	in := b.open(anna)
	if in.horizon >= seqs[0] {
		t.Errorf("horizon %d says that message %d was delivered to somebody", in.horizon, seqs[0])
	}
	in.want(1, seqs...)
}

func ackRemoves(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	in := a.open(anna)
	seqs := a.putEvents(anna, "1", "2", "3")
	ds := in.want(1, seqs...)
	ds[0].Ack()
	ds[1].Ack()
	ds[1].Ack() // twice is no harm
	in.flush(ds[2])
	b.open(anna).want(1, seqs[2])
}

func nakRedelivers(t *testing.T, h Hub) {
	c := connect(t, h)
	in := c.open(anna)
	seqs := c.putEvents(anna, "1", "2")
	ds := in.want(1, seqs...)
	ds[0].Nak()
	again := in.want(2, seqs[0])[0]
	differs(t, "the message", ds[0].Message, again.Message)
	again.Nak()
	in.want(3, seqs[0])
}

func ackByOldReceipt(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	in := a.open(anna)
	seqs := a.putEvents(anna, "1", "2")
	ds := in.want(1, seqs...)
	in.flush(ds[0])
	ds[0].Ack() // of its first delivery
	in.flush(ds[1])
	b.open(anna).want(1, seqs[1])
}

func takeOver(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	old := a.open(anna)
	seqs := a.putEvents(anna, "1", "2", "3")
	ds := old.want(1, seqs...)
	ds[0].Ack()
	old.flush(ds[2])

	in := b.open(anna)
	if in.horizon != seqs[2] {
		t.Errorf("horizon is %d, want %d, the highest that was delivered", in.horizon, seqs[2])
	}
	// What is not acknowledged comes again from the floor, as if for the first time.
	in.want(1, seqs[1], seqs[2])
	later := b.putEvents(anna, "4", "5")
	in.want(1, later...)
	old.silent()

	// The other way round, with nothing acknowledged since. Letting go of what one has lost changes nothing.
	old.release()
	later = append(later, b.put(anna, event("6")))
	in.want(1, later[2])
	old.reopen()
	if old.horizon != later[2] {
		t.Errorf("horizon is %d, want %d", old.horizon, later[2])
	}
	old.want(1, append(seqs[1:], later...)...)
	in.silent()
}

func ackByOldOwner(t *testing.T, h Hub) {
	a, b, c := connect(t, h), connect(t, h), connect(t, h)
	old := a.open(anna)
	seqs := a.putEvents(anna, "1", "2")
	ds := old.want(1, seqs...)
	in := b.open(anna)
	in.want(1, seqs...)
	ds[0].Ack()
	ds[1].Nak() // taken after the ack, and seen by the new owner
	in.want(2, seqs[1])
	c.open(anna).want(1, seqs[1])
}

func releaseHandsOver(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	old := a.open(anna)
	seqs := a.putEvents(anna, "1", "2")
	ds := old.want(1, seqs...)
	ds[0].Ack()
	old.flush(ds[1])
	old.release()
	seqs = append(seqs, b.putEvents(anna, "3")...)
	in := b.open(anna)
	if in.horizon != seqs[1] {
		t.Errorf("horizon is %d, want %d", in.horizon, seqs[1])
	}
	in.want(1, seqs[1:]...)
	old.release() // once more, late: it is not ours any more
	seqs = append(seqs, b.put(anna, event("4")))
	in.want(1, seqs[3])
	old.silent()
	in.release()
	old.reopen() // after a release an inbox may be opened again
	old.want(1, seqs[1:]...)
}

// standBy gives the second owner as many deliveries as the first had, so that a count alone would hide them (I5).
func standBy(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	old := a.open(anna)
	seqs := a.putEvents(anna, "1", "2")
	old.want(1, seqs...)
	in := b.open(anna)
	for _, d := range in.want(1, seqs...) {
		d.Ack()
	}
	in.release()
	seq := b.put(anna, event("3"))
	d := receive(t, old.got, "a delivery to the one that stands by")
	if d.Message.Seq != seq {
		t.Errorf("message %d, want %d", d.Message.Seq, seq)
	}
	if d.Order == old.order+1 {
		t.Errorf("delivery %d follows %d, as if nobody else had been served in between", d.Order, old.order)
	}
}

func partitionsApart(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	other := anna
	for n := 0; a.partition(other) == a.partition(anna); n++ {
		other.ID = fmt.Sprint("other ", n)
	}
	one, two := a.open(anna), b.open(other)
	var first, second []uint64
	for n := range 5 {
		first = append(first, a.put(anna, event(fmt.Sprint(n))))
		second = append(second, a.put(other, event(fmt.Sprint(n))))
	}
	one.want(1, first...)
	two.want(1, second...)
	two.release()
	third := a.open(other)
	third.want(1, second...)
	one.want(1, a.put(anna, event("last")))
}

func groupsApart(t *testing.T, h Hub) {
	c := connect(t, h)
	other := history.Address{Group: "other", ID: anna.ID}
	one, two := c.open(anna), c.open(other)
	first, second := c.put(anna, event("1")), c.put(other, event("2"))
	one.want(1, first)
	two.want(1, second)
	one.silent()
	two.silent()
}

func mayOwn(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	in := a.open(anna)
	seqs := a.putEvents(anna, "1", "2", "3")
	ds := in.want(1, seqs[:2]...)
	if err := b.MayOwn(within(t), anna.Group); err != nil {
		t.Errorf("a backend without permissions refuses: %v", err)
	}
	seqs = append(seqs, a.putEvents(anna, "4")...)
	ds = append(ds, in.want(1, seqs[2:]...)...)
	for n, d := range ds {
		if n > 0 && d.Order != ds[n-1].Order+1 {
			t.Errorf("message %d has order %d after %d", d.Message.Seq, d.Order, ds[n-1].Order)
		}
	}
}

func openUnknownGroup(t *testing.T, h Hub) {
	c := connect(t, h)
	if _, err := c.Inbox("nobody", 0).Open(within(t), func(backend.Delivery) {}); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("Open without EnsureGroup: %v, want ErrNotFound", err)
	}
}
