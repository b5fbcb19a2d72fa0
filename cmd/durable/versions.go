package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// code is what programs are told of a version of an orchestrator.
type code struct {
	Name    string    `json:"name"`
	Version string    `json:"version"` // "1" of an orchestrator that says none
	Group   string    `json:"group"`
	Live    int       `json:"live"`            // instances
	Parked  int       `json:"parked"`          // of those, that no worker runs
	Oldest  time.Time `json:"oldest,omitzero"` // when the first of the live ones was started
	Current bool      `json:"current"`         // new instances get this version that are started by name
	Workers int       `json:"workers"`         // that run instances of this version
	Note    string    `json:"note,omitempty"`  // what is wrong: nobody runs what is live
}

func versionsCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "versions",
		Short: "List orchestrators and their versions, with their live instances and the workers that run them",
		Long: `List the orchestrators that workers have registered, and those of live instances, by version: how many instances are live,
how many of those are parked because nobody could run them, and how many workers that answer within a second run this version.
No version is version 1. CURRENT is the version that is started by name: the newest that a live worker has registered, half a minute
after the last one has gone the newest of the others. A version without live instances can go from the code. One with live instances and without a worker
is noted: they wait until a worker comes that has it.`,
		Example: `  durable versions
  durable versions -o json | jq 'map(select(.live > 0 and .workers == 0))'`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error { return s.versions(cmd.Context(), h) })
		},
	}
}

func (s *session) versions(ctx context.Context, h *hub) error {
	known, err := h.Orchestrators(ctx)
	if err != nil {
		return err
	}
	stats, err := h.Stats(ctx)
	if err != nil {
		return err
	}
	workers, err := h.Workers(ctx)
	if err != nil {
		return err
	}
	type column = output.Column[code]
	now := s.now()
	return output.List(s.printer(), codeOf(known, stats.Counts, workers), func(c code) string { return c.Name },
		column{Head: "ORCHESTRATOR", Cell: func(c code) string { return c.Name }},
		column{Head: "VERSION", Cell: func(c code) string { return c.Version }},
		column{Head: "GROUP", Cell: func(c code) string { return c.Group }},
		column{Head: "CURRENT", Cell: func(c code) string { return yes(c.Current) }},
		column{Head: "LIVE", Cell: func(c code) string { return strconv.Itoa(c.Live) }},
		column{Head: "PARKED", Cell: func(c code) string { return strconv.Itoa(c.Parked) }},
		column{Head: "WORKERS", Cell: func(c code) string { return strconv.Itoa(c.Workers) }, Style: func(c code) output.Style {
			if c.Workers == 0 && c.Live > 0 {
				return output.Red
			}
			return output.Plain
		}},
		column{Head: "OLDEST", Cell: func(c code) string { return ago(now, c.Oldest) }},
		column{Head: "NOTE", Cell: func(c code) string { return c.Note }, Style: func(code) output.Style { return output.Red }},
	)
}

// codeOf puts together what the hub knows of orchestrators, what its live instances are of, and what workers run.
func codeOf(known []durable.OrchestratorInfo, counts []durable.Count, workers []durable.WorkerInfo) []code {
	type key struct{ name, version, group string }
	all := map[key]*code{}
	of := func(name, version, group string) *code {
		k := key{name, cmp.Or(version, "1"), group}
		if all[k] == nil {
			all[k] = &code{Name: name, Version: k.version, Group: group}
		}
		return all[k]
	}
	for _, o := range known {
		of(o.Name, o.Version, o.Group).Current = true
		for _, w := range workers {
			for _, runs := range w.Orchestrators {
				if runs.Name == o.Name && runs.Group == o.Group {
					of(o.Name, runs.Version, o.Group)
				}
			}
		}
	}
	for _, n := range counts {
		if n.Status.Final() {
			continue
		}
		c := of(n.Name, n.Version, n.Group)
		c.Live += n.Instances
		c.Parked += n.Parked
		if c.Oldest.IsZero() || n.Oldest.Before(c.Oldest) {
			c.Oldest = n.Oldest
		}
	}
	for _, c := range all {
		for _, w := range workers {
			if w.Runs(c.Name, c.Group, c.Version) {
				c.Workers++
			}
		}
		if c.Live > 0 && c.Workers == 0 {
			c.Note = noWorker(c.Name, c.Version)
		}
	}
	sorted := slices.SortedFunc(maps.Values(all), func(a, b *code) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), durable.CompareVersions(a.Version, b.Version), cmp.Compare(a.Group, b.Group))
	})
	list := make([]code, 0, len(sorted))
	for _, c := range sorted {
		list = append(list, *c)
	}
	return list
}
