// Package durshape has declarations that cannot be made durable, and so no generated file.
package durshape

import (
	"context"
	"io"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func NoContext(in string) (string, error) { return in, nil } // want DUR108

//durable:orchestrator
func WrongContext(ctx context.Context, in string) error { return nil } // want DUR108

//durable:orchestrator
func PointerContext(ctx *durable.Context, in string) error { return nil } // want DUR108

//durable:activity
func DurableActivity(ctx durable.Context, in string) error { return nil } // want DUR108

//durable:activity
func Variadic(in ...string) error { return nil } // want DUR108

//durable:activity
func Generic[T any](in T) error { return nil } // want DUR108

//durable:activity
func NoError(in string) string { return in } // want DUR108

//durable:activity
func TwoValues(in string) (string, int, error) { return in, 0, nil } // want DUR108

//durable:activity
func Nothing(in string) {} // want DUR108

type desk struct{}

//durable:orchestrator
func (desk) Method(ctx durable.Context, in string) error { return nil } // want DUR108

//durable:activity
func Stray(in string, ctx context.Context) error { return nil } // want DUR108

//durable:activity
func Channel(c chan int) error { return nil } // want DUR201

//durable:activity
func Func(f func()) error { return nil } // want DUR201

//durable:activity
func Complex(c complex128) error { return nil } // want DUR201

//durable:activity
func Reader(r io.Reader) error { return nil } // want DUR203

//durable:activity
func Keys(m map[float64]int) error { return nil } // want DUR204

type opaque struct{ n int }

//durable:activity
func Empty(o opaque) error { return nil } // want DUR202

//durable:activity name=durshape.Pay
func Pay(in string) error { return nil }

//durable:activity name=durshape.Pay
func PayAgain(in string) error { return nil } // want DUR109

//durable:activity alias=durshape.Pay
func PayAlias(in string) error { return nil } // want DUR109

//durable:event
type Answer struct{ Code int }

//durable:event name=DURSHAPE.answer
type Other struct{ Code int } // want DUR109

//durable:activity
func Right(ctx context.Context, in string, n int) (string, error) { return in, nil }

//durable:orchestrator
func AlsoRight(ctx durable.Context) error { return nil }
