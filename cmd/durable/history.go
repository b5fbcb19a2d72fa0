package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// chronicle is what programs are told of a history.
type chronicle struct {
	ID      string         `json:"id"`
	Status  durable.Status `json:"status"`
	Summary string         `json:"summary"`
	Steps   []durable.Step `json:"steps"`
}

func chronicleOf(h durable.History) chronicle {
	c := chronicle{ID: h.Instance.ID, Status: h.Instance.Status, Summary: h.Summary, Steps: append([]durable.Step{}, h.Steps...)}
	for n := range c.Steps {
		c.Steps[n].Input, c.Steps[n].Result = payload(c.Steps[n].Input), payload(c.Steps[n].Result)
	}
	return c
}

func historyCommand(s *session) *cobra.Command {
	var f choose.Flags
	payloads := false
	cmd := &cobra.Command{
		Use:   "history ID... | -",
		Short: "Show step by step what instances have done",
		Example: `  durable history order-17
  durable history order-17 --payloads`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			return s.look(cmd, ids, &f, "show the history of", nil, func(ctx context.Context, h *hub, ids []string, single bool) error {
				all, err := each(ctx, s, ids, single, func(ctx context.Context, id string) (chronicle, error) {
					history, err := h.History(ctx, id)
					return chronicleOf(history), err
				})
				if len(all) == 0 && err != nil {
					return err
				}
				return cmp.Or(s.tellHistories(all, single, payloads), err)
			})
		},
	}
	s.chooses(cmd, &f)
	s.completesIDs(cmd, nil)
	cmd.Flags().BoolVar(&payloads, "payloads", false, "what went in and came out of each step, too; in JSON and YAML it is there anyway")
	return cmd
}

func (s *session) tellHistories(all []chronicle, single, payloads bool) error {
	p := s.printer()
	name := func(c chronicle) string { return c.ID }
	switch {
	case s.format != output.Table && !single:
		return output.List(p, all, name)
	case s.format != output.Table:
		return p.One(all[0], all[0].ID, nil)
	}
	for n, c := range all {
		if !single {
			if n > 0 {
				fmt.Fprintln(s.stdout)
			}
			fmt.Fprintln(s.stdout, p.Paint(output.Bold, output.Clean(c.ID)))
		}
		if err := output.List(p, c.Steps, nil, stepColumns(payloads)...); err != nil {
			return err
		}
		fmt.Fprintln(s.stdout, output.Clean(c.Summary))
	}
	return nil
}

func stepColumns(payloads bool) []output.Column[durable.Step] {
	all := []output.Column[durable.Step]{
		{Head: "TIME", Cell: func(s durable.Step) string { return clock(s.Began) }},
		{Head: "STEP", Cell: func(s durable.Step) string { return string(s.Kind) }},
		{Head: "NAME", Cell: func(s durable.Step) string { return cmp.Or(s.Name, s.Status) }},
		{Head: "STATE", Cell: func(s durable.Step) string { return string(s.State) }, Style: stepStyle},
		{Head: "TOOK", Cell: took},
		{Head: "DETAIL", Cell: detail},
	}
	if payloads {
		all = append(all,
			output.Column[durable.Step]{Head: "INPUT", Cell: func(s durable.Step) string { return short(s.Input) }},
			output.Column[durable.Step]{Head: "RESULT", Cell: func(s durable.Step) string { return short(s.Result) }},
		)
	}
	return all
}

func stepStyle(s durable.Step) output.Style {
	switch s.State {
	case durable.StepFailed:
		return output.Red
	case durable.StepOpen:
		return output.Blue
	case durable.StepDropped:
		return output.Faint
	}
	return output.Plain
}

// clock is a time in UTC for people who compare it with logs.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// took is how long a step lasted; what happened at once took no time.
func took(s durable.Step) string {
	if s.Ended.IsZero() || !s.Ended.After(s.Began) {
		return ""
	}
	return s.Ended.Sub(s.Began).Round(time.Millisecond).String()
}

// detail is what else there is to know of a step.
func detail(s durable.Step) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if s.Instance != "" {
		add("%s", s.Instance)
	}
	if s.Attempt > 1 || s.State == durable.StepOpen && s.Attempt > 0 {
		add("attempt %d%s", s.Attempt, of(s.Attempts))
	}
	if s.Outside {
		add("to be completed from outside")
	}
	if !s.Due.IsZero() {
		add("due %s", clock(s.Due))
	}
	if text := cmp.Or(s.Failure, s.LastErr); text != "" {
		add("%s", text)
	}
	if s.Reason != "" {
		add("%s", s.Reason)
	}
	return strings.Join(parts, ", ")
}

func of(attempts int) string {
	if attempts == 0 {
		return ""
	}
	return fmt.Sprintf(" of %d", attempts)
}
