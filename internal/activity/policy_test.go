package activity

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

func TestDelay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		policy history.Policy
		want   []time.Duration // after attempts 1, 2, 3, 4
	}{
		{"doubles", history.Policy{First: time.Second, Backoff: 2, MaxInterval: time.Hour}, []time.Duration{1, 2, 4, 8}},
		{"stays", history.Policy{First: time.Second, Backoff: 1, MaxInterval: time.Hour}, []time.Duration{1, 1, 1, 1}},
		{"has a limit", history.Policy{First: time.Second, Backoff: 3, MaxInterval: 5 * time.Second}, []time.Duration{1, 3, 5, 5}},
		{"begins above its limit", history.Policy{First: time.Minute, Backoff: 2, MaxInterval: 5 * time.Second}, []time.Duration{5, 5, 5, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for n, want := range c.want {
				if got := c.policy.Delay(n + 1); got != want*time.Second {
					t.Errorf("after attempt %d: %v, want %v", n+1, got, want*time.Second)
				}
			}
			if got := c.policy.Delay(1_000_000); got < 0 || got > c.policy.MaxInterval {
				t.Errorf("after a million attempts: %v", got)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	registered := history.Policy{Timeout: 1, Attempts: 2, First: 3, Backoff: 4, MaxInterval: 5, Jitter: 0.6, Deadline: 7, Heartbeat: 8}
	full := history.Policy{Timeout: 10, Attempts: 20, First: 30, Backoff: 40, MaxInterval: 50, Jitter: 0.9, Deadline: 70, Heartbeat: 80}
	for _, c := range []struct {
		name string
		call *history.Policy
		want history.Policy
	}{
		{"nothing", nil, registered},
		{"zero fields", &history.Policy{}, registered},
		{"all fields", &full, full},
		{"some", &history.Policy{Attempts: 9, Backoff: 9}, history.Policy{Timeout: 1, Attempts: 9, First: 3, Backoff: 9, MaxInterval: 5, Jitter: 0.6, Deadline: 7, Heartbeat: 8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Merge(c.call, registered)); diff != "" {
				t.Errorf("Merge (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJittered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		jitter, random float64
		want           time.Duration
	}{{0, 0.9, 100}, {0.2, 0, 100}, {0.2, 0.5, 90}, {0.2, 1, 80}, {1, 1, 0}} {
		if got := (history.Policy{Jitter: c.jitter}).Jittered(100, c.random); got != c.want {
			t.Errorf("jitter %v, random %v: %v, want %v", c.jitter, c.random, got, c.want)
		}
	}
}
