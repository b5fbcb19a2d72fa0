package main

import (
	"context"

	"github.com/spf13/cobra"

	durable "github.com/durablegen/durablegen/runtime"
)

func resumeCommand(s *session) *cobra.Command {
	var m many
	var reason string
	d := deed{does: "resume", did: "resumed", to: []durable.Status{durable.Suspended}, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		return "", h.Resume(ctx, of.ID, reason)
	}}
	cmd := &cobra.Command{
		Use:   "resume ID... | -",
		Short: "Go on with suspended instances",
		Example: `  durable resume order-17
  durable resume --name Pay --yes`,
		RunE: func(cmd *cobra.Command, ids []string) error { return s.act(cmd, ids, &m, d) },
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that is kept with it")
	return cmd
}
