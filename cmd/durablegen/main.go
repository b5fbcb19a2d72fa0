// Durablegen writes the typed handles and the registration of packages with //durable: directives.
//
//	durablegen [flags] [packages]          generate
//	durablegen check [flags] [packages]    fail when a generated file is not what it should be
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
// Exit codes: 0 when all is well; 1 when the code has mistakes or, for check, a file is stale; 2 for wrong usage or when
// the run itself failed.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
