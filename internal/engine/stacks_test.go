package engine

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

// runOn runs a program on stacks until it blocks or ends.
func runOn(s *Stacks, p Program) *Machine {
	cfg := Config{Program: p, Stacks: s, Fail: func(err error) *history.Failure { return &history.Failure{Message: err.Error()} }}
	m := New(cfg, history.Message{Seq: 1, Record: &history.Start{Run: 1, Orchestrator: "o"}})
	m.Begin()
	return m
}

// TestStacks: a program runs on the goroutine that another has returned on, and on no other.
func TestStacks(t *testing.T) {
	t.Parallel()
	s := NewStacks(2)
	returns := func(*Coroutine, history.Payload) (history.Payload, error) { return nil, nil }
	blocks := func(c *Coroutine, _ history.Payload) (history.Payload, error) {
		c.Await(c.Receive("never"))
		return nil, nil
	}
	idle := func(what string, want int) {
		t.Helper()
		if got := len(s.idle); got != want {
			t.Errorf("%s: %d stacks are idle, want %d", what, got, want)
		}
	}
	runOn(s, returns).Close()
	idle("one has returned", 1)
	first := s.idle[0]
	m := runOn(s, blocks)
	idle("another is blocked", 0)
	m.Close()
	idle("it was unwound, and its goroutine with it", 0)
	for _, end := range []Program{
		func(*Coroutine, history.Payload) (history.Payload, error) { panic("a mistake") },
		func(*Coroutine, history.Payload) (history.Payload, error) { runtime.Goexit(); return nil, nil },
	} {
		runOn(s, end).Close()
		idle("it has not returned", 0)
	}
	three := runOn(s, func(c *Coroutine, _ history.Payload) (history.Payload, error) {
		for range 2 {
			c.Go(func(*Coroutine) {})
		}
		c.Await(c.Receive("never"))
		return nil, nil
	})
	idle("two of its coroutines have returned, one after the other", 1)
	if s.idle[0] == first {
		t.Error("a stack that was unwound is idle")
	}
	runOn(s, returns).Close()
	runOn(s, blocks).Close()
	three.Close()
	s.Close()
	idle("closed", 0)
	late := runOn(s, returns)
	late.Close()
	idle("returned after the close", 0)
}

// BenchmarkShort is a run that ends at once, with a program that needs some stack.
func BenchmarkShort(b *testing.B) {
	program := func(*Coroutine, history.Payload) (history.Payload, error) {
		return history.Payload(fmt.Sprint(deep(20))), nil
	}
	for name, s := range map[string]*Stacks{"own": nil, "kept": NewStacks(1)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				runOn(s, program).Close()
			}
			if s != nil {
				s.Close()
			}
		})
	}
}

func deep(n int) int {
	var room [256]byte
	if n == 0 {
		return len(room)
	}
	room[n] = byte(deep(n - 1))
	return int(room[n]) + n
}
