package durable_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// passing gives its input.
func passing(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(_ durable.Context, n int) (int, error) { return n, nil })
}

// purged checks that a client finds nothing of an instance, and a tombstone in the archive.
func (h *hub) purged(c *durable.Client, o *durable.Orchestrator, id string) {
	h.t.Helper()
	ctx := h.t.Context()
	attached := durable.AttachInstance[int](c, o, id)
	for name, do := range map[string]func() error{
		"get":         func() error { _, err := c.Get(ctx, id); return err },
		"wait":        func() error { _, err := c.Wait(ctx, id); return err },
		"handle wait": func() error { _, err := attached.Wait(ctx); return err },
		"watch": func() error {
			for _, err := range c.Watch(ctx, id) {
				return err
			}
			return nil
		},
		"query":     func() error { _, err := durable.Query[int](ctx, c, id, "q", nil); return err },
		"raise":     func() error { return c.Raise(ctx, id, "e", 1) },
		"terminate": func() error { return c.Terminate(ctx, id, "") },
		"restart":   func() error { _, err := c.Restart(ctx, id); return err },
		"purge":     func() error { _, err := c.Purge(ctx, id); return err },
	} {
		if err := do(); !errors.Is(err, durable.ErrNotFound) {
			h.t.Errorf("%s of %s after its purge: got %v, want ErrNotFound", name, id, err)
		}
	}
	list, err := c.List(ctx, durable.Filter{IDPrefix: id})
	must(h.t, err)
	for _, inst := range list {
		if inst.ID == id {
			h.t.Errorf("after the purge of %s it is listed: %+v", id, inst)
		}
	}
	if a := h.archived(o, id); !a.Purged || len(a.Messages) > 0 {
		h.t.Errorf("the archive holds %+v of %s after its purge", a, id)
	}
}

func (h *hub) archived(o *durable.Orchestrator, id string) backend.Archive {
	found := make(chan backend.Archive)
	h.m.View("archive").GetArchive(history.Address{Group: o.Group, ID: id}, func(a backend.Archive, _ uint64, _ error) { found <- a })
	return <-found
}

// TestPurge: a purged instance is not there, for the client that started it and for others, although the log holds its
// messages; a new one of its id has nothing of it, however often.
func TestPurge(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Pass")
		h.work(passing(o))
		for n := range 3 {
			for _, reuse := range []durable.Reuse{durable.FailIfExists, durable.AttachIfExists, durable.ReplaceFinished} {
				want(h, start[int](h, o, n, durable.InstanceID("x"), reuse), n)
				h.pass(time.Second)
				got, err := h.client.Purge(t.Context(), "x")
				must(t, err)
				if diff := cmp.Diff(durable.PurgeResult{Purged: 1}, got); diff != "" {
					t.Errorf("purge (-want +got):\n%s", diff)
				}
				h.purged(h.client, o, "x")
				h.purged(h.newClient(), o, "x")
			}
		}
		made := start[int](h, o, 5)
		want(h, made, 5)
		h.pass(time.Second)
		_, err := h.newClient().Purge(t.Context(), made.ID())
		must(t, err)
		h.purged(h.client, o, made.ID())
	})
}

func TestPurgeRefuses(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		if _, err := h.client.Purge(t.Context(), "nobody"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("nobody: got %v, want ErrNotFound", err)
		}
		start[int](h, o, 1, durable.InstanceID("x"))
		h.pass(time.Second)
		got, err := h.client.Purge(t.Context(), "x")
		if !errors.Is(err, durable.ErrNotFinished) || got.Running != 1 {
			t.Errorf("a running one: got %+v, %v, want ErrNotFinished", got, err)
		}
		for _, empty := range []durable.Filter{{}, {Limit: 7}} {
			_, err := h.client.PurgeAll(t.Context(), empty)
			says(t, err, "purge", "every instance", "condition")
		}
		_, err = h.client.PurgeAll(t.Context(), durable.Filter{IDPrefix: "x", Limit: -1})
		says(t, err, "purge", "Filter.Limit is -1")
		_, err = h.client.List(t.Context(), durable.Filter{Limit: -1})
		says(t, err, "list", "Filter.Limit is -1")
		if inst := h.get("x"); inst.Status != durable.Running {
			t.Errorf("it is %+v", inst)
		}
	})
}

// TestPurgeAll: what people purge by.
func TestPurgeAll(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, failing, waiting := flow("Pass"), flow("Fail"), flow("Receive")
		h.work(passing(o), receiver(waiting), durable.BindOrchestrator(failing, func(_ durable.Context, n int) (int, error) {
			return 0, errors.New("no")
		}))
		begin := time.Now()
		for _, s := range []struct {
			o    *durable.Orchestrator
			id   string
			tags durable.Tags
		}{{o, "a1", nil}, {o, "a2", durable.Tags{"k": "v", "l": ""}}, {failing, "a3", durable.Tags{"k": "w"}}, {waiting, "a4", nil}, {o, "b5", nil}} {
			start[int](h, s.o, 1, durable.InstanceID(s.id), s.tags)
			h.pass(time.Minute)
		}
		at := func(minutes int) time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }
		ids := func(f durable.Filter) (ids string) {
			list, err := h.client.List(t.Context(), f)
			must(t, err)
			for _, inst := range list {
				ids = inst.ID + " " + ids
			}
			return ids
		}
		for _, c := range []struct {
			filter durable.Filter
			fit    string
		}{
			{durable.Filter{}, "a1 a2 a3 a4 b5 "},
			{durable.Filter{Statuses: []durable.Status{durable.Failed, durable.Running}}, "a3 a4 "},
			{durable.Filter{Name: "Pass"}, "a1 a2 b5 "},
			{durable.Filter{Name: "flow.Fail"}, "a3 "},
			{durable.Filter{IDPrefix: "a"}, "a1 a2 a3 a4 "},
			{durable.Filter{Tags: durable.Tags{"k": "v"}}, "a2 "},
			{durable.Filter{Tags: durable.Tags{"l": ""}}, "a2 "},
			{durable.Filter{CreatedFrom: at(1), CreatedBefore: at(3)}, "a2 a3 "},
			{durable.Filter{FinishedFrom: at(2)}, "a3 b5 "},
			{durable.Filter{FinishedBefore: at(1)}, "a1 "},
		} {
			if got := ids(c.filter); got != c.fit {
				t.Errorf("filter %+v fits %s, want %s", c.filter, got, c.fit)
			}
		}
		got, err := h.client.PurgeAll(t.Context(), durable.Filter{IDPrefix: "a", Limit: 1})
		must(t, err)
		if diff := cmp.Diff(durable.PurgeResult{Purged: 1}, got); diff != "" {
			t.Errorf("purge of at most one (-want +got):\n%s", diff)
		}
		got, err = h.client.PurgeAll(t.Context(), durable.Filter{IDPrefix: "a"})
		must(t, err)
		if diff := cmp.Diff(durable.PurgeResult{Purged: 2, Running: 1}, got); diff != "" {
			t.Errorf("purge (-want +got):\n%s", diff)
		}
		if got := ids(durable.Filter{}); got != "a4 b5 " {
			t.Errorf("left are %s, want a4 and b5", got)
		}
	})
}

// TestPurgeRun: whoever has looked at a list purges what it saw, and not the run that has taken its place.
func TestPurgeRun(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, parent := flow("Pass"), flow("Parent")
		h.work(passing(o), durable.BindOrchestrator(parent, func(ctx durable.Context, n int) (int, error) {
			return durable.StartChild[int](ctx, o, n, durable.InstanceID(fmt.Sprint("child-", n))).Get(ctx)
		}))
		for n := range 2 {
			want(h, start[int](h, parent, n, durable.InstanceID("x"), durable.ReplaceFinished), n)
			h.pass(time.Second)
		}
		now := h.get("x")
		if now.Run < 2 {
			t.Fatalf("its run is %d, want a second one", now.Run)
		}
		_, err := h.client.Purge(t.Context(), "x", durable.PurgeRun(now.Run-1))
		if !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("purge of the run before: %v, want ErrNotFound", err)
		}
		got, err := h.client.Purge(t.Context(), "x", durable.PurgeRun(now.Run-1), durable.PurgeChildren())
		must(t, err)
		if got.Purged != 1 {
			t.Errorf("%d are purged, want the child of the run before", got.Purged)
		}
		for _, id := range []string{"x", "child-1"} {
			if inst := h.get(id); inst.Status != durable.Completed {
				t.Errorf("%s is %+v", id, inst)
			}
		}
		_, err = h.client.Purge(t.Context(), "x", durable.PurgeRun(now.Run))
		must(t, err)
		h.purged(h.client, parent, "x")
	})
}

// TestPurgeByParts: instances that run are not of the limit, else they would be all that it ever meets.
func TestPurgeByParts(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, waiting := flow("Pass"), flow("Receive")
		h.work(passing(o), receiver(waiting))
		for n := range 6 {
			start[int](h, waiting, 1, durable.InstanceID(fmt.Sprintf("x-%d", 2*n)))
			start[int](h, o, 1, durable.InstanceID(fmt.Sprintf("x-%d", 2*n+1)))
		}
		h.pass(time.Second)
		for _, want := range []int{2, 2, 2, 0} {
			got, err := h.client.PurgeAll(t.Context(), durable.Filter{IDPrefix: "x-", Limit: 2})
			must(t, err)
			if got.Purged != want {
				t.Errorf("%d are purged, want %d of those that have ended", got.Purged, want)
			}
		}
	})
}

// TestPurgeChildren: what has ended of a family, to the last grandchild.
func TestPurgeChildren(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Family")
		h.work(durable.BindOrchestrator(o, func(ctx durable.Context, depth int) (int, error) {
			switch {
			case depth == 0:
				return 1, nil
			case depth < 0:
				next(ctx)
				return 0, nil
			}
			left := durable.StartChild[int](ctx, o, depth-1)
			if depth == 1 {
				durable.StartChild[int](ctx, o, -1) // waits for ever
			}
			n, err := left.Get(ctx)
			return n + 1, err
		}))
		for _, id := range []durable.InstanceID{"x", "y"} {
			want(h, start[int](h, o, 2, id), 3)
		}
		h.pass(time.Second)
		if _, err := h.client.PurgeAll(t.Context(), durable.Filter{IDPrefix: "nobody"}, durable.PurgeChildren()); err != nil {
			t.Fatal(err)
		}
		list, err := h.client.List(t.Context(), durable.Filter{})
		must(t, err)
		got, err := h.client.Purge(t.Context(), "x", durable.PurgeChildren())
		must(t, err)
		if got != (durable.PurgeResult{Purged: 3, Running: 1}) || len(list) != 8 {
			t.Errorf("purged %+v of %d instances, want 3 and one that runs, of two families of 4", got, len(list))
		}
		h.purged(h.client, o, "x")
		if inst := h.get("y"); inst.Status != durable.Completed {
			t.Errorf("another family: %+v", inst)
		}
	})
}

// TestLateMessagesOfAPurgedInstance are acknowledged and change nothing.
func TestLateMessagesOfAPurgedInstance(t *testing.T) {
	for _, log := range []string{"kept", "purged"} {
		t.Run("log "+log, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, parent := flow("Pass"), flow("Parent")
				w := h.work(passing(o), durable.BindOrchestrator(parent, func(ctx durable.Context, n int) (int, error) {
					return durable.StartChild[int](ctx, o, n, durable.InstanceID("x")).Get(ctx)
				}))
				want(h, start[int](h, parent, 3, durable.InstanceID("p")), 3)
				h.pass(time.Second)
				for _, id := range []string{"x", "p"} {
					_, err := h.client.Purge(t.Context(), id)
					must(t, err)
				}
				if log == "purged" {
					h.m.Purge(1 << 60)
				}
				to := history.Address{Group: o.Group, ID: "x"}
				h.m.View("late").Append(backend.Append{To: to, Record: &history.Event{Name: "e", ID: "1"}}, func(uint64, error) {})
				h.m.View("late").Append(backend.Append{To: to, Record: &history.Start{Run: 1, Orchestrator: o.Name, Claim: "late"}}, func(uint64, error) {})
				h.pass(time.Minute)
				if open := h.m.Unacked(); len(open) > 0 {
					t.Errorf("not acknowledged: %+v", open)
				}
				h.purged(h.client, o, "x")
				h.purged(h.client, parent, "p")

				// A parent may choose the id for a child again.
				want(h, start[int](h, parent, 4, durable.InstanceID("p")), 4)
				h.pass(time.Second)
				h.stop(w)
			})
		})
	}
}

// halfway is a client's backend that fails between the steps of a purge.
type halfway struct{ durable.Backend }

func (halfway) DeleteState(_ string, _ uint64, done func(error)) { go done(durable.ErrUnavailable) }

// TestHalfAPurge: the instance is not found, and purging again finishes it.
func TestHalfAPurge(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Pass")
		h.work(passing(o))
		want(h, start[int](h, o, 1, durable.InstanceID("x")), 1)
		h.pass(time.Second)
		dying := durable.NewClient(halfway{h.m.View("client")}, durable.ClientConfig{})
		defer func() { must(t, dying.Close()) }()
		if _, err := dying.Purge(t.Context(), "x"); !errors.Is(err, durable.ErrUnavailable) {
			t.Fatalf("got %v, want ErrUnavailable", err)
		}
		if _, err := h.client.Get(t.Context(), "x"); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("get: %v, want ErrNotFound", err)
		}
		if _, err := durable.AttachInstance[int](h.newClient(), o, "x").Wait(t.Context()); !errors.Is(err, durable.ErrNotFound) {
			t.Errorf("wait: %v, want ErrNotFound", err)
		}
		_, err := h.client.Purge(t.Context(), "x")
		must(t, err)
		h.purged(h.client, o, "x")
	})
}

// between calls fn once, before the second step of a purge.
type between struct {
	durable.Backend
	fn func()
}

func (b *between) DeleteState(id string, rev uint64, done func(error)) {
	if fn := b.fn; fn != nil {
		b.fn = nil
		go func() {
			fn()
			b.Backend.DeleteState(id, rev, done)
		}()
		return
	}
	b.Backend.DeleteState(id, rev, done)
}

// TestPurgeLeavesALaterRun: a run that takes the place of the purged one goes on, or is left to the next purge.
func TestPurgeLeavesALaterRun(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		first := start[int](h, o, 1, durable.InstanceID("x"))
		must(t, h.client.Raise(t.Context(), "x", "go", 1))
		want(h, first, 2)
		h.pass(time.Second)
		var second durable.Handle[int]
		b := &between{h.m.View("client"), func() {
			second, _ = durable.StartInstance[int](t.Context(), h.client, o, 10, durable.InstanceID("x"), durable.ReplaceFinished)
		}}
		purger := durable.NewClient(b, durable.ClientConfig{})
		defer func() { must(t, purger.Close()) }()
		got, err := purger.Purge(t.Context(), "x")
		must(t, err)
		if got.Purged != 1 {
			t.Errorf("got %+v, want the first run purged", got)
		}
		if inst := h.get("x"); inst.Status != durable.Running || string(inst.Input) != "10" {
			t.Errorf("the second run is %+v", inst)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 1))
		want(h, second, 11)
		if inst := h.get("x"); inst.Status != durable.Completed {
			t.Errorf("the second run is %+v", inst)
		}
	})
}

// TestStartWithoutItsProjection: the record of an ended instance got lost, the log and the archive know the run.
func TestStartWithoutItsProjection(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Pass")
		h.work(passing(o))
		want(h, start[int](h, o, 1), 1)
		first := start[int](h, o, 2)
		want(h, first, 2)
		h.pass(time.Second)
		deleted := make(chan error)
		v := h.m.View("saboteur")
		v.GetState(first.ID(), func(_ backend.State, rev uint64, _ error) {
			v.DeleteState(first.ID(), rev, func(err error) { deleted <- err })
		})
		must(t, <-deleted)
		want(h, start[int](h, o, 3, durable.InstanceID(first.ID())), 3)
	})
}
