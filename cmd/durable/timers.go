package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func timersCommand(s *session) *cobra.Command {
	limit := 100
	cmd := &cobra.Command{
		Use:   "timers [ID]",
		Short: "List timers that have not fired, and next attempts of activities, the soonest first",
		Example: `  durable timers order-17
  durable timers --limit 0 -o jsonl`,
		Args: between(0, 1, ""),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if limit < 0 {
				return exit.Usagef("--limit %d: want a positive number, or 0 for no limit", limit)
			}
			id := ""
			if len(ids) > 0 {
				id = ids[0]
			}
			return s.with(cmd.Context(), func(h *hub) error { return s.timers(cmd.Context(), h, id, limit) })
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "most timers; 0: no limit")
	s.completesIDs(cmd, live)
	return cmd
}

func (s *session) timers(ctx context.Context, h *hub, id string, limit int) error {
	most := limit
	if limit > 0 {
		most++ // to know whether there are more
	}
	timers, err := h.Timers(ctx, id, most)
	if err != nil {
		return err
	}
	more := limit > 0 && len(timers) > limit
	if more {
		timers = timers[:limit]
	}
	type column = output.Column[durable.PendingTimer]
	now := s.now()
	err = output.List(s.printer(), timers, func(t durable.PendingTimer) string { return t.Instance },
		column{Head: "DUE", Cell: func(t durable.PendingTimer) string { return ago(now, t.Due) }},
		column{Head: "AT", Cell: func(t durable.PendingTimer) string { return t.Due.UTC().Format("2006-01-02 15:04:05") }},
		column{Head: "INSTANCE", Cell: func(t durable.PendingTimer) string { return t.Instance }},
		column{Head: "GROUP", Cell: func(t durable.PendingTimer) string { return t.Group }},
		column{Head: "WHAT", Cell: func(t durable.PendingTimer) string {
			if t.Activity == "" {
				return "timer"
			}
			return fmt.Sprintf("attempt %d of %s", t.Attempt, t.Activity)
		}},
	)
	if err == nil && more {
		fmt.Fprintf(s.stderr, "There are more than %d: --limit 0 lists all.\n", limit)
	}
	return err
}
