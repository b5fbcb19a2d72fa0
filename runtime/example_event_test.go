package durable_test

import (
	"context"
	"fmt"
	"log"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type approval struct{ By string }

var approvalEvent = eventHandle[approval]{"Approval"}

// An event races a deadline. Both are durable: the orchestration may wait for weeks, across any number of restarts.
func ExampleAny() {
	order := newOrchestrator[time.Duration, string]("Order")

	client, stop := inMemory(order.Bind(func(ctx durable.Context, patience time.Duration) (string, error) {
		deadline := durable.NewTimer(ctx, patience)
		defer deadline.Stop()
		answer := approvalEvent.Receive(ctx)
		if durable.Any(ctx, answer, deadline) == deadline {
			return "nobody answered", nil
		}
		a, err := answer.Get(ctx)
		return "approved by " + a.By, err
	}))
	defer stop()

	handle, err := order.Start(context.Background(), client, 14*24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	if err := approvalEvent.Raise(context.Background(), client, handle.ID(), approval{By: "Ada"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(handle.Wait(context.Background()))
	fmt.Println(run(client, order, time.Millisecond))
	// Output:
	// approved by Ada <nil>
	// nobody answered <nil>
}

// Select runs the case that is complete first.
func ExampleSelect() {
	order := newOrchestrator[durable.None, string]("Order")

	client, stop := inMemory(order.Bind(func(ctx durable.Context, _ durable.None) (result string, err error) {
		durable.Select(ctx,
			durable.On(approvalEvent.Receive(ctx), func(_ durable.Context, a approval, _ error) { result = "approved by " + a.By }),
			durable.OnTimer(durable.NewTimer(ctx, time.Millisecond), func(durable.Context) { result = "nobody answered" }),
		)
		return result, nil
	}))
	defer stop()

	fmt.Println(run(client, order, durable.None{}))
	// Output: nobody answered <nil>
}

// The custom status is what people see of a running instance.
func ExampleContext_SetStatus() {
	order := newOrchestrator[durable.None, string]("Order")

	client, stop := inMemory(order.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		ctx.SetStatus(map[string]string{"step": "waiting for approval"})
		if _, err := approvalEvent.Receive(ctx).Get(ctx); err != nil {
			return "", err
		}
		ctx.SetStatus(map[string]string{"step": "shipped"})
		return "done", nil
	}))
	defer stop()

	handle, err := order.Start(context.Background(), client, durable.None{}, durable.InstanceID("order-1"))
	if err != nil {
		log.Fatal(err)
	}
	if err := approvalEvent.Raise(context.Background(), client, "order-1", approval{By: "Ada"}); err != nil {
		log.Fatal(err)
	}
	inst, err := client.Wait(context.Background(), handle.ID())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inst.ID, inst.Status, string(inst.CustomStatus), string(inst.Result))
	// Output: order-1 Completed {"step":"shipped"} "done"
}
