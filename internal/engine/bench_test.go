package engine_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

var self = history.Address{Group: "club", ID: "ada"}

// began is when the first message of every test is stamped.
var began = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func hello(c *engine.Coroutine, input history.Payload) (history.Payload, error) {
	for range 3 {
		f := c.Schedule(history.Slot{Kind: history.SlotActivity, Name: "greet", Args: input})
		c.Await(f)
		input, _ = f.Result()
	}
	return input, nil
}

func startOf(seq uint64, input history.Payload) history.Message {
	return history.Message{Seq: seq, Time: began, Record: &history.Start{Run: 1, Orchestrator: "hello", Input: input}}
}

// BenchmarkHello is a whole orchestration of three activities: one start and three completions.
func BenchmarkHello(b *testing.B) {
	args := history.Payload(`"Ada"`)
	start := startOf(1, args)
	var dones [3]history.Message
	for n := range dones {
		dones[n] = history.Message{Seq: uint64(3 + 2*n), Time: began, Record: &history.Done{
			Ref: history.Ref{Run: 1, Slot: uint32(n)}, Name: "greet", Hash: history.ArgsHash(args), Attempt: 1, Result: args,
		}}
	}
	b.ReportAllocs()
	for b.Loop() {
		m := engine.New(engine.Config{Self: self, Program: hello}, start)
		if _, err := m.Begin(); err != nil {
			b.Fatal(err)
		}
		for _, d := range dones {
			if _, err := m.Apply(d); err != nil {
				b.Fatal(err)
			}
		}
		if m.Ended() == nil {
			b.Fatal("it has not ended")
		}
		m.Close()
	}
}

// BenchmarkApply is one completion in a long sequence.
func BenchmarkApply(b *testing.B) {
	endless := func(c *engine.Coroutine, input history.Payload) (history.Payload, error) {
		for {
			c.Await(c.Schedule(history.Slot{Kind: history.SlotActivity, Name: "greet", Args: input}))
		}
	}
	m := begin(b, endless)
	defer m.Close()
	done := history.Done{Ref: history.Ref{Run: 1}, Name: "greet", Hash: history.ArgsHash(nil)}
	msg := history.Message{Seq: 1, Time: began, Record: &done}
	b.ReportAllocs()
	for b.Loop() {
		msg.Seq++
		if turn, err := m.Apply(msg); err != nil || len(turn.Slots) != 1 {
			b.Fatal(turn, err)
		}
		done.Slot++
	}
}

func begin(b *testing.B, program engine.Program) *engine.Machine {
	b.Helper()
	m := engine.New(engine.Config{Self: self, Program: program}, startOf(1, nil))
	if _, err := m.Begin(); err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkFanout shows that the cost of an activity does not grow with their number, by three ways to wait for them:
// one after the other, each in a coroutine of its own beside one deadline, and each by any of them.
func BenchmarkFanout(b *testing.B) {
	schedule := func(c *engine.Coroutine) *engine.Future {
		return c.Schedule(history.Slot{Kind: history.SlotActivity, Name: "greet"})
	}
	for _, n := range []int{100, 10_000} {
		ways := []struct {
			name    string
			program engine.Program
		}{
			{"all", func(c *engine.Coroutine, _ history.Payload) (history.Payload, error) {
				fs := make([]*engine.Future, n)
				for i := range fs {
					fs[i] = schedule(c)
				}
				for _, f := range fs {
					c.Await(f)
				}
				return nil, nil
			}},
			{"coroutines", func(c *engine.Coroutine, _ history.Payload) (history.Payload, error) {
				deadline := c.Schedule(history.Slot{Kind: history.SlotTimer, Due: c.Now().Add(time.Hour)})
				left, all := n, c.Promise()
				for range n {
					f := schedule(c)
					c.Go(func(c *engine.Coroutine) {
						c.Await(deadline, f)
						if left--; left == 0 {
							c.Resolve(all, nil, nil)
						}
					})
				}
				c.Await(all)
				return nil, nil
			}},
		}
		for _, way := range ways {
			b.Run(fmt.Sprintf("%s/%d", way.name, n), func(b *testing.B) {
				b.ReportAllocs()
				hash := history.ArgsHash(nil)
				for b.Loop() {
					m := engine.New(engine.Config{Self: self, Program: way.program}, startOf(1, nil))
					turn, err := m.Begin()
					if err != nil {
						b.Fatal(err)
					}
					done := history.Done{Name: "greet", Hash: hash}
					for i := len(turn.Slots) - 1; i >= 0; i-- { // the hard way round
						done.Ref = history.Ref{Run: 1, Slot: turn.Slots[i].N}
						if _, err := m.Apply(history.Message{Seq: 2, Record: &done}); err != nil {
							b.Fatal(err)
						}
					}
					if m.Ended() == nil {
						b.Fatal("it has not ended")
					}
					m.Close()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/activity")
			})
		}
	}
}

// BenchmarkIdle is an instance that waits for an event, in memory.
func BenchmarkIdle(b *testing.B) {
	program := func(c *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		c.Await(c.Receive("answer"))
		return nil, nil
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var machines []*engine.Machine
	for b.Loop() {
		machines = append(machines, begin(b, program))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	n := float64(len(machines))
	b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/n, "heap-B")
	b.ReportMetric(float64(after.StackInuse-before.StackInuse)/n, "stack-B")
	for _, m := range machines {
		m.Close()
	}
}

// BenchmarkEvict is the cost of closing an instance that waits.
func BenchmarkEvict(b *testing.B) {
	program := func(c *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		c.Await(c.Receive("answer"))
		return nil, nil
	}
	b.ReportAllocs()
	for b.Loop() {
		begin(b, program).Close()
	}
}
