package main

import (
	"context"

	"github.com/spf13/cobra"
)

func cancelCommand(s *session) *cobra.Command {
	var m many
	var reason string
	d := deed{does: "cancel", did: "asked to end", to: live, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		return "", h.Cancel(ctx, of.ID, reason)
	}}
	cmd := &cobra.Command{
		Use:     "cancel ID... | -",
		Short:   "Ask instances to end by themselves, after they have compensated",
		Example: `  durable cancel order-17 --reason "the customer has called"`,
		RunE:    func(cmd *cobra.Command, ids []string) error { return s.act(cmd, ids, &m, d) },
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that is kept with it")
	return cmd
}
