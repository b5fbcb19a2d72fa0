package doctor_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/doctor"
)

// finds examines a hub, and wants one finding of this kind that says all words and what helps, and no other: but for what
// can be mended, which follows from it.
func finds(t *testing.T, hub durable.Backend, kind doctor.Kind, severity doctor.Severity, words ...string) {
	t.Helper()
	r, err := doctor.Examine(t.Context(), hub, doctor.Config{})
	must(t, err)
	r.Findings = slices.DeleteFunc(r.Findings, func(f doctor.Finding) bool { return f.Fixable })
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings, want one of kind %s: %+v", len(r.Findings), kind, r.Findings)
	}
	f := r.Findings[0]
	if f.Kind != kind || f.Severity != severity || f.Cure == "" {
		t.Errorf("%+v, want it %s, of severity %s", f, kind, severity)
	}
	for _, w := range words {
		if !strings.Contains(f.What+" "+f.ID, w) {
			t.Errorf("%q does not say %q", f.What, w)
		}
	}
}

// TestNobodyServesAGroup: soon a warning, and an error when something has waited for a minute.
func TestNobodyServesAGroup(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		w.rest()
		w.pass(time.Minute)
		finds(t, w.hub, doctor.Unserved, doctor.Warning, `"flow"`, "live instances (2)")
		must(t, w.client.Raise(t.Context(), "waits", "go", 5))
		finds(t, w.hub, doctor.Unserved, doctor.Warning)
		w.pass(2 * time.Minute)
		finds(t, w.hub, doctor.Unserved, doctor.Error, "2 of the 2 partitions", "messages wait there (1)", "2m0s", "waits")
	})
}

// TestNobodyServesAnActivity: whether it has ever had a worker or not.
func TestNobodyServesAnActivity(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		of := history.Address{Group: "flow", ID: "waits"}
		_, err := wait(func(done func(uint64, error)) {
			w.hub.Append(backend.Append{To: of, Record: &history.Task{Ref: history.Ref{Run: 1, Slot: 9}, Name: "flow.Nobody", Attempt: 1}}, done)
		})
		must(t, err)
		if found := w.examine(false); len(found) > 0 {
			t.Errorf("a task that is young is a finding: %v", found)
		}
		w.pass(2 * time.Minute)
		finds(t, w.hub, doctor.Unserved, doctor.Error, "flow.Nobody", "tasks wait (1)", "2m0s", "waits")
		must(t, w.hub.EnsureActivity(t.Context(), backend.Activity{Name: "flow.Nobody"}))
		finds(t, w.hub, doctor.Unserved, doctor.Error, "flow.Nobody")
		must(t, w.client.Terminate(t.Context(), "waits", "nobody will ever serve it"))
		w.pass(10 * time.Second)
		if found := w.examine(false); len(found) > 0 {
			t.Errorf("a task of an instance that has ended is a finding: %v", found)
		}
	})
}

// TestATaskComesAgainAndAgain: its workers take it and are never heard of again.
func TestATaskComesAgainAndAgain(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		must(t, w.hub.EnsureActivity(t.Context(), backend.Activity{Name: "flow.Deadly"}))
		_, err := wait(func(done func(uint64, error)) {
			w.hub.Append(backend.Append{To: history.Address{Group: "flow", ID: "waits"}, Record: &history.Task{Ref: history.Ref{Run: 1, Slot: 9}, Name: "flow.Deadly", Attempt: 1}}, done)
		})
		must(t, err)
		queue, err := w.hub.Tasks("flow.Deadly", func(backend.TaskDelivery) {})
		must(t, err)
		queue.Grant(100)
		defer queue.Stop(t.Context())
		w.pass(2 * time.Minute)
		finds(t, w.hub, doctor.Stuck, doctor.Warning, "flow.Deadly", "more than once (1)", "waits")
	})
}

// TestAnOwnerIsSilent: somebody has a partition and does not finish.
func TestAnOwnerIsSilent(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		w.rest()
		in := w.hub.Inbox("flow", history.Partition("waits", w.hub.Info().Partitions))
		_, err := in.Open(t.Context(), func(backend.Delivery) {})
		must(t, err)
		defer func() { must(t, in.Release(t.Context())) }()
		must(t, w.client.Raise(t.Context(), "waits", "go", 5))
		w.pass(2 * time.Minute)
		finds(t, w.hub, doctor.Stuck, doctor.Error, `of group "flow"`, "2m0s", "waits")
	})
}

// TestParkedInstancesAreOneFinding: told with what they have in common.
func TestParkedInstancesAreOneFinding(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		unknown := orchestrator("Unknown")
		w.start(unknown, "p1", 1)
		w.start(unknown, "p2", 1)
		w.pass(10 * time.Second)
		finds(t, w.hub, doctor.Parked, doctor.Error, "instances of flow.Unknown are parked (2)", "no worker for", "p")
	})
}

func TestClocksDiffer(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		for _, c := range []struct {
			skew     time.Duration
			severity doctor.Severity
			says     string
		}{
			{6 * time.Second, doctor.Warning, "6s ahead"},
			{-7 * time.Second, doctor.Warning, "7s behind"},
			{time.Minute, doctor.Error, "1m0s ahead"},
		} {
			w.hub.Skew(c.skew)
			finds(t, w.hub, doctor.Skewed, c.severity, c.says)
		}
		w.hub.Skew(0)
	})
}

// used is a hub whose usage is another one.
type used struct {
	*membackend.View
	change func(u *backend.Usage)
}

func (u used) Usage(ctx context.Context) (backend.Usage, error) {
	usage, err := u.View.Usage(ctx)
	u.change(&usage)
	return usage, err
}

func TestTheServerIsInTrouble(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		for _, c := range []struct {
			change   func(u *backend.Usage)
			kind     doctor.Kind
			severity doctor.Severity
			says     string
		}{
			{func(u *backend.Usage) { u.Limits = []backend.Limit{{Name: "streams", Used: 80, Most: 100}} }, doctor.Full, doctor.Warning, "streams: 80 of 100"},
			{func(u *backend.Usage) { u.Limits = []backend.Limit{{Name: "streams", Used: 95, Most: 100}} }, doctor.Full, doctor.Error, "95 of 100"},
			{func(u *backend.Usage) { u.Stores[0].Replicas, u.Stores[0].Behind = 3, []string{"s2", "s3"} }, doctor.Lagging, doctor.Warning, "s2, s3"},
		} {
			finds(t, used{w.hub, c.change}, c.kind, c.severity, c.says)
		}
		r, err := doctor.Examine(t.Context(), used{w.hub, func(u *backend.Usage) { u.Limits = []backend.Limit{{Used: 79, Most: 100}, {Used: 5}} }}, doctor.Config{})
		if err != nil || len(r.Findings) > 0 {
			t.Errorf("with room left: %+v, %v", r.Findings, err)
		}
	})
}

// TestTheReportTellsWhatServesTheHub: facts that are no findings.
func TestTheReportTellsWhatServesTheHub(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		w.pass(10 * time.Minute) // what waits for nothing but the outside is in order, for however long
		r, err := doctor.Examine(t.Context(), w.hub, doctor.Config{})
		must(t, err)
		if r.Hub != "memory" || r.Durability == "" || r.Usage.Server != "memory" || r.States != len(w.before) || len(r.Findings) > 0 {
			t.Errorf("%+v", r)
		}
	})
}
