// Durablegen writes the typed handles, the registration and the lock of packages with //durable: directives.
//
//	durablegen [flags] [packages]          generate
//	durablegen check [flags] [packages]    fail when a change would break running instances, or a file is stale
//	durablegen lint [flags] [packages]     prove that orchestrators are deterministic, or say where they are not
//
// It is usually run by go generate:
//
//	//go:generate go tool durablegen .
//
// It is a tool for go vet, too:
//
//	go vet -vettool=$(go tool -n durablegen) ./...
//
// Exit codes: 0 when all is well; 1 when the code has mistakes; 2 for wrong usage or when the run itself failed. Of check: 1
// when a change would break running instances or a file is stale, 2 when the code could not be loaded.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // it is over before the garbage matters: a fifth less CPU for a fifth more memory
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
