package main

import (
	"context"

	"github.com/spf13/cobra"

	durable "github.com/durablegen/durablegen/runtime"
)

func restartCommand(s *session) *cobra.Command {
	var m many
	var fresh bool
	d := deed{does: "restart", did: "restarted", to: ended, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		var opts []durable.RestartOption
		if fresh {
			opts = append(opts, durable.FreshID())
		}
		return h.Restart(ctx, of.ID, opts...)
	}}
	cmd := &cobra.Command{
		Use:   "restart ID... | -",
		Short: "Start instances that have ended again, from the beginning",
		Example: `  durable restart order-17
  durable restart order-17 --new-id`,
		RunE: func(cmd *cobra.Command, ids []string) error { return s.act(cmd, ids, &m, d) },
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().BoolVar(&fresh, "new-id", false, "beside the old one, under a random id; that need not have ended then")
	return cmd
}
