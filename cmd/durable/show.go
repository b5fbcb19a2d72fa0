package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// portrait is what programs are told of one instance.
type portrait struct {
	instance
	Summary  string          `json:"summary"`
	Input    json.RawMessage `json:"input,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Failures []failure       `json:"failures,omitempty"` // what failed of what: the instance first, the root of the trouble last
	Children []child         `json:"children,omitempty"`
}

// failure is a step that failed, of the instance or of a child that it failed of.
type failure struct {
	Instance string `json:"instance"`
	Step     string `json:"step"` // name of the activity or child
	Attempt  int    `json:"attempt,omitempty"`
	Message  string `json:"message"`
	LastErr  string `json:"lastError,omitempty"`
	Site     string `json:"site,omitempty"` // file:line of the call
}

// child is an orchestration that an instance has started.
type child struct {
	ID    string            `json:"id"`
	Name  string            `json:"name"`
	State durable.StepState `json:"state"` // of the call
}

func showCommand(s *session) *cobra.Command {
	var f choose.Flags
	full := false
	cmd := &cobra.Command{
		Use:   "show ID... | -",
		Short: "Show all of an instance: times, input and result, what it waits for, why it failed, parent and children",
		Example: `  durable show order-17
  durable show order-17 -o json | jq .result`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			return s.look(cmd, ids, &f, "show", nil, func(ctx context.Context, h *hub, ids []string, single bool) error {
				all, err := each(ctx, s, ids, single, func(ctx context.Context, id string) (portrait, error) { return h.portrait(ctx, id) })
				if len(all) == 0 && err != nil {
					return err
				}
				return cmp.Or(s.tellPortraits(all, single, full), err)
			})
		},
	}
	s.chooses(cmd, &f)
	s.completesIDs(cmd, nil)
	cmd.Flags().BoolVar(&full, "full", false, "do not cut input and result at 4 KiB; in JSON and YAML they never are")
	return cmd
}

func (h *hub) portrait(ctx context.Context, id string) (portrait, error) {
	history, err := h.History(ctx, id)
	if err != nil {
		return portrait{}, err
	}
	i := history.Instance
	p := portrait{instance: instanceOf(i), Summary: history.Summary, Input: payload(i.Input), Result: payload(i.Result)}
	for _, s := range history.Steps {
		if s.Kind == durable.StepChild {
			p.Children = append(p.Children, child{s.Instance, s.Name, s.State})
		}
	}
	if i.Status == durable.Failed {
		p.Failures, err = h.failures(ctx, history, mostDeep)
	}
	return p, err
}

// mostDeep is through how many generations a failure is followed: each is a history to read.
const mostDeep = 10

// failures are the steps that an instance failed of, and those that its children failed of. A step whose error the
// instance's own does not hold has been handled.
func (h *hub) failures(ctx context.Context, history durable.History, deep int) (all []failure, err error) {
	for _, s := range history.Steps {
		if s.State != durable.StepFailed || s.Kind == durable.StepEnded || !strings.Contains(history.Instance.Failure, s.Failure) {
			continue
		}
		all = append(all, failure{history.Instance.ID, s.Name, s.Attempt, s.Failure, s.LastErr, s.Site})
		if s.Kind != durable.StepChild || deep == 0 {
			continue
		}
		of, err := h.History(ctx, s.Instance)
		if errors.Is(err, durable.ErrNotFound) { // it is not kept any more
			continue
		}
		if err != nil {
			return all, err
		}
		below, err := h.failures(ctx, of, deep-1)
		all = append(all, below...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func (s *session) tellPortraits(all []portrait, single, full bool) error {
	p := s.printer()
	switch {
	case single:
		return p.One(all[0], all[0].ID, func(w io.Writer) { s.describe(w, all[0], full) })
	case s.format != output.Table:
		return output.List(p, all, func(one portrait) string { return one.ID })
	}
	for n, one := range all {
		if n > 0 {
			fmt.Fprintln(s.stdout)
		}
		s.describe(s.stdout, one, full)
	}
	return nil
}

// describe tells people of an instance.
func (s *session) describe(w io.Writer, i portrait, full bool) {
	p, now := s.printer(), s.now()
	line := func(head, text string) {
		if text != "" {
			fmt.Fprintf(w, "%s  %s\n", p.Paint(output.Bold, fmt.Sprintf("%-9s", head)), text)
		}
	}
	line("id", output.Clean(i.ID))
	line("name", output.Clean(strings.TrimSpace(i.Name+" "+i.Version)))
	line("status", p.Paint(styleOf(i.instance), state(i.instance)))
	line("why", output.Clean(i.Summary))
	line("created", stamp(now, i.Created))
	line("updated", stamp(now, i.Updated))
	line("finished", stamp(now, i.Finished))
	line("begins", stamp(now, i.ScheduledFor))
	line("parent", output.Clean(i.Parent))
	if i.Root != i.ID {
		line("root", output.Clean(i.Root))
	}
	for _, key := range slices.Sorted(maps.Keys(i.Tags)) {
		line("tag", output.Clean(key+"="+i.Tags[key]))
	}
	for _, f := range i.Failures {
		line("failed", output.Clean(f.text()))
	}
	for _, c := range i.Children {
		line("child", output.Clean(fmt.Sprintf("%s (%s) %s", c.ID, c.Name, c.State)))
	}
	line("input", shown(i.Input, full))
	line("custom", shown(i.CustomStatus, full))
	line("result", shown(i.Result, full))
}

func (f failure) text() string {
	text := f.Instance + ": " + f.Step
	if f.Attempt > 0 {
		text += fmt.Sprintf(", attempt %d", f.Attempt)
	}
	if f.Site != "" {
		text += " at " + f.Site
	}
	return text + ": " + f.Message
}
