package durable_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// A scheduled instance exists at once. It keeps events that come before its time.
func ExampleStartAfter() {
	order := newOrchestrator[durable.None, string]("Order")
	client, stop := inMemory(order.Bind(func(ctx durable.Context, _ durable.None) (string, error) {
		a, err := approvalEvent.Receive(ctx).Get(ctx)
		return "approved by " + a.By, err
	}))
	defer stop()

	ctx := context.Background()
	handle, err := order.Start(ctx, client, durable.None{}, durable.InstanceID("order-1"), durable.StartAfter(50*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	inst, err := client.Get(ctx, "order-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inst.Status, !inst.ScheduledFor.IsZero())
	if err := approvalEvent.Raise(ctx, client, "order-1", approval{By: "Ada"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(handle.Wait(ctx))
	// Output:
	// Pending true
	// approved by Ada <nil>
}

// A rewind runs what failed again, and nothing else.
func ExampleClient_Rewind() {
	var fixed atomic.Bool
	pack, charge := newActivity[string, string]("Pack"), newActivity[string, string]("Charge")
	order := newOrchestrator[string, string]("Order")
	client, stop := inMemory(
		pack.Bind(func(_ context.Context, item string) (string, error) {
			fmt.Println("packed", item)
			return "parcel", nil
		}),
		charge.Bind(func(_ context.Context, item string) (string, error) {
			if !fixed.Load() {
				return "", errors.New("the bank is down")
			}
			return "paid", nil
		}),
		order.Bind(func(ctx durable.Context, item string) (string, error) {
			parcel, err := pack.Call(ctx, item)
			if err != nil {
				return "", err
			}
			paid, err := charge.Call(ctx, item)
			return parcel + " " + paid, err
		}))
	defer stop()

	ctx := context.Background()
	handle, err := order.Start(ctx, client, "a book", durable.InstanceID("order-1"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Wait(ctx, "order-1"); err != nil {
		log.Fatal(err)
	}

	plan, err := client.RewindPlan(ctx, "order-1")
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range plan.Activities {
		fmt.Println("would run again:", a.Name, string(a.Args))
	}

	fixed.Store(true)
	if err := client.Rewind(ctx, "order-1", "the bank is back"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(handle.Wait(ctx))
	// Output:
	// packed a book
	// would run again: shop.Charge "a book"
	// parcel paid <nil>
}

// Ended instances can be started again, and purged.
func ExampleClient_PurgeAll() {
	order := newOrchestrator[string, string]("Order")
	client, stop := inMemory(order.Bind(func(_ durable.Context, item string) (string, error) { return "sent " + item, nil }))
	defer stop()

	ctx := context.Background()
	if _, err := order.Start(ctx, client, "a book", durable.InstanceID("order-1"), durable.Tags{"season": "2026"}); err != nil {
		log.Fatal(err)
	}
	if _, err := client.Wait(ctx, "order-1"); err != nil {
		log.Fatal(err)
	}

	id, err := client.Restart(ctx, "order-1", durable.InstanceID("order-2"))
	if err != nil {
		log.Fatal(err)
	}
	inst, err := client.Wait(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id, inst.Status, string(inst.Result))

	result, err := client.PurgeAll(ctx, durable.Filter{
		Statuses: []durable.Status{durable.Completed},
		Tags:     durable.Tags{"season": "2026"},
	}, durable.PurgeChildren())
	fmt.Println(result.Purged, "purged", err)
	_, err = client.Get(ctx, "order-1")
	fmt.Println(errors.Is(err, durable.ErrNotFound))
	// Output:
	// order-2 Completed "sent a book"
	// 2 purged <nil>
	// true
}
