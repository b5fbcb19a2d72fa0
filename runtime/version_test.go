package durable_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// versionOf is a version of an orchestrator that waits for an event, then says which one it is.
func versionOf(version string) (*durable.Orchestrator, durable.Binding) {
	o := flow("Order")
	o.Version = version
	return o, durable.BindOrchestrator(o, func(ctx durable.Context, _ int) (string, error) {
		next(ctx)
		return "by " + version + ", of " + ctx.OrchestratorVersion(), nil
	})
}

// TestVersionsSideBySide: instances stay on the version that they began with, who starts by name alone gets the newest, and
// an older build that starts late does not change that.
func TestVersionsSideBySide(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first, bindFirst := versionOf("")
		tenth, bindTenth := versionOf("10")
		ninth, bindNinth := versionOf("9")
		h.work(bindNinth, bindTenth, bindFirst)
		h.work(bindFirst)
		handles := map[string]durable.Handle[string]{
			"by , of ":     start[string](h, first, 1),
			"by 9, of 9":   start[string](h, ninth, 1),
			"by 10, of 10": start[string](h, tenth, 1),
			"by , of 1":    start[string](h, tenth, 1, durable.Version("1")),
		}
		id, err := h.client.StartByName(t.Context(), "flow.Order", nil)
		must(t, err)
		if inst := h.get(id); inst.Version != "10" {
			t.Errorf("started by name it has version %q, want the newest", inst.Version)
		}
		for text, handle := range handles {
			must(t, h.client.Raise(t.Context(), handle.ID(), "next", nil))
			want(h, handle, text)
		}
	})
}

// TestVersionWithoutWorkerParks: it is visible as such, and goes on by itself.
func TestVersionWithoutWorkerParks(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first, bindFirst := versionOf("")
		_, bindSecond := versionOf("2")
		w := h.work(bindFirst)
		handle := start[string](h, first, 1, durable.InstanceID("x"))
		h.pass(time.Second)
		h.stop(w)
		h.work(bindSecond)
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		if inst := h.get("x"); inst.Parked != "no worker for flow.Order version 1" {
			t.Errorf("without version 1 it is %+v, want it parked", inst)
		}
		h.work(bindFirst)
		want(h, handle, "by , of ")
	})
}

// TestContinueAs: a handle says the version of the next execution.
func TestContinueAs(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first, second, other := flow("Order"), flow("Order"), flow("Other")
		first.Version, second.Version, other.Version = "1", "2", "1"
		h.work(
			durable.BindOrchestrator(first, func(ctx durable.Context, n int) (string, error) {
				switch n {
				case 0:
					return "", durable.ContinueAs(ctx, first, 1)
				case 1:
					return "", durable.ContinueAs(ctx, second, "from 1")
				}
				return "", durable.ContinueAs(ctx, other, 1)
			}),
			durable.BindOrchestrator(second, func(ctx durable.Context, s string) (string, error) {
				return s + " to " + ctx.OrchestratorVersion(), nil
			}),
		)
		handle := start[string](h, first, 0)
		want(h, handle, "from 1 to 2")
		if inst := h.get(handle.ID()); inst.Version != "2" {
			t.Errorf("it has version %q, want 2", inst.Version)
		}
		says(t, fails(h, start[string](h, first, 7)), "flow.Order cannot go on as flow.Other")
	})
}

// TestContinueAsUnknownVersion: the next execution waits for its code as any other.
func TestContinueAsUnknownVersion(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first := flow("Order")
		second, bindSecond := versionOf("2")
		bindFirst := durable.BindOrchestrator(first, func(ctx durable.Context, n int) (string, error) {
			next(ctx)
			return "", durable.ContinueAs(ctx, second, n)
		})
		h.work(bindFirst)
		handle := start[string](h, first, 1, durable.InstanceID("x"))
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		if inst := h.get("x"); inst.Parked != "no worker for flow.Order version 2" || inst.Version != "2" {
			t.Errorf("without version 2 it is %+v, want it parked", inst)
		}
		h.work(bindSecond)
		want(h, handle, "by 2, of 2")
	})
}

// patched has a change between two events: which way it goes.
func patched(o *durable.Orchestrator, before bool) durable.Binding {
	work := task("Work")
	return durable.BindOrchestrator(o, func(ctx durable.Context, n int) (string, error) {
		next(ctx)
		way := "old"
		if !before && ctx.Version("check-first") {
			way = "new"
			if _, err := call[int](ctx, work, 1); err != nil {
				return "", err
			}
		}
		if _, err := call[int](ctx, work, 2); err != nil {
			return "", err
		}
		next(ctx)
		if !before && ctx.Version("check-first") {
			way += " still"
		}
		if n > 0 {
			return "", durable.ContinueWith(ctx, n-1)
		}
		return way, nil
	})
}

// TestPatch: a history that was beyond the change goes on as it began; all others, and the next execution, go the new way.
func TestPatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		before int // events, with the code of before the change
		again  int // executions after the first
		want   string
		ran    string
	}{
		{"before it", 0, 0, "new still", "12"},
		{"beyond it", 1, 0, "old", "2"},
		{"beyond it, then continued as new", 1, 1, "new still", "212"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				var ran notes
				o := flow("Patched")
				work := durable.BindActivity(task("Work"), func(_ context.Context, n int) (int, error) { ran.addf("%d", n); return n, nil })
				w := h.work(work, patched(o, true))
				handle := start[string](h, o, c.again, durable.InstanceID("x"))
				events := 0
				raise := func() {
					events++
					must(t, h.client.Raise(t.Context(), "x", "next", nil))
					h.pass(time.Second)
				}
				for range c.before {
					raise()
				}
				for events < 2*(c.again+1) {
					h.stop(w)
					w = h.work(work, patched(o, false)) // a replay before every step
					h.pass(5 * time.Second)
					raise()
				}
				want(h, handle, c.want)
				if got := strings.Join(ran.all(), ""); got != c.ran {
					t.Errorf("activities %s ran, want %s", got, c.ran)
				}
			})
		})
	}
}

func TestPatchRefusesNames(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Patched")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, change string) (bool, error) { return ctx.Version(change), nil }))
		want(h, start[bool](h, o, "a-1"), true)
		for _, name := range []string{"", "two words", strings.Repeat("x", 129)} {
			err := fails(h, start[bool](h, o, name))
			says(t, err, "the name of a change")
			if !errors.Is(err, durable.ErrPanic) {
				t.Errorf("%q: %v, want ErrPanic", name, err)
			}
		}
	})
}

// TestLeftBehind: a version that vanishes while instances of it live is told of, or keeps the worker from starting; when the
// last one has ended it is forgotten.
func TestLeftBehind(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first, bindFirst := versionOf("")
		_, bindSecond := versionOf("2")
		old := h.work(bindFirst)
		handle := start[string](h, first, 1, durable.InstanceID("x"))
		start[string](h, first, 1, durable.InstanceID("y"))
		h.pass(time.Second)
		refusing := durable.WorkerConfig{LeftBehind: durable.RefuseLeftBehind}

		both := h.workAs(refusing, bindFirst, bindSecond)
		h.stop(both)
		beside := h.workAs(refusing, bindSecond) // the old one still runs
		h.stop(beside)
		h.stop(old)

		err := durable.NewWorker(h.m.View("worker"), registry(t, bindSecond), refusing).Start(t.Context())
		says(t, err, "no worker for flow.Order version 1", "live instances: 2", "keep the old function")
		if !errors.Is(err, durable.ErrVersionInUse) {
			t.Errorf("%v, want ErrVersionInUse", err)
		}

		var told, logged notes
		w := h.workAs(durable.WorkerConfig{Logger: logged.logger(), Hooks: observe.Hooks{
			LeftBehind: func(l observe.Left) { told.addf("%s %s %d", l.Orchestrator, l.Version, l.Instances) },
		}}, bindSecond)
		h.pass(3 * time.Second)
		if diff := cmp.Diff([]string{"flow.Order 1 2"}, told.all()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if !slices.ContainsFunc(logged.all(), func(s string) bool { return strings.Contains(s, "no worker runs") }) {
			t.Errorf("logged %q, want a warning", logged.all())
		}
		left, err := w.LeftBehind(t.Context())
		must(t, err)
		if diff := cmp.Diff("[no worker for flow.Order version 1: live instances: 2]", fmt.Sprint(left)); diff != "" {
			t.Errorf("left behind (-want +got):\n%s", diff)
		}

		old = h.work(bindFirst)
		for _, id := range []string{"x", "y"} {
			must(t, h.client.Raise(t.Context(), id, "next", nil))
		}
		want(h, handle, "by , of ")
		h.pass(time.Second)
		h.stop(old)
		h.stop(h.workAs(refusing, bindSecond))
	})
}

// TestWithdrawnVersion: new instances that are started by name get the newest version that has a worker.
func TestWithdrawnVersion(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		_, bindFirst := versionOf("1")
		second, bindSecond := versionOf("2")
		w := h.work(bindSecond)
		start[string](h, second, 1, durable.InstanceID("x"))
		h.pass(time.Second)
		h.stop(w)
		h.work(bindFirst)
		h.pass(3 * time.Second)
		id, err := h.client.StartByName(t.Context(), "flow.Order", nil)
		must(t, err)
		if inst := h.get(id); inst.Version != "1" || inst.Parked != "" {
			t.Errorf("started by name it is %+v, want version 1", inst)
		}
	})
}

// TestServed: a worker that has another version of an orchestrator does not count.
func TestServed(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		_, bindSecond := versionOf("2")
		h.work(bindSecond)
		for _, c := range []struct {
			name, version string
			want          bool
		}{{"flow.Order", "2", true}, {"flow.Order", "", false}, {"flow.Other", "2", false}, {"durable.Schedule", "", true}} {
			begin := time.Now()
			got, err := h.client.Served(t.Context(), durable.Instance{Name: c.name, Version: c.version})
			must(t, err)
			if got != c.want || got && taken(begin) > 0 {
				t.Errorf("%s %q is served: %v after %v, want %v", c.name, c.version, got, taken(begin), c.want)
			}
		}
	})
}
