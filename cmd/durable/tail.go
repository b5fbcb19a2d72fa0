package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// happening is what programs are told of what happens.
type happening struct {
	Seq     uint64           `json:"seq"`
	Time    time.Time        `json:"time"`
	Kind    durable.StepKind `json:"kind"` // started, event, ended, or what was asked: suspended, resumed, canceled, terminated, rewound
	ID      string           `json:"id"`
	Name    string           `json:"name,omitempty"`  // of the orchestrator; none when the hub does not know it any more
	Event   string           `json:"event,omitempty"` // its name
	Parent  string           `json:"parent,omitempty"`
	Status  durable.Status   `json:"status,omitempty"`
	Failure string           `json:"failure,omitempty"`
	Reason  string           `json:"reason,omitempty"`
}

func tailCommand(s *session) *cobra.Command {
	var name, prefix string
	var count int
	after := uint64(durable.FromNow)
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow what happens in the hub: starts, events, requests, ends",
		Long: `Follow what happens in the hub: starts, events, requests, ends. It goes on until it is interrupted, which is no error,
also when the server was away.`,
		Example: `  durable tail --name Pay
  durable tail -o jsonl | jq 'select(.status == "Failed")'`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.format == output.YAML || s.format == output.JSON { // a list that never ends is none
				s.format = output.JSONL
			}
			return s.with(cmd.Context(), func(h *hub) error {
				fmt.Fprintf(s.stderr, "Following the hub %s.\n", h.Hub())
				return s.tail(cmd.Context(), h, after, name, prefix, count)
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "of this `orchestrator`: its name, or the last part of it")
	cmd.Flags().StringVar(&prefix, "prefix", "", "of instances whose id begins with this `text`")
	cmd.Flags().Uint64Var(&after, "after", after, "go on after this `seq` of an earlier output; 0: begin with all that the log still has")
	cmd.Flags().Lookup("after").DefValue = "0" // which help leaves out: by default it is from now on
	cmd.Flags().IntVar(&count, "count", 0, "end after this many; 0: never")
	if err := cmd.RegisterFlagCompletionFunc("name", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return s.orchestrators(cmd)
	}); err != nil {
		panic(err) // there is no such flag
	}
	return cmd
}

func (s *session) tail(ctx context.Context, h *hub, after uint64, name, prefix string, count int) error {
	known := namer{s: s, h: h, names: map[string]string{}}
	told := 0
	for event, err := range h.Follow(ctx, after) {
		switch {
		case err != nil && ctx.Err() != nil:
			return nil // interrupted
		case err != nil:
			return err
		case !strings.HasPrefix(event.ID, prefix):
			continue
		}
		one := happeningOf(event)
		if one.Name, err = known.name(ctx, event); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if name != "" && !choose.Named(one.Name, name) {
			continue
		}
		if err := s.tellHappening(one); err != nil {
			return err
		}
		if told++; told == count {
			return nil
		}
	}
	return nil
}

func happeningOf(h durable.Happening) happening {
	one := happening{Seq: h.Seq, Time: h.Time.UTC(), Kind: h.Kind, ID: h.ID, Parent: h.ParentID, Status: h.Status, Failure: h.Failure, Reason: h.Reason}
	if h.Kind == durable.StepEvent {
		one.Event = h.Name
	}
	return one
}

// namer knows of which orchestrators instances are: from their starts, or else from the hub.
type namer struct {
	s     *session
	h     *hub
	names map[string]string
}

const mostNames = 10_000

func (n *namer) name(ctx context.Context, h durable.Happening) (string, error) {
	if h.Kind == durable.StepStarted {
		n.keep(h.ID, h.Name)
		return h.Name, nil
	}
	if name, known := n.names[h.ID]; known {
		if h.Kind == durable.StepEnded {
			delete(n.names, h.ID)
		}
		return name, nil
	}
	var inst durable.Instance
	err := n.s.briefly(ctx, func(ctx context.Context) (err error) {
		inst, err = n.h.Get(ctx, h.ID)
		return err
	})
	switch {
	case errors.Is(err, durable.ErrNotFound), exit.Of(err) == exit.Refused: // it has gone, or the server has for a moment
		return "", nil
	case err != nil:
		return "", err
	}
	n.keep(h.ID, inst.Name)
	return inst.Name, nil
}

// keep forgets others rather than growing.
func (n *namer) keep(id, name string) {
	if len(n.names) >= mostNames {
		clear(n.names)
	}
	n.names[id] = name
}

func (s *session) tellHappening(h happening) error {
	p := s.printer()
	if s.format != output.Table {
		return output.List(p, []happening{h}, func(h happening) string { return h.ID })
	}
	what, style := string(h.Kind), output.Faint
	switch h.Kind {
	case durable.StepEnded:
		what, style = string(h.Status), styleOf(instance{Status: h.Status})
	case durable.StepStarted:
		style = output.Blue
	case durable.StepEvent:
		what, style = "event "+h.Event, output.Plain
	case durable.StepCanceled, durable.StepTerminated, durable.StepSuspended, durable.StepResumed, durable.StepRewound:
		what = "to be " + what
	}
	line := fmt.Sprintf("%s  %s  %s  %s", clock(h.Time), p.Paint(style, output.Clean(what)), output.Clean(h.ID), output.Clean(h.Name))
	if text := h.Failure + h.Reason; text != "" {
		line += "  " + output.Clean(text)
	}
	_, err := fmt.Fprintln(s.stdout, line)
	return err
}
