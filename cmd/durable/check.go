package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// health is what programs are told by check.
type health struct {
	Hub      string    `json:"hub"`
	OK       bool      `json:"ok"`
	Problem  string    `json:"problem,omitempty"` // in words
	Groups   []string  `json:"groups"`            // of orchestrators that have a worker
	Waiting  uint64    `json:"waiting"`           // messages that wait where no worker is
	Unserved []string  `json:"unserved"`          // activities and groups that they wait for
	Oldest   time.Time `json:"oldest,omitzero"`   // of them
}

func checkCommand(s *session) *cobra.Command {
	patience := 10 * time.Second
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Tell in one line whether the hub is there and somebody works",
		Long: `Tell in one line whether the hub is there and somebody works: for scripts and monitoring. It exits with 0 when all is
well, with 1 when no worker runs or something has waited for one for longer than --patience, with 3 when there is no such
hub, with 8 when the server is away or refuses. It reads no instances; durable doctor looks at them.`,
		Example: `  durable check --hub orders || page-somebody`,
		Args:    between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error {
				return s.briefly(cmd.Context(), func(ctx context.Context) error { return s.check(ctx, h, patience) })
			})
		},
	}
	cmd.Flags().DurationVar(&patience, "patience", patience, "how long a message may wait for a worker")
	return cmd
}

func (s *session) check(ctx context.Context, h *hub, patience time.Duration) error {
	queues, err := h.Queues(ctx)
	if err != nil {
		return err
	}
	v := healthOf(queues, s.now(), patience)
	v.Hub = h.Hub()
	err = s.printer().One(v, v.Hub, func(w io.Writer) {
		if v.OK {
			fmt.Fprintf(w, "ok: hub %s, %s\n", v.Hub, served(v))
			return
		}
		fmt.Fprintf(w, "problem: hub %s, %s\n", v.Hub, v.Problem)
	})
	if err == nil && !v.OK {
		err = exit.Silent(exit.Error)
	}
	return err
}

func served(v health) string {
	if len(v.Groups) == 0 {
		return "nothing to do"
	}
	return "workers serve " + strings.Join(v.Groups, ", ")
}

// healthOf judges the queues of a hub.
func healthOf(queues []durable.Queue, now time.Time, patience time.Duration) health {
	v := health{Groups: []string{}, Unserved: []string{}}
	groups, unserved, any := map[string]bool{}, map[string]bool{}, false
	for _, q := range queues {
		any = any || q.Served
		switch {
		case q.Served && q.Activity == "":
			groups[q.Group] = true
		case !q.Served && q.Waits():
			v.Waiting += q.Pending + uint64(q.Open)
			unserved[place(q)] = true
			if v.Oldest.IsZero() || q.Oldest.Before(v.Oldest) {
				v.Oldest = q.Oldest
			}
		}
	}
	v.Groups = slices.AppendSeq(v.Groups, maps.Keys(groups))
	v.Unserved = slices.AppendSeq(v.Unserved, maps.Keys(unserved))
	slices.Sort(v.Groups)
	slices.Sort(v.Unserved)
	switch {
	case v.Waiting > 0 && now.Sub(v.Oldest) >= patience:
		v.Problem = fmt.Sprintf("no worker is there for %s, where a message has waited for %s (%d in all)", strings.Join(v.Unserved, ", "), span(now.Sub(v.Oldest)), v.Waiting)
	case len(queues) > 0 && !any:
		v.Problem = "no worker runs"
	default:
		v.OK = true
	}
	return v
}

// place names what has a queue.
func place(q durable.Queue) string {
	if q.Activity != "" {
		return "activity " + q.Activity
	}
	return "group " + q.Group
}
