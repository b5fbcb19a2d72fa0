package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func workersCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "workers",
		Short: "List the workers that run, what they run, and which partitions they own",
		Long: `List the workers that run, what they run, and which partitions they own: all workers are asked, and those that answer
within a second are listed. One that hangs, or that has lost its connection, does not answer.`,
		Example: `  durable workers
  durable workers -o json | jq '.[].activities'`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(h *hub) error { return s.workers(cmd.Context(), h) })
		},
	}
}

func (s *session) workers(ctx context.Context, h *hub) error {
	workers, err := h.Workers(ctx)
	if err != nil {
		return err
	}
	type column = output.Column[durable.WorkerInfo]
	now := s.now()
	name := func(w durable.WorkerInfo) string { return w.Name }
	return output.List(s.printer(), workers, name,
		column{Head: "NAME", Cell: name},
		column{Head: "HOST", Cell: func(w durable.WorkerInfo) string { return w.Host }},
		column{Head: "PROCESS", Cell: func(w durable.WorkerInfo) string { return strconv.Itoa(w.Process) }},
		column{Head: "STARTED", Cell: func(w durable.WorkerInfo) string { return ago(now, w.Started) }},
		column{Head: "PARTITIONS", Cell: func(w durable.WorkerInfo) string { return owned(w.Partitions) }},
		column{Head: "RUNS", Cell: runs},
		column{Head: "BUILD", Cell: func(w durable.WorkerInfo) string { return w.Build }},
	)
}

// owned tells partitions, as flow/0-3,7.
func owned(partitions map[string][]int) string {
	var all []string
	for _, group := range slices.Sorted(maps.Keys(partitions)) {
		all = append(all, group+"/"+ranges(partitions[group]))
	}
	return strings.Join(all, " ")
}

// ranges tells numbers, which are sorted.
func ranges(numbers []int) string {
	var all []string
	for n := 0; n < len(numbers); {
		end := n
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		text := strconv.Itoa(numbers[n])
		if end > n {
			text += "-" + strconv.Itoa(numbers[end])
		}
		all = append(all, text)
		n = end + 1
	}
	return strings.Join(all, ",")
}

func runs(w durable.WorkerInfo) string {
	return fmt.Sprintf("%d orchestrators, %d activities", len(w.Orchestrators), len(w.Activities))
}
