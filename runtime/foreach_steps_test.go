package durable

import (
	"runtime"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// TestForEachStepsDoNotGrow: of 100,000 items the last steps cost what the first ones cost, and one item that is slow
// does not make the instance remember all that came after it. It runs alone: it counts what is allocated.
func TestForEachStepsDoNotGrow(t *testing.T) {
	const (
		items, parallel = 100_000, 50
		window          = 10_000 // steps that are compared
	)
	for _, c := range []struct {
		name string
		slow bool // the first item ends last
	}{{"all alike", false}, {"the first is slow", true}} {
		t.Run(c.name, func(t *testing.T) {
			a := &Activity{Name: "flow.Work"}
			list := make([]int, items)
			m := engine.New(engine.Config{
				Self: history.Address{Group: "flow", ID: "ada"},
				Program: func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
					return nil, ForEach(Context{co: co}, list, parallel, func(ctx Context, n int) error {
						return StartActivity[None](ctx, a, n).Err(ctx)
					})
				},
			}, history.Message{Seq: 1, Time: time.Unix(0, 0), Record: &history.Start{Run: 1, Orchestrator: "flow.ForEach"}})
			defer m.Close()
			turn, err := m.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if len(turn.Slots) != parallel {
				t.Fatalf("it begins with %d activities, want %d", len(turn.Slots), parallel)
			}
			seq := uint64(1)
			complete := func(slot uint32) {
				seq++
				turn, err = m.Apply(history.Message{Seq: seq, Time: time.Unix(0, 0), Record: &history.Done{
					Ref: history.Ref{Run: 1, Slot: slot}, Name: a.Name, Hash: history.ArgsHash(history.Payload("0")), Attempt: 1,
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
			next := uint32(0)
			if c.slow {
				next++
			}
			steps := func(n int) {
				for range n {
					complete(next)
					next++
					if len(turn.Slots) > 1 {
						t.Fatalf("one step schedules %d activities", len(turn.Slots))
					}
				}
			}
			steps(window)
			early := allocated(func() { steps(window) })
			kept := inUse()
			steps(items - 4*window)
			late := allocated(func() { steps(window) })
			grown := inUse() - kept
			for next < items {
				steps(1)
			}
			if c.slow {
				complete(0)
			}
			if end := m.Ended(); end == nil || end.Status != history.Completed {
				t.Fatalf("it ends with %+v", end)
			}
			if late > early+early/10 {
				t.Errorf("%d steps allocate %d bytes late, %d early", window, late, early)
			}
			if grown > 64<<10 {
				t.Errorf("the instance has grown by %d bytes", grown)
			}
		})
	}
}

func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
