package natsbackend_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestServerRestart stops and starts the server under outstanding appends, open inboxes, task queues, loads and
// watches. Everything is answered, everything stored is delivered, and nothing needs a new connection.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	url := s.URL()
	b, err := natsbackend.Connect(within(t), natsbackend.Config{URL: url, Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	_, got, _ := inbox(t, b, anna)
	const activity = "membership.SendChallenge"
	_, tasks := queue(t, b, activity, 10_000)
	if _, err := b.Meta().Put(within(t), "workers.w1", []byte("here"), 0); err != nil {
		t.Fatal(err)
	}
	watched := watch(t, b, "workers")
	if e := receive(t, watched); e != "workers.w1=here@1" {
		t.Errorf("watched %s", e)
	}

	const n = 4000
	var answered sync.WaitGroup
	var halfway sync.Once
	half := make(chan struct{})
	var count, failed atomic.Int64
	reply := func(_ uint64, err error) {
		if err != nil && failed.Add(1) == 1 {
			t.Errorf("an append failed: %v", err)
		}
		if count.Add(1) == n/4 {
			halfway.Do(func() { close(half) })
		}
		answered.Done()
	}
	answered.Add(n)
	go func() {
		for slot := range uint32(n / 2) {
			b.Append(backend.Append{To: anna, Record: done(slot)}, reply)
			b.Append(backend.Append{To: anna, Record: &history.Task{Ref: history.Ref{Run: 1, Slot: slot}, Name: activity, Attempt: 1}}, reply)
		}
	}()
	receive(t, half)
	s.Close()
	down := load(t, restarting(t, b, dir, url), anna, 0) // asked while the server is down
	if down.Start != nil {
		t.Errorf("a start came from nowhere: %v", down.Start)
	}
	answered.Wait()

	collect(t, "inbox", n/2, got, func(d backend.Delivery) (uint32, backend.Receipt) { return d.Message.Record.(*history.Done).Slot, d })
	collect(t, "tasks", n/2, tasks, func(d backend.TaskDelivery) (uint32, backend.Receipt) { return d.Task.Slot, d })
	if _, err := b.Meta().Put(within(t), "workers.w2", []byte("here too"), 0); err != nil {
		t.Fatal(err)
	}
	if e := receive(t, watched); e != "workers.w2=here too@2" {
		t.Errorf("watched %s", e)
	}
}

// restarting starts the server again, on the same port, while the caller waits for an answer of b.
func restarting(t *testing.T, b *natsbackend.Backend, dir, url string) *natsbackend.Backend {
	t.Helper()
	var host string
	if _, err := fmt.Sscanf(url, "nats://%s", &host); err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() {
		s, err := embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: host})
		if err == nil {
			t.Cleanup(func() { b.Close(); s.Close() })
		}
		started <- err
	}()
	t.Cleanup(func() {
		if err := <-started; err != nil {
			t.Errorf("restart: %v", err)
		}
	})
	return b
}

// collect takes deliveries until every slot has come; duplicates are allowed.
func collect[T any](t *testing.T, what string, n int, c <-chan T, slot func(T) (uint32, backend.Receipt)) {
	t.Helper()
	seen := map[uint32]bool{}
	for len(seen) < n {
		s, r := slot(receive(t, c))
		seen[s] = true
		r.Ack()
	}
	t.Logf("%s: all %d came", what, n)
}

// watch reports the changes below a prefix of Meta.
func watch(t *testing.T, b backend.Backend, prefix string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	changes, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- b.Meta().Watch(ctx, prefix, func(key string, value []byte, rev uint64) {
			if value == nil {
				changes <- fmt.Sprintf("%s deleted@%d", key, rev)
				return
			}
			changes <- fmt.Sprintf("%s=%s@%d", key, value, rev)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, ended); !errors.Is(err, context.Canceled) && !errors.Is(err, backend.ErrClosed) {
			t.Errorf("watch ended with %v", err)
		}
	})
	return changes
}
