package durable_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// The patterns of docs/patterns.md.

type order struct {
	Customer string
	Items    []string
}

var (
	packActivity   = newActivity[string, int]("Pack")
	chargeActivity = newActivity[order, string]("Charge")
	refundActivity = newActivity[order, durable.None]("Refund")
	shipActivity   = newActivity[order, string]("Ship")
)

// PackAll packs every item, 10 at a time, and gives the weight of all.
func PackAll(ctx durable.Context, o order) (int, error) {
	weights, err := durable.Map(ctx, o.Items, 10, func(ctx durable.Context, item string) (int, error) {
		return packActivity.Call(ctx, item)
	})
	var failed durable.ItemErrors
	if errors.As(err, &failed) {
		ctx.Logger().Warn("not all were packed", "first", o.Items[failed[0].Index], "missing", len(failed))
	}
	sum := 0
	for _, w := range weights {
		sum += w
	}
	return sum, err
}

// Map bounds how many items are under way; results stand where their items stood.
func ExampleMap() {
	pack := newOrchestrator[order, int]("PackAll")

	client, stop := inMemory(pack.Bind(PackAll), packActivity.Bind(func(_ context.Context, item string) (int, error) {
		return len(item), nil
	}))
	defer stop()

	fmt.Println(run(client, pack, order{Items: []string{"tea", "cups", "spoons"}}))
	// Output: 13 <nil>
}

// Sell charges and ships. What fails later undoes what was done before.
func Sell(ctx durable.Context, o order) (tracking string, err error) {
	var saga durable.Saga
	defer saga.RollbackOnError(ctx, &err)

	saga.Compensate(func(ctx durable.Context) error { _, err := refundActivity.Call(ctx, o); return err })
	if _, err := chargeActivity.Call(ctx, o); err != nil {
		return "", err
	}
	return shipActivity.Call(ctx, o)
}

// A saga undoes, newest first, what was done before a failure.
func ExampleSaga() {
	sell := newOrchestrator[order, string]("Sell")

	client, stop := inMemory(
		sell.Bind(Sell),
		chargeActivity.Bind(func(context.Context, order) (string, error) { return "paid", nil }),
		refundActivity.Bind(func(_ context.Context, o order) (durable.None, error) {
			fmt.Println("money back to", o.Customer)
			return durable.None{}, nil
		}),
		shipActivity.Bind(func(context.Context, order) (string, error) { return "", errors.New("no carrier") }),
	)
	defer stop()

	_, err := run(client, sell, order{Customer: "Ada"})
	fmt.Println(err)
	// Output:
	// money back to Ada
	// durable: orchestrator shop.Sell: durable: activity shop.Ship, attempt 1: no carrier
}

// Approve waits for somebody to decide, and for somebody else when nobody does.
func Approve(ctx durable.Context, patience time.Duration) (string, error) {
	decision := approvalEvent.Receive(ctx)
	for _, who := range []string{"clerk", "manager"} {
		ctx.SetStatus("waiting for the " + who)
		a, err := decision.Within(ctx, patience)
		if errors.Is(err, durable.ErrTimeout) {
			continue
		}
		return a.By, err
	}
	return "nobody", nil
}

// Within waits for a person with patience.
func ExampleFuture_Within() {
	approve := newOrchestrator[time.Duration, string]("Approve")

	client, stop := inMemory(approve.Bind(Approve))
	defer stop()

	handle, err := approve.Start(context.Background(), client, 14*24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	if err := approvalEvent.Raise(context.Background(), client, handle.ID(), approval{By: "Ada"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(handle.Wait(context.Background()))
	fmt.Println(run(client, approve, time.Millisecond))
	// Output:
	// Ada <nil>
	// nobody <nil>
}

// Export has another service make a file, and waits until it is there: a minute, or a week.
func Export(ctx durable.Context, url string) (string, error) {
	res, err := durable.CallHTTP(ctx, durable.HTTPRequest{Method: http.MethodPost, URL: url},
		durable.RetryPolicy{Attempts: 5}, durable.PollInterval(time.Minute))
	if err != nil {
		return "", err
	}
	if res.Status != http.StatusOK {
		return "", fmt.Errorf("export: status %d", res.Status)
	}
	return string(res.Body), nil
}

// CallHTTP asks a server again until an operation that takes long has come to its end.
func ExampleCallHTTP() {
	service := &web{answer: func(n int, r *http.Request) (*http.Response, error) {
		if n == 0 {
			return reply(http.StatusAccepted, "", "Location", "/exports/1", "Retry-After", "1")
		}
		return reply(http.StatusOK, "here is "+r.URL.Path)
	}}
	export := newOrchestrator[string, string]("Export")

	var code durable.Registry
	if err := errors.Join(code.Add(export.Bind(Export)), durable.RegisterHTTP(&code, &http.Client{Transport: service})); err != nil {
		log.Fatal(err)
	}
	client, stop := inMemoryOf(&code)
	defer stop()

	fmt.Println(run(client, export, "https://reports.example/exports"))
	// Output: here is /exports/1 <nil>
}

type tally struct {
	Good, Bad int
}

// Monitor counts what it is told for a day, and says how it stands to whoever asks.
func Monitor(ctx durable.Context, _ durable.None) (tally, error) {
	var sum tally
	durable.SetQueryHandler(ctx, "tally", func(durable.None) (tally, error) { return sum, nil })

	day := durable.NewTimer(ctx, 24*time.Hour)
	for {
		check := checkEvent.Receive(ctx)
		if durable.Any(ctx, check, day) != check {
			return sum, ctx.Err()
		}
		good, err := check.Get(ctx)
		if err != nil {
			return sum, err
		}
		if good {
			sum.Good++
		} else {
			sum.Bad++
			ctx.SetStatus("alarm")
		}
	}
}

var checkEvent = eventHandle[bool]{"Check"}

// A query reads the variables of a live orchestration, a watch tells when its custom status changes.
func ExampleQuery() {
	monitor := newOrchestrator[durable.None, tally]("Monitor")
	ctx := context.Background()

	client, stop := inMemory(monitor.Bind(Monitor))
	defer stop()

	handle, err := monitor.Start(ctx, client, durable.None{})
	if err != nil {
		log.Fatal(err)
	}
	for _, good := range []bool{true, true, false} {
		if err := checkEvent.Raise(ctx, client, handle.ID(), good); err != nil {
			log.Fatal(err)
		}
	}
	for inst, err := range client.Watch(ctx, handle.ID()) {
		if err != nil {
			log.Fatal(err)
		}
		if string(inst.CustomStatus) == `"alarm"` {
			break
		}
	}
	sum, err := durable.Query[tally](ctx, client, handle.ID(), "tally", nil)
	fmt.Println(sum, err)
	// Output: {2 1} <nil>
}
