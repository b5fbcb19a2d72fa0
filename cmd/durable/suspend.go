package main

import (
	"context"

	"github.com/spf13/cobra"

	durable "github.com/durablegen/durablegen/runtime"
)

func suspendCommand(s *session) *cobra.Command {
	var m many
	var reason string
	d := deed{does: "suspend", did: "suspended", to: []durable.Status{durable.Pending, durable.Running}, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		return "", h.Suspend(ctx, of.ID, reason)
	}}
	cmd := &cobra.Command{
		Use:   "suspend ID... | -",
		Short: "Have instances keep their messages until they are resumed",
		Example: `  durable suspend order-17 --reason "the bank is down"
  durable suspend --name Pay --dry-run`,
		RunE: func(cmd *cobra.Command, ids []string) error { return s.act(cmd, ids, &m, d) },
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that is kept with it")
	return cmd
}
