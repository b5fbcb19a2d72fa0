package main

import (
	"context"
	"sync"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
)

// look runs do on the ids that are given or chosen. single tells that it is one that was given: its verb tells of one
// thing, not of a list with one.
func (s *session) look(cmd *cobra.Command, ids []string, f *choose.Flags, verb string, do func(ctx context.Context, h *hub, ids []string, single bool) error) error {
	single := len(ids) == 1 && ids[0] != "-"
	ids, err := s.chosen(ids, f, verb)
	if err != nil {
		return err
	}
	return s.with(cmd.Context(), func(h *hub) error {
		targets, err := s.targets(cmd.Context(), h, ids, f, nil)
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
	turns := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for n, id := range ids {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			errs[n] = s.briefly(ctx, func(ctx context.Context) (err error) {
				answers[n], err = ask(ctx, id)
				return err
			})
		})
	}
	wg.Wait()
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
