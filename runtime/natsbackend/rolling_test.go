package natsbackend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
	"github.com/durablegen/durablegen/runtime/observe"
)

// deploy is a hub that workers of several builds share.
type deploy struct {
	t      *testing.T
	s      *embedded.Server
	client *durable.Client
	packed chan string // instances, as their first activity runs
}

func order(version string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "shop.Order", Group: "shop", Version: version, Source: "example.com/shop.Order" + version}
}

func shopActivity(name string) *durable.Activity {
	return &durable.Activity{Name: "shop." + name, Source: "example.com/shop." + name}
}

// roll starts a worker of a build that has some versions of the order. Version 2 checks what version 1 does not.
func (d *deploy) roll(build string, parked func(observe.Park), versions ...string) *durable.Worker {
	d.t.Helper()
	pack, check, send := shopActivity("Pack"), shopActivity("Check"), shopActivity("Send")
	bindings := []durable.Binding{
		durable.BindActivity(pack, func(ctx context.Context, _ int) (int, error) {
			info, _ := durable.InfoOf(ctx)
			d.packed <- info.Instance
			return 1, nil
		}),
		durable.BindActivity(check, func(_ context.Context, n int) (int, error) { return n, nil }),
		durable.BindActivity(send, func(_ context.Context, n int) (int, error) { return n, nil }),
	}
	for _, version := range versions {
		bindings = append(bindings, durable.BindOrchestrator(order(version), func(ctx durable.Context, n int) (string, error) {
			steps := []*durable.Activity{pack, send}
			if version == "2" {
				steps = []*durable.Activity{pack, check, send}
			}
			for i, step := range steps {
				if _, err := durable.StartActivity[int](ctx, step, n).Get(ctx); err != nil {
					return "", err
				}
				if i == 0 {
					if _, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx); err != nil {
						return "", err
					}
				}
			}
			return "by " + version, nil
		}))
	}
	code := &durable.Registry{}
	d.must(code.Add(bindings...))
	w := durable.NewWorker(open(d.t, d.s, natsbackend.Config{}), code, durable.WorkerConfig{Name: build, Build: build, Hooks: observe.Hooks{Parked: parked}})
	d.must(w.Start(within(d.t)))
	d.t.Cleanup(func() { d.drain(w) })
	return w
}

func (d *deploy) drain(w *durable.Worker) {
	d.t.Helper()
	d.must(w.Stop(within(d.t)))
}

func (d *deploy) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// start starts orders by name, and waits until each has packed. They get the version that the hub gives to new ones.
func (d *deploy) start(prefix string, n int) (ids []string) {
	d.t.Helper()
	for i := range n {
		id, err := d.client.StartByName(within(d.t), "shop.Order", json.RawMessage(fmt.Sprint(i)), durable.InstanceID(fmt.Sprint(prefix, i)))
		d.must(err)
		ids = append(ids, id)
	}
	waits := map[string]bool{}
	for len(waits) < n {
		if id := receive(d.t, d.packed); strings.HasPrefix(id, prefix) {
			waits[id] = true
		}
	}
	return ids
}

func (d *deploy) release(ids ...string) {
	d.t.Helper()
	for _, id := range ids {
		d.must(d.client.Raise(within(d.t), id, "go", 1))
	}
}

// ends waits for orders: each ends as its version has it, and has each of its steps once in its history.
func (d *deploy) ends(version string, steps int, ids ...string) {
	d.t.Helper()
	for _, id := range ids {
		inst, err := d.client.Wait(within(d.t), id)
		d.must(err)
		if want := fmt.Sprintf("%q", "by "+version); string(inst.Result) != want || inst.Version != version {
			d.t.Errorf("%s ends with %s, version %q, want %s", id, inst.Result, inst.Version, want)
		}
		h, err := d.client.History(within(d.t), id)
		d.must(err)
		did := 0
		for _, s := range h.Steps {
			if s.Kind == durable.StepActivity {
				did++
			}
		}
		if did != steps {
			d.t.Errorf("%s has %d activities in its history, want %d", id, did, steps)
		}
	}
}

// TestRollingDeploy has workers of several builds side by side while orders are under way. Nothing is lost, nothing is done
// twice, and every order ends with the version that it began with. A version that nobody runs any more waits, visibly, for a
// worker that has it.
func TestRollingDeploy(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	d := &deploy{t: t, s: s, packed: make(chan string, 1000)}
	old, old2 := d.roll("build-a", nil, "1"), d.roll("build-a", nil, "1")
	d.client = clientOf(t, open(t, s, natsbackend.Config{}))
	const many = 30
	first := d.start("a-", many)
	d.release(first[:10]...)

	b := d.roll("build-b", nil, "1", "2") // the new build beside the old one
	second := d.start("b-", many)
	d.release(first[10:20]...)
	d.release(second[:10]...)
	d.drain(old)
	late := d.start("late-", 10)
	d.drain(old2)
	d.release(first[20 : many-1]...) // the last one lives on
	d.release(second[10:]...)
	d.release(late...)
	d.ends("1", 2, first[:many-1]...)
	d.ends("2", 3, append(second, late...)...)

	parked := make(chan observe.Park, 100)
	c := d.roll("build-c", func(p observe.Park) { parked <- p }, "2")
	if left, err := c.LeftBehind(within(t)); err != nil || len(left) > 0 {
		t.Errorf("%v, %v are left behind while a worker has them", left, err)
	}
	d.drain(b)
	left, err := c.LeftBehind(within(t))
	d.must(err)
	if len(left) != 1 || left[0].Version != "1" || left[0].Instances != 1 {
		t.Errorf("left behind: %+v, want one instance of version 1", left)
	}
	last := first[many-1]
	d.release(last)
	if p := receive(t, parked); p.Instance != last {
		t.Errorf("parked %+v, want %s", p, last)
	}
	d.shows(last, "no worker for shop.Order version 1")
	third := d.start("c-", 5)
	d.release(third...)
	d.ends("2", 3, third...)

	d.roll("build-a", nil, "1")
	d.ends("1", 2, last)
}

// shows waits until an instance is shown as parked for a reason: that follows soon.
func (d *deploy) shows(id, reason string) {
	d.t.Helper()
	for ctx := within(d.t); ; {
		inst, err := d.client.Get(ctx, id)
		d.must(err)
		if inst.Parked == reason {
			break
		}
	}
	h, err := d.client.History(within(d.t), id)
	d.must(err)
	if !strings.Contains(h.Summary, reason) {
		d.t.Errorf("why: %q, want that it says %q", h.Summary, reason)
	}
}
