package natsbackend_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/natscluster"
	"github.com/durablegen/durablegen/runtime/doctor"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	c := natscluster.Start(t)
	b := member(t, c, "b", natsbackend.SmallIndex(natsbackend.Config{URL: c.URLs(), Provision: true, Replicas: natscluster.Size}, 16))
	if !strings.Contains(b.Info().Durability, "majority of 3") {
		t.Errorf("durability %q", b.Info().Durability)
	}
	_, got, _ := inbox(t, b, anna)
	put(t, b, anna, start(1))
	receive(t, got).Ack()
	const n = 600
	answers := make(chan result[uint64], n)
	for slot := range uint32(n) {
		b.Append(backend.Append{To: anna, Record: done(slot)}, func(seq uint64, err error) { answers <- result[uint64]{seq, err} })
	}
	for range n {
		if r := receive(t, answers); r.err != nil {
			t.Fatal(r.err)
		}
	}
	seq, err := await(t, func(done func(uint64, error)) {
		b.Append(backend.Append{To: anna, Record: turn(1, 0, 1, 0, nil), Fenced: true}, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	if l := load(t, b, anna, seq); l.Start == nil || slots(l) != n || l.TurnSeq != seq {
		t.Errorf("start %v, %d completions in %d messages, turn %d, want %d completions, turn %d", l.Start, slots(l), len(l.Tail), l.TurnSeq, n, seq)
	}
	if _, _, err := getState(t, b, anna.ID); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("the state of nobody: %v", err)
	}
	states := newChanges(t, b, 1)
	for range 4 {
		for range 40 {
			states.change()
		}
		for range 3 {
			states.check("three replicas", b)
		}
	}

	c.Note("queues come and go")
	queuesComeAndGo(t, c)

	// A change of leaders loses nothing and needs no time-out of the client's.
	c.Stop(c.Leader("DURABLE_default"))
	for slot := range uint32(50) {
		put(t, b, anna, done(n+slot))
	}
	c.Note("all is stored")
	collect(t, "inbox", n+50, got, func(d backend.Delivery) (uint32, backend.Receipt) { return d.Message.Record.(*history.Done).Slot, d })
	if l := load(t, b, anna, seq); slots(l) != n+50 {
		t.Errorf("%d completions in %d messages after the change, want %d", slots(l), len(l.Tail), n+50)
	}
	c.Note("lists")
	states.check("after the change", b)
	c.Note("the doctor looks")
	lags(t, c, b)
}

// member connects to a cluster, whose log has what the connection has to say.
func member(t *testing.T, c *natscluster.Cluster, name string, cfg natsbackend.Config) *natsbackend.Backend {
	t.Helper()
	cfg.Logger = c.Logger(name)
	b, err := natsbackend.Connect(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// slots counts the slots that have completed. What was on its way to a leader that goes is sent again, and may be there twice;
// receivers go by the slot, too.
func slots(l backend.Loaded) int {
	kept := map[history.Ref]bool{}
	for _, m := range l.Tail {
		if d, ok := m.Record.(*history.Done); ok {
			kept[d.Ref] = true
		}
	}
	return len(kept)
}

// lags waits until the doctor finds that the server which is gone has replicas that are not current.
func lags(t *testing.T, c *natscluster.Cluster, b *natsbackend.Backend) {
	t.Helper()
	ctx := within(t)
	c.Until(func() string {
		r, err := doctor.Examine(ctx, b, doctor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool {
			return f.Kind == doctor.Lagging && strings.Contains(f.What, "has 3 replicas")
		}) {
			return ""
		}
		return fmt.Sprintf("no replica lags: %+v", r.Findings)
	})
}

// queuesComeAndGo: a task queue that stops gives back nothing that it was never given. A server of the cluster that delivers to one
// that its own server has ended already has the task wait for another attempt.
func queuesComeAndGo(t *testing.T, c *natscluster.Cluster) {
	t.Helper()
	const name, rounds, each = "membership.SendChallenge", 3, 200
	var all []*natsbackend.Backend
	for n := range natscluster.Size {
		b := member(t, c, fmt.Sprint("queue", n), natsbackend.Config{URL: c.URL(n)})
		if err := b.EnsureActivity(within(t), backend.Activity{Name: name}); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	type handed struct {
		history.Ref
		seq      uint64
		attempts int
	}
	tasks := make(chan handed, 4*rounds*each)
	open := func(b *natsbackend.Backend) backend.TaskQueue {
		var q backend.TaskQueue
		opened := make(chan struct{})
		q, err := b.Tasks(name, func(d backend.TaskDelivery) {
			<-opened
			d.Ack()
			tasks <- handed{d.Task.Ref, d.Seq, d.Attempts}
			q.Grant(1)
		})
		if err != nil {
			t.Fatal(err)
		}
		close(opened)
		q.Grant(4)
		return q
	}
	stays := open(all[0])
	defer stays.Stop(within(t))
	for round := range uint32(rounds) {
		goes := []backend.TaskQueue{open(all[1]), open(all[2])}
		var stopping sync.WaitGroup
		for n := range each {
			put(t, all[0], history.Address{Group: anna.Group, ID: "other"}, &history.Task{Ref: history.Ref{Run: 1 + round, Slot: uint32(n)}, Name: name, Attempt: 1})
			if n == each/2 {
				for _, q := range goes {
					stopping.Go(func() { q.Stop(within(t)) })
				}
			}
		}
		stopping.Wait()
	}
	// A slow machine may have one delivered again that somebody has; it may not have one that nobody was given.
	came, first, later := map[history.Ref]bool{}, map[uint64]bool{}, map[uint64]int{}
	for len(came) < rounds*each || len(later) > 0 {
		select {
		case d := <-tasks:
			came[d.Ref] = true
			switch {
			case d.attempts == 1:
				first[d.seq] = true
				delete(later, d.seq)
			case !first[d.seq]:
				later[d.seq] = d.attempts
			}
		case <-time.After(patience):
			t.Fatalf("%d of %d tasks came; by sequence, those that came for an attempt and never for the first: %v", len(came), rounds*each, later)
		}
	}
}
