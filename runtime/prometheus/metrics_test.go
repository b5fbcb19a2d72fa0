package durableprom_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
	durableprom "github.com/durablegen/durablegen/runtime/prometheus"
)

var (
	order    = &durable.Orchestrator{Name: "shop.Order", Group: "shop", Source: "example.com/shop.Order"}
	reserve  = &durable.Activity{Name: "shop.Reserve", Source: "example.com/shop.Reserve", Retry: durable.RetryPolicy{Attempts: 2, First: time.Second}}
	errShelf = errors.New("shop: the shelf is empty")
)

// shop reserves an item, waits for a day, and reserves it again; every first attempt fails. The item "none" is never there.
func shop(t *testing.T) []durable.Binding {
	t.Helper()
	return []durable.Binding{
		durable.BindActivity(reserve, func(ctx context.Context, item string) (bool, error) {
			if info, _ := durable.InfoOf(ctx); info.Attempt == 1 || item == "none" {
				return false, errShelf
			}
			return true, nil
		}),
		durable.BindOrchestrator(order, func(ctx durable.Context, item string) (bool, error) {
			if _, err := durable.StartActivity[bool](ctx, reserve, item).Get(ctx); err != nil {
				return false, err
			}
			durable.Sleep(ctx, 24*time.Hour)
			return durable.StartActivity[bool](ctx, reserve, item).Get(ctx)
		}),
	}
}

// counted are the counters, and how often each histogram has observed something.
func counted(t *testing.T, m *durableprom.Metrics) []string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(m)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		for _, s := range f.GetMetric() {
			var labels []string
			for _, l := range s.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			line := f.GetName() + "{" + strings.Join(labels, ",") + "}"
			switch {
			case s.GetCounter() != nil:
				lines = append(lines, fmt.Sprint(line, " ", s.GetCounter().GetValue()))
			case s.GetHistogram() != nil:
				lines = append(lines, fmt.Sprint(line, " ", s.GetHistogram().GetSampleCount(), "x"))
			}
		}
	}
	return lines
}

// TestCounters: also when workers die on the way, what was done is counted, and not what was replayed.
func TestCounters(t *testing.T) {
	t.Parallel()
	for name, crashes := range map[string]int{"quiet": 0, "crashes": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := durableprom.New(durableprom.Config{})
			env := durabletest.New(t, durabletest.Configure(m.Worker, nil))
			env.Register(shop(t)...)
			for _, item := range []string{"lamp", "none"} {
				handle, err := durable.StartInstance[bool](t.Context(), env.Client(), order, item)
				if err != nil {
					t.Fatal(err)
				}
				env.Advance(time.Hour)
				for range crashes {
					env.Advance(time.Minute)
					env.Crash()
				}
				if ok, err := handle.Wait(t.Context()); ok != (item == "lamp") {
					t.Fatal(ok, err)
				}
			}
			want := []string{
				"durable_activity_attempts_total{shop.Reserve,failed} 1",
				"durable_activity_attempts_total{shop.Reserve,retried} 3",
				"durable_activity_attempts_total{shop.Reserve,succeeded} 2",
				"durable_activity_duration_seconds{shop.Reserve,failed} 1x",
				"durable_activity_duration_seconds{shop.Reserve,retried} 3x",
				"durable_activity_duration_seconds{shop.Reserve,succeeded} 2x",
				"durable_activity_queue_seconds{shop.Reserve} 6x",
				"durable_cache_misses_total{shop} 2",
				"durable_messages_total{shop} 6",
				"durable_orchestration_duration_seconds{shop,shop.Order,completed} 1x",
				"durable_orchestration_duration_seconds{shop,shop.Order,failed} 1x",
				"durable_orchestration_queue_seconds{shop,shop.Order} 2x",
				"durable_orchestrations_ended_total{shop,shop.Order,completed} 1",
				"durable_orchestrations_ended_total{shop,shop.Order,failed} 1",
				"durable_orchestrations_started_total{shop,shop.Order} 2",
				"durable_timer_lag_seconds{shop} 1x",
				"durable_turn_duration_seconds{shop,shop.Order} 6x",
			}
			got := counted(t, m)
			if crashes > 0 { // then messages come again, or are found by a load: how often is the protocol's business
				again := regexp.MustCompile(`^durable_(replay|messages|message_redeliveries|cache|turn)`)
				want, got = slices.DeleteFunc(want, again.MatchString), slices.DeleteFunc(got, func(l string) bool {
					return again.MatchString(l)
				})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReplays: a worker that takes an instance over reads and replays it, and says how much that was.
func TestReplays(t *testing.T) {
	t.Parallel()
	m := durableprom.New(durableprom.Config{})
	env := durabletest.New(t, durabletest.Configure(m.Worker, nil))
	env.Register(shop(t)...)
	handle, err := durable.StartInstance[bool](t.Context(), env.Client(), order, "lamp")
	if err != nil {
		t.Fatal(err)
	}
	env.Advance(time.Hour)
	env.Crash()
	if _, err := handle.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(counted(t, m), func(l string) bool { return !strings.HasPrefix(l, "durable_replay") })
	if diff := cmp.Diff([]string{
		"durable_replay_duration_seconds{shop,shop.Order} 1x", "durable_replay_messages{shop,shop.Order} 1x",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGauges: of a worker on a real server; and the form of all metrics is as Prometheus wants it.
func TestGauges(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	hub, err := server.Backend(t.Context(), natsbackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	var code durable.Registry
	if err := code.Add(shop(t)...); err != nil {
		t.Fatal(err)
	}
	m := durableprom.New(durableprom.Config{})
	w := durable.NewWorker(hub, &code, m.Worker(durable.WorkerConfig{Slots: 7}))
	m.Watch("w", w)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if problems, err := testutil.CollectAndLint(m); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	if err := testutil.CollectAndCompare(m, strings.NewReader(`
# HELP durable_activity_slots Attempts of an activity's tasks that the worker runs at once at most.
# TYPE durable_activity_slots gauge
durable_activity_slots{activity="shop.Reserve",worker="w"} 7
# HELP durable_nats_connected 1 while all connections of the worker to NATS are up.
# TYPE durable_nats_connected gauge
durable_nats_connected{worker="w"} 1
# HELP durable_nats_reconnects_total Times that a connection was made again.
# TYPE durable_nats_reconnects_total counter
durable_nats_reconnects_total{worker="w"} 0
`), "durable_activity_slots", "durable_nats_connected", "durable_nats_reconnects_total"); err != nil {
		t.Error(err)
	}
	if err := w.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := hub.Close(); err != nil {
		t.Fatal(err)
	}
	if err := testutil.CollectAndCompare(m, strings.NewReader(`
# HELP durable_nats_connected 1 while all connections of the worker to NATS are up.
# TYPE durable_nats_connected gauge
durable_nats_connected{worker="w"} 0
`), "durable_nats_connected"); err != nil {
		t.Error("after the end:", err)
	}
}
