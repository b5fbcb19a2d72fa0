package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
)

func raiseCommand(s *session) *cobra.Command {
	var m many
	var data string
	cmd := &cobra.Command{
		Use:   "raise EVENT ID... | -",
		Short: "Send an event to instances",
		Example: `  durable raise paid order-17 --data '{"amount": 12}'
  durable raise check --name Pay --status Running --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit.Usagef("name the event, then say who gets it: durable raise paid order-17")
			}
			event, ids := args[0], args[1:]
			if data == "-" && len(ids) == 1 && ids[0] == "-" {
				return exit.Usagef("stdin cannot be both the ids and the data")
			}
			value, err := s.given("--data", data)
			if err != nil {
				return err
			}
			return s.act(cmd, ids, &m, deed{does: "raise " + event + " to", did: "raised " + event + " to", to: live, do: func(ctx context.Context, h *hub, of instance) (string, error) {
				return "", h.Raise(ctx, of.ID, event, value)
			}})
		},
	}
	s.acts(cmd, &m, live)
	cmd.Flags().StringVar(&data, "data", "", "what it carries, as `JSON`; @FILE reads a file, - reads stdin (default null)")
	return cmd
}
