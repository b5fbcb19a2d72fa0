package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func listCommand(s *session) *cobra.Command {
	var f choose.Flags
	limit := 100
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List instances, the newest first",
		Example: `  durable list --status Failed --created-after 2h
  durable list --name VerifyPhone --tag customer=17 --limit 0 -o jsonl`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return exit.Usagef("--limit %d: want a positive number, or 0 for no limit", limit)
			}
			return s.with(cmd.Context(), func(h *hub) error { return s.list(cmd, h, &f, limit) })
		},
	}
	s.chooses(cmd, &f)
	cmd.Flags().IntVar(&limit, "limit", limit, "most instances; 0: no limit")
	return cmd
}

func (s *session) list(cmd *cobra.Command, h *hub, f *choose.Flags, limit int) error {
	var found []instance
	more := false
	most := limit
	if limit > 0 {
		most++ // to know whether there are more
	}
	err := f.Each(cmd.Context(), h.Client, s.now(), most, nil, func(inst durable.Instance) bool {
		if more = limit > 0 && len(found) == limit; !more {
			found = append(found, instanceOf(inst))
		}
		return !more
	})
	if err != nil {
		return err
	}
	if err := output.List(s.printer(), found, nameOf, columns(s.now())...); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(s.stderr, "There are more than %d: --limit 0 lists all.\n", limit)
	}
	return nil
}

// chooses gives a verb the flags that choose instances.
func (s *session) chooses(cmd *cobra.Command, f *choose.Flags) {
	f.AddFlags(cmd.Flags())
	var names []string
	for _, status := range choose.Statuses {
		names = append(names, string(status))
	}
	complete(cmd, "status", names)
}
