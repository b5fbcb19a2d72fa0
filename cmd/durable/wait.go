package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func waitCommand(s *session) *cobra.Command {
	var f choose.Flags
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "wait ID... | -",
		Short: "Wait until instances have ended, and print their results",
		Long: `Wait until instances have ended, and print their results. It exits with 0 when all are Completed, 4 when one has
Failed, 5 when one was Terminated or Canceled, 6 when one has not ended in time. Several are waited for at once and told of in the order in
which they were given; the worst decides: 4 before 5, then what could not be asked, then 3 for one that is not there, then 6.`,
		Example: `  durable wait order-17 --timeout 30s
  durable wait --name Pay --status Running -o jsonl`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			return s.look(cmd, ids, &f, "wait for", live, func(ctx context.Context, h *hub, ids []string, single bool) error {
				return s.await(ctx, h, ids, limit, single)
			})
		},
	}
	s.chooses(cmd, &f)
	s.completesIDs(cmd, live)
	cmd.Flags().DurationVar(&limit, "timeout", 0, "how long to wait at most; 0: as long as it takes")
	return cmd
}

// finished is what programs are told of an instance that has ended.
type finished struct {
	instance
	Result json.RawMessage `json:"result,omitempty"`
}

func finishedOf(i durable.Instance) finished { return finished{instanceOf(i), payload(i.Result)} }

// waitedFor is how many instances are waited for at the same time; the others have their turn as those end.
const waitedFor = 256

// await waits for all instances at once, and tells of them in their order when all have ended; single: as of one thing.
func (s *session) await(ctx context.Context, h *hub, ids []string, limit time.Duration, single bool) error {
	waiting := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	ends := make([]waited, len(ids))
	var g errgroup.Group
	g.SetLimit(waitedFor)
	for n, id := range ids {
		g.Go(func() error {
			ends[n] = s.awaitOne(ctx, waiting, h, id, limit)
			return nil
		})
	}
	_ = g.Wait() // each has its own error
	if single && ends[0].err != nil {
		return ends[0].err
	}
	var all []finished
	var worst error // it decides how to exit
	for _, e := range ends {
		switch {
		case e.err == nil:
			all = append(all, finishedOf(e.Instance))
			e.err = endOf(e.Instance)
		case ctx.Err() == nil: // else it is the same of all
			s.mention(e.err)
		}
		if worst == nil || e.err != nil && exit.Worse(exit.Of(e.err), exit.Of(worst)) {
			worst = e.err
		}
	}
	err := s.tellFinished(all, single)
	switch {
	case err != nil || worst == nil:
		return err
	case !single: // all of them have been told of
		return exit.Silent(exit.Of(worst))
	case s.format.ForPrograms(): // stdout has it
		s.mention(worst)
		return exit.Silent(exit.Of(worst))
	}
	return worst
}

// waited is what waiting for one instance came to.
type waited struct {
	durable.Instance
	err error
}

func (s *session) awaitOne(ctx, waiting context.Context, h *hub, id string, limit time.Duration) (w waited) {
	w.Instance, w.err = h.Wait(waiting, id)
	if w.err == nil || ctx.Err() != nil || !errors.Is(w.err, context.DeadlineExceeded) {
		return w
	}
	err := s.briefly(ctx, func(ctx context.Context) (err error) { // its turn may have come too late to see that it had ended
		w.Instance, err = h.Get(ctx, id)
		return err
	})
	switch {
	case err != nil:
		w.err = err
	case w.Status.Final():
		w.err = nil
	default:
		w.err = exit.With(exit.Timeout, fmt.Errorf("%s has not ended within %v: `durable why %s` tells what it waits for", id, limit, id))
	}
	return w
}

// endOf is the error of an instance that has ended otherwise than Completed.
func endOf(i durable.Instance) error {
	text := fmt.Sprintf("%s is %s", i.ID, i.Status)
	if i.Failure != "" {
		text += ": " + i.Failure
	}
	switch i.Status {
	case durable.Failed:
		return exit.With(exit.Failed, errors.New(text))
	case durable.Terminated, durable.Canceled:
		return exit.With(exit.Ended, errors.New(text))
	}
	return nil
}

func (s *session) tellFinished(all []finished, single bool) error {
	p := s.printer()
	name := func(f finished) string { return f.ID }
	switch {
	case single && len(all) == 0:
		return nil
	case single:
		return p.One(all[0], all[0].ID, func(w io.Writer) {
			if all[0].Status == durable.Completed {
				fmt.Fprintln(w, text(all[0].Result))
			}
		})
	}
	return output.List(p, all, name,
		output.Column[finished]{Head: "ID", Cell: name},
		output.Column[finished]{Head: "STATUS", Cell: func(f finished) string { return string(f.Status) }, Style: func(f finished) output.Style { return styleOf(f.instance) }},
		output.Column[finished]{Head: "RESULT", Cell: func(f finished) string {
			if f.Status != durable.Completed {
				return f.Failure
			}
			return text(f.Result)
		}},
	)
}

// text is a payload for people; nothing is null.
func text(payload json.RawMessage) string {
	if len(payload) == 0 {
		return "null"
	}
	return string(payload)
}
