// Package shape takes the wrong contexts.
package shape

import (
	"context"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Wait(ctx context.Context, in string) error { return nil }

//durable:orchestrator
func Pointer(ctx *durable.Context, in string) error { return nil }

//durable:activity
func Work(ctx durable.Context, in string) error { return nil }

func std(ctx context.Context, c durable.Context) {}
