package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// reason is what programs are told of why.
type reason struct {
	ID      string         `json:"id"`
	Status  durable.Status `json:"status"`
	Summary string         `json:"summary"`
	Help    string         `json:"help,omitempty"`

	code exit.Code
}

func whyCommand(s *session) *cobra.Command {
	var f choose.Flags
	cmd := &cobra.Command{
		Use:   "why ID... | -",
		Short: "Say in one sentence what instances wait for, or how they ended, and what would help",
		Long: `Say in one sentence what instances wait for, or how they ended, and what would help. It exits with 4 when one has
Failed, 5 when one was Terminated or Canceled, 10 when one is parked because its code does not fit its history, else 0.`,
		Example: `  durable why order-17
  durable why --status Running --created-before 1d`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			return s.look(cmd, ids, &f, "tell why of", nil, s.why)
		},
	}
	s.chooses(cmd, &f)
	s.completesIDs(cmd, nil)
	return cmd
}

func (s *session) why(ctx context.Context, h *hub, ids []string, single bool) error {
	all, err := each(ctx, s, ids, single, func(ctx context.Context, id string) (reason, error) {
		history, err := h.History(ctx, id)
		return reasonOf(history), err
	})
	if len(all) == 0 && single {
		return err
	}
	if wrong := s.tellReasons(all, single); wrong != nil {
		return wrong
	}
	for _, r := range all {
		if err == nil && r.code != exit.OK {
			err = exit.Silent(r.code)
		}
	}
	return err
}

func reasonOf(h durable.History) reason {
	i := h.Instance
	r := reason{ID: i.ID, Status: i.Status, Summary: h.Summary}
	switch {
	case i.Nondeterministic():
		r.code = exit.Nondeterminism
		r.Help = "deploy code that fits its history, or `durable terminate " + i.ID + "`"
	case i.Parked != "":
		r.Help = "start a worker that has its code, or `durable terminate " + i.ID + "`"
	case i.Status == durable.Failed:
		r.code = exit.Failed
		r.Help = "mend the cause, then `durable rewind " + i.ID + "`: only what failed runs again"
	case i.Status == durable.Terminated, i.Status == durable.Canceled:
		r.code = exit.Ended
		r.Help = "`durable restart " + i.ID + "` begins anew"
	case i.Status == durable.Suspended:
		r.Help = "`durable resume " + i.ID + "` has it go on"
	case i.Status == durable.Pending && i.ScheduledFor.IsZero():
		r.Help = "`durable workers` tells which workers run"
	}
	return r
}

func (s *session) tellReasons(all []reason, single bool) error {
	p := s.printer()
	if single {
		return p.One(all[0], all[0].ID, func(w io.Writer) {
			fmt.Fprintln(w, output.Clean(all[0].Summary))
			if all[0].Help != "" {
				fmt.Fprintln(w, p.Paint(output.Faint, output.Clean(all[0].Help)))
			}
		})
	}
	return output.List(p, all, func(r reason) string { return r.ID },
		output.Column[reason]{Head: "ID", Cell: func(r reason) string { return r.ID }},
		output.Column[reason]{Head: "WHY", Cell: func(r reason) string { return r.Summary }},
	)
}
