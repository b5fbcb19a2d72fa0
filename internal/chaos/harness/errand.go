package harness

import (
	"context"
	"fmt"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Group is that of the orchestrators of this package.
const Group = "chaos"

// The handles, as durablegen would write them.
var (
	// ErrandInfo is the orchestrator of an errand.
	ErrandInfo = durable.Orchestrator{Name: "chaos.Errand", Group: Group, Source: "chaos.Errand"}
	partInfo   = durable.Orchestrator{Name: "chaos.Part", Group: Group, Source: "chaos.Part"}
	effectInfo = durable.Activity{Name: "chaos.Effect", Source: "chaos.Effect"}
)

// GoAhead is the event that an errand waits for.
const GoAhead = "chaos.goahead"

// Effect has an effect on the world, which is told by its key.
type Effect func(ctx context.Context, key string, value int) error

// Registry is what a worker runs; its activity has its effect through do.
func Registry(do Effect) *durable.Registry {
	var r durable.Registry
	err := r.Add(
		durable.BindOrchestrator(&ErrandInfo, errand),
		durable.BindOrchestrator(&partInfo, part),
		durable.BindActivity(&effectInfo, func(ctx context.Context, n int) (int, error) {
			info, ok := durable.InfoOf(ctx)
			if !ok {
				return 0, fmt.Errorf("an activity without its info")
			}
			v := value(n)
			return v, do(ctx, info.IdempotencyKey, v)
		}))
	if err != nil {
		panic(err)
	}
	return &r
}

// lasting is an effect that takes a while.
func lasting(d time.Duration, do Effect) Effect {
	return func(ctx context.Context, key string, value int) error {
		select {
		case <-time.After(d):
			return do(ctx, key, value)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// errand has a sequence of 3, a fan-out of 5, a timer, a child, an event from outside, and a last activity.
func errand(ctx durable.Context, from int) (int, error) {
	acc := from
	for range 3 {
		v, err := call(ctx, acc).Get(ctx)
		if err != nil {
			return 0, err
		}
		acc = Mix(acc, v)
	}
	fan := make([]durable.Future[int], 5)
	for n := range fan {
		fan[n] = call(ctx, acc+n)
	}
	parts, err := durable.Collect(ctx, fan)
	if err != nil {
		return 0, err
	}
	for _, v := range parts {
		acc = Mix(acc, v)
	}
	durable.Sleep(ctx, 30*time.Millisecond)
	child, err := durable.StartChild[int](ctx, &partInfo, acc).Get(ctx)
	if err != nil {
		return 0, err
	}
	event, err := durable.ReceiveEvent[int](ctx, GoAhead).Get(ctx)
	if err != nil {
		return 0, err
	}
	acc = Mix(Mix(acc, child), event)
	last, err := call(ctx, acc).Get(ctx)
	return Mix(acc, last), err
}

// part is the child of an errand.
func part(ctx durable.Context, from int) (int, error) {
	v, err := call(ctx, from).Get(ctx)
	return Mix(from, v), err
}

func call(ctx durable.Context, n int) durable.Future[int] {
	return durable.StartActivity[int](ctx, &effectInfo, n)
}

func value(n int) int { return n*31 + 7 }

// Mix is what an errand does with its numbers.
func Mix(acc, n int) int { return (acc*131 + n) % 1_000_003 }

// Outcome is what an errand comes to, computed without any machinery.
type Outcome struct {
	Result int
	Own    map[int]int // value of the effect of each slot
	Child  int         // value of the effect of the child's slot 0
}

// OutcomeOf gives what an errand comes to that begins with from and gets event.
func OutcomeOf(from, event int) Outcome {
	o := Outcome{Own: map[int]int{}}
	acc := from
	for slot := range 3 {
		o.Own[slot] = value(acc)
		acc = Mix(acc, value(acc))
	}
	first := acc
	for n := range 5 {
		o.Own[3+n] = value(first + n)
		acc = Mix(acc, value(first+n))
	}
	o.Child = value(acc) // slot 8 is the timer, 9 the child
	acc = Mix(Mix(acc, Mix(acc, o.Child)), event)
	o.Own[10] = value(acc)
	o.Result = Mix(acc, value(acc))
	return o
}

// EffectsOfErrand is how many effects one errand has, with its child.
const EffectsOfErrand = 10

// Key is the idempotency key of a slot of an instance.
func Key(id string, slot int) string { return fmt.Sprintf("%s/%s/1-0-%d", Group, id, slot) }
