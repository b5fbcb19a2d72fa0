// Durable looks after a task hub: its instances, its workers, its data. Run it with -h for its verbs.
//
// Exit codes are listed in docs/cli.md and in the package cmd/durable/internal/exit.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(command()) }

func command() int {
	cobra.EnableCommandSorting = false // help has them in the order of verbs
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], surroundings{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv})
}
