package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func queuesCommand(s *session) *cobra.Command {
	var waiting bool
	cmd := &cobra.Command{
		Use:   "queues",
		Short: "List what waits for workers: inboxes of partitions, and tasks of activities",
		Long: `List what waits for workers: the inbox of each partition of a group, and the tasks of each activity. PENDING has not
been delivered, OPEN is worked on, REPEATED of those have been delivered more than once, LIMIT is most that may be open.`,
		Example: `  durable queues --waiting
  durable queues -o json | jq 'map(select(.served | not))'`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error {
				return s.briefly(cmd.Context(), func(ctx context.Context) error { return s.queues(ctx, h, waiting) })
			})
		},
	}
	cmd.Flags().BoolVar(&waiting, "waiting", false, "only those that hold something")
	return cmd
}

func (s *session) queues(ctx context.Context, h *hub, waiting bool) error {
	queues, err := h.Queues(ctx)
	if err != nil {
		return err
	}
	if waiting {
		queues = slices.DeleteFunc(queues, func(q durable.Queue) bool { return !q.Waits() })
	}
	type column = output.Column[durable.Queue]
	number := func(head string, of func(q durable.Queue) uint64) column {
		return column{Head: head, Cell: func(q durable.Queue) string { return strconv.FormatUint(of(q), 10) }}
	}
	now := s.now()
	return output.List(s.printer(), queues, queueName,
		column{Head: "QUEUE", Cell: queueName},
		number("PENDING", func(q durable.Queue) uint64 { return q.Pending }),
		number("OPEN", func(q durable.Queue) uint64 { return uint64(q.Open) }),
		number("REPEATED", func(q durable.Queue) uint64 { return uint64(q.Repeated) }),
		number("LIMIT", func(q durable.Queue) uint64 { return uint64(q.Limit) }),
		column{Head: "SERVED", Cell: func(q durable.Queue) string { return yes(q.Served) }, Style: unservedStyle},
		column{Head: "OLDEST", Cell: func(q durable.Queue) string { return ago(now, q.Oldest) }},
		column{Head: "INSTANCE", Cell: func(q durable.Queue) string { return q.OldestID }},
	)
}

// queueName names a queue: an activity, or a group and its partition.
func queueName(q durable.Queue) string {
	if q.Activity != "" {
		return q.Activity
	}
	return q.Group + "/" + strconv.Itoa(q.Partition)
}

func unservedStyle(q durable.Queue) output.Style {
	switch {
	case q.Served:
		return output.Plain
	case q.Waits():
		return output.Red
	}
	return output.Yellow
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
