// Durable looks after a task hub:
//
//	durable doctor         tell what is wrong with what the hub shows of its instances
//	durable doctor --fix   and mend it
//
// Exit codes: 0 when all is well; 1 when something was found and is not mended, or the run failed; 2 for wrong usage.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
