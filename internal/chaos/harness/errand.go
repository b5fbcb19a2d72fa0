package chaos_test

import (
	"context"
	"fmt"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

const group = "chaos"

// The handles, as durablegen would write them.
var (
	errandInfo = durable.Orchestrator{Name: "chaos.Errand", Group: group, Source: "chaos.Errand"}
	partInfo   = durable.Orchestrator{Name: "chaos.Part", Group: group, Source: "chaos.Part"}
	effectInfo = durable.Activity{Name: "chaos.Effect", Source: "chaos.Effect"}
)

const goAhead = "chaos.goahead"

// effect has an effect on the world, which is told by its key, and returns what it did.
type effect func(ctx context.Context, key string, value int) error

// registry is what a worker runs; its activity has its effect through do.
func registry(do effect) *durable.Registry {
	var r durable.Registry
	err := r.Add(
		durable.BindOrchestrator(&errandInfo, errand),
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

// errand has a sequence of 3, a fan-out of 5, a timer, a child, an event from outside, and a last activity.
func errand(ctx durable.Context, from int) (int, error) {
	acc := from
	for range 3 {
		v, err := call(ctx, acc).Get(ctx)
		if err != nil {
			return 0, err
		}
		acc = mix(acc, v)
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
		acc = mix(acc, v)
	}
	durable.Sleep(ctx, 30*time.Millisecond)
	child, err := durable.StartChild[int](ctx, &partInfo, acc).Get(ctx)
	if err != nil {
		return 0, err
	}
	event, err := durable.ReceiveEvent[int](ctx, goAhead).Get(ctx)
	if err != nil {
		return 0, err
	}
	acc = mix(mix(acc, child), event)
	last, err := call(ctx, acc).Get(ctx)
	return mix(acc, last), err
}

// part is the child of an errand.
func part(ctx durable.Context, from int) (int, error) {
	v, err := call(ctx, from).Get(ctx)
	return mix(from, v), err
}

func call(ctx durable.Context, n int) durable.Future[int] {
	return durable.StartActivity[int](ctx, &effectInfo, n)
}

func value(n int) int { return n*31 + 7 }

func mix(acc, n int) int { return (acc*131 + n) % 1_000_003 }

// outcome is what an errand comes to, computed without any machinery.
type outcome struct {
	result int
	own    map[int]int // value of the effect of each slot
	child  int         // value of the effect of the child's slot 0
}

func outcomeOf(from, event int) outcome {
	o := outcome{own: map[int]int{}}
	acc := from
	for slot := range 3 {
		o.own[slot] = value(acc)
		acc = mix(acc, value(acc))
	}
	first := acc
	for n := range 5 {
		o.own[3+n] = value(first + n)
		acc = mix(acc, value(first+n))
	}
	o.child = value(acc) // slot 8 is the timer, 9 the child
	acc = mix(mix(acc, mix(acc, o.child)), event)
	o.own[10] = value(acc)
	o.result = mix(acc, value(acc))
	return o
}

// effectsOfErrand is how many effects one errand has, with its child.
const effectsOfErrand = 10

func key(id string, slot int) string { return fmt.Sprintf("%s/%s/1-0-%d", group, id, slot) }
