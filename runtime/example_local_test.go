package durable_test

import (
	"context"
	"fmt"
	"strings"

	durable "github.com/durablegen/durablegen/runtime"
)

// Local has the worker that runs the orchestration run a short step itself.
func ExampleLocal() {
	label := newActivity[string, string]("Label")
	order := newOrchestrator[string, string]("Order")

	client, stop := inMemory(
		label.Bind(func(_ context.Context, name string) (string, error) { return strings.ToUpper(name), nil }),
		order.Bind(func(ctx durable.Context, name string) (string, error) {
			return label.Call(ctx, name, durable.Local(true))
		}),
	)
	defer stop()

	fmt.Println(run(client, order, "fragile"))
	// Output: FRAGILE <nil>
}
