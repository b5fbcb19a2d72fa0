package natsbackend_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// slowDisk serves SyncSubject in place of an embedded server that is Strict: a round ends when the test says so.
type slowDisk struct {
	t      *testing.T
	s      *embedded.Server
	rounds chan *nats.Msg
}

// slowly makes a hub on a server whose rounds the test answers from when prepare has returned.
func slowly(t *testing.T, prepare func(b *natsbackend.Backend)) (*natsbackend.Backend, *slowDisk) {
	t.Helper()
	s := serve(t, embedded.Config{})
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	d := &slowDisk{t, s, make(chan *nats.Msg, 100)}
	var slow atomic.Bool
	if _, err := nc.Subscribe(natsbackend.SyncSubject, func(m *nats.Msg) {
		if slow.Load() {
			d.rounds <- m
		} else {
			_ = m.Respond([]byte("+OK"))
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	b := open(t, s, natsbackend.Config{})
	if prepare != nil {
		prepare(b)
	}
	slow.Store(true)
	return b, d
}

// next takes the request for a round.
func (d *slowDisk) next() *nats.Msg { return receive(d.t, d.rounds) }

func (d *slowDisk) end(m *nats.Msg, answer string) {
	d.t.Helper()
	if err := m.Respond([]byte(answer)); err != nil {
		d.t.Fatal(err)
	}
}

// states counts what the bucket of states holds, durable or not.
func (d *slowDisk) states() uint64 {
	d.t.Helper()
	s, err := streams(d.t, d.s).Stream(within(d.t), "KV_durable_default_instances")
	if err != nil {
		d.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// none makes sure that nobody has been told anything, or has asked for a round.
func none[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
		t.Fatalf("%s came too early", what)
	default:
	}
}

// TestBarrierGroups: the log is delivered at once, but nobody is told before a round, and there is one at a time, whoever waits.
func TestBarrierGroups(t *testing.T) {
	t.Parallel()
	var deliveries chan backend.Delivery
	b, d := slowly(t, func(b *natsbackend.Backend) { _, deliveries, _ = inbox(t, b, anna) })
	const n = 200
	told := make(chan error, n)
	for i := range n {
		b.Append(backend.Append{To: anna, Record: done(uint32(i))}, func(_ uint64, err error) { told <- err })
	}
	for range n {
		receive(t, deliveries)
	}
	none(t, "an acknowledgement", told)
	rounds := 0
	for left := n; left > 0; {
		select {
		case m := <-d.rounds:
			none(t, "a second round at a time", d.rounds)
			rounds++
			d.end(m, "+OK")
		case err := <-told:
			if err != nil {
				t.Fatal(err)
			}
			left--
		}
	}
	t.Logf("%d acknowledgements in %d rounds", n, rounds)
}

// TestBarrierFails: what a round could not make durable is not known to be stored.
func TestBarrierFails(t *testing.T) {
	t.Parallel()
	b, d := slowly(t, nil)
	told := make(chan error, 1)
	b.Append(backend.Append{To: anna, Record: done(1)}, func(_ uint64, err error) { told <- err })
	d.end(d.next(), "-ERR no space")
	if err := receive(t, told); !errors.Is(err, backend.ErrUnavailable) || !strings.Contains(err.Error(), "no space") {
		t.Errorf("told %v", err)
	}
}

// TestBarrierHoldsTasks: a task is handed out only behind a round. After one that failed it comes again.
func TestBarrierHoldsTasks(t *testing.T) {
	t.Parallel()
	const activity = "membership.SendChallenge"
	tasks := make(chan backend.TaskDelivery, 10)
	b, d := slowly(t, func(b *natsbackend.Backend) {
		if err := b.EnsureActivity(within(t), backend.Activity{Name: activity}); err != nil {
			t.Fatal(err)
		}
		q, err := b.Tasks(activity, func(t backend.TaskDelivery) { tasks <- t })
		if err != nil {
			t.Fatal(err)
		}
		q.Grant(1)
	})
	b.Append(backend.Append{To: anna, Record: &history.Task{Ref: history.Ref{Run: 1}, Name: activity, Attempt: 1}}, func(uint64, error) {})
	answer := "-ERR try again"
	for {
		select {
		case m := <-d.rounds:
			none(t, "a task", tasks)
			d.end(m, answer)
			answer = "+OK"
			continue
		case <-tasks:
		}
		break
	}
}

// TestBarrierOrdersStreams: a state is stored behind what was delivered before it.
func TestBarrierOrdersStreams(t *testing.T) {
	t.Parallel()
	var deliveries chan backend.Delivery
	b, d := slowly(t, func(b *natsbackend.Backend) { _, deliveries, _ = inbox(t, b, anna) })
	b.Append(backend.Append{To: anna, Record: done(1)}, func(uint64, error) {})
	receive(t, deliveries)
	first := d.next()
	stored := make(chan error, 1)
	b.PutState(backend.State{Address: anna, Run: 1, Status: history.Running}, 0, func(_ uint64, err error) { stored <- err })
	d.end(first, "+OK")
	for {
		select {
		case m := <-d.rounds:
			none(t, "the acknowledgement of the state", stored)
			d.end(m, "+OK")
			continue
		case err := <-stored:
			if err != nil {
				t.Fatal(err)
			}
		}
		break
	}
}

// TestBarrierKnowsTheLog: a state waits for what was delivered to be durable, which a round for a later message of the log shows too.
func TestBarrierKnowsTheLog(t *testing.T) {
	t.Parallel()
	var deliveries chan backend.Delivery
	b, d := slowly(t, func(b *natsbackend.Backend) { _, deliveries, _ = inbox(t, b, anna) })
	put := func(id string) chan error {
		stored := make(chan error, 1)
		b.PutState(backend.State{Address: history.Address{Group: anna.Group, ID: id}, Run: 1, Status: history.Running}, 0, func(_ uint64, err error) { stored <- err })
		return stored
	}
	told := make(chan error, 1)
	b.Append(backend.Append{To: anna, Record: &history.Turn{Run: 1}}, func(_ uint64, err error) { told <- err })
	first := d.next() // it reaches the turn
	b.Append(backend.Append{To: anna, Record: done(1)}, func(uint64, error) {})
	receive(t, deliveries)
	d.end(first, "+OK")
	if err := receive(t, told); err != nil {
		t.Fatal(err)
	}
	late := put("late")
	second := d.next() // of what has been patient
	if n := d.states(); n != 0 {
		t.Fatalf("%d states are stored before what was delivered is durable", n)
	}
	d.end(second, "+OK")
	third := d.next()
	if n := d.states(); n != 1 {
		t.Fatalf("%d states are stored, want 1", n)
	}
	none(t, "the acknowledgement of a state", late)
	early := put("early") // nothing more was delivered
	for end := within(t); d.states() < 2; {
		if end.Err() != nil {
			t.Fatal("a state waits for the acknowledgement of another")
		}
	}
	d.end(third, "+OK")
	for early != nil || late != nil {
		var err error
		select {
		case m := <-d.rounds:
			d.end(m, "+OK")
		case err = <-early:
			early = nil
		case err = <-late:
			late = nil
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestBarrierRounds: steps wait for the log alone. What ends a run waits for a round of everything, which takes along whoever
// waits for the log; a claim has such a round at once.
func TestBarrierRounds(t *testing.T) {
	t.Parallel()
	const log = "DURABLE_default"
	b, d := slowly(t, nil)
	next := func(what, stream string) *nats.Msg {
		t.Helper()
		m := d.next()
		if got := string(m.Data); got != stream {
			t.Errorf("%s: a round of %q, want %q", what, got, stream)
		}
		return m
	}
	archived, told := make(chan error, 1), make(chan error, 1)
	b.PutArchive(backend.Archive{Address: anna, Run: 1, Status: history.Completed}, 0, func(_ uint64, err error) { archived <- err })
	b.Append(backend.Append{To: anna, Record: &history.Turn{Run: 1}}, func(_ uint64, err error) { told <- err })
	whole := false
	for waits := true; waits; { // for both, in rounds whose order is the server's
		select {
		case m := <-d.rounds:
			whole = whole || len(m.Data) == 0
			d.end(m, "+OK")
		case err := <-archived:
			if err != nil || !whole {
				t.Fatalf("the archive is acknowledged after a round of everything: %v, %v", whole, err)
			}
			waits = false
		}
	}
	if err := receive(t, told); err != nil {
		t.Fatal(err)
	}
	b.Append(backend.Append{To: anna, Record: &history.Turn{Run: 1}}, func(_ uint64, err error) { told <- err })
	d.end(next("a turn", log), "+OK")
	if err := receive(t, told); err != nil {
		t.Fatal(err)
	}
	b.PutState(backend.State{Address: anna, Run: 2, Status: history.Pending, Claim: start(2)}, 0, func(_ uint64, err error) { told <- err })
	d.end(next("a claim", ""), "+OK")
	if err := receive(t, told); err != nil {
		t.Fatal(err)
	}
}
