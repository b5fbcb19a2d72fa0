package owner

import (
	"context"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// oneInbox is a backend that has nothing but an inbox, which delivers what the test hands to it.
type oneInbox struct {
	backend.Backend
	deliver func(backend.Delivery)
}

func (b *oneInbox) Inbox(string, int) backend.Inbox { return b }

func (b *oneInbox) Open(_ context.Context, deliver func(backend.Delivery)) (horizon uint64, err error) {
	b.deliver = deliver
	return 0, nil
}

func (b *oneInbox) Release(context.Context) error { return nil }

func (b *oneInbox) Load(history.Address, uint64, func(backend.Loaded, error)) {}

type note struct{ naks int }

func (*note) Ack()   {}
func (n *note) Nak() { n.naks++ }

// TestFencedPartitionGivesBack: what is delivered to a worker that has fenced itself is given back when it releases the
// partition: the next owner may be one that has been the owner all the time, and asks for nothing again.
func TestFencedPartitionGivesBack(t *testing.T) {
	b := &oneInbox{}
	p := newPartition(&Config{Backend: b, Group: "g", Worker: "me", Code: noCode{}}, 0, nil)
	if err := p.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.fence()
	n := &note{}
	b.deliver(backend.Delivery{Receipt: n, Order: 1, Attempts: 1, To: history.Address{Group: "g", ID: "a"}, Message: history.Message{Seq: 1, Record: &history.Event{ID: "e"}}})
	if n.naks > 0 {
		t.Error("it is given back while the partition is still open: it comes again at once")
	}
	if _, err := p.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.naks != 1 {
		t.Errorf("it is given back %d times, want once", n.naks)
	}
}

// TestSeenBeforeAReset: what was delivered before a reset of the consumer is not taken for new, although the consumer counts
// its deliveries anew: a start would begin its instance again without a look at the log.
func TestSeenBeforeAReset(t *testing.T) {
	b := &oneInbox{}
	cfg := Config{Backend: b, Group: "g", Worker: "me", Code: noCode{}}.withDefaults()
	p := newPartition(&cfg, 0, nil)
	if err := p.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	deliver := func(order, seq uint64) backend.Delivery {
		d := backend.Delivery{Receipt: &note{}, Order: order, Attempts: 1, To: history.Address{Group: "g", ID: "a"}, Message: history.Message{Seq: seq, Record: &history.Event{ID: "e"}}}
		b.deliver(d)
		return d
	}
	first := deliver(1, 10)
	if !p.unseen(first) {
		t.Error("a first delivery is taken for a later one")
	}
	if again := deliver(1, 10); p.unseen(again) {
		t.Error("after a reset a message is taken for new that has been delivered before")
	}
	if next := deliver(2, 11); !p.unseen(next) {
		t.Error("after a reset a new message is taken for one that has been delivered before")
	}
}

func (*oneInbox) Clock() backend.Clock { return stopped{} }

// stopped is a clock that stands still.
type stopped struct{ backend.Clock }

func (stopped) Now() time.Time { return time.Unix(1, 0) }
