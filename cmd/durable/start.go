package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// starting are the flags of start.
type starting struct {
	id, version, at, reuse string
	tags                   []string
	wait                   bool
	limit                  time.Duration
}

var reuses = map[string]durable.Reuse{"fail": durable.FailIfExists, "attach": durable.AttachIfExists, "replace": durable.ReplaceFinished}

func startCommand(s *session) *cobra.Command {
	st := starting{reuse: "fail"}
	cmd := &cobra.Command{
		Use:   "start NAME [JSON | @FILE | -]",
		Short: "Start an orchestrator, by its wire name or the last part of it",
		Example: `  durable start VerifyPhone '"+41 79 555 01 01"' --id phone-17 --wait
  durable start orders.Pay @order.json --tag customer=17 --at 2h`,
		Args: between(1, 2, "the name of an orchestrator, and its input as JSON if it has one"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault // a file
			}
			return s.orchestrators(cmd)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := st.options(s.now())
			if err != nil {
				return err
			}
			input, err := s.given("the input", strings.Join(args[1:], ""))
			if err != nil {
				return err
			}
			return s.with(cmd.Context(), func(h *hub) error { return s.start(cmd.Context(), h, args[0], input, opts, st) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&st.id, "id", "", "`id` of the instance; a random one without it")
	flags.StringVar(&st.reuse, "reuse", st.reuse, "if the id is taken: fail, attach to what has it, or replace it when it has ended")
	flags.StringVar(&st.version, "version", "", "`version` of the orchestrator, in place of its workers'")
	flags.StringArrayVar(&st.tags, "tag", nil, "`key=value` to find it by; may be repeated")
	flags.StringVar(&st.at, "at", "", "`time` when it begins: 2026-05-04T12:00:00Z, or 2h for in two hours")
	flags.BoolVar(&st.wait, "wait", false, "wait for its end, and exit as durable wait does")
	flags.DurationVar(&st.limit, "timeout", 0, "with --wait: how long to wait at most; 0: as long as it takes")
	complete(cmd, "reuse", []string{"fail", "attach", "replace"})
	return cmd
}

func (st *starting) options(now time.Time) (opts []durable.StartOption, err error) {
	reuse, ok := reuses[st.reuse]
	switch {
	case !ok:
		return nil, exit.Usagef("--reuse %q: want fail, attach or replace", st.reuse)
	case st.id == "" && reuse != durable.FailIfExists:
		return nil, exit.Usagef("--reuse is about an --id")
	case st.id != "":
		opts = append(opts, durable.InstanceID(st.id), reuse)
	}
	tags, err := choose.Tags(st.tags)
	if err != nil {
		return nil, err
	}
	if tags != nil {
		opts = append(opts, tags)
	}
	if st.version != "" {
		opts = append(opts, durable.Version(st.version))
	}
	if st.at == "" {
		return opts, nil
	}
	if d, ok := choose.Span(strings.TrimPrefix(st.at, "in ")); ok {
		return append(opts, durable.StartAfter(d)), nil
	}
	at, ok := choose.Time(st.at, now)
	if !ok {
		return nil, exit.Usagef("--at %q is no time: want one such as 2026-05-04T12:00:00Z, or 2h for in two hours", st.at)
	}
	return append(opts, durable.StartAt(at)), nil
}

// begun is what programs are told of a start.
type begun struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (s *session) start(ctx context.Context, h *hub, name string, input []byte, opts []durable.StartOption, st starting) error {
	var id string
	err := s.briefly(ctx, func(ctx context.Context) (err error) {
		if name, err = wireName(ctx, h, name); err == nil {
			id, err = h.StartByName(ctx, name, input, opts...)
		}
		return err
	})
	if err != nil {
		return err
	}
	if st.wait {
		return s.await(ctx, h, []string{id}, st.limit, true)
	}
	return s.printer().One(begun{id, name}, id, func(w io.Writer) { fmt.Fprintln(w, id) })
}

// wireName completes the last part of a name, if there is no more than one orchestrator that it fits.
func wireName(ctx context.Context, h *hub, name string) (string, error) {
	if strings.Contains(name, ".") {
		return name, nil
	}
	all, err := h.Orchestrators(ctx)
	if err != nil {
		return "", err
	}
	var fit []string
	for _, o := range all {
		switch {
		case o.Name == name:
			return name, nil
		case strings.HasSuffix(o.Name, "."+name):
			fit = append(fit, o.Name)
		}
	}
	switch len(fit) {
	case 0:
		return name, nil // an alias, or an error that tells
	case 1:
		return fit[0], nil
	}
	return "", exit.Usagef("%s could be %s: give the whole name", name, strings.Join(fit, " or "))
}
