package durable_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	durable "github.com/durablegen/durablegen/runtime"
)

func (h eventHandle[E]) Deliver(ctx durable.Context, id string, e E) error {
	return durable.DeliverEvent(ctx, id, h.name, e)
}

var transferEvent = eventHandle[int]{"Transfer"}

// Transfer books an amount from one account to another, each of which is an orchestration.
func Transfer(ctx durable.Context, amount int) (string, error) {
	err := transferEvent.Deliver(ctx, "account-2", amount)
	if errors.Is(err, durable.ErrNotFound) || errors.Is(err, durable.ErrFinished) {
		return "booked back: there is no such account", transferEvent.Deliver(ctx, "account-1", amount)
	}
	return "booked", err
}

// Deliver tells whether the event has come to its receiver.
func ExampleDeliverEvent() {
	transfer := newOrchestrator[int, string]("Transfer")
	account := newOrchestrator[durable.None, int]("Account")

	client, stop := inMemory(transfer.Bind(Transfer), account.Bind(func(ctx durable.Context, _ durable.None) (int, error) {
		return transferEvent.Receive(ctx).Get(ctx)
	}))
	defer stop()

	first, err := account.Start(context.Background(), client, durable.None{}, durable.InstanceID("account-1"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run(client, transfer, 30))
	fmt.Println(first.Wait(context.Background()))
	// Output:
	// booked back: there is no such account <nil>
	// 30 <nil>
}
