package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// The exit codes.
const (
	exitOK = iota
	exitProblems
	exitUsage
)

// errProblems ends a command that has said what is wrong.
var errProblems = errors.New("problems are left")

// usageError is a mistake in the command line.
type usageError struct{ error }

// run is the whole command. Every verb is a file that adds itself in root.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	cmd := root(getenv)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errProblems):
		return exitProblems
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "durable: %v\nRun durable -h for help.\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "durable: %v\n", err)
	return exitProblems
}

func root(getenv func(string) string) *cobra.Command {
	c := connection{getenv: getenv}
	cmd := &cobra.Command{
		Use:           "durable",
		Short:         "Look after a task hub of durable orchestrations",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:          only(0),
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := cmd.PersistentFlags()
	flags.StringVar(&c.server, "server", "", "`URL` of the NATS server; defaults to NATS_URL, then nats://127.0.0.1:4222")
	flags.StringVar(&c.hub, "hub", "default", "`name` of the task hub")
	flags.StringVar(&c.creds, "creds", "", "credentials `file`")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Second, "for connecting")
	cmd.AddCommand(doctorCommand(&c))
	return cmd
}

// only accepts n arguments.
func only(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("unexpected argument %q", args[n])}
		}
		return nil
	}
}

// connection is where the hub is.
type connection struct {
	getenv             func(string) string
	server, hub, creds string
	timeout            time.Duration
}

func (c *connection) open(ctx context.Context) (*natsbackend.Backend, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return natsbackend.Connect(ctx, natsbackend.Config{
		URL: cmp.Or(c.server, c.getenv("NATS_URL")), Hub: c.hub, Creds: c.creds, Name: "durable",
	})
}
