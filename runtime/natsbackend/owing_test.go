package natsbackend

import (
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestOwing: a leader owes nothing when it has answered all that it was asked, whatever others have under way. A connection that
// took the writes of a busy program for an unanswered read left its server every few seconds, and what was told it meanwhile was lost.
func TestOwing(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	calls := &calls{prefix: "inbox.", barrier: &barrier{}, ticking: true, ticked: began.Add(time.Second)}
	read := &call{msg: nats.Msg{Subject: "$JS.API.CONSUMER.INFO.LOG.inbox"}, read: func([]*nats.Msg, error) {}}
	first, second := &call{done: func(uint64, error) {}}, &call{done: func(uint64, error) {}}
	for _, c := range []*call{read, first, second} {
		calls.open.add(c)
	}
	for n := range calls.leaders {
		calls.leaders[n].since = began
	}
	for _, c := range []struct {
		answered      *call
		data          string
		reads, writes time.Time // since when an answer is owed
	}{
		{read, `{}`, time.Time{}, began},
		{first, `{"stream":"LOG","seq":1}`, time.Time{}, calls.ticked},
		{second, `{"stream":"LOG","seq":2}`, time.Time{}, time.Time{}},
	} {
		calls.answered(&nats.Msg{Subject: calls.prefix + strconv.FormatUint(c.answered.token, 36), Data: []byte(c.data)})
		if got := calls.leaders[leaderOfReads].since; !got.Equal(c.reads) {
			t.Errorf("after %s: reads are owed an answer since %v, want %v", c.data, got, c.reads)
		}
		if got := calls.leaders[leaderOfWrites].since; !got.Equal(c.writes) {
			t.Errorf("after %s: writes are owed an answer since %v, want %v", c.data, got, c.writes)
		}
	}
}
