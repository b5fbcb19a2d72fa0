package main

import (
	"context"

	"github.com/spf13/cobra"

	durable "github.com/durablegen/durablegen/runtime"
)

func terminateCommand(s *session) *cobra.Command {
	var m many
	var reason string
	var keep bool
	d := deed{does: "terminate", did: "terminated", to: live, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		var opts []durable.TerminateOption
		if keep {
			opts = append(opts, durable.KeepChildren())
		}
		return "", h.Terminate(ctx, of.ID, reason, opts...)
	}}
	cmd := &cobra.Command{
		Use:   "terminate ID... | -",
		Short: "End instances and their children at once, without running their code",
		Example: `  durable terminate order-17 --reason "wrong input"
  durable list --status Failed -o name | durable terminate -`,
		RunE: func(cmd *cobra.Command, ids []string) error { return s.act(cmd, ids, &m, d) },
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that is kept with it")
	cmd.Flags().BoolVar(&keep, "keep-children", false, "let their children go on")
	return cmd
}
