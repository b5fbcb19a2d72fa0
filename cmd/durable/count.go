package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// share is how many instances have something in common.
type share struct {
	Of    string `json:"of"` // the status or name
	Count int    `json:"count"`
}

// total is what programs are told of a count.
type total struct {
	Count int     `json:"count"`
	By    []share `json:"by,omitempty"` // the most first
}

// countable are the properties to count by. Statuses are counted by the hub's index, names by looking at every instance.
var countable = []string{"", "status", "name"}

func countCommand(s *session) *cobra.Command {
	var f choose.Flags
	by := ""
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count instances",
		Example: `  durable count --status Failed --created-after 1h
  durable count --by status`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(countable, by) {
				return exit.Usagef("--by %q: want status or name", by)
			}
			return s.with(cmd.Context(), func(h *hub) error {
				counts, err := s.counts(cmd.Context(), h, &f, by)
				if err != nil {
					return err
				}
				t := total{}
				for _, n := range counts {
					t.Count += n
				}
				if by != "" {
					t.share(counts)
				}
				return s.tellTotal(t)
			})
		},
	}
	s.chooses(cmd, &f)
	cmd.Flags().StringVar(&by, "by", by, "`property` to count by, too: status or name")
	complete(cmd, "by", []string{"status", "name"})
	return cmd
}

// counts counts the instances that fit, by name or else by status.
func (s *session) counts(ctx context.Context, h *hub, f *choose.Flags, by string) (map[string]int, error) {
	counts := map[string]int{}
	if by == "name" {
		err := f.Each(ctx, h.Client, s.now(), 0, nil, func(i durable.Instance) bool { counts[i.Name]++; return true })
		return counts, err
	}
	found, err := f.Count(ctx, h.Client, s.now())
	for status, n := range found {
		counts[string(status)] = n
	}
	return counts, err
}

func (t *total) share(counts map[string]int) {
	for of, n := range counts {
		t.By = append(t.By, share{of, n})
	}
	slices.SortFunc(t.By, func(a, b share) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Of, b.Of)) })
}

func (s *session) tellTotal(t total) error {
	p := s.printer()
	if len(t.By) > 0 && s.format == output.Table {
		return output.List(p, append(t.By, share{"all", t.Count}), nil,
			output.Column[share]{Head: "OF", Cell: func(s share) string { return s.Of }},
			output.Column[share]{Head: "COUNT", Cell: func(s share) string { return fmt.Sprint(s.Count) }},
		)
	}
	return p.One(t, fmt.Sprint(t.Count), func(w io.Writer) { fmt.Fprintln(w, t.Count) })
}
