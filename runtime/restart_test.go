package durable_test

import (
	"errors"
	"math"
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
