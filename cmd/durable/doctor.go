package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/runtime/doctor"
)

func doctorCommand(s *session) *cobra.Command {
	var cfg doctor.Config
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Compare what the hub shows of its instances with its log and archive",
		Long: `Compare what the hub shows of its instances with its log and archive, and say what is wrong and what helps.
With --fix it is mended, also while workers run. What only the owner of a live instance knows (its custom status,
what it waits for) needs a worker of its group.`,
		Example: `  durable doctor --server nats://10.0.0.5:4222 --hub orders
  durable doctor --fix`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error {
				report, err := doctor.Examine(cmd.Context(), h.backend, cfg)
				if err != nil {
					return err
				}
				return tell(s.stdout, report)
			})
		},
	}
	cmd.Flags().BoolVar(&cfg.Fix, "fix", false, "mend what is found")
	cmd.Flags().DurationVar(&cfg.Patience, "patience", 10*time.Second, "how long to wait for the owner of a live instance")
	return cmd
}

// tell prints a report; an error when something is left.
func tell(w io.Writer, r doctor.Report) error {
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%-8s  %s (%s): %s\n", f.Kind, f.ID, f.Group, f.What)
		switch {
		case f.Fixed:
			fmt.Fprintf(w, "          fixed: %s\n", f.Cure)
		case f.Err != nil:
			fmt.Fprintf(w, "          not fixed: %s: %v\n", f.Cure, f.Err)
		default:
			fmt.Fprintf(w, "          --fix would %s\n", f.Cure)
		}
	}
	fmt.Fprintf(w, "%d states, %d archive entries, %d instances in the log: %d found, %d left\n",
		r.States, r.Archived, r.Logged, len(r.Findings), r.Left())
	if r.Left() > 0 {
		return exit.Silent(exit.Error)
	}
	return nil
}
