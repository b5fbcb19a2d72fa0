package durable_test

import (
	"context"
	"errors"
	"fmt"

	durable "github.com/durablegen/durablegen/runtime"
)

// A child is an orchestration of its own, with its own history; its parent waits for it as for an activity.
func ExampleStartChild() {
	parcel := newOrchestrator[string, string]("Parcel")
	order := newOrchestrator[[]string, string]("Order")

	client, stop := inMemory(
		parcel.Bind(func(ctx durable.Context, article string) (string, error) {
			return article + " of " + ctx.ParentID(), nil
		}),
		order.Bind(func(ctx durable.Context, articles []string) (sent string, err error) {
			for n, article := range articles {
				s, err := parcel.Call(ctx, article, durable.InstanceID(fmt.Sprintf("%s-parcel-%d", ctx.InstanceID(), n)))
				if err != nil {
					return "", err
				}
				sent += s + "; "
			}
			return sent, nil
		}),
	)
	defer stop()

	handle, err := order.Start(context.Background(), client, []string{"oar", "boat"}, durable.InstanceID("order-1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(handle.Wait(context.Background()))
	// Output: oar of order-1; boat of order-1;  <nil>
}

// An orchestration that never ends goes on as a new execution, so that its history stays short.
func ExampleContinueWith() {
	type season struct{ Year, Last int }
	renewal := newOrchestrator[season, string]("Renewal")
	bill := newActivity[int, durable.None]("Bill")

	client, stop := inMemory(
		bill.Bind(func(_ context.Context, year int) (durable.None, error) {
			fmt.Println("fee of", year)
			return durable.None{}, nil
		}),
		renewal.Bind(func(ctx durable.Context, s season) (string, error) {
			if _, err := bill.Call(ctx, s.Year); err != nil {
				return "", err
			}
			if s.Year == s.Last {
				return "left the club", nil
			}
			return "", durable.ContinueWith(ctx, season{s.Year + 1, s.Last})
		}),
	)
	defer stop()

	fmt.Println(run(client, renewal, season{2026, 2028}))
	// Output:
	// fee of 2026
	// fee of 2027
	// fee of 2028
	// left the club <nil>
}

// A saga by hand: what has been done is undone, in reverse order, when a later step fails.
func Example_saga() {
	type step struct{ Do, Undo string }
	book := newActivity[string, durable.None]("Book")
	trip := newOrchestrator[[]step, string]("Trip")

	client, stop := inMemory(
		book.Bind(func(_ context.Context, what string) (durable.None, error) {
			fmt.Println(what)
			if what == "book hotel" {
				return durable.None{}, errors.New("no room")
			}
			return durable.None{}, nil
		}),
		trip.Bind(func(ctx durable.Context, steps []step) (string, error) {
			var undo []string
			for _, s := range steps {
				_, err := book.Call(ctx, s.Do)
				if err == nil {
					undo = append(undo, s.Undo)
					continue
				}
				for n := len(undo) - 1; n >= 0; n-- {
					if _, undone := book.Call(ctx, undo[n]); undone != nil {
						return "", errors.Join(err, undone)
					}
				}
				var failed *durable.ActivityError
				if errors.As(err, &failed) {
					return "stayed at home: " + failed.Message, nil
				}
				return "", err
			}
			return "on the way", nil
		}),
	)
	defer stop()

	fmt.Println(run(client, trip, []step{
		{"book train", "cancel train"}, {"book boat", "cancel boat"}, {"book hotel", "cancel hotel"},
	}))
	// Output:
	// book train
	// book boat
	// book hotel
	// cancel boat
	// cancel train
	// stayed at home: no room <nil>
}
