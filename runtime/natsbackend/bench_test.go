package natsbackend_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func benchHub(b *testing.B) *natsbackend.Backend {
	b.Helper()
	s, err := embedded.Start(b.Context(), embedded.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	hub, err := s.Backend(b.Context(), natsbackend.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hub.Close() })
	return hub
}

func benchDone(slot uint32) *history.Done {
	return &history.Done{Ref: history.Ref{Run: 1, Slot: slot}, Name: "membership.SendChallenge", Hash: 77, Attempt: 1, Result: history.Payload(`{"code":1234,"text":"hello there"}`)}
}

// BenchmarkAppendRoundTrip appends one record at a time.
func BenchmarkAppendRoundTrip(b *testing.B) {
	hub := benchHub(b)
	answer := make(chan error, 1)
	b.ReportAllocs()
	for b.Loop() {
		hub.Append(backend.Append{To: anna, Record: benchDone(1)}, func(_ uint64, err error) { answer <- err })
		if err := <-answer; err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend appends as fast as it goes, the answers trail.
func BenchmarkAppend(b *testing.B) {
	hub := benchHub(b)
	slots := make(chan struct{}, 1000)
	var failed atomic.Int64
	b.ReportAllocs()
	for b.Loop() {
		slots <- struct{}{}
		hub.Append(backend.Append{To: anna, Record: benchDone(1)}, func(_ uint64, err error) {
			if err != nil {
				failed.Add(1)
			}
			<-slots
		})
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	if n := failed.Load(); n > 0 {
		b.Fatalf("%d appends failed", n)
	}
}

// BenchmarkDelivery appends, delivers and acknowledges, many at a time.
func BenchmarkDelivery(b *testing.B) {
	hub := benchHub(b)
	if err := hub.EnsureGroup(b.Context(), anna.Group); err != nil {
		b.Fatal(err)
	}
	slots := make(chan struct{}, 1000)
	in := hub.Inbox(anna.Group, history.Partition(anna.ID, hub.Info().Partitions))
	if _, err := in.Open(b.Context(), func(d backend.Delivery) { d.Ack(); <-slots }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		slots <- struct{}{}
		hub.Append(backend.Append{To: anna, Record: benchDone(1)}, func(uint64, error) {})
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
}

// BenchmarkFirstList is what whoever begins to shorten the log reads: the projection of runs that have ended, all of it.
func BenchmarkFirstList(b *testing.B) {
	const ended = 50_000
	hub := benchHub(b)
	stored := make(chan error, ended)
	for n := range ended {
		hub.PutState(backend.State{
			Address: history.Address{Group: "workload", ID: fmt.Sprintf("instance-of-the-bench-%d", n)}, Name: "workload.Hello",
			Status: history.Completed, Run: 1, At: uint64(n), Created: time.Now(), Updated: time.Now(), Finished: time.Now(),
		}, 0, func(_ uint64, err error) { stored <- err })
	}
	for range ended {
		if err := <-stored; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		seen := 0
		if _, err := hub.LiveStates(b.Context(), 0, func(history.Address, uint64, bool) { seen++ }); err != nil || seen != ended {
			b.Fatalf("%d states, %v", seen, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/ended, "ns/state")
}
