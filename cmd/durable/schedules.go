package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// schedule is what programs are told of a schedule. Fields are only added.
type schedule struct {
	durable.Schedule
	Orchestrator string         `json:"orchestrator"`
	Version      string         `json:"version,omitempty"`
	State        string         `json:"state"` // active, paused, finished, or broken: no worker can compute its times
	Problem      string         `json:"problem,omitempty"`
	Note         string         `json:"note,omitempty"`
	Created      time.Time      `json:"created,omitzero"`
	Next         []time.Time    `json:"next"`
	Recent       []scheduledRun `json:"recent"`
	Runs         int            `json:"runs"`
	Triggered    int            `json:"triggered"`
	Skipped      int            `json:"skipped"`
	Missed       int            `json:"missed"`
}

type scheduledRun struct {
	ID        string         `json:"id"` // of the instance
	Time      time.Time      `json:"time"`
	Started   time.Time      `json:"started"`
	Triggered bool           `json:"triggered"`
	Status    durable.Status `json:"status,omitempty"`
}

func scheduleOf(i durable.ScheduleInfo) schedule {
	s := schedule{
		Schedule: i.Schedule, Orchestrator: i.Orchestrator, Version: i.Version, State: "active", Problem: i.Problem, Note: i.Note, Created: i.Created.UTC(),
		Next: append([]time.Time{}, i.Next...), Recent: []scheduledRun{}, Runs: i.Runs, Triggered: i.Triggered, Skipped: i.Skipped, Missed: i.Missed,
	}
	switch {
	case i.Finished:
		s.State = "finished"
	case i.Problem != "":
		s.State = "broken"
	case i.Paused:
		s.State = "paused"
	}
	for _, r := range i.Recent {
		s.Recent = append(s.Recent, scheduledRun{r.ID, r.Time.UTC(), r.Started.UTC(), r.Triggered, r.Status})
	}
	return s
}

func schedulesCommand(s *session) *cobra.Command {
	list := func(cmd *cobra.Command, _ []string) error {
		return s.with(cmd.Context(), func(h *hub) error { return s.listSchedules(cmd.Context(), h) })
	}
	cmd := &cobra.Command{
		Use:   "schedules",
		Short: "List schedules, and steer them",
		Example: `  durable schedules
  durable schedules pause report --note 'until the new ledger is there'`,
		Args: known,
		RunE: list,
	}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List schedules", Args: between(0, 0, ""), RunE: list},
		&cobra.Command{
			Use: "describe ID", Short: "Tell all of a schedule", Args: between(1, 1, "the id of a schedule"),
			RunE: func(cmd *cobra.Command, args []string) error {
				return s.with(cmd.Context(), func(h *hub) error { return s.describeSchedule(cmd.Context(), h, args[0]) })
			},
		},
		s.steerSchedules("pause", "paused", "Keep schedules from starting runs", (*durable.Client).PauseSchedule),
		s.steerSchedules("resume", "resumed", "Let paused schedules start runs again", (*durable.Client).ResumeSchedule),
		s.steerSchedules("trigger", "triggered", "Have schedules start a run now", func(c *durable.Client, ctx context.Context, id, _ string) error {
			return c.TriggerSchedule(ctx, id)
		}),
		s.steerSchedules("delete", "deleted", "Remove schedules; their runs go on. Needs a worker of their group", func(c *durable.Client, ctx context.Context, id, _ string) error {
			return c.DeleteSchedule(ctx, id)
		}),
	)
	return cmd
}

// steerSchedules makes a verb that does something to schedules.
func (s *session) steerSchedules(does, did, short string, do func(c *durable.Client, ctx context.Context, id, note string) error) *cobra.Command {
	note := ""
	cmd := &cobra.Command{
		Use: does + " ID...", Short: short, Args: between(1, mostIDs, "the ids of schedules"),
		RunE: func(cmd *cobra.Command, ids []string) error {
			d := deed{does: does, did: did, do: func(ctx context.Context, h *hub, of instance) (string, error) {
				return "", do(h.Client, ctx, of.ID, note)
			}}
			return s.with(cmd.Context(), func(h *hub) error {
				if len(ids) == 1 {
					return s.actOnOne(cmd.Context(), h, instance{ID: ids[0]}, d)
				}
				targets, err := s.targets(cmd.Context(), h, ids, nil, nil)
				if err != nil {
					return err
				}
				return s.actOnAll(cmd.Context(), h, targets, d)
			})
		},
	}
	if does == "pause" || does == "resume" {
		cmd.Flags().StringVar(&note, "note", "", "tells others `why`")
	}
	return cmd
}

// mostIDs is more than a command line holds.
const mostIDs = 1 << 20

func (s *session) listSchedules(ctx context.Context, h *hub) error {
	infos, err := h.ListSchedules(ctx)
	if err != nil {
		return err
	}
	var all []schedule
	for _, i := range infos {
		all = append(all, scheduleOf(i))
	}
	type column = output.Column[schedule]
	now := s.now()
	id := func(v schedule) string { return v.ID }
	return output.List(s.printer(), all, id,
		column{Head: "ID", Cell: id},
		column{Head: "STATE", Cell: func(v schedule) string { return v.State }, Style: func(v schedule) output.Style {
			return map[string]output.Style{"active": output.Green, "paused": output.Yellow, "broken": output.Red}[v.State]
		}},
		column{Head: "ORCHESTRATOR", Cell: func(v schedule) string { return v.Orchestrator }},
		column{Head: "CRON", Cell: func(v schedule) string { return strings.Join(v.Cron, " | ") }},
		column{Head: "ZONE", Cell: func(v schedule) string { return v.TimeZone }},
		column{Head: "NEXT", Cell: func(v schedule) string {
			if len(v.Next) == 0 {
				return ""
			}
			return ago(now, v.Next[0])
		}},
		column{Head: "LAST", Cell: func(v schedule) string {
			if len(v.Recent) == 0 {
				return ""
			}
			return ago(now, v.Recent[len(v.Recent)-1].Started)
		}},
		column{Head: "RUNS", Cell: func(v schedule) string { return strconv.Itoa(v.Runs) }},
	)
}

func (s *session) describeSchedule(ctx context.Context, h *hub, id string) error {
	info, err := h.DescribeSchedule(ctx, id)
	if err != nil {
		return err
	}
	v, now := scheduleOf(info), s.now()
	return s.printer().One(v, v.ID, func(w io.Writer) {
		line := func(head, text string) {
			if text != "" {
				fmt.Fprintf(w, "%-13s %s\n", head, output.Clean(text))
			}
		}
		line("id", v.ID)
		line("state", v.State)
		line("problem", v.Problem)
		line("note", v.Note)
		line("orchestrator", v.Orchestrator+" "+v.Version)
		line("cron", strings.Join(v.Cron, " | "))
		line("zone", v.TimeZone)
		line("overlap", string(v.Overlap))
		line("counts", fmt.Sprintf("%d runs, %d triggered, %d skipped, %d missed", v.Runs, v.Triggered, v.Skipped, v.Missed))
		for _, at := range v.Next {
			line("next", fmt.Sprintf("%s (%s)", at.Format(time.DateTime), ago(now, at)))
		}
		for _, r := range v.Recent {
			line("run", fmt.Sprintf("%s, started %s, %s", r.ID, ago(now, r.Started), orUnknown(r.Status)))
		}
	})
}

func orUnknown(s durable.Status) string {
	if s == "" {
		return "status not followed"
	}
	return string(s)
}
