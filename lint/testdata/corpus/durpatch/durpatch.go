// Package durpatch changes orchestrators while they run, and forgets to clean up.
package durpatch

import durable "github.com/durablegen/durablegen/runtime"

//durable:activity
func Pack(order string) (string, error) { return order, nil }

//durable:activity
func Check(order string) error { return nil }

const checkFirst = "check-first"

//durable:orchestrator
func Inserted(ctx durable.Context, in string) (string, error) {
	if ctx.Version(checkFirst) {
		if err := CheckActivity.Call(ctx, in); err != nil {
			return "", err
		}
	}
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func Removed(ctx durable.Context, in string) (string, error) {
	if !ctx.Version("no-check") {
		if err := CheckActivity.Call(ctx, in); err != nil {
			return "", err
		}
	}
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func Replaced(ctx durable.Context, in string) (string, error) {
	if ctx.Version("shout") {
		return PackActivity.Call(ctx, in+"!")
	} else {
		return PackActivity.Call(ctx, in)
	}
}

//durable:orchestrator
func Kept(ctx durable.Context, in string) (string, error) {
	shouts := ctx.Version("shout") && in != ""
	if shouts {
		in += "!"
	}
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func Same(ctx durable.Context, in string) (string, error) {
	if ctx.Version("shout") { // want DUR401
		return PackActivity.Call(ctx, in) // as before
	} else {
		return PackActivity.Call(ctx,
			in)
	}
}

//durable:orchestrator
func EmptyOldWay(ctx durable.Context, in string) (string, error) {
	if !ctx.Version("shout") { // want DUR401
	}
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func EmptyWays(ctx durable.Context, in string) (string, error) {
	if (ctx.Version)("shout") { // want DUR401
	} else {
	}
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func LeftOver(ctx durable.Context, in string) (string, error) {
	ctx.Version("shout") // want DUR402
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func LeftOverBlank(ctx durable.Context, in string) (string, error) {
	_ = ctx.Version("shout") // want DUR402
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func Named(ctx durable.Context, in string) (string, error) {
	if ctx.Version("change-" + in) { // want DUR403
		in += "!"
	}
	return PackActivity.Call(ctx, in)
}

//durable:orchestrator
func NamedConstant(ctx durable.Context, in string) (string, error) {
	if ctx.Version(checkFirst + "-again") {
		in += "!"
	}
	return PackActivity.Call(ctx, in)
}
