package natsbackend_test

import (
	"sync/atomic"
	"testing"

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
