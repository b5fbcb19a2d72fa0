package durable_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// key makes the key of an id. Ids that are equal up to a '!' are one id with different secrets.
func key(id string) durable.Key {
	name, _, _ := strings.Cut(id, "!")
	return durable.Key{ID: name, Secret: []byte(fmt.Sprintf("%-32.32s", "hush "+id))}
}

// coded gives the hub with encryption; the first key writes. Without keys there is no codec.
func (h *hub) coded(ids ...string) durable.Backend {
	h.t.Helper()
	view := h.m.View("process")
	if len(ids) == 0 {
		return view
	}
	var older []durable.Key
	for _, id := range ids[1:] {
		older = append(older, key(id))
	}
	aes, err := durable.AESGCM(key(ids[0]), older...)
	must(h.t, err)
	return durable.WithCodec(view, durable.Gzip(200), aes)
}

func (h *hub) clientOn(b durable.Backend) *durable.Client {
	c := durable.NewClient(b, durable.ClientConfig{})
	h.t.Cleanup(func() { must(h.t, c.Close()) })
	return c
}

func (h *hub) workOn(b durable.Backend, bindings ...durable.Binding) *durable.Worker {
	h.t.Helper()
	w := durable.NewWorker(b, registry(h.t, bindings...), durable.WorkerConfig{})
	must(h.t, w.Start(h.t.Context()))
	h.t.Cleanup(func() { h.stop(w) })
	return w
}

const classified = "tell nobody"

var errClassified = errors.New(classified + " of this error")

// spy is an orchestrator that does everything that puts users' data into the hub, and waits for an event in between.
func spy() (*durable.Orchestrator, []durable.Binding) {
	o, child, echo, fail := flow("Spy"), flow("Child"), task("Echo"), task("Fail")
	return o, []durable.Binding{
		durable.BindActivity(echo, func(_ context.Context, s string) (string, error) { return s + "!", nil }),
		durable.BindActivity(fail, func(ctx context.Context, s string) (string, error) { return "", errors.New(s) }),
		durable.BindOrchestrator(child, func(_ durable.Context, s string) (string, error) { return s, nil }),
		durable.BindOrchestrator(o, func(ctx durable.Context, in string) (string, error) {
			ctx.SetStatus(in)
			said, err := call[string](ctx, echo, in)
			if err != nil {
				return "", err
			}
			if _, err := call[string](ctx, fail, said, durable.RetryPolicy{Attempts: 2}); err == nil || !strings.Contains(err.Error(), said) {
				return "", fmt.Errorf("the failure says %w", err)
			}
			heard, err := durable.ReceiveEvent[string](ctx, "go").Get(ctx)
			if err != nil {
				return "", err
			}
			told, err := durable.StartChild[string](ctx, child, heard).Get(ctx)
			if err != nil {
				return "", err
			}
			if said+told == "fail!fail" {
				return "", errClassified
			}
			return said + told, nil
		}),
	}
}

// stored is all that the hub holds, as whoever reads the disk finds it.
func (h *hub) stored() string {
	h.t.Helper()
	var b bytes.Buffer
	write := func(v any) {
		data, err := json.Marshal(v)
		must(h.t, err)
		b.Write(append(data, '\n'))
	}
	raw := h.m.View("thief")
	for _, s := range h.m.Log() {
		if s.Message.Kind() != history.KindTimer {
			write(s.Message)
		}
	}
	must(h.t, raw.ListStates(h.t.Context(), func(s backend.State) bool {
		write(s)
		got := make(chan backend.Archive, 1)
		raw.GetArchive(s.Address, func(a backend.Archive, _ uint64, _ error) { got <- a })
		write(<-got)
		return true
	}))
	meta, err := raw.Meta().List(h.t.Context(), "parked")
	must(h.t, err)
	for k, v := range meta {
		fmt.Fprintf(&b, "%s %s\n", k, v)
	}
	return b.String()
}

// TestNothingIsStoredInClear: neither while an instance lives and is parked for other reasons, nor when it has ended.
func TestNothingIsStoredInClear(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o, code := spy()
		h.client = h.clientOn(h.coded("k1"))
		w := h.workOn(h.coded("k1"), code...)
		in := classified + strings.Repeat(" in many words", 50)
		handle := start[string](h, o, in, durable.InstanceID("x"))
		failing := start[string](h, o, "fail", durable.InstanceID("y"))
		h.pass(10 * time.Second)
		h.stop(w)
		other := append(code[:3:3], durable.BindOrchestrator(o, func(ctx durable.Context, in string) (string, error) {
			return call[string](ctx, task("Echo"), in+" and nothing else")
		}))
		w = h.workOn(h.coded("k1"), other...)
		must(t, h.client.Raise(t.Context(), "x", "go", classified))
		says(t, errors.New(h.get("x").Parked), classified, "does not repeat its history")
		if text := h.stored(); strings.Contains(text, classified) {
			t.Errorf("the hub holds it while the instance is parked:\n%s", text)
		}
		h.stop(w)
		h.workOn(h.coded("k1"), code...)
		want(h, handle, in+"!"+classified)
		must(t, h.client.Raise(t.Context(), "y", "go", "fail"))
		says(t, fails(h, failing), errClassified.Error())
		if inst := h.get("x"); string(inst.CustomStatus) != fmt.Sprintf("%q", in) || string(inst.Input) != fmt.Sprintf("%q", in) {
			t.Errorf("a client with the key reads %+v", inst)
		}
		text := h.stored()
		if strings.Contains(text, classified) || !strings.Contains(text, "flow.Spy") {
			t.Errorf("the hub holds, after the end:\n%s", text)
		}
	})
}

// strangers are programs that cannot read what k1 has written, and what they say of it.
var strangers = []struct {
	name string
	keys []string
	says string
}{
	{"without a codec", nil, `codec "aesgcm" wrote it`},
	{"with another key", []string{"k2"}, `key "k1" wrote it, and this program has only ["k2"]`},
	{"with another secret", []string{"k1!"}, `key "k1" does not open it`},
}

func forStrangers(t *testing.T, test func(t *testing.T, h *hub, stranger durable.Backend, says string)) {
	t.Helper()
	for _, s := range strangers {
		t.Run(s.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				h.client = h.clientOn(h.coded("k1"))
				test(t, h, h.coded(s.keys...), s.says)
			})
		})
	}
}

// TestWorkerWithoutTheKeyParks: from the start on. It drops nothing, and one with the key goes on.
func TestWorkerWithoutTheKeyParks(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, reason string) {
		o, code := spy()
		h.workOn(stranger, code...)
		handle := start[string](h, o, "in", durable.InstanceID("x"))
		inst := h.get("x")
		if inst.Status != durable.Running {
			t.Fatalf("it is %+v, want it parked", inst)
		}
		says(t, errors.New(inst.Parked), reason)
		must(t, h.client.Raise(t.Context(), "x", "go", "out"))
		h.pass(10 * time.Minute)

		h.workOn(h.coded("k1"), code...)
		want(h, handle, "in!out")
		h.pass(time.Minute)
		if open := h.m.Unacked(); len(open) > 0 {
			t.Errorf("not acknowledged: %v", open)
		}
	})
}

// TestWorkerWithoutTheKeyTakesOver: in the middle, with a timer, results and an event on their way.
func TestWorkerWithoutTheKeyTakesOver(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, reason string) {
		o, code := spy()
		w := h.workOn(h.coded("k1"), code...)
		handle := start[string](h, o, "in", durable.InstanceID("x"))
		h.pass(500 * time.Millisecond)
		h.stop(w)
		w = h.workOn(stranger, code...)
		h.pass(10 * time.Second)
		must(t, h.client.Raise(t.Context(), "x", "go", "out"))
		says(t, errors.New(h.get("x").Parked), reason)
		h.pass(10 * time.Minute)
		h.stop(w)
		h.workOn(h.coded("k1"), code...)
		want(h, handle, "in!out")
	})
}

// TestEventFromAnotherKey: a live instance gets what its worker cannot read, while it is in memory.
func TestEventFromAnotherKey(t *testing.T) {
	for _, c := range []struct {
		name       string
		mine, both []string // keys of the worker, and of one that can read all
	}{
		{"without a codec", nil, []string{"k2"}},
		{"with a key", []string{"k1"}, []string{"k1", "k2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, code := spy()
				w := h.workOn(h.coded(c.mine...), code...)
				h.client = h.clientOn(h.coded(c.mine...))
				start[string](h, o, "in", durable.InstanceID("x"))
				h.pass(10 * time.Second)
				h.m.OnLoad(func(history.Address, uint64) uint64 {
					t.Error("the worker loads what it has in memory")
					return 0
				})
				must(t, h.clientOn(h.coded("k2")).Raise(t.Context(), "x", "go", "out"))
				h.pass(time.Second)
				h.m.OnLoad(nil)
				h.client = h.clientOn(h.coded(c.both...))
				says(t, errors.New(h.get("x").Parked), "payload cannot be decoded here")
				h.pass(10 * time.Minute)
				h.stop(w)
				h.workOn(h.coded(c.both...), code...)
				want(h, durable.AttachInstance[string](h.client, o, "x"), "in!out")
			})
		})
	}
}

// TestUnstoredEndWaitsForTheKey: the last record is there, and its worker died before it had told anybody.
func TestUnstoredEndWaitsForTheKey(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, reason string) {
		o, code := spy()
		dead, to := h.coded("k1"), history.Address{Group: "flow", ID: "x"}
		must(t, dead.EnsureGroup(t.Context(), to.Group))
		for _, r := range []history.Record{
			&history.Start{Run: 1, Orchestrator: o.Name, Input: history.Payload(`"in"`), Claim: "own"},
			&history.Turn{Run: 1, At: 1, End: &history.End{Status: history.Failed, Failure: &history.Failure{Name: o.Name, Message: classified}}},
		} {
			dead.Append(backend.Append{To: to, Record: r}, func(_ uint64, err error) { must(t, err) })
		}
		h.workOn(stranger, code...)
		list, err := h.client.List(t.Context(), durable.Filter{})
		for h.pass(time.Second); err == nil && len(list) == 0; h.pass(time.Second) {
			list, err = h.client.List(t.Context(), durable.Filter{})
		}
		must(t, err)
		says(t, errors.New(list[0].Parked), reason)
		h.workOn(h.coded("k1"), code...)
		h.pass(10 * time.Second)
		if inst := h.get("x"); inst.Status != durable.Failed || inst.Failure != classified || inst.Parked != "" {
			t.Errorf("with the key it is %+v", inst)
		}
	})
}

// TestTaskWithoutTheKey: an activity's worker that cannot read its tasks leaves them to others, for longer than it takes
// to look like a task that kills its workers.
func TestTaskWithoutTheKey(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, _ string) {
		o, a := flow("Doubling"), task("Double")
		h.workOn(h.coded("k1"), durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) { return call[int](ctx, a, n) }))
		var did notes
		bind := durable.BindActivity(a, func(ctx context.Context, n int) (int, error) {
			info, _ := durable.InfoOf(ctx)
			did.addf("%d at attempt %d", n, info.Attempt)
			return 2 * n, nil
		})
		h.workOn(stranger, bind)
		handle := start[int](h, o, 4)
		h.pass(20 * time.Minute)
		if list := did.all(); len(list) > 0 {
			t.Fatalf("without the key it did %q", list)
		}
		h.workOn(h.coded("k1"), bind)
		want(h, handle, 8)
		if list := did.all(); len(list) != 1 || list[0] != "4 at attempt 1" {
			t.Errorf("with the key it did %q", list)
		}
	})
}

// TestClientWithoutTheKey: it is told so, and can do what needs no payload.
func TestClientWithoutTheKey(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, reason string) {
		o, code := spy()
		h.workOn(h.coded("k1"), code...)
		handle := start[string](h, o, "in", durable.InstanceID("x"))
		h.pass(10 * time.Second)
		c := h.clientOn(stranger)
		unreadable := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, durable.ErrCodec) {
				t.Errorf("%s: error %v, want ErrCodec", what, err)
			}
			says(t, err, reason)
		}
		_, err := c.Get(t.Context(), "x")
		unreadable("get of a live one", err)
		list, err := c.List(t.Context(), durable.Filter{})
		if err != nil || len(list) != 1 || list[0].Status != durable.Running || list[0].CustomStatus != nil {
			t.Errorf("list gives %+v, error %v", list, err)
		}
		must(t, h.client.Raise(t.Context(), "x", "go", "out"))
		want(h, handle, "in!out")
		h.pass(time.Second)
		_, err = c.Get(t.Context(), "x")
		unreadable("get of an ended one", err)
		_, err = c.Wait(t.Context(), "x")
		unreadable("wait", err)
		_, err = durable.AttachInstance[string](c, o, "x").Wait(t.Context())
		unreadable("wait of a handle", err)

		start[string](h, o, "in", durable.InstanceID("y"))
		h.pass(10 * time.Second)
		must(t, c.Terminate(t.Context(), "y", "enough"))
		if inst := h.get("y"); inst.Status != durable.Terminated {
			t.Errorf("terminated without the key it is %+v", inst)
		}
	})
}

// TestTerminateWithoutTheKey: a parked instance ends although nobody can read it, with all that it holds.
func TestTerminateWithoutTheKey(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, reason string) {
		o, code := spy()
		w := h.workOn(h.coded("k1"), code...)
		handle := start[string](h, o, "in", durable.InstanceID("x"))
		h.pass(10 * time.Second)
		h.stop(w)
		h.workOn(stranger, code...)
		must(t, h.client.Raise(t.Context(), "x", "go", "out"))
		if inst := h.get("x"); inst.Parked == "" {
			t.Fatalf("without the key it is %+v, want it parked", inst)
		}
		must(t, handle.Terminate(t.Context(), "enough"))
		h.pass(time.Second)
		list, err := h.client.List(t.Context(), durable.Filter{})
		if err != nil || len(list) != 1 || list[0].Status != durable.Terminated {
			t.Errorf("list gives %+v, error %v", list, err)
		}
		if open := h.m.Unacked(); len(open) > 0 {
			t.Errorf("not acknowledged: %v", open)
		}
		// Its history is in the archive, sealed with k1 as it was; the end is by whoever wrote it.
		h.client = h.clientOn(h.coded("k1", "k2"))
		inst, err := h.client.Get(t.Context(), "x")
		if reason == strangers[2].says {
			if !errors.Is(err, durable.ErrCodec) {
				t.Errorf("the end was written with another secret: error %v, want ErrCodec", err)
			}
			return
		}
		must(t, err)
		if inst.Status != durable.Terminated || string(inst.Input) != `"in"` {
			t.Errorf("whoever has the keys reads %+v", inst)
		}
		if err := fails(h, durable.AttachInstance[string](h.client, o, "x")); !errors.Is(err, durable.ErrTerminated) {
			t.Errorf("got %v, want ErrTerminated", err)
		}
	})
}

// TestLateMessageOfAnEndedInstance: what comes after the end is acknowledged without being read.
func TestLateMessageOfAnEndedInstance(t *testing.T) {
	forStrangers(t, func(t *testing.T, h *hub, stranger durable.Backend, _ string) {
		o, code := spy()
		w := h.workOn(h.coded("k1"), code...)
		handle := start[string](h, o, "in", durable.InstanceID("x"))
		must(t, h.client.Raise(t.Context(), "x", "go", "out"))
		want(h, handle, "in!out")
		h.pass(time.Second)
		h.stop(w)
		h.workOn(stranger, code...)
		late := backend.Append{To: history.Address{Group: "flow", ID: "x"}, Record: &history.Event{Name: "go", ID: "late", Payload: history.Payload(`"late"`)}}
		h.coded("k1").Append(late, func(uint64, error) {})
		if inst := h.get("x"); inst.Status != durable.Completed || inst.Parked != "" {
			t.Errorf("it is %+v", inst)
		}
		if open := h.m.Unacked(); len(open) > 0 {
			t.Errorf("not acknowledged: %v", open)
		}
	})
}

// TestKeysChangeWhileAnInstanceRuns: old payloads are read with the old key, new ones are written with the new one.
func TestKeysChangeWhileAnInstanceRuns(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps [4][]string // keys of the worker and the client: at the start, later, later, at the end
	}{
		{"rotation", [4][]string{{"k1"}, {"k1", "k2"}, {"k2", "k1"}, {"k3", "k2", "k1"}}},
		{"switched on", [4][]string{nil, nil, {"k1"}, {"k1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				o, a := flow("Long"), task("Echo")
				code := []durable.Binding{
					durable.BindActivity(a, func(_ context.Context, s string) (string, error) { return s, nil }),
					durable.BindOrchestrator(o, func(ctx durable.Context, s string) (string, error) {
						for range 4 {
							heard, err := durable.ReceiveEvent[string](ctx, "go").Get(ctx)
							if err != nil {
								return "", err
							}
							heard, err = call[string](ctx, a, heard)
							if err != nil {
								return "", err
							}
							s += heard
						}
						return s, nil
					}),
				}
				for n, keys := range c.steps {
					h.client = h.clientOn(h.coded(keys...))
					w := h.workOn(h.coded(keys...), code...)
					if n == 0 {
						start[string](h, o, "s", durable.InstanceID("x"))
					}
					must(t, h.client.Raise(t.Context(), "x", "go", fmt.Sprint(n)))
					if inst := h.get("x"); inst.Parked != "" {
						t.Fatalf("with keys %v it is %+v", keys, inst)
					}
					h.stop(w)
				}
				if inst := h.get("x"); string(inst.Result) != `"s0123"` {
					t.Errorf("it is %+v", inst)
				}
			})
		})
	}
}

// TestSwitchedOff: ReadOnly reads what was written, and writes in clear.
func TestSwitchedOff(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		aes, err := durable.AESGCM(key("k1"))
		must(t, err)
		off := durable.WithCodec(h.m.View("process"), durable.ReadOnly(aes))
		o, code := spy()
		h.client = h.clientOn(h.coded("k1"))
		w := h.workOn(h.coded("k1"), code...)
		start[string](h, o, classified, durable.InstanceID("x"))
		h.pass(10 * time.Second)
		h.stop(w)
		h.client = h.clientOn(off)
		h.workOn(off, code...)
		must(t, h.client.Raise(t.Context(), "x", "go", "out"))
		if inst := h.get("x"); string(inst.Result) != `"tell nobody!out"` {
			t.Errorf("it is %+v", inst)
		}
		if !strings.Contains(h.stored(), classified) {
			t.Error("the result is not in clear")
		}
	})
}

// TestAnOldKeyIsForgotten: an execution knows of its past what its base holds, which its own key wrote.
func TestAnOldKeyIsForgotten(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Loop")
		loop := durable.BindOrchestrator(o, func(ctx durable.Context, s string) (string, error) {
			heard, err := durable.ReceiveEvent[string](ctx, "go").Get(ctx)
			if err != nil || len(s) > 2 {
				return s + heard, err
			}
			return "", durable.ContinueWith(ctx, s+heard)
		})
		for n, keys := range [][]string{{"k1"}, {"k2", "k1"}, {"k2"}} {
			h.client = h.clientOn(h.coded(keys...))
			w := h.workOn(h.coded(keys...), loop)
			if n == 0 {
				start[string](h, o, "s", durable.InstanceID("x"))
			}
			h.pass(time.Second)
			must(t, h.client.Raise(t.Context(), "x", "go", fmt.Sprint(n)))
			if inst := h.get("x"); inst.Parked != "" {
				t.Fatalf("with keys %v it is %+v", keys, inst)
			}
			h.stop(w)
		}
		if inst := h.get("x"); string(inst.Result) != `"s012"` {
			t.Errorf("it is %+v", inst)
		}
	})
}

// TestKeysDoNotPrint: whatever a program does with a key, its secret stays out of logs.
func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()
	k := durable.Key{ID: "k1", Secret: []byte("hush hush hush hush hush hush hu")}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
		fmt.Fprintf(&b, verb+verb+verb+"\n", k, &k, []durable.Key{k})
	}
	slog.New(slog.NewJSONHandler(&b, nil)).Info("a key", "key", k, "keys", []durable.Key{k})
	slog.New(slog.NewTextHandler(&b, nil)).Info("a key", "key", k)
	aes, err := durable.AESGCM(k)
	must(t, err)
	fmt.Fprintf(&b, "%v %+v\n", aes, aes)
	for _, shape := range []string{"hush", "68757368", "104 117 115 104", "aHVzaCBodXNo"} {
		if strings.Contains(strings.ToLower(b.String()), strings.ToLower(shape)) {
			t.Errorf("the secret is printed as %q:\n%s", shape, &b)
		}
	}
	if !strings.Contains(b.String(), `durable.Key "k1"`) {
		t.Errorf("the id is not printed:\n%s", &b)
	}
}
