package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// relayInfo is an orchestrator that this file runs with an owner of its own: it waits for a timer and an event.
var relayInfo = durable.Orchestrator{Name: "chaos.Relay", Group: harness.Group, Source: "chaos.Relay"}

type relayCode struct{}

func (relayCode) Program(name, _ string) (engine.Program, bool)  { return relay, name == relayInfo.Name }
func (relayCode) Resolve(_ history.SlotKind, name string) string { return name }
func (relayCode) Orchestrators() []string                        { return []string{relayInfo.Name} }

func relay(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
	co.Await(co.Schedule(history.Slot{Kind: history.SlotTimer, Due: co.Now().Add(20 * time.Millisecond)}))
	event := co.Receive(harness.GoAhead)
	co.Await(event)
	payload, _ := event.Result()
	var a, b int
	if err := json.Unmarshal(input, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(payload, &b); err != nil {
		return nil, err
	}
	return json.Marshal(harness.Mix(a, b))
}

// member is a worker that has nothing but its share of the group.
type member struct {
	be    *natsbackend.Backend
	group *owner.Group
}

func join(t *testing.T, url, name string) *member {
	t.Helper()
	m := &member{be: connect(t, natsbackend.Config{URL: url})}
	var err error
	m.group, err = owner.Start(within(t), owner.Config{
		Backend: m.be, Group: harness.Group, Worker: name, Code: relayCode{}, Heartbeat: quick.Heartbeat, Dead: quick.Dead,
		Fail:   func(err error) *history.Failure { return &history.Failure{Message: err.Error()} },
		Logger: failureLog(t, name),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPartitionsRebalance follows the ownership of partitions while workers join, leave and die, under load.
func TestPartitionsRebalance(t *testing.T) {
	s := serve(t)
	load := newLoad(t, natsbackend.Config{URL: s.URL()}, openLedger(t))
	all := []int{0, 1, 2, 3, 4, 5, 6, 7}

	first := join(t, s.URL(), "first")
	begun := time.Now()
	var waiting []durable.Handle[int]
	phase := func(what string, cond func() string) {
		t.Helper()
		until(t, func(context.Context) string { return cond() })
		t.Logf("%s: %v after %v", what, first.group.Owned(), time.Since(begun).Round(time.Millisecond))
		load.handOver(waiting)
		load.handOver(load.relays("in " + what))
		waiting = load.relays("after " + what)
		begun = time.Now()
	}
	alone := func() string { return cmp.Diff(all, first.group.Owned()) }
	phase("alone", alone)

	second := join(t, s.URL(), "second")
	shared := func() string {
		a, b := first.group.Owned(), second.group.Owned()
		both := slices.Sorted(slices.Values(slices.Concat(a, b)))
		if len(a) == 0 || len(b) == 0 || !slices.Equal(all, both) {
			return fmt.Sprintf("the first owns %v, the second %v", a, b)
		}
		return ""
	}
	phase("shared", shared)

	if err := second.group.Stop(within(t)); err != nil {
		t.Errorf("leave: %v", err)
	}
	second.be.Close()
	phase("left", alone)

	second = join(t, s.URL(), "third")
	phase("shared again", shared)
	second.be.Close() // it dies: nothing is handed over
	phase("died", alone)

	_ = second.group.Stop(within(t)) // what is left of it cannot release anything
	load.handOver(waiting)
	if err := first.group.Stop(within(t)); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// relays sends three instances of every partition on their way, which then wait for handOver.
func (l *load) relays(name string) []durable.Handle[int] {
	l.t.Helper()
	ctx := within(l.t)
	var waiting []durable.Handle[int]
	for p := range l.be.Info().Partitions {
		for n := range 3 {
			id := l.idIn(p, fmt.Sprintf("%s-%d", name, n))
			h, err := durable.StartInstance[int](ctx, l.client, &relayInfo, p, durable.InstanceID(id))
			if err != nil {
				l.t.Fatal(err)
			}
			waiting = append(waiting, h)
		}
	}
	return waiting
}

// handOver sends them the event, after their partitions have changed hands, and waits for their ends.
func (l *load) handOver(waiting []durable.Handle[int]) {
	l.t.Helper()
	ctx := within(l.t)
	for _, h := range waiting {
		if err := durable.RaiseEvent(ctx, l.client, h.ID(), harness.GoAhead, 5); err != nil {
			l.t.Errorf("raise to %s: %v", h.ID(), err)
		}
	}
	for _, h := range waiting {
		p := history.Partition(h.ID(), l.be.Info().Partitions)
		if got, err := h.Wait(ctx); err != nil || got != harness.Mix(p, 5) {
			l.t.Errorf("%s gave %d, %v, want %d", h.ID(), got, err, harness.Mix(p, 5))
		}
	}
}
