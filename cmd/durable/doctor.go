package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/doctor"
)

func doctorCommand(s *session) *cobra.Command {
	var cfg doctor.Config
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong with the hub, and mend it",
		Long: `Look for what is wrong with the hub, and say what helps: clocks that differ, limits that are nearly reached, replicas that
lag, work that no worker takes or that one does not finish, parked instances, and what the hub shows of its instances
against its log and archive. It reads all of them.

With --fix it mends what the hub shows, also while workers run. What only the owner of a live instance knows (its custom
status, what it waits for) needs a worker of its group. It exits with 0 when nothing is left, with 1 otherwise.`,
		Example: `  durable doctor --server nats://10.0.0.5:4222 --hub orders
  durable doctor --fix`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error {
				report, err := doctor.Examine(cmd.Context(), h.backend, cfg)
				if err != nil {
					return err
				}
				return s.tellReport(report)
			})
		},
	}
	cmd.Flags().BoolVar(&cfg.Fix, "fix", false, "mend what is found")
	cmd.Flags().DurationVar(&cfg.Patience, "patience", 10*time.Second, "how long to wait for the owner of a live instance")
	cmd.Flags().DurationVar(&cfg.Silence, "silence", time.Minute, "how long a message may wait for a worker, or in one")
	return cmd
}

// finding is what programs are told of a finding.
type finding struct {
	doctor.Finding
	Error string `json:"error,omitempty"` // why it is not fixed, although that was tried
}

// tellReport prints a report; an error when something is left.
func (s *session) tellReport(r doctor.Report) error {
	v := struct {
		doctor.Report
		Findings []finding `json:"findings"`
		Left     int       `json:"left"`
	}{Report: r, Findings: []finding{}, Left: r.Left()}
	for _, f := range r.Findings {
		told := finding{Finding: f}
		if f.Err != nil {
			told.Error = exit.Message(f.Err)
		}
		v.Findings = append(v.Findings, told)
	}
	err := s.printer().One(v, r.Hub, func(w io.Writer) {
		s.tellFacts(w, r)
		for _, f := range v.Findings {
			s.tellFinding(w, f)
		}
		fmt.Fprintf(w, "%d states, %d archive entries, %d instances in the log: %d found, %d left\n",
			r.States, r.Archived, r.Logged, len(r.Findings), v.Left)
	})
	if err == nil && v.Left > 0 {
		err = exit.Silent(exit.Error)
	}
	return err
}

// tellFacts prints what is no finding.
func (s *session) tellFacts(w io.Writer, r doctor.Report) {
	line := func(head, text string) { fmt.Fprintf(w, "%-9s  %s\n", head, output.Clean(text)) }
	line("hub", r.Hub+" on "+r.Usage.Server)
	line("writes", r.Durability)
	line("user", userOf(r.Usage))
	for _, st := range r.Usage.Stores {
		line(st.Holds, fmt.Sprintf("%d messages, %s", st.Messages, size(st.Bytes)))
	}
	fmt.Fprintln(w)
}

// userOf tells as whom the command is connected, and what that user may do.
func userOf(u durable.Usage) string {
	if u.User == "" && len(u.Roles) == 0 {
		return "the server does not tell as whom this is connected"
	}
	may := strings.Join(u.Roles, ", ")
	if may == "" {
		may = "none of the roles of `durable permissions`"
	}
	return fmt.Sprintf("%s of account %s, who may be: %s", cmp.Or(u.User, "anybody"), cmp.Or(u.Account, "(none)"), may)
}

func (s *session) tellFinding(w io.Writer, f finding) {
	of := f.ID
	if f.Group != "" && f.ID != "" {
		of += " (" + f.Group + ")"
	}
	if of != "" {
		of += ": "
	}
	style := output.Yellow
	if f.Severity == doctor.Error {
		style = output.Red
	}
	fmt.Fprintf(w, "%s  %s\n", s.printer().Paint(style, fmt.Sprintf("%-9s", f.Kind)), output.Clean(of+f.What))
	help := "help: " + f.Cure
	switch {
	case f.Fixed:
		help = "fixed: " + f.Cure
	case f.Error != "":
		help = "not fixed: " + f.Cure + ": " + f.Error
	case f.Fixable:
		help = "--fix would " + f.Cure
	}
	fmt.Fprintf(w, "           %s\n", output.Clean(help))
}
