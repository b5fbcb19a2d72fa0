package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durablegen/durablegen/internal/membackend"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/httpapi"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func flow(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "flow." + name, Group: "flow", Source: "example.com/flow." + name}
}

// bindings are what the hub of the tests runs. bank.Charge fails until bankOpen is set.
func bindings(bankOpen *atomic.Bool) []durable.Binding {
	charge := &durable.Activity{Name: "bank.Charge", Source: "example.com/bank.Charge"}
	wait := flow("Wait")
	trial := *wait
	wait.Version, trial.Version = "2.0", "1-trial"
	return []durable.Binding{
		durable.BindOrchestrator(flow("Echo"), func(_ durable.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }),
		durable.BindOrchestrator(wait, func(ctx durable.Context, _ json.RawMessage) (json.RawMessage, error) {
			ctx.SetStatus("waiting")
			return durable.ReceiveEvent[json.RawMessage](ctx, "go").Get(ctx)
		}),
		durable.BindOrchestrator(&trial, func(ctx durable.Context, _ json.RawMessage) (json.RawMessage, error) {
			ctx.SetStatus("waiting")
			return durable.ReceiveEvent[json.RawMessage](ctx, "go").Get(ctx)
		}),
		durable.BindOrchestrator(flow("Pay"), func(ctx durable.Context, in int) (int, error) {
			return durable.StartActivity[int](ctx, charge, in).Get(ctx)
		}),
		durable.BindOrchestrator(flow("Parent"), func(ctx durable.Context, _ json.RawMessage) (json.RawMessage, error) {
			return durable.StartChild[json.RawMessage](ctx, wait, nil, durable.InstanceID("child")).Get(ctx)
		}),
		durable.BindActivity(charge, func(_ context.Context, in int) (int, error) {
			if !bankOpen.Load() {
				return 0, errors.New("card declined")
			}
			return in, nil
		}),
	}
}

// hub is a hub in memory, in a bubble, with an API.
type hub struct {
	t        *testing.T
	m        *membackend.Memory
	view     *membackend.View // of the client
	client   *durable.Client
	api      http.Handler
	bankOpen atomic.Bool
}

func inHub(t *testing.T, cfg httpapi.Config, test func(t *testing.T, h *hub)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := membackend.New(membackend.Config{Live: true, Partitions: 2, Hub: "club"})
		t.Cleanup(func() { must(t, m.Close()) })
		h := &hub{t: t, m: m, view: m.View("client")}
		h.client = durable.NewClient(h.view, durable.ClientConfig{})
		t.Cleanup(func() { must(t, h.client.Close()) })
		h.api = httpapi.New(h.client, cfg)
		h.work(bindings(&h.bankOpen)...)
		test(t, h)
	})
}

// work starts a worker.
func (h *hub) work(bindings ...durable.Binding) {
	h.t.Helper()
	var r durable.Registry
	must(h.t, r.Add(bindings...))
	w := durable.NewWorker(h.m.View("worker"), &r, durable.WorkerConfig{})
	must(h.t, w.Start(h.t.Context()))
	h.t.Cleanup(func() { must(h.t, w.Stop(context.Background())) })
}

// pass lets everything come to rest.
func (h *hub) pass() {
	<-time.After(2 * time.Second)
	synctest.Wait()
}

// ask makes a request. Of the header lines "Name: value" any number may follow the body.
func (h *hub) ask(method, url, body string, header ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, "http://club.example:7071"+url, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	return w
}

func (h *hub) start(name, id, input string, opts ...durable.StartOption) {
	h.t.Helper()
	_, err := h.client.StartByName(h.t.Context(), name, json.RawMessage(input), append(opts, durable.InstanceID(id))...)
	must(h.t, err)
}

// populate makes an instance in each state, named after it.
func (h *hub) populate() {
	h.t.Helper()
	h.start("flow.Echo", "completed", `{"a":1}`)
	h.start("flow.Pay", "failed", `5`)
	for _, id := range []string{"running", "suspended", "terminated", "a b/c"} {
		h.start("flow.Wait", id, `"<in>"`)
	}
	h.start("flow.Wait", "pending", "null", durable.StartAfter(time.Hour))
	h.pass()
	must(h.t, h.client.Suspend(h.t.Context(), "suspended", "audit"))
	must(h.t, h.client.Terminate(h.t.Context(), "terminated", "enough"))
	h.pass()
}
