package main

import (
	"context"

	"github.com/spf13/cobra"

	durable "github.com/durablegen/durablegen/runtime"
)

func purgeCommand(s *session) *cobra.Command {
	var m many
	var children bool
	d := deed{does: "purge", did: "purged", to: ended, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		opts := []durable.PurgeOption{durable.PurgeRun(of.run)} // not one that has taken the place of what the filter found
		if children {
			opts = append(opts, durable.PurgeChildren())
		}
		_, err := h.Purge(ctx, of.ID, opts...)
		return "", err
	}}
	cmd := &cobra.Command{
		Use:   "purge ID... | -",
		Short: "Remove instances that have ended: result, history and all",
		Example: `  durable purge order-17
  durable purge --status Completed --created-before 30d --yes`,
		RunE: func(cmd *cobra.Command, ids []string) error { return s.act(cmd, ids, &m, d) },
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().BoolVar(&children, "children", false, "their children too, as far as they have ended; reads the whole projection for each instance")
	return cmd
}
