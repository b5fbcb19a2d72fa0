package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func statsCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "stats",
		Short: "Count the instances by orchestrator and status, and tell what room the hub takes",
		Long: `Count the instances by orchestrator, version and status, tell how many were started and have ended lately, of those that
are still kept, and what room the hub takes. It reads the state of each instance. One that was started under an id that
the hub made, and that no worker has seen yet, has no state: durable queues shows that something waits.`,
		Example: `  durable stats
  durable stats -o json | jq '.usage.stores'`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error { return s.stats(cmd.Context(), h) })
		},
	}
}

func (s *session) stats(ctx context.Context, h *hub) error {
	stats, err := h.Stats(ctx)
	if err != nil {
		return err
	}
	v := struct {
		Hub string `json:"hub"`
		durable.Stats
	}{h.Hub(), stats}
	return s.printer().One(v, v.Hub, func(w io.Writer) {
		p := s.printer()
		p.W = w
		if len(v.Counts) > 0 {
			_ = output.List(p, v.Counts, nil, s.countColumns()...) // into memory
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%d instances; started %s; ended %s\n\n", v.Instances, rate(v.Started), rate(v.Ended))
		_ = output.List(p, v.Usage.Stores, nil, s.storeColumns()...)
		for _, l := range v.Usage.Limits {
			fmt.Fprintf(w, "%s: %d of %d used\n", l.Name, l.Used, l.Most)
		}
	})
}

func (s *session) countColumns() []output.Column[durable.Count] {
	type column = output.Column[durable.Count]
	now := s.now()
	return []column{
		{Head: "ORCHESTRATOR", Cell: func(c durable.Count) string { return c.Name }},
		{Head: "VERSION", Cell: func(c durable.Count) string { return c.Version }},
		{Head: "STATUS", Cell: func(c durable.Count) string { return string(c.Status) }},
		{Head: "INSTANCES", Cell: func(c durable.Count) string { return strconv.Itoa(c.Instances) }},
		{Head: "PARKED", Cell: func(c durable.Count) string { return strconv.Itoa(c.Parked) }, Style: func(c durable.Count) output.Style {
			if c.Parked > 0 {
				return output.Red
			}
			return output.Plain
		}},
		{Head: "OLDEST", Cell: func(c durable.Count) string { return ago(now, c.Oldest) }},
	}
}

func (s *session) storeColumns() []output.Column[durable.Store] {
	type column = output.Column[durable.Store]
	now := s.now()
	return []column{
		{Head: "STORE", Cell: func(st durable.Store) string { return st.Holds }},
		{Head: "STREAM", Cell: func(st durable.Store) string { return st.Name }},
		{Head: "MESSAGES", Cell: func(st durable.Store) string { return strconv.FormatUint(st.Messages, 10) }},
		{Head: "SIZE", Cell: func(st durable.Store) string { return size(st.Bytes) }},
		{Head: "OLDEST", Cell: func(st durable.Store) string { return ago(now, st.First) }},
		{Head: "REPLICAS", Cell: func(st durable.Store) string { return strconv.Itoa(st.Replicas) }},
	}
}

func rate(r durable.Rate) string {
	return fmt.Sprintf("%d in the last minute, %d in an hour, %d in a day", r.Minute, r.Hour, r.Day)
}

// size tells bytes in the unit that leaves one to three digits before the point.
func size(bytes uint64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes), 0
	for value >= 1024 && unit < len("KMGTPE") {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPE"[unit-1])
}
