package natsbackend_test

import (
	"crypto/rand"
	"flag"
	"fmt"
	"strings"
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

var instances = flag.Int("instances", 100_000, "how many instances the hub of BenchmarkList has")

// fill stores the states of n instances that have ended, one second apart: every thousandth has failed, every hundredth is of
// another orchestrator.
func fill(b *testing.B, hub *natsbackend.Backend, n int) {
	b.Helper()
	begin := time.Now().Add(-time.Duration(n) * time.Second)
	answers := make(chan error, n)
	slots := make(chan struct{}, 1000)
	for k := range n {
		at := begin.Add(time.Duration(k) * time.Second)
		s := backend.State{
			Address: history.Address{Group: "workload", ID: fmt.Sprintf("%s%d", strings.ToLower(rand.Text()[:14]), k%1000)}, Name: "workload.Hello",
			Status: history.Completed, Run: 1, At: uint64(k), Created: at, Updated: at, Finished: at,
		}
		switch {
		case k%1000 == 7:
			s.Status, s.Failure = history.Failed, "it failed"
		case k%200 == 9:
			s.Status, s.Finished = history.Running, time.Time{}
		}
		if k%100 == 3 {
			s.Name, s.ID = "workload.Order", fmt.Sprintf("order-%d-%d", k%365, k)
		}
		slots <- struct{}{}
		hub.PutState(s, 0, func(_ uint64, err error) { answers <- err; <-slots })
	}
	for range n {
		if err := <-answers; err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList is the first page of lists, with the index in memory, without (cold), and by a server that has just been started (anew).
func BenchmarkList(b *testing.B) {
	dir := b.TempDir()
	s, err := embedded.Start(b.Context(), embedded.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	connect := func() *natsbackend.Backend {
		hub, err := s.Backend(b.Context(), natsbackend.Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { hub.Close() })
		return hub
	}
	hub := connect()
	anew := func() { // whose blocks are packed
		hub.Close()
		s.Close()
		if s, err = embedded.Start(b.Context(), embedded.Config{Dir: dir}); err != nil {
			b.Fatal(err)
		}
		hub = connect()
	}
	fill(b, hub, *instances)
	begun := time.Now()
	if err := hub.ListStates(b.Context(), func(backend.State) bool { return true }); err != nil {
		b.Fatal(err)
	}
	scan := time.Since(begun)
	begun = time.Now()
	if _, _, err := hub.FindStates(b.Context(), backend.Query{Limit: 1}); err != nil {
		b.Fatal(err)
	}
	made := time.Since(begun)
	size := hub.IndexSize(b.Context())
	b.Logf("%d states: a scan takes %v, the first list, which makes the index, %v; the index has %.1f bytes a state", *instances, scan, made, float64(size)/float64(*instances))
	for _, c := range []struct {
		name string
		q    backend.Query
	}{
		{"all", backend.Query{}},
		{"failed", backend.Query{Statuses: []history.Status{history.Failed}}},
		{"running", backend.Query{Statuses: []history.Status{history.Running}}},
		{"name", backend.Query{Name: "Order"}},
		{"failed-name", backend.Query{Name: "Hello", Statuses: []history.Status{history.Failed}}},
		{"prefix", backend.Query{IDPrefix: "order-12"}},
		{"old", backend.Query{CreatedBefore: time.Now().Add(-time.Duration(*instances) / 2 * time.Second)}},
	} {
		c.q.Limit = 100
		list := func(b *testing.B, hub *natsbackend.Backend) {
			page, _, err := hub.FindStates(b.Context(), c.q)
			if err != nil || len(page) == 0 {
				b.Fatalf("%d states, %v", len(page), err)
			}
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				list(b, hub)
			}
		})
		b.Run(c.name+"-cold", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				hub.ForgetIndex()
				b.StartTimer()
				list(b, hub)
			}
		})
		b.Run(c.name+"-anew", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				anew()
				b.StartTimer()
				list(b, hub)
			}
		})
	}
	defer changed(b, anew, func() *natsbackend.Backend { return hub })
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			counts, err := hub.CountStates(b.Context(), backend.Query{})
			if err != nil || counts[history.Failed] != *instances/1000 {
				b.Fatalf("%v, %v", counts, err)
			}
		}
	})
}

// changed lists what has failed when the index is not of what is there any more: some instances have ended since, and then one that
// had ended has begun again.
func changed(b *testing.B, anew func(), hub func() *natsbackend.Backend) {
	lists := func(name string) {
		for _, anewToo := range []bool{false, true} {
			b.Run(name+map[bool]string{true: "-anew"}[anewToo], func(b *testing.B) {
				for b.Loop() {
					if anewToo {
						b.StopTimer()
						anew()
						b.StartTimer()
					}
					if page, _, err := hub().FindStates(b.Context(), backend.Query{Limit: 100, Statuses: []history.Status{history.Failed}}); err != nil || len(page) == 0 {
						b.Fatalf("%d states, %v", len(page), err)
					}
				}
			})
		}
	}
	change := func(n int, from, to history.Status) {
		page, _, err := hub().FindStates(b.Context(), backend.Query{Limit: n, Statuses: []history.Status{from}})
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range page {
			stored := make(chan error, 1)
			s.Status = to
			hub().GetState(s.ID, func(_ backend.State, rev uint64, err error) {
				hub().PutState(s, rev, func(_ uint64, err error) { stored <- err })
			})
			if err := <-stored; err != nil {
				b.Fatal(err)
			}
		}
	}
	change(100, history.Running, history.Completed)
	lists("failed-ended")
	change(1, history.Completed, history.Running)
	lists("failed-begun")
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
