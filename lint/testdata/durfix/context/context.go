// Package context uses the wrong Context in coroutines.
package context

import (
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Blank(ctx durable.Context, in string) (time.Time, error) {
	return durable.Go(ctx, func(_ durable.Context) (time.Time, error) { return ctx.Now(), ctx.Err() }).Get(ctx)
}

//durable:orchestrator
func Unnamed(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(durable.Context) (string, error) {
		err := durable.Sleep(ctx, time.Hour)
		return ctx.NewUUID(), err
	})
	return f.Get(ctx)
}

//durable:orchestrator
func Named(ctx durable.Context, in []string) error {
	return durable.ForEach(ctx, in, 2, func(own durable.Context, item string) error {
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		return durable.Sleep(own, time.Hour)
	})
}
