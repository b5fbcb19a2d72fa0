package membackend_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

// In a bubble the live hub lives on the bubble's clock, and leaves no goroutine behind, which synctest checks.
func TestLiveInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := membackend.New(membackend.Config{Live: true})
		defer m.Close()
		v := m.View("v")
		if err := v.EnsureGroup(t.Context(), to.Group); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		got := make(chan backend.Delivery, 10)
		in := v.Inbox(to.Group, history.Partition(to.ID, v.Info().Partitions))
		if _, err := in.Open(t.Context(), func(d backend.Delivery) { got <- d }); err != nil {
			t.Fatal(err)
		}
		v.Append(backend.Append{To: to, Record: &history.Timer{Due: began.Add(24 * time.Hour)}}, func(uint64, error) {})
		d := <-got
		if took := time.Since(began); took != 24*time.Hour || !d.Message.Time.Equal(time.Now()) {
			t.Errorf("a timer of a day fired after %v, and is stamped %v", took, d.Message.Time)
		}
		again := <-got // not acknowledged
		if again.Attempts != 2 || time.Since(began) != 24*time.Hour+30*time.Second {
			t.Errorf("delivered for the %d. time after %v", again.Attempts, time.Since(began))
		}
		again.Ack()
		rang := make(chan struct{})
		v.Clock().After(time.Hour, func() { close(rang) })
		<-rang
		if err := in.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Timers run on goroutines of their own: one that waits for other callbacks does not stop them.
func TestTimerMayWait(t *testing.T) {
	t.Parallel()
	m := membackend.New(membackend.Config{Live: true})
	defer m.Close()
	v := m.View("v")
	done := make(chan struct{})
	v.Clock().After(0, func() {
		stored := make(chan struct{})
		v.Append(backend.Append{To: to, Record: event("1")}, func(uint64, error) { close(stored) })
		<-stored
		close(done)
	})
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("a timer's function that waits for an answer waits for ever")
	}
}

// Release, Stop and the stop of Listen wait for what runs.
func TestReleaseWaitsForDeliver(t *testing.T) {
	t.Parallel()
	m := membackend.New(membackend.Config{Live: true})
	defer m.Close()
	v := m.View("v")
	ctx := context.Background()
	if err := v.EnsureGroup(ctx, to.Group); err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	left := false
	in := v.Inbox(to.Group, history.Partition(to.ID, v.Info().Partitions))
	if _, err := in.Open(ctx, func(backend.Delivery) {
		close(entered)
		<-leave
		mu.Lock()
		defer mu.Unlock()
		left = true
	}); err != nil {
		t.Fatal(err)
	}
	v.Append(backend.Append{To: to, Record: event("1")}, func(uint64, error) {})
	<-entered
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := in.Release(canceled); !is(err, context.Canceled) {
		t.Errorf("Release while deliver runs, with a context that has ended: %v", err)
	}
	released := make(chan error)
	go func() { released <- in.Release(ctx) }()
	close(leave)
	if err := <-released; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !left {
		t.Error("Release returned while deliver ran")
	}
}

// BenchmarkAppend is the throughput of a live hub: appended, stored, delivered and acknowledged.
func BenchmarkAppend(b *testing.B) {
	m := membackend.New(membackend.Config{Live: true})
	defer m.Close()
	v := m.View("v")
	ctx := context.Background()
	if err := v.EnsureGroup(ctx, to.Group); err != nil {
		b.Fatal(err)
	}
	var open sync.WaitGroup
	in := v.Inbox(to.Group, history.Partition(to.ID, v.Info().Partitions))
	if _, err := in.Open(ctx, func(d backend.Delivery) { d.Ack(); open.Done() }); err != nil {
		b.Fatal(err)
	}
	e := &history.Event{Name: "e", ID: "1", Payload: history.Payload(`{"code":1234}`)}
	b.ReportAllocs()
	for b.Loop() {
		open.Add(2)
		v.Append(backend.Append{To: to, Record: e}, func(uint64, error) { open.Done() })
	}
	open.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}
