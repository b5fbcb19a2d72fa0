package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// A long activity tells how far it is; its next attempt goes on from there.
func ExampleHeartbeat() {
	backup := newActivity[int, int]("Backup")
	backup.Heartbeat = durable.HeartbeatTimeout(30 * time.Second)
	nightly := newOrchestrator[int, int]("Nightly")
	copyFile := func(_ context.Context, file, attempt int) error {
		if file == 3 && attempt == 1 {
			return errors.New("the disk was full at file 3")
		}
		fmt.Println("attempt", attempt, "copies file", file)
		return nil
	}

	client, stop := inMemory(
		backup.Bind(func(ctx context.Context, files int) (int, error) {
			info, _ := durable.InfoOf(ctx)
			done, _ := durable.HeartbeatDetails[int](ctx) // 0 the first time
			for done < files {
				if err := copyFile(ctx, done+1, info.Attempt); err != nil {
					return 0, err
				}
				done++
				if err := durable.Heartbeat(ctx, done); err != nil {
					return 0, err // the time is over, the call is cancelled, or the worker stops
				}
			}
			return done, nil
		}),
		nightly.Bind(func(ctx durable.Context, files int) (int, error) {
			return backup.Call(ctx, files, durable.RetryPolicy{Attempts: 3, First: time.Millisecond})
		}),
	)
	defer stop()

	fmt.Println(run(client, nightly, 4))
	// Output:
	// attempt 1 copies file 1
	// attempt 1 copies file 2
	// attempt 2 copies file 3
	// attempt 2 copies file 4
	// 4 <nil>
}

// What somebody else completes, hours later, occupies no worker meanwhile.
func ExampleCompleteLater() {
	print3D := newActivity[string, string]("Print")
	order := newOrchestrator[string, string]("Order")
	printer := make(chan string, 1) // a printer that calls back with the token

	client, stop := inMemory(
		print3D.Bind(func(ctx context.Context, model string) (string, error) {
			token, err := durable.CompleteLater(ctx)
			if err != nil {
				return "", err
			}
			printer <- token
			return "", durable.ErrCompleteLater
		}),
		order.Bind(func(ctx durable.Context, model string) (string, error) {
			return print3D.Call(ctx, model, durable.Timeout(12*time.Hour), durable.RetryPolicy{Attempts: 2})
		}),
	)
	defer stop()

	go func() {
		token := <-printer
		if err := client.CompleteActivity(context.Background(), token, "printed in blue"); err != nil {
			fmt.Println(err)
		}
	}()
	fmt.Println(run(client, order, "hull"))
	// Output: printed in blue <nil>
}

// An activity that knows better than its policy when to try again says so.
func ExampleRetryAfter() {
	var status = []string{"429 Too Many Requests", "200 OK"}
	get := newActivity[string, string]("Get")
	fetch := newOrchestrator[string, string]("Fetch")

	client, stop := inMemory(
		get.Bind(func(ctx context.Context, url string) (string, error) {
			info, _ := durable.InfoOf(ctx)
			switch answer := status[info.Attempt-1]; answer {
			case "200 OK":
				return answer, nil
			case "404 Not Found":
				return "", durable.NonRetryable(errors.New(answer))
			default:
				return "", durable.RetryAfter(errors.New(answer), 20*time.Millisecond)
			}
		}),
		fetch.Bind(func(ctx durable.Context, url string) (string, error) {
			return get.Call(ctx, url, durable.RetryPolicy{Attempts: 5, First: time.Hour, Jitter: 0.2, Deadline: 24 * time.Hour})
		}),
	)
	defer stop()

	fmt.Println(run(client, fetch, "example.com"))
	// Output: 200 OK <nil>
}

// Handle lets the orchestrator decide whether another attempt makes sense.
func ExampleRetryPolicy_handle() {
	charge := newActivity[int, string]("Charge")
	order := newOrchestrator[int, string]("Order")

	client, stop := inMemory(
		charge.Bind(func(context.Context, int) (string, error) { return "", errNoFunds }),
		order.Bind(func(ctx durable.Context, amount int) (string, error) {
			return charge.Call(ctx, amount, durable.RetryPolicy{
				Attempts: 5, First: time.Minute,
				Handle: func(err error) bool { return !errors.Is(err, errNoFunds) },
			})
		}),
	)
	defer stop()

	_, err := run(client, order, 42)
	fmt.Println(err)
	// Output: durable: orchestrator shop.Order: durable: activity shop.Charge, attempt 1: shop: no funds
}
