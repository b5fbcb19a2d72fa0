package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/durablegen/durablegen/cmd/durable/internal/connect"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// wished are the flags of init: how a hub is to be.
type wished struct {
	partitions, replicas                    int
	place                                   placement
	completed, failed, terminated, canceled keeping
	change                                  bool
}

// keeping is how long runs are kept: a duration, days, or "forever".
type keeping time.Duration

func initCommand(s *session) *cobra.Command {
	var w wished
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create the hub, or tell how it is and what is not as you say",
		Long: `Create the hub: its streams and buckets. What exists stays as it is: then init tells how it is, and exits with 7 if that is
not what the flags say. Only how long ended runs are kept can be changed, with --change.`,
		Example: `  durable init
  durable init --hub orders --replicas 3 --partitions 16 --keep-failed 90d
  durable init --hub orders --keep-completed 7d --change`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.init(cmd.Context(), &w, cmd.Flags()) },
	}
	flags := cmd.Flags()
	flags.IntVar(&w.partitions, "partitions", 8, "`number` of partitions of every group; it cannot be changed")
	flags.IntVar(&w.replicas, "replicas", 1, "`number` of replicas of the streams")
	w.place.addFlags(flags)
	for name, to := range map[string]*keeping{"completed": &w.completed, "failed": &w.failed, "terminated": &w.terminated, "canceled": &w.canceled} {
		flags.Var(to, "keep-"+name, "how long runs are kept that have ended so: 30d, 12h, or forever (default 30d)")
	}
	flags.BoolVar(&w.change, "change", false, "change how long runs are kept that end from now on; restart workers after it")
	return cmd
}

func (s *session) init(ctx context.Context, w *wished, flags *pflag.FlagSet) error {
	cfg, err := s.Config()
	if err != nil {
		return err
	}
	there, err := connect.Open(ctx, cfg, s.Timeout)
	switch {
	case exit.Of(err) == exit.NotFound:
		return s.create(ctx, cfg, w)
	case err != nil:
		return err
	}
	info := there.Info()
	if err := there.Close(); err != nil {
		return err
	}
	kept := info.Retention
	if w.change {
		w.keep(&kept)
		if err := natsbackend.SetRetention(ctx, cfg, kept); err != nil {
			return err
		}
	}
	h, err := s.survey(ctx, cfg, info.Partitions, kept)
	if err != nil {
		return err
	}
	h.Differs = w.differences(h, kept, flags)
	if err := s.tellHub(h, "exists"); err != nil {
		return err
	}
	if len(h.Differs) > 0 {
		return exit.Silent(exit.Conflict)
	}
	return nil
}

// create makes the hub, or what is missing of it.
func (s *session) create(ctx context.Context, cfg natsbackend.Config, w *wished) error {
	cfg.Partitions, cfg.Replicas, cfg.Placement = w.partitions, w.replicas, w.place.value()
	w.keep(&cfg.Retention)
	if err := natsbackend.Provision(ctx, cfg); err != nil {
		return noAnswer(err)
	}
	h, err := s.survey(ctx, cfg, w.partitions, cfg.Retention.WithDefaults())
	if err != nil {
		return err
	}
	return s.tellHub(h, "created")
}

// keep puts into r what the flags say.
func (w *wished) keep(r *natsbackend.Retention) {
	for to, d := range map[*time.Duration]keeping{&r.Completed: w.completed, &r.Failed: w.failed, &r.Terminated: w.terminated, &r.Canceled: w.canceled} {
		if d != 0 {
			*to = time.Duration(d)
		}
	}
}

// described is what programs are told of a hub.
type described struct {
	Hub        string            `json:"hub"`
	Partitions int               `json:"partitions"`
	Keep       map[string]string `json:"keep"`
	Streams    []describedStream `json:"streams"`
	Differs    []string          `json:"differs,omitempty"`
}

type describedStream struct {
	Name     string `json:"name"`
	Replicas int    `json:"replicas"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
	cluster  string
}

// survey tells of the hub that is there.
func (s *session) survey(ctx context.Context, cfg natsbackend.Config, partitions int, kept natsbackend.Retention) (h described, err error) {
	link, err := natsbackend.Dial(ctx, cfg)
	if err != nil {
		return h, noAnswer(err)
	}
	defer link.Close()
	h = described{Hub: s.Hub, Partitions: partitions, Keep: map[string]string{
		"completed": keeping(kept.Completed).String(), "failed": keeping(kept.Failed).String(),
		"terminated": keeping(kept.Terminated).String(), "canceled": keeping(kept.Canceled).String(),
	}}
	for _, name := range natsbackend.Streams(s.Hub) {
		var stream jetstream.Stream
		err := s.briefly(ctx, func(ctx context.Context) (err error) {
			stream, err = link.JetStream.Stream(ctx, name)
			return err
		})
		if err != nil {
			return h, fmt.Errorf("look at the stream %s: %w", name, err)
		}
		i := stream.CachedInfo()
		one := describedStream{Name: name, Replicas: i.Config.Replicas, Messages: i.State.Msgs, Bytes: i.State.Bytes}
		if i.Config.Placement != nil {
			one.cluster = i.Config.Placement.Cluster
		}
		h.Streams = append(h.Streams, one)
	}
	return h, nil
}

// differences tells what is not as the flags say, and what helps.
func (w *wished) differences(h described, kept natsbackend.Retention, flags *pflag.FlagSet) (all []string) {
	if flags.Changed("partitions") && w.partitions != h.Partitions {
		all = append(all, fmt.Sprintf("it has %d partitions, not %d: that cannot be changed, only in another hub", h.Partitions, w.partitions))
	}
	for _, stream := range h.Streams {
		if flags.Changed("replicas") && stream.Replicas != w.replicas {
			all = append(all, fmt.Sprintf("%s has %d replicas, not %d: `nats stream edit %s --replicas %d`", stream.Name, stream.Replicas, w.replicas, stream.Name, w.replicas))
		}
		if flags.Changed("cluster") && stream.cluster != w.place.cluster {
			all = append(all, fmt.Sprintf("%s is placed on cluster %q, not %q: `nats stream edit %s --cluster %s`", stream.Name, stream.cluster, w.place.cluster, stream.Name, w.place.cluster))
		}
	}
	want := kept
	if w.keep(&want); want != kept {
		all = append(all, fmt.Sprintf("it keeps completed, failed, terminated and canceled runs for %s, %s, %s and %s: say --change",
			keeping(kept.Completed), keeping(kept.Failed), keeping(kept.Terminated), keeping(kept.Canceled)))
	}
	return all
}

func (s *session) tellHub(h described, verb string) error {
	return s.printer().One(h, h.Hub, func(w io.Writer) {
		fmt.Fprintf(w, "hub %s %s: %d partitions, keeps runs for %s (completed), %s (failed), %s (terminated), %s (canceled)\n", h.Hub, verb,
			h.Partitions, h.Keep["completed"], h.Keep["failed"], h.Keep["terminated"], h.Keep["canceled"])
		for _, stream := range h.Streams {
			fmt.Fprintf(w, "  %-32s %d replicas, %d messages\n", stream.Name, stream.Replicas, stream.Messages)
		}
		for _, d := range h.Differs {
			fmt.Fprintf(w, "differs: %s\n", d)
		}
	})
}
