package durable_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// naps is an orchestrator that sleeps; one that is to sleep for less than nothing fails.
func naps(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, d time.Duration) (int, error) {
		if d < 0 {
			return 0, errors.New("nobody can sleep for less than nothing")
		}
		return 1, durable.Sleep(ctx, d)
	})
}

func TestWorkersSayWhoTheyAre(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		none, err := h.client.Workers(t.Context())
		must(t, err)
		if len(none) != 0 {
			t.Fatalf("without workers there are %+v", none)
		}
		versioned := flow("Nap")
		versioned.Version = "3"
		first := h.workAs(durable.WorkerConfig{Name: "one"}, naps(versioned), bystander())
		h.workAs(durable.WorkerConfig{Name: "two"}, durable.BindActivity(task("Add"), func(context.Context, int) (int, error) { return 0, nil }))
		h.pass(5 * time.Second)
		began := time.Now()
		got, err := h.client.Workers(t.Context())
		must(t, err)
		if took := taken(began); took != time.Second {
			t.Errorf("asking took %v, want a second", took)
		}
		if len(got) != 2 {
			t.Fatalf("%d workers answer, want 2: %+v", len(got), got)
		}
		one, two := got[0], got[1]
		same(t, "orchestrators", one.Orchestrators, []durable.OrchestratorInfo{{Name: "flow.Bystander", Group: "flow"}, {Name: "flow.Nap", Group: "flow", Version: "3"}})
		same(t, "partitions", one.Partitions, map[string][]int{"flow": {0, 1}})
		same(t, "activities", two.Activities, []string{"flow.Add"})
		if one.Process == 0 || !one.Started.Equal(began.Add(-5*time.Second)) || len(two.Partitions) != 0 || len(one.Activities) != 0 {
			t.Errorf("they say %+v", got)
		}
		h.stop(first)
		got, err = h.client.Workers(t.Context())
		if err != nil || len(got) != 1 || got[0].Name != two.Name {
			t.Errorf("after one has stopped: %+v, %v", got, err)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.client.Workers(over); !errors.Is(err, context.Canceled) {
			t.Errorf("who has no time gets %v", err)
		}
	})
}

// TestHubWithoutWorkersTellsWhatWaits: queues, timers and counts need nobody who runs anything.
func TestHubWithoutWorkersTellsWhatWaits(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		nap := flow("Nap")
		w := h.work(naps(nap))
		start[int](h, nap, time.Hour, durable.InstanceID("long"))
		start[int](h, nap, time.Minute, durable.InstanceID("short"))
		start[int](h, nap, -1, durable.InstanceID("never"))
		h.pass(10 * time.Second)
		h.stop(w)
		h.pass(2 * time.Minute) // the short one's timer fires
		start[int](h, nap, time.Second, durable.InstanceID("new"))

		timers, err := h.client.Timers(t.Context(), "", 0)
		must(t, err)
		if len(timers) != 1 || timers[0].Instance != "long" || timers[0].Group != "flow" || timers[0].Activity != "" {
			t.Errorf("timers %+v, want that of the long nap", timers)
		}
		queues, err := h.client.Queues(t.Context())
		must(t, err)
		var waiting uint64
		oldest := ""
		for _, q := range queues {
			waiting += q.Pending
			if q.OldestID != "" && oldest == "" {
				oldest = q.OldestID
			}
			if q.Served || q.Group != "flow" || q.Activity != "" {
				t.Errorf("queue %+v, want one of the group that nobody serves", q)
			}
		}
		if len(queues) != 2 || waiting != 2 || oldest == "" {
			t.Errorf("%d messages wait in %d queues, want a start and a timer in 2: %+v", waiting, len(queues), queues)
		}
		stats, err := h.client.Stats(t.Context())
		must(t, err)
		for n := range stats.Counts {
			if c := &stats.Counts[n]; c.Oldest.IsZero() || c.Oldest.After(time.Now()) {
				t.Errorf("%+v: want to know since when", c)
			}
			stats.Counts[n].Oldest = time.Time{}
		}
		same(t, "counts", stats.Counts, []durable.Count{
			{Name: "flow.Nap", Group: "flow", Status: durable.Failed, Instances: 1},
			{Name: "flow.Nap", Group: "flow", Status: durable.Pending, Instances: 1},
			{Name: "flow.Nap", Group: "flow", Status: durable.Running, Instances: 2},
		})
		same(t, "started", stats.Started, durable.Rate{Minute: 1, Hour: 4, Day: 4})
		same(t, "ended", stats.Ended, durable.Rate{Hour: 1, Day: 1})
		if stats.Instances != 4 || len(stats.Usage.Stores) == 0 {
			t.Errorf("stats %+v", stats)
		}
	})
}

func TestParkedInstancesAreCounted(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		h.work(bystander())
		start[int](h, flow("Nap"), time.Hour)
		h.pass(10 * time.Second)
		stats, err := h.client.Stats(t.Context())
		must(t, err)
		if len(stats.Counts) != 1 || stats.Counts[0].Parked != 1 {
			t.Errorf("counts %+v, want one that is parked", stats.Counts)
		}
	})
}

// TestTimersAreToldInTheirOrder: those of activities that are to be tried again, too.
func TestTimersAreToldInTheirOrder(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		nap, try := flow("Nap"), flow("Try")
		shaky := task("Shaky")
		shaky.Retry = durable.RetryPolicy{First: 10 * time.Minute, Attempts: 3}
		h.work(naps(nap), durable.BindActivity(shaky, func(context.Context, durable.None) (int, error) { return 0, errors.New("not today") }),
			durable.BindOrchestrator(try, func(ctx durable.Context, _ durable.None) (int, error) { return call[int](ctx, shaky, nil) }))
		start[int](h, nap, time.Hour, durable.InstanceID("b"))
		start[int](h, nap, time.Minute, durable.InstanceID("a"))
		start[int](h, try, nil, durable.InstanceID("c"))
		for n := range 300 {
			start[int](h, nap, 2*time.Hour+time.Duration(n)*time.Second)
		}
		h.pass(10 * time.Second)
		timers, err := h.client.Timers(t.Context(), "", 3)
		must(t, err)
		var ids []string
		for _, tm := range timers {
			ids = append(ids, tm.Instance)
		}
		same(t, "who is due first", ids, []string{"a", "c", "b"})
		if c := timers[1]; c.Activity != "flow.Shaky" || c.Attempt != 2 {
			t.Errorf("the next attempt is %+v", c)
		}
		all, err := h.client.Timers(t.Context(), "", 0)
		must(t, err)
		if len(all) != 303 || !slices.IsSortedFunc(all, func(x, y durable.PendingTimer) int { return x.Due.Compare(y.Due) }) {
			t.Errorf("%d timers, want all 303 in order", len(all))
		}
		one, err := h.client.Timers(t.Context(), "b", 0)
		must(t, err)
		if diff := cmp.Diff(timers[2:], one); diff != "" {
			t.Errorf("timers of one instance (-want +got):\n%s", diff)
		}
		_, err = h.client.Timers(t.Context(), "nobody", 0)
		if !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("timers of nobody: %v", err)
		}
		_, err = h.client.Timers(t.Context(), "", -1)
		says(t, err, "timers", "limit is -1")
	})
}
