package natsbackend_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestCompletedAfterTheWorker: the worker that has given the token out stops, another one starts, and somebody with the
// token completes the call. The activity does not run again, and nothing is left that could run it.
func TestCompletedAfterTheWorker(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	sign := &durable.Activity{Name: "deeds.Sign", Source: "example.com/deeds.Sign", Retry: durable.RetryPolicy{Attempts: 3}}
	contract := &durable.Orchestrator{Name: "deeds.Contract", Group: "deeds", Source: "example.com/deeds.Contract"}
	var runs atomic.Int32
	tokens := make(chan string, 1)
	begin := func() *durable.Worker {
		return work(t, open(t, s, natsbackend.Config{}),
			durable.BindActivity(sign, func(ctx context.Context, _ durable.None) (string, error) {
				runs.Add(1)
				token, err := durable.CompleteLater(ctx)
				if err != nil {
					return "", err
				}
				tokens <- token
				return "", durable.ErrCompleteLater
			}),
			durable.BindOrchestrator(contract, func(ctx durable.Context, _ durable.None) (string, error) {
				return durable.StartActivity[string](ctx, sign, nil).Get(ctx)
			}),
		)
	}
	stop := func(w *durable.Worker) {
		if err := w.Stop(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	schedules := func() int {
		info, err := stream(t, s, "DURABLE_default").Info(within(t), jetstream.WithSubjectFilter("durable.default.deeds.*.*.timer.*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(info.State.Subjects)
	}
	first := begin()
	client := clientOf(t, open(t, s, natsbackend.Config{}))
	handle, err := durable.StartInstance[string](within(t), client, contract, nil)
	if err != nil {
		t.Fatal(err)
	}
	token := receive(t, tokens)
	stop(first)
	if n := schedules(); n != 1 {
		t.Errorf("%d schedules stand in for the outcome, want one", n)
	}
	second := begin()
	if err := client.CompleteActivity(within(t), token, "signed"); err != nil {
		t.Fatal(err)
	}
	if got, err := handle.Wait(within(t)); err != nil || got != "signed" {
		t.Errorf("the contract ends with %q, %v", got, err)
	}
	stop(second)
	if n := schedules(); n != 0 {
		t.Errorf("%d schedules are left", n)
	}
	for c := range stream(t, s, "DURABLE_default").ListConsumers(within(t)).Info() {
		if c.NumAckPending > 0 {
			t.Errorf("consumer %s waits for %d acknowledgements", c.Name, c.NumAckPending)
		}
	}
	if n := runs.Load(); n != 1 {
		t.Errorf("the activity ran %d times, want once", n)
	}
}
