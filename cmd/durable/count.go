package main

import (
	"cmp"
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

// countable are the properties to count by.
var countable = map[string]func(durable.Instance) string{
	"":       nil,
	"status": func(i durable.Instance) string { return string(i.Status) },
	"name":   func(i durable.Instance) string { return i.Name },
}

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
			property, ok := countable[by]
			if !ok {
				return exit.Usagef("--by %q: want status or name", by)
			}
			return s.with(cmd.Context(), func(h *hub) error {
				t, counts := total{}, map[string]int{}
				err := f.Each(cmd.Context(), h.Client, s.now(), 0, nil, func(i durable.Instance) bool {
					t.Count++
					if property != nil {
						counts[property(i)]++
					}
					return true
				})
				if err != nil {
					return err
				}
				t.share(counts)
				return s.tellTotal(t)
			})
		},
	}
	s.chooses(cmd, &f)
	cmd.Flags().StringVar(&by, "by", by, "`property` to count by, too: status or name")
	complete(cmd, "by", []string{"status", "name"})
	return cmd
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
