package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// branch is an instance with its children.
type branch struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Status   durable.Status `json:"status"`
	Created  time.Time      `json:"created"`
	Children []branch       `json:"children,omitempty"`

	instance instance
}

func treeCommand(s *session) *cobra.Command {
	whole := false
	cmd := &cobra.Command{
		Use:   "tree ID",
		Short: "Show an instance with its children, and theirs",
		Example: `  durable tree order-17
  durable tree order-17-child --root`,
		Args: between(1, 1, "the id of an instance"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd.Context(), func(h *hub) error {
				t, err := s.tree(cmd.Context(), h, args[0], whole)
				if err != nil {
					return err
				}
				return s.printer().One(t, t.ID, func(w io.Writer) { s.draw(w, t, "", "") })
			})
		},
	}
	s.completesIDs(cmd, nil)
	cmd.Flags().BoolVar(&whole, "root", false, "the whole family, from its topmost instance on")
	return cmd
}

// tree reads the family of an instance, and gives the branch that begins with it, or with the root.
func (s *session) tree(ctx context.Context, h *hub, id string, whole bool) (branch, error) {
	var top durable.Instance
	err := s.briefly(ctx, func(ctx context.Context) (err error) {
		top, err = h.Get(ctx, id)
		if err == nil && whole && top.RootID != id {
			top, err = h.Get(ctx, top.RootID)
		}
		return err
	})
	if err != nil {
		return branch{}, err
	}
	children := map[string][]durable.Instance{}
	for token := ""; ; {
		page, next, err := h.ListPage(ctx, durable.Filter{RootID: top.RootID, Limit: family}, token)
		if err != nil {
			return branch{}, err
		}
		for _, i := range page {
			if i.ParentID != "" {
				children[i.ParentID] = append(children[i.ParentID], i)
			}
		}
		if token = next; token == "" {
			return branchOf(top, children), nil
		}
	}
}

const family = 10_000 // most instances of one page

// branchOf builds a branch; an id stands in it once, whatever the hub says of parents.
func branchOf(top durable.Instance, children map[string][]durable.Instance) branch {
	b := branch{ID: top.ID, Name: top.Name, Status: top.Status, Created: top.Created.UTC(), instance: instanceOf(top)}
	below := children[top.ID]
	delete(children, top.ID)
	slices.SortFunc(below, func(a, b durable.Instance) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, i := range below {
		b.Children = append(b.Children, branchOf(i, children))
	}
	return b
}

// draw writes a branch; first stands before its own line, rest before those of its children.
func (s *session) draw(w io.Writer, b branch, first, rest string) {
	p := s.printer()
	fmt.Fprintf(w, "%s%s  %s  %s  %s\n", first, output.Clean(b.ID), output.Clean(b.Name), p.Paint(styleOf(b.instance), state(b.instance)), ago(s.now(), b.Created))
	for n, c := range b.Children {
		if n == len(b.Children)-1 {
			s.draw(w, c, rest+"└─ ", rest+"   ")
			continue
		}
		s.draw(w, c, rest+"├─ ", rest+"│  ")
	}
}
