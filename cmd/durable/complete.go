package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	durable "github.com/durablegen/durablegen/runtime"
)

// A shell waits for completions: they are quick, few, or none.
const (
	completionTimeout = time.Second
	completions       = 50
)

// completesIDs has the arguments of a verb completed with ids of instances in these states, nil: in any.
func (s *session) completesIDs(cmd *cobra.Command, in []durable.Status) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return s.completion(cmd, func(ctx context.Context, h *hub) (words []string, err error) {
			all, _, err := h.ListPage(ctx, durable.Filter{IDPrefix: begun, Statuses: in, Limit: completions}, "")
			for _, inst := range all {
				words = append(words, cobra.CompletionWithDesc(inst.ID, inst.Name+", "+string(inst.Status)))
			}
			return words, err
		})
	}
}

// orchestrators are completions of the name of an orchestrator.
func (s *session) orchestrators(cmd *cobra.Command) ([]string, cobra.ShellCompDirective) {
	return s.completion(cmd, func(ctx context.Context, h *hub) (words []string, err error) {
		all, err := h.Orchestrators(ctx)
		for _, o := range all {
			words = append(words, o.Name)
		}
		return words, err
	})
}

// completion asks the hub, with the flags that are on the line so far.
func (s *session) completion(cmd *cobra.Command, ask func(context.Context, *hub) ([]string, error)) (words []string, _ cobra.ShellCompDirective) {
	if err := s.Resolve(s.getenv); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	err := s.with(ctx, func(h *hub) (err error) {
		words, err = ask(ctx, h)
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
