package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"

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
		Long: `Say in one sentence what instances wait for, or how they ended, and what would help. A live one says
"no worker for ..." first when none answers within a second that has its orchestrator in its version. It exits with 4 when one
has Failed, 5 when one was Terminated or Canceled, 10 when one is parked because its code does not fit its history, else 0.`,
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
	asked := &workersOf{served: map[[2]string]bool{}}
	all, err := each(ctx, s, ids, single, func(ctx context.Context, id string) (reason, error) {
		history, err := h.History(ctx, id)
		if err != nil {
			return reason{}, err
		}
		return asked.judge(ctx, h, history)
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

// workersOf remembers, by orchestrator and version, whether a worker runs it.
type workersOf struct {
	mu     sync.Mutex
	served map[[2]string]bool
}

// judge is reasonOf for what waits for its worker too.
func (asked *workersOf) judge(ctx context.Context, h *hub, of durable.History) (reason, error) {
	r, i := reasonOf(of), of.Instance
	if i.Status.Final() || i.Parked != "" {
		return r, nil
	}
	asked.mu.Lock()
	defer asked.mu.Unlock()
	code := [2]string{i.Name, i.Version}
	served, known := asked.served[code]
	if !known {
		var err error
		if served, err = h.Served(ctx, i); err != nil {
			return r, err
		}
		asked.served[code] = served
	}
	if !served {
		r.Summary = noWorker(i.Name, i.Version) + "; " + r.Summary
		r.Help = "start a worker that has its code; `durable workers` tells which workers run"
	}
	return r, nil
}

// noWorker says that nobody runs a version of an orchestrator.
func noWorker(name, version string) string {
	return "no worker for " + name + " version " + cmp.Or(version, "1")
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
