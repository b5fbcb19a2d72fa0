package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// plan is what programs are told of what a rewind would do.
type plan struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Status     durable.Status `json:"status,omitempty"` // none of a child that was never started
	Failure    string         `json:"failure,omitempty"`
	Activities []planned      `json:"activities,omitempty"`
	Deliveries []planned      `json:"deliveries,omitempty"`
	Children   []plan         `json:"children,omitempty"`
	Decided    bool           `json:"decided"` // it has decided something after it saw a failure
}

// planned is an activity or a delivery that would run again.
type planned struct {
	Name  string          `json:"name"`
	To    string          `json:"to,omitempty"` // receiver of an event
	Slot  int             `json:"slot"`
	Open  bool            `json:"open"` // it has not failed, it had no result yet
	Input json.RawMessage `json:"input,omitempty"`
}

func planOf(p durable.RewindPlan) plan {
	to := plan{ID: p.ID, Name: p.Orchestrator, Status: p.Status, Failure: p.Failure, Decided: p.Decided}
	for _, a := range p.Activities {
		to.Activities = append(to.Activities, planned{Name: a.Name, Slot: a.Slot, Open: a.Open, Input: payload(a.Args)})
	}
	for _, d := range p.Deliveries {
		to.Deliveries = append(to.Deliveries, planned{Name: d.Event, To: d.To, Slot: d.Slot, Open: d.Open})
	}
	for _, c := range p.Children {
		to.Children = append(to.Children, planOf(c))
	}
	return to
}

func rewindCommand(s *session) *cobra.Command {
	var m many
	var reason string
	d := deed{does: "rewind", did: "rewound", to: []durable.Status{durable.Failed}, do: func(ctx context.Context, h *hub, of instance) (string, error) {
		return "", h.Rewind(ctx, of.ID, reason)
	}}
	cmd := &cobra.Command{
		Use:   "rewind ID... | -",
		Short: "Have failed instances go on: what failed runs again, everything else keeps its result",
		Example: `  durable rewind order-17 --dry-run
  durable rewind --name Pay --failed-step Charge --reason "the bank is back" --yes`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !m.dryRun {
				return s.act(cmd, ids, &m, d)
			}
			return s.look(cmd, ids, &m.Flags, d.does, d.to, s.plans)
		},
	}
	s.acts(cmd, &m, d.to)
	cmd.Flags().StringVar(&reason, "reason", "", "`text` that is kept with it")
	return cmd
}

// plans tells what rewinds would do.
func (s *session) plans(ctx context.Context, h *hub, ids []string, single bool) error {
	all, err := each(ctx, s, ids, single, func(ctx context.Context, id string) (plan, error) {
		p, err := h.RewindPlan(ctx, id)
		return planOf(p), err
	})
	if len(all) == 0 && err != nil {
		return err
	}
	p := s.printer()
	switch {
	case s.format == output.Table:
		for _, one := range all {
			one.tell(s.stdout, "")
		}
		if len(all) == 0 {
			fmt.Fprintln(s.stdout, "no instance fits")
		}
		return err
	case single:
		return p.One(all[0], all[0].ID, nil)
	}
	return cmp.Or(output.List(p, all, func(p plan) string { return p.ID }), err)
}

// tell tells people.
func (p plan) tell(w io.Writer, indent string) {
	says := func(format string, args ...any) { fmt.Fprintln(w, indent+output.Clean(fmt.Sprintf(format, args...))) }
	head := p.ID + " (" + p.Name + ")"
	switch p.Status {
	case durable.Failed:
		says("%s failed: %s", head, p.Failure)
	case "":
		says("%s would be started: it never was", head)
	default:
		says("%s is %s, and would tell its result again", head, p.Status)
	}
	indent += "  "
	for _, a := range p.Activities {
		says("would run %s again%s%s", a.Name, opened(a.Open), with(a.Input))
	}
	for _, d := range p.Deliveries {
		says("would deliver %s to %s again%s", d.Name, d.To, opened(d.Open))
	}
	for _, c := range p.Children {
		c.tell(w, indent)
	}
	if p.Status == durable.Failed && len(p.Activities)+len(p.Deliveries)+len(p.Children) == 0 {
		says("would run its own code again: nothing else failed")
	}
	if p.Decided {
		says("it has decided something after the failure: from the first decision on that differs, it decides anew")
	}
}

func opened(open bool) string {
	if open {
		return ", which had no result yet"
	}
	return ""
}

func with(input json.RawMessage) string {
	if len(input) == 0 {
		return ""
	}
	return " with " + strings.TrimSpace(short(input))
}
