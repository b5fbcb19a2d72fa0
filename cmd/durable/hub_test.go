package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	served := durable.Queue{Group: "a", Served: true}
	idle := durable.Queue{Group: "b"}
	waits := durable.Queue{Group: "b", Pending: 2, Open: 1, Oldest: now.Add(-time.Minute)}
	task := durable.Queue{Activity: "x", Pending: 1, Oldest: now.Add(-time.Second)}
	for _, c := range []struct {
		name   string
		queues []durable.Queue
		want   health
	}{
		{"nothing at all", nil, health{OK: true}},
		{"all served", []durable.Queue{served}, health{OK: true, Groups: []string{"a"}}},
		{"a group that nobody needs", []durable.Queue{served, idle}, health{OK: true, Groups: []string{"a"}}},
		{"nobody works", []durable.Queue{idle}, health{Problem: "no worker runs"}},
		{"something is young", []durable.Queue{served, task}, health{OK: true, Groups: []string{"a"}, Waiting: 1, Unserved: []string{"activity x"}, Oldest: task.Oldest}},
		{"something waits", []durable.Queue{served, waits, task}, health{
			Problem: "no worker is there for activity x, group b, where a message has waited for 1m (4 in all)",
			Groups:  []string{"a"}, Waiting: 4, Unserved: []string{"activity x", "group b"}, Oldest: waits.Oldest,
		}},
	} {
		if c.want.Groups == nil {
			c.want.Groups = []string{}
		}
		if c.want.Unserved == nil {
			c.want.Unserved = []string{}
		}
		if diff := cmp.Diff(c.want, healthOf(c.queues, now, 10*time.Second)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	old := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := codeOf(
		[]durable.OrchestratorInfo{{Name: "f.A", Group: "f", Version: "2"}, {Name: "f.B", Group: "f"}},
		[]durable.Count{
			{Name: "f.A", Group: "f", Version: "1", Status: durable.Running, Instances: 3, Parked: 1, Oldest: old.Add(time.Hour)},
			{Name: "f.A", Group: "f", Version: "1", Status: durable.Suspended, Instances: 1, Oldest: old},
			{Name: "f.A", Group: "f", Version: "2", Status: durable.Completed, Instances: 9},
			{Name: "g.Gone", Group: "g", Status: durable.Pending, Instances: 1, Oldest: old},
		},
		[]durable.WorkerInfo{{Orchestrators: []durable.OrchestratorInfo{{Name: "f.A", Group: "f", Version: "10"}, {Name: "f.A", Group: "f", Version: "2"}, {Name: "f.B", Group: "f", Version: "1"}}}, {Orchestrators: []durable.OrchestratorInfo{{Name: "f.A", Group: "other"}}}},
	)
	want := []code{
		{Name: "f.A", Version: "1", Group: "f", Live: 4, Parked: 1, Oldest: old, Note: "no worker for f.A version 1"},
		{Name: "f.A", Version: "2", Group: "f", Current: true, Workers: 1},
		{Name: "f.A", Version: "10", Group: "f", Workers: 1},
		{Name: "f.B", Version: "1", Group: "f", Current: true, Workers: 1},
		{Name: "g.Gone", Version: "1", Group: "g", Live: 1, Oldest: old, Note: "no worker for g.Gone version 1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWordsForPeople(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		owned(map[string][]int{"b": {7}, "a": {0, 1, 2, 5}}): "a/0-2,5 b/7",
		owned(nil):       "",
		size(1023):       "1023 B",
		size(1536):       "1.5 KiB",
		size(5 << 30):    "5.0 GiB",
		size(^uint64(0)): "16.0 EiB",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
