package durable_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// counting counts its input down by continuing as new, then gives the sum of what came before.
func counting(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, in [2]int) (int, error) {
		if in[0] == 0 {
			return in[1], nil
		}
		return 0, durable.ContinueWith(ctx, [2]int{in[0] - 1, in[1] + in[0]})
	})
}

// TestRestart: the same orchestrator with the input of the run, not of its last execution; the tags are kept.
func TestRestart(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Count")
		o.Version = "7"
		h.work(counting(o))
		tags := durable.Tags{"season": "2026"}
		first := start[int](h, o, [2]int{3, 0}, durable.InstanceID("x"), tags)
		want(h, first, 6)
		h.pass(time.Second)
		for name, c := range map[string]struct {
			opts []durable.RestartOption
			id   string
		}{
			"same id":       {nil, "x"},
			"itself":        {[]durable.RestartOption{durable.InstanceID("x")}, "x"},
			"another id":    {[]durable.RestartOption{durable.FreshID(), durable.InstanceID("y")}, "y"},
			"a fresh id":    {[]durable.RestartOption{durable.InstanceID("y"), durable.FreshID()}, ""},
			"a taken id":    {[]durable.RestartOption{durable.InstanceID("taken")}, "taken"},
			"an invalid id": {[]durable.RestartOption{durable.InstanceID("\x00")}, "\x00"},
		} {
			if name == "a taken id" {
				start[int](h, o, [2]int{}, durable.InstanceID("taken"))
			}
			id, err := h.client.Restart(t.Context(), "x", c.opts...)
			switch name {
			case "a taken id":
				if !errors.Is(err, durable.ErrAlreadyExists) {
					t.Errorf("%s: got %v, want ErrAlreadyExists", name, err)
				}
				continue
			case "an invalid id":
				says(t, err, `restart "x"`, "control character")
				continue
			}
			must(t, err)
			if c.id != "" && id != c.id || c.id == "" && len(id) != 20 {
				t.Errorf("%s: got %q, want %q", name, id, c.id)
			}
			want(h, durable.AttachInstance[int](h.client, o, id), 6)
			if inst := h.get(id); inst.Version != "7" || cmp.Diff(map[string]string(tags), inst.Tags) != "" {
				t.Errorf("%s: version %q, tags %v", name, inst.Version, inst.Tags)
			}
		}
	})
}

func TestRestartRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		if _, err := h.client.Restart(t.Context(), "x"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("nobody: got %v, want ErrNotFound", err)
		}
		first := start[int](h, o, 4)
		if _, err := h.client.Restart(t.Context(), first.ID()); !errors.Is(err, durable.ErrNotFinished) {
			t.Errorf("a young one: got %v, want ErrNotFinished", err)
		}
		h.work(receiver(o))
		h.pass(time.Second)
		if _, err := h.client.Restart(t.Context(), first.ID()); !errors.Is(err, durable.ErrNotFinished) {
			t.Errorf("a running one: got %v, want ErrNotFinished", err)
		}
		id, err := h.client.Restart(t.Context(), first.ID(), durable.FreshID())
		must(t, err)
		must(t, h.client.Raise(t.Context(), id, "go", 2))
		want(h, durable.AttachInstance[int](h.client, o, id), 6)
	})
}

// TestRestartWithoutTheLog: the archive has the first input, of a run that continued as new too.
func TestRestartWithoutTheLog(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, short := flow("Count"), flow("Short")
		h.work(counting(o), durable.BindOrchestrator(short, func(_ durable.Context, n int) (int, error) { return n, nil }))
		want(h, start[int](h, o, [2]int{3, 0}, durable.InstanceID("long")), 6)
		want(h, start[int](h, short, 5, durable.InstanceID("short")), 5)
		h.pass(time.Second)
		h.m.Purge(math.MaxUint64)
		id, err := h.client.Restart(t.Context(), "long")
		must(t, err)
		want(h, durable.AttachInstance[int](h.client, o, id), 6)
		id, err = h.client.Restart(t.Context(), "short")
		must(t, err)
		want(h, durable.AttachInstance[int](h.client, short, id), 5)
	})
}

// moving is version 1 of an orchestrator that goes on as version 2, which has another input, fails once and goes on twice.
func moving() (first *durable.Orchestrator, bindings []durable.Binding, broken *faulty) {
	first, second := flow("Move"), flow("Move")
	second.Version = "2"
	broken = newFaulty("Pay", 2)
	return first, []durable.Binding{
		durable.BindOrchestrator(first, func(ctx durable.Context, n int) (string, error) {
			return "", durable.ContinueAs(ctx, second, []string{"from", strconv.Itoa(n)})
		}),
		durable.BindOrchestrator(second, func(ctx durable.Context, in []string) (string, error) {
			if len(in) < 4 {
				return "", durable.ContinueAs(ctx, second, append(in, "on"))
			}
			if _, err := call[int](ctx, broken.Activity, 2); err != nil {
				return "", err
			}
			return strings.Join(in, " "), nil
		}),
		broken.bind(),
	}, broken
}

// TestRestartOfMoved: the first input goes to the version that it was for, also after a rewind and without the log.
func TestRestartOfMoved(t *testing.T) {
	for _, c := range []struct {
		name            string
		rewind, shorten bool
	}{{name: "failed"}, {name: "rewound", rewind: true}, {name: "without the log", shorten: true}, {name: "rewound, without the log", rewind: true, shorten: true}} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				first, bindings, broken := moving()
				h.work(bindings...)
				handle := start[string](h, first, 7, durable.InstanceID("x"))
				fails(h, handle)
				if inst := h.get("x"); inst.Version != "2" {
					t.Fatalf("it ended in version %q, want 2", inst.Version)
				}
				broken.breaks()
				if c.rewind {
					h.rewind("x")
					want(h, handle, "from 7 on on")
				}
				h.pass(time.Second)
				if c.shorten {
					h.m.Purge(math.MaxUint64)
				}
				id, err := h.client.Restart(t.Context(), "x", durable.InstanceID("y"))
				must(t, err)
				want(h, durable.AttachInstance[string](h.client, first, id), "from 7 on on")
			})
		})
	}
}

// TestRestartOfLiveMoved: another instance is begun as the one that lives began, whose start has left the log.
func TestRestartOfLiveMoved(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		first, second := flow("Move"), flow("Move")
		first.Version, second.Version = "1", "2"
		h.workAs(durable.WorkerConfig{KeepLog: 1}, durable.BindOrchestrator(first, func(ctx durable.Context, n int) (string, error) {
			next(ctx)
			return "", durable.ContinueAs(ctx, second, "two")
		}), durable.BindOrchestrator(second, func(ctx durable.Context, s string) (string, error) {
			next(ctx)
			return s, nil
		}))
		start[string](h, first, 7, durable.InstanceID("x"))
		must(t, h.client.Raise(t.Context(), "x", "next", nil))
		for range 3 { // long enough for it to be moved into the archive
			h.pass(10 * time.Minute)
		}
		id, err := h.client.Restart(t.Context(), "x", durable.InstanceID("y"))
		must(t, err)
		if inst := h.get(id); inst.Version != "1" {
			t.Errorf("it begins in version %q, want 1", inst.Version)
		}
		for range 2 {
			must(t, h.client.Raise(t.Context(), id, "next", nil))
		}
		want(h, durable.AttachInstance[string](h.client, first, id), "two")
	})
}
