package cloudevents_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/cloudevents"
	"github.com/durablegen/durablegen/runtime/durabletest"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

var (
	order    = &durable.Orchestrator{Name: "shop.Order", Group: "shop", Source: "example.com/shop.Order", Version: "2"}
	errShelf = errors.New("shop: the shelf is empty")
)

// buy goes on as new once, and fails when the item is not there.
func buy(ctx durable.Context, item string) (bool, error) {
	switch item {
	case "none":
		return false, errShelf
	case "lamp, gift-wrapped":
		return false, durable.ContinueWith(ctx, "lamp")
	}
	return true, nil
}

type sent struct {
	subject string
	event   string
}

// TestEvents: the form of every event; the text of the failure is in none.
func TestEvents(t *testing.T) {
	t.Parallel()
	var got []sent
	events := cloudevents.New(cloudevents.Config{Hub: "club", Publish: func(subject string, data []byte) error {
		got = append(got, sent{subject, string(data)})
		return nil
	}})
	env := durabletest.New(t, durabletest.Configure(events.Worker, nil))
	env.Register(durable.BindOrchestrator(order, buy))
	for id, item := range map[string]string{"order 1": "lamp, gift-wrapped", "order/2": "none"} {
		_, err := durabletest.Run(durable.StartInstance[bool](t.Context(), env.Client(), order, item, durable.InstanceID(id)))
		if (err != nil) != (item == "none") {
			t.Fatal(err)
		}
	}
	byID := map[string][]sent{}
	for _, s := range got {
		var e cloudevents.Event
		if err := json.Unmarshal([]byte(s.event), &e); err != nil {
			t.Fatal(err)
		}
		byID[e.Subject] = append(byID[e.Subject], s)
	}
	const (
		head = `{"specversion":"1.0","id":"`
		mid  = `"source":"/durable/club/shop","type":"io.durablegen.orchestration.`
		tail = `"time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":{"orchestrator":"shop.Order","version":"2","run":1`
	)
	if diff := cmp.Diff(map[string][]sent{
		"order 1": {
			{"durable-events.club.started.order=201", head + `order 1/1/0/started",` + mid + `started","subject":"order 1",` + tail + `}}`},
			{"durable-events.club.continued.order=201", head + `order 1/1/0/continued",` + mid + `continued","subject":"order 1",` + tail + `}}`},
			{"durable-events.club.completed.order=201", head + `order 1/1/1/completed",` + mid + `completed","subject":"order 1",` + tail + `,"execution":1,"status":"Completed"}}`},
		},
		"order/2": {
			{"durable-events.club.started.order=2F2", head + `order/2/1/0/started",` + mid + `started","subject":"order/2",` + tail + `}}`},
			{"durable-events.club.failed.order=2F2", head + `order/2/1/0/failed",` + mid + `failed","subject":"order/2",` + tail + `,"status":"Failed"}}`},
		},
	}, byID, cmp.AllowUnexported(sent{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEventsOnNATS: a subscriber of a real server hears of what it has asked for.
func TestEventsOnNATS(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	hub, err := server.Backend(ctx, natsbackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	nc, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	heard, err := nc.SubscribeSync("durable-events.default.completed.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	var code durable.Registry
	if err := code.Add(durable.BindOrchestrator(order, buy)); err != nil {
		t.Fatal(err)
	}
	events := cloudevents.New(cloudevents.Config{Publish: nc.Publish})
	w := durable.NewWorker(hub, &code, events.Worker(durable.WorkerConfig{}))
	if err := w.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(context.WithoutCancel(ctx)) })
	client := durable.NewClient(hub, durable.ClientConfig{})
	t.Cleanup(func() { _ = client.Close() })
	handle, err := durable.StartInstance[bool](ctx, client, order, "lamp")
	if err != nil {
		t.Fatal(err)
	}
	m, err := heard.NextMsgWithContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if want := "durable-events.default.completed." + handle.ID(); m.Subject != want {
		t.Errorf("subject %s, want %s", m.Subject, want)
	}
}
