package natsbackend_test

import (
	"slices"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestSchedule: a schedule of every second runs on the server's own timers, is steered, and ends.
func TestSchedule(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	o := &durable.Orchestrator{Name: "clock.Tick", Group: "clock", Source: "example.com/clock.Tick"}
	ticks := make(chan time.Time, 100)
	w := work(t, b, durable.BindOrchestrator(o, func(ctx durable.Context, _ string) (durable.None, error) {
		at, _ := durable.ScheduledTime(ctx)
		if !ctx.Replaying() {
			ticks <- at
		}
		return durable.None{}, nil
	}))
	defer w.Stop(within(t))
	client := clientOf(t, b)

	const id = "tick tock/ü" // as an instance id, anything that can be read
	if err := durable.CreateSchedule(within(t), client, o, durable.Schedule{ID: id, Cron: []string{"* * * * * *"}, MaxRuns: 3}, "x"); err != nil {
		t.Fatal(err)
	}
	var times []time.Time
	for range 3 {
		times = append(times, receive(t, ticks))
	}
	for n := range times[1:] {
		if gap := times[n+1].Sub(times[n]); gap < time.Second || gap%time.Second != 0 {
			t.Errorf("runs are for %v", times)
		}
	}
	inst, err := client.Wait(within(t), "schedule:"+id) // it has had its runs
	if err != nil || inst.Status != durable.Completed {
		t.Fatalf("it is %s, %v", inst.Status, err)
	}
	info, err := client.DescribeSchedule(within(t), id)
	if err != nil || !info.Finished || info.Runs != 3 || !info.Recent[2].Time.Equal(times[2]) {
		t.Errorf("it says %+v, %v", info, err)
	}

	if err := durable.CreateSchedule(within(t), client, o, durable.Schedule{ID: id, Cron: []string{"@yearly"}}, "x"); err != nil {
		t.Fatal(err)
	}
	if err := client.TriggerSchedule(within(t), id); err != nil {
		t.Fatal(err)
	}
	receive(t, ticks)
	if err := client.DeleteSchedule(within(t), id); err != nil {
		t.Fatal(err)
	}
	list, err := client.ListSchedules(within(t))
	if err != nil || slices.ContainsFunc(list, func(i durable.ScheduleInfo) bool { return i.ID == id }) {
		t.Errorf("after its delete there are %+v, %v", list, err)
	}
}
