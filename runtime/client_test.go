package durable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	durable "github.com/durablegen/durablegen/runtime"
)

// receiver waits for one event and gives it.
func receiver(o *durable.Orchestrator) durable.Binding {
	return durable.BindOrchestrator(o, func(ctx durable.Context, in int) (int, error) {
		n, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx)
		return in + n, err
	})
}

func TestReusePolicies(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		again := func(in int, reuse durable.Reuse) (durable.Handle[int], error) {
			return durable.StartInstance[int](t.Context(), h.newClient(), o, in, durable.InstanceID("x"), reuse)
		}
		first := start[int](h, o, 10, durable.InstanceID("x"))

		for _, reuse := range []durable.Reuse{durable.FailIfExists, durable.ReplaceFinished} {
			if _, err := again(20, reuse); !errors.Is(err, durable.ErrAlreadyExists) {
				t.Errorf("policy %d while it runs: got %v, want ErrAlreadyExists", reuse, err)
			}
		}
		attached, err := again(30, durable.AttachIfExists)
		must(t, err)
		must(t, h.client.Raise(t.Context(), "x", "go", 1))
		want(h, attached, 11)
		want(h, first, 11)

		h.pass(time.Second)
		if _, err := again(40, durable.FailIfExists); !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("after its end: got %v, want ErrAlreadyExists", err)
		}
		attached, err = again(50, durable.AttachIfExists)
		must(t, err)
		want(h, attached, 11)

		second, err := again(60, durable.ReplaceFinished)
		must(t, err)
		if inst := h.get("x"); inst.Status != durable.Running || string(inst.Input) != "60" || inst.Result != nil {
			t.Errorf("the second run is %+v", inst)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", 2))
		want(h, second, 62)
		if inst := h.get("x"); inst.Status != durable.Completed || string(inst.Result) != "62" {
			t.Errorf("the second run is %+v", inst)
		}
	})
}

// TestOneOfManyReplaces: callers that replace the same finished instance at once start it once.
func TestOneOfManyReplaces(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		for run, reuse := range []durable.Reuse{durable.FailIfExists, durable.ReplaceFinished} {
			const callers = 8
			results := make(chan error, callers)
			for n := range callers {
				client := h.newClient()
				go func() {
					_, err := durable.StartInstance[int](t.Context(), client, o, n, durable.InstanceID("x"), reuse)
					results <- err
				}()
			}
			started := 0
			for range callers {
				switch err := <-results; {
				case err == nil:
					started++
				case !errors.Is(err, durable.ErrAlreadyExists):
					t.Errorf("run %d: got %v, want ErrAlreadyExists", run, err)
				}
			}
			if started != 1 {
				t.Errorf("run %d was started %d times", run, started)
			}
			must(t, h.client.Raise(t.Context(), "x", "go", 1))
			if _, err := h.client.Wait(t.Context(), "x"); err != nil {
				t.Fatal(err)
			}
			h.pass(time.Second)
		}
	})
}

// again is a backend that loses the first answer to every append, and sends it again.
type again struct{ durable.Backend }

func (b again) Append(a backend.Append, done func(uint64, error)) {
	b.Backend.Append(a, func(uint64, error) { b.Backend.Append(a, done) })
}

// TestAStartWhoseAnswerIsLost: the second publish of a start is refused by the fence, because of the first.
func TestAStartWhoseAnswerIsLost(t *testing.T) {
	for name, opts := range map[string][]durable.StartOption{
		"made id": nil,
		"own id":  {durable.InstanceID("x")},
	} {
		t.Run(name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o := flow("Receive")
				h.work(receiver(o))
				client := durable.NewClient(again{h.m.View("client")}, durable.ClientConfig{})
				defer func() { must(t, client.Close()) }()
				handle, err := durable.StartInstance[int](t.Context(), client, o, 10, opts...)
				must(t, err)
				must(t, h.client.Raise(t.Context(), handle.ID(), "go", 1))
				want(h, handle, 11)
			})
		})
	}
}

// TestAStartThatIsNotOurs: an own id may belong to an instance too young to be projected. The claim succeeds then, and
// the fence refuses the start.
func TestAStartThatIsNotOurs(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		first := start[int](h, o, 10) // without a worker nothing is projected
		_, err := durable.StartInstance[int](t.Context(), h.newClient(), o, 20, durable.InstanceID(first.ID()))
		if !errors.Is(err, durable.ErrAlreadyExists) {
			t.Errorf("got %v, want ErrAlreadyExists", err)
		}
		must(t, h.client.Raise(t.Context(), first.ID(), "go", 1))
		h.work(receiver(o))
		want(h, first, 11)
		if inst := h.get(first.ID()); string(inst.Input) != "10" {
			t.Errorf("the first is %+v", inst)
		}
	})
}

func TestGetAtEveryAge(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		o.Version = "3"
		status := func(id string) durable.Status {
			inst, err := h.client.Get(t.Context(), id)
			must(t, err)
			return inst.Status
		}
		// Without a worker: claimed with an own id, started with a made one.
		own := start[int](h, o, 1, durable.InstanceID("own"), durable.Tags{"season": "2026"})
		made := start[int](h, o, 2)
		if own, made := status("own"), status(made.ID()); own != durable.Pending || made != durable.Running {
			t.Errorf("before a worker came: %s and %s", own, made)
		}
		h.work(receiver(o))
		type view struct {
			ID, Name, Version, Waiting, Input, Result string
			Status                                    durable.Status
			Tags                                      map[string]string
			Finished                                  bool
		}
		look := func() view {
			i := h.get("own")
			return view{i.ID, i.Name, i.Version, i.Waiting, string(i.Input), string(i.Result), i.Status, i.Tags, !i.Finished.IsZero()}
		}
		expect := view{"own", o.Name, "3", "event go", "1", "", durable.Running, map[string]string{"season": "2026"}, false}
		if diff := cmp.Diff(expect, look()); diff != "" {
			t.Errorf("while it waits (-want +got):\n%s", diff)
		}
		must(t, h.client.Raise(t.Context(), "own", "go", 1))
		want(h, own, 2)
		expect.Status, expect.Waiting, expect.Result, expect.Finished = durable.Completed, "", "2", true
		if diff := cmp.Diff(expect, look()); diff != "" {
			t.Errorf("after its end (-want +got):\n%s", diff)
		}
		inst, err := own.Status(t.Context())
		must(t, err)
		if inst.Created.After(inst.Updated) || inst.Finished.Before(inst.Created) {
			t.Errorf("created %v, updated %v, finished %v", inst.Created, inst.Updated, inst.Finished)
		}
	})
}

func TestUnknownInstances(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		ctx := t.Context()
		attached := durable.AttachInstance[int](h.client, o, "nobody")
		for name, do := range map[string]func() error{
			"get":         func() error { _, err := h.client.Get(ctx, "nobody"); return err },
			"wait":        func() error { _, err := h.client.Wait(ctx, "nobody"); return err },
			"handle wait": func() error { _, err := attached.Wait(ctx); return err },
			"status":      func() error { _, err := attached.Status(ctx); return err },
			"raise":       func() error { return h.client.Raise(ctx, "nobody", "e", 1) },
			"terminate":   func() error { return attached.Terminate(ctx, "") },
			"suspend":     func() error { return h.client.Suspend(ctx, "nobody", "") },
			"resume":      func() error { return h.client.Resume(ctx, "nobody", "") },
			"zero handle": func() error { _, err := durable.Handle[int]{}.Wait(ctx); return err },
			"its status":  func() error { _, err := durable.Handle[int]{}.Status(ctx); return err },
			"its end":     func() error { return durable.Handle[int]{}.Terminate(ctx, "") },
			"its cancel":  func() error { return durable.Handle[int]{}.Cancel(ctx, "") },
		} {
			if err := do(); !errors.Is(err, durable.ErrNotFound) {
				t.Errorf("%s: got %v, want ErrNotFound", name, err)
			}
		}
		for name, do := range map[string]func(id string) error{
			"get":       func(id string) error { _, err := h.client.Get(ctx, id); return err },
			"wait":      func(id string) error { _, err := h.client.Wait(ctx, id); return err },
			"terminate": func(id string) error { return h.client.Terminate(ctx, id, "") },
			"start": func(id string) error {
				_, err := durable.StartInstance[int](ctx, h.client, o, 1, durable.InstanceID(id))
				return err
			},
		} {
			for id, word := range map[string]string{"a\x00": "control character", strings.Repeat("x", 201): "at most 200", "\xff": "UTF-8"} {
				err := do(id)
				says(t, err, "durable: "+name[:3], word)
			}
		}
	})
}

func TestFinishedInstancesRefuse(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Short")
		h.work(durable.BindOrchestrator(o, func(durable.Context, durable.None) (int, error) { return 1, nil }))
		handle := start[int](h, o, nil)
		want(h, handle, 1)
		h.pass(time.Second)
		for name, err := range map[string]error{
			"terminate": handle.Terminate(t.Context(), "late"),
			"suspend":   h.client.Suspend(t.Context(), handle.ID(), ""),
			"resume":    h.client.Resume(t.Context(), handle.ID(), ""),
		} {
			if !errors.Is(err, durable.ErrFinished) {
				t.Errorf("%s: got %v, want ErrFinished", name, err)
			}
		}
	})
}

func TestSuspendAndResume(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		h.work(receiver(o))
		handle := start[int](h, o, 1)
		h.pass(time.Second)
		must(t, h.client.Suspend(t.Context(), handle.ID(), "maintenance"))
		must(t, h.client.Raise(t.Context(), handle.ID(), "go", 1))
		if inst := h.get(handle.ID()); inst.Status != durable.Suspended {
			t.Errorf("it is %s, want Suspended", inst.Status)
		}
		must(t, h.client.Resume(t.Context(), handle.ID(), "done"))
		want(h, handle, 2)

		// A suspended one can be terminated.
		handle = start[int](h, o, 1)
		must(t, h.client.Suspend(t.Context(), handle.ID(), ""))
		h.pass(time.Second)
		must(t, handle.Terminate(t.Context(), ""))
		if err := fails(h, handle); !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("got %v, want ErrTerminated", err)
		}
	})
}

func TestList(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		wait, short := flow("Receive"), flow("Short")
		h.work(receiver(wait), durable.BindOrchestrator(short, func(_ durable.Context, n int) (int, error) {
			if n > 1 {
				return 0, errGone
			}
			return n, nil
		}))
		for n := range 3 {
			start[int](h, wait, n, durable.InstanceID(fmt.Sprintf("wait-%d", n)))
			h.pass(time.Second)
			start[int](h, short, n, durable.InstanceID(fmt.Sprintf("short-%d", n)))
			h.pass(time.Second)
		}
		for _, c := range []struct {
			name   string
			filter durable.Filter
			want   []string
		}{
			{"all, the newest first", durable.Filter{}, []string{"short-2", "wait-2", "short-1", "wait-1", "short-0", "wait-0"}},
			{"by name", durable.Filter{Name: "flow.Short"}, []string{"short-2", "short-1", "short-0"}},
			{"by the last part of the name", durable.Filter{Name: "Receive"}, []string{"wait-2", "wait-1", "wait-0"}},
			{"by a part that is not the last", durable.Filter{Name: "eceive"}, nil},
			{"by status", durable.Filter{Statuses: []durable.Status{durable.Failed, durable.Running}}, []string{"short-2", "wait-2", "wait-1", "wait-0"}},
			{"by id", durable.Filter{IDPrefix: "short-"}, []string{"short-2", "short-1", "short-0"}},
			{"a few", durable.Filter{Name: "Short", Limit: 2}, []string{"short-2", "short-1"}},
			{"by everything", durable.Filter{Name: "Short", Statuses: []durable.Status{durable.Completed}, IDPrefix: "short", Limit: 1}, []string{"short-1"}},
		} {
			found, err := h.client.List(t.Context(), c.filter)
			must(t, err)
			var got []string
			for _, i := range found {
				got = append(got, i.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
		counts, err := h.client.Count(t.Context(), durable.Filter{Name: "Short", Limit: 1})
		must(t, err)
		if diff := cmp.Diff(map[durable.Status]int{durable.Completed: 2, durable.Failed: 1}, counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
}

func TestStartRefusesItsInput(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		for name, input := range map[string]any{"a func": func() {}, "17 MB": strings.Repeat("x", 17<<20)} {
			_, err := durable.StartInstance[int](t.Context(), h.client, o, input)
			if !errors.Is(err, durable.ErrPayload) {
				t.Errorf("%s: got %v, want ErrPayload", name, err)
			}
			says(t, err, "durable: start flow.Receive")
		}
	})
}

func TestAClosedClientStartsNothing(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		must(t, h.client.Close())
		_, err := durable.StartInstance[int](t.Context(), h.client, flow("Receive"), 1)
		if !errors.Is(err, durable.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestInstanceInputIsJSON(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Echo")
		h.work(durable.BindOrchestrator(o, func(_ durable.Context, in answer) (answer, error) { return in, nil }))
		sent := answer{Code: 1, Text: "<a & b>\u2028"}
		handle := start[answer](h, o, sent)
		want(h, handle, sent)
		inst := h.get(handle.ID())
		for what, raw := range map[string]json.RawMessage{"input": inst.Input, "result": inst.Result} {
			var got answer
			if err := json.Unmarshal(raw, &got); err != nil || got != sent {
				t.Errorf("%s is %s: %v", what, raw, err)
			}
		}
	})
}

// ensuring is a backend whose EnsureGroup answers when it is told to.
type ensuring struct {
	backend.Backend
	calls   *atomic.Int64
	answers chan error
}

func (b ensuring) EnsureGroup(ctx context.Context, group string) error {
	b.calls.Add(1)
	if err := <-b.answers; err != nil {
		return err
	}
	return b.Backend.EnsureGroup(ctx, group)
}

// TestFirstStartsAskOnce: those that come together ask once for the consumers of their group; when that fails, one of them asks again.
func TestFirstStartsAskOnce(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Receive")
		be := ensuring{h.m.View("ensuring"), &atomic.Int64{}, make(chan error)}
		c := durable.NewClient(be, durable.ClientConfig{})
		defer func() { must(t, c.Close()) }()
		errs := make(chan error, 10)
		for range cap(errs) {
			go func() {
				_, err := durable.StartInstance[int](t.Context(), c, o, 1)
				errs <- err
			}()
		}
		for want, answer := range []error{backend.ErrUnavailable, nil} {
			synctest.Wait()
			if got := be.calls.Load(); got != int64(want+1) {
				t.Errorf("%d calls, want %d", got, want+1)
			}
			be.answers <- answer
		}
		failed := 0
		for range cap(errs) {
			if <-errs != nil {
				failed++
			}
		}
		if got := be.calls.Load(); failed != 1 || got != 2 {
			t.Errorf("%d starts failed, %d calls; want 1 and 2", failed, got)
		}
	})
}
