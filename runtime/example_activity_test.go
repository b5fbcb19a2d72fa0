package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// An activity that fails is tried again as its retry policy says; the orchestrator sees only how it ended.
func ExampleRetryPolicy() {
	charge := newActivity[int, string]("Charge")
	order := newOrchestrator[int, string]("Order")

	client, stop := inMemory(
		charge.Bind(func(ctx context.Context, amount int) (string, error) {
			info, _ := durable.InfoOf(ctx)
			if info.Attempt < 3 {
				return "", errors.New("the bank does not answer")
			}
			return fmt.Sprintf("paid %d at attempt %d, last error: %s", amount, info.Attempt, info.LastError), nil
		}),
		order.Bind(func(ctx durable.Context, amount int) (string, error) {
			return charge.Call(ctx, amount,
				durable.RetryPolicy{Attempts: 5, First: time.Millisecond, Backoff: 2},
				durable.Timeout(10*time.Second))
		}),
	)
	defer stop()

	fmt.Println(run(client, order, 42))
	// Output: paid 42 at attempt 3, last error: the bank does not answer <nil>
}

var errNoFunds = errors.New("shop: no funds")

var _ = durable.RegisterError("shop.errNoFunds", errNoFunds) // written for every //durable:error

// A registered error is the same one on the other side of the wire.
func ExampleRegisterError() {
	charge := newActivity[int, string]("Charge")
	order := newOrchestrator[int, string]("Order")

	client, stop := inMemory(
		charge.Bind(func(context.Context, int) (string, error) {
			return "", fmt.Errorf("card 4711: %w", errNoFunds)
		}),
		order.Bind(func(ctx durable.Context, amount int) (string, error) {
			payment, err := charge.Call(ctx, amount)
			if errors.Is(err, errNoFunds) {
				return "sent an invoice instead", nil
			}
			return payment, err
		}),
	)
	defer stop()

	fmt.Println(run(client, order, 42))
	// Output: sent an invoice instead <nil>
}

// Activities that do not need each other run in parallel; Collect gives their results in the order of the calls.
func ExampleCollect() {
	price := newActivity[string, int]("Price")
	total := newOrchestrator[[]string, int]("Total")

	client, stop := inMemory(
		price.Bind(func(_ context.Context, article string) (int, error) { return len(article), nil }),
		total.Bind(func(ctx durable.Context, articles []string) (int, error) {
			var prices []durable.Future[int]
			for _, article := range articles {
				prices = append(prices, price.Start(ctx, article))
			}
			sum := 0
			got, err := durable.Collect(ctx, prices)
			for _, p := range got {
				sum += p
			}
			return sum, err
		}),
	)
	defer stop()

	fmt.Println(run(client, total, []string{"oar", "boat", "paddle"}))
	// Output: 13 <nil>
}
