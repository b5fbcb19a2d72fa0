// Package durstale has a generated file that is older than its code.
package durstale

import durable "github.com/durablegen/durablegen/runtime"

//durable:activity
func Known(in string) error { return nil }

//durable:activity name=durstale.NewName
func Renamed(in string) error { return nil } // want DUR109

//durable:orchestrator
func Missing(ctx durable.Context, in string) error { return KnownActivity.Call(ctx, in) } // want DUR109
