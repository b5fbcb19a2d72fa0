package natsbackend_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/doctor"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// cluster starts three servers that know each other.
func cluster(t *testing.T) (servers []*server.Server, urls string) {
	t.Helper()
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		l.Close()
	}
	var all []string
	for n, port := range ports {
		opts := &server.Options{ServerName: fmt.Sprint("s", n), JetStream: true, StoreDir: t.TempDir(), Routes: routes, Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true}
		opts.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}
		s, err := server.NewServer(opts)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(patience) {
			t.Fatal("a server did not get ready")
		}
		all = append(all, s.ClientURL())
	}
	return servers, strings.Join(all, ",")
}

func TestCluster(t *testing.T) {
	t.Parallel()
	servers, urls := cluster(t)
	var b *natsbackend.Backend
	for ctx := within(t); b == nil; { // until the cluster has a leader
		var err error
		if b, err = natsbackend.Connect(ctx, natsbackend.SmallIndex(natsbackend.Config{URL: urls, Provision: true, Replicas: 3}, 16)); err != nil && ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { b.Close() })
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
	if l := load(t, b, anna, seq); l.Start == nil || len(l.Tail) != n+1 || l.TurnSeq != seq {
		t.Errorf("start %v, %d messages, turn %d", l.Start, len(l.Tail), l.TurnSeq)
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

	queuesComeAndGo(t, servers)

	// A change of leaders loses nothing and needs no time-out of the client's.
	for _, s := range servers {
		if s.JetStreamIsStreamLeader("$G", "DURABLE_default") {
			s.Shutdown()
			s.WaitForShutdown()
			break
		}
	}
	for slot := range uint32(50) {
		put(t, b, anna, done(n+slot))
	}
	collect(t, "inbox", n+50, got, func(d backend.Delivery) (uint32, backend.Receipt) { return d.Message.Record.(*history.Done).Slot, d })
	// What was on its way to the old leader is sent again, and may be there twice; receivers go by the slot.
	kept := map[history.Ref]bool{}
	for _, m := range load(t, b, anna, seq).Tail {
		if d, ok := m.Record.(*history.Done); ok {
			kept[d.Ref] = true
		}
	}
	if len(kept) != n+50 {
		t.Errorf("%d completions after the change, want %d", len(kept), n+50)
	}
	states.check("after the change", b)
	lags(t, b)
}

// lags waits until the doctor finds that the server which is gone has replicas that are not current.
func lags(t *testing.T, b *natsbackend.Backend) {
	t.Helper()
	for ctx := within(t); ; {
		r, err := doctor.Examine(ctx, b, doctor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool {
			return f.Kind == doctor.Lagging && strings.Contains(f.What, "has 3 replicas")
		}) {
			return
		}
	}
}

// queuesComeAndGo: a task queue that stops gives back nothing that it was never given. A server of the cluster that delivers to one
// that its own server has ended already has the task wait for another attempt.
func queuesComeAndGo(t *testing.T, servers []*server.Server) {
	t.Helper()
	const name, rounds, each = "membership.SendChallenge", 3, 200
	var all []*natsbackend.Backend
	for _, s := range servers {
		b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: s.ClientURL()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		if err := b.EnsureActivity(within(t), backend.Activity{Name: name}); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	attempts := make(chan int, rounds*each)
	open := func(b *natsbackend.Backend) backend.TaskQueue {
		var q backend.TaskQueue
		opened := make(chan struct{})
		q, err := b.Tasks(name, func(d backend.TaskDelivery) {
			<-opened
			d.Ack()
			attempts <- d.Attempts
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
	for range rounds {
		goes := []backend.TaskQueue{open(all[1]), open(all[2])}
		var stopping sync.WaitGroup
		for n := range each {
			put(t, all[0], history.Address{Group: anna.Group, ID: "other"}, &history.Task{Ref: history.Ref{Run: 1, Slot: uint32(n)}, Name: name, Attempt: 1})
			if n == each/2 {
				for _, q := range goes {
					stopping.Go(func() { q.Stop(within(t)) })
				}
			}
		}
		stopping.Wait()
	}
	for range rounds * each {
		if n := receive(t, attempts); n != 1 {
			t.Errorf("a task is delivered for attempt %d", n)
		}
	}
}
