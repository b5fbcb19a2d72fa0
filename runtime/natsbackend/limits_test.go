package natsbackend_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// smallHub is a hub that takes less than durable.MaxPayload, with a worker for the bindings.
func smallHub(t *testing.T, most int, bindings ...durable.Binding) *durable.Client {
	t.Helper()
	b := open(t, serve(t, embedded.Config{}), natsbackend.Config{MaxPayload: most, InlinePayload: 4 << 10})
	var code durable.Registry
	if err := code.Add(bindings...); err != nil {
		t.Fatal(err)
	}
	w := durable.NewWorker(b, &code, durable.WorkerConfig{})
	if err := w.Start(within(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(context.Background()) })
	c := durable.NewClient(b, durable.ClientConfig{})
	t.Cleanup(func() { c.Close() })
	return c
}

func limited(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "limits." + name, Group: "limits", Source: "limits." + name}
}

// TestWhatJetStreamRefusesIsTold: what the hub does not take fails the call that it is of, or else the run.
func TestWhatJetStreamRefusesIsTold(t *testing.T) {
	t.Parallel()
	const most, children = 20_000, 30
	big := strings.Repeat("x", 2*most)
	echo := &durable.Activity{Name: "limits.Echo", Source: "limits.Echo"}
	child, large := limited("Child"), limited("Large")
	c := smallHub(t, most,
		durable.BindActivity(echo, func(_ context.Context, s string) (string, error) { return s + s, nil }),
		durable.BindOrchestrator(child, func(_ durable.Context, s string) (string, error) { return s, nil }),
		durable.BindOrchestrator(large, func(ctx durable.Context, what string) (string, error) {
			switch what {
			case "argument":
				return durable.StartActivity[string](ctx, echo, big).Get(ctx)
			case "activity's result":
				return durable.StartActivity[string](ctx, echo, big[:most-100]).Get(ctx)
			case "child":
				return durable.StartChild[string](ctx, child, big).Get(ctx)
			case "claim":
				return durable.StartChild[string](ctx, child, big[:most-200], durable.InstanceID("own")).Get(ctx)
			case "event":
				durable.SendEvent(ctx, "nobody", "e", big)
				return "", durable.Sleep(ctx, time.Hour)
			case "next input":
				return "", durable.ContinueWith(ctx, big)
			case "fan-out":
				var all []durable.Future[string]
				for range children {
					all = append(all, durable.StartChild[string](ctx, child, big[:most/10]))
				}
				got, err := durable.Collect(ctx, all)
				return fmt.Sprint(len(strings.Join(got, ""))), err
			}
			return big, nil
		}),
	)
	for what, says := range map[string]string{
		"argument":          "activity limits.Echo: its arguments of 40002 bytes cannot be stored",
		"activity's result": "activity limits.Echo: its result is larger than 20000 bytes",
		"child":             "limits.Child with 40002 bytes cannot be stored",
		"claim":             `child "own" cannot be started`,
		"event":             "e with 40002 bytes cannot be stored",
		"next input":        "its next execution, with an input of 40002 bytes",
		"result":            "its result of 40002 bytes cannot be stored",
	} {
		h, err := durable.StartInstance[string](within(t), c, large, what)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = h.Wait(within(t)); !errors.Is(err, durable.ErrPayload) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want ErrPayload that says %q", what, err, says)
		}
	}
	h, err := durable.StartInstance[string](within(t), c, large, "fan-out")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Wait(within(t)); err != nil || got != fmt.Sprint(children*most/10) {
		t.Errorf("a fan-out that is larger than a record gives %s, %v", got, err)
	}
	if _, err := durable.StartInstance[string](within(t), c, child, big, durable.InstanceID("large")); err == nil {
		t.Error("an input that is too large is taken")
	}
	if _, err := c.Get(within(t), "large"); !errors.Is(err, durable.ErrNotFound) {
		t.Errorf("its id: %v, want ErrNotFound", err)
	}
}

// TestTheLargestNamesOnJetStream: ids, wire names, tags and times at their limits.
func TestTheLargestNamesOnJetStream(t *testing.T) {
	t.Parallel()
	name := "n" + strings.Repeat("x", history.MaxName-1)
	patient := &durable.Orchestrator{Name: name, Group: "limits", Source: "limits.Patient"}
	c := smallHub(t, 0, durable.BindOrchestrator(patient, func(ctx durable.Context, _ durable.None) (int, error) {
		n, err := durable.ReceiveEvent[int](ctx, name).Within(ctx, math.MaxInt64)
		return n, err
	}))
	id := strings.Repeat("ü", history.MaxID/2)
	tags := durable.Tags{"a": strings.Repeat("x", 16<<10-2)}
	h, err := durable.StartInstance[int](within(t), c, patient, nil, durable.InstanceID(id), tags)
	if err != nil {
		t.Fatal(err)
	}
	late, err := durable.StartInstance[int](within(t), c, patient, nil, durable.InstanceID("late"), durable.StartAt(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Raise(within(t), id, name, 7); err != nil {
		t.Fatal(err)
	}
	if n, err := h.Wait(within(t)); n != 7 || err != nil {
		t.Errorf("with the longest names it gives %d, %v: a timer 292 years off has fired?", n, err)
	}
	inst, err := c.Get(within(t), late.ID())
	if err != nil || inst.Status != durable.Pending {
		t.Errorf("what is to begin in the year 9999 is %s, %v", inst.Status, err)
	}
	if _, err := durable.StartInstance[int](within(t), c, patient, nil, durable.InstanceID("x"), durable.Tags{"a": tags["a"] + "x"}); err == nil {
		t.Error("tags that are too large are taken")
	}
	if _, err := c.Get(within(t), "x"); !errors.Is(err, durable.ErrNotFound) {
		t.Errorf("their id: %v, want ErrNotFound", err)
	}
}

// TestAWideTurnOnJetStream: what one turn decides has no limit in number.
func TestAWideTurnOnJetStream(t *testing.T) {
	t.Parallel()
	const each = 2000
	one, wide := &durable.Activity{Name: "limits.One", Source: "limits.One"}, limited("Wide")
	c := smallHub(t, 0,
		durable.BindActivity(one, func(context.Context, int) (int, error) { return 1, nil }),
		durable.BindOrchestrator(wide, func(ctx durable.Context, _ durable.None) (int, error) {
			var all []durable.Future[int]
			for n := range each {
				all = append(all, durable.StartActivity[int](ctx, one, n))
				durable.NewTimer(ctx, time.Hour)
			}
			got, err := durable.Collect(ctx, all)
			return len(got), err
		}),
	)
	h, err := durable.StartInstance[int](within(t), c, wide, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := h.Wait(within(t)); n != each || err != nil {
		t.Errorf("it gives %d, %v", n, err)
	}
}

// TestSingletonOnJetStream: of 50 clients that start one id at the same time one does.
func TestSingletonOnJetStream(t *testing.T) {
	t.Parallel()
	const clients = 50
	b := open(t, serve(t, embedded.Config{}), natsbackend.Config{})
	o := limited("Singleton")
	var wg sync.WaitGroup
	errs := make([]error, clients)
	for n := range clients {
		wg.Go(func() {
			c := durable.NewClient(b, durable.ClientConfig{})
			defer c.Close()
			_, errs[n] = durable.StartInstance[int](within(t), c, o, n, durable.InstanceID("one"))
		})
	}
	wg.Wait()
	started := 0
	for _, err := range errs {
		switch {
		case err == nil:
			started++
		case !errors.Is(err, durable.ErrAlreadyExists):
			t.Error(err)
		}
	}
	if started != 1 {
		t.Errorf("%d of %d clients have started it, want 1", started, clients)
	}
	l := load(t, b, history.Address{Group: "limits", ID: "one"}, 0)
	if l.Start == nil || len(l.Tail) != 0 {
		t.Errorf("the log has %+v", l)
	}
}
