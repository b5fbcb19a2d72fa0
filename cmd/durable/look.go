package main

import (
	"context"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// look runs do on the ids that are given, or else chosen: by a filter without a status those of instances in the states
// to. single tells that it is one that was given: its verb tells of one thing, not of a list with one.
func (s *session) look(cmd *cobra.Command, ids []string, f *choose.Flags, verb string, to []durable.Status, do func(ctx context.Context, h *hub, ids []string, single bool) error) error {
	single := len(ids) == 1 && ids[0] != "-"
	ids, err := s.chosen(ids, f, verb)
	if err != nil {
		return err
	}
	return s.with(cmd.Context(), func(h *hub) error {
		targets, err := s.targets(cmd.Context(), h, ids, f, to)
		if err != nil {
			return err
		}
		all := make([]string, len(targets))
		for n, t := range targets {
			all[n] = t.ID
		}
		return do(cmd.Context(), h, all, single)
	})
}

// each asks about several instances at once, and gives the answers in the order of the ids. What cannot be answered is
// told on stderr, and is left out; the error says how to exit then.
func each[T any](ctx context.Context, s *session, ids []string, single bool, ask func(ctx context.Context, id string) (T, error)) ([]T, error) {
	answers, errs := make([]T, len(ids)), make([]error, len(ids))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for n, id := range ids {
		g.Go(func() error {
			errs[n] = s.briefly(ctx, func(ctx context.Context) (err error) {
				answers[n], err = ask(ctx, id)
				return err
			})
			return nil
		})
	}
	_ = g.Wait() // each has its own error
	if single {
		if errs[0] != nil {
			return nil, errs[0]
		}
		return answers, nil
	}
	var had []T
	sum, codes := summary{}, map[exit.Code]bool{}
	for n, err := range errs {
		if err == nil {
			had = append(had, answers[n])
			sum.Done++
			continue
		}
		sum.Failed++
		codes[exit.Of(err)] = true
		s.mention(err)
	}
	return had, verdict(sum, codes)
}
