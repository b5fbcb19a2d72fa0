// Package handle calls activities as they are.
package handle

import (
	"context"

	"github.com/durablegen/durablegen/lint/testdata/corpus/durlib"
	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Order(ctx durable.Context, in string) (string, error) {
	if _, err := durlib.Print(context.Background(), in); err != nil {
		return "", err
	}
	if err := Pack(in); err != nil {
		return "", err
	}
	if err := Rest(); err != nil {
		return "", err
	}
	return Ship(context.TODO(), in, len(in))
}

//durable:orchestrator
func InCoroutine(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(own durable.Context) (string, error) {
		return Ship(context.Background(), in, 2)
	})
	return f.Get(ctx)
}

// helper has no Context that the handle could be given.
func helper(in string) error { return Pack(in) }

//durable:orchestrator
func ByHelper(ctx durable.Context, in string) error { return helper(in) }
