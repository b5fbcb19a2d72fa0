package main

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/runtime/natsbackend/backup"
)

// restoring are the flags of restore.
type restoring struct {
	replace, yes, check bool
	replicas            int
	place               placement
}

func restoreCommand(s *session) *cobra.Command {
	var r restoring
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a hub of a file that durable backup wrote",
		Long: `Make a hub of a file that durable backup wrote. First all of the file is checked. Then the hub is made, under the name that it had;
nobody can use it before it is whole. A hub of that name must be empty, unless it is to be replaced.`,
		Example: `  durable restore orders.durable --server nats://10.0.0.5:4222
  durable restore orders.durable --replicas 3
  durable restore orders.durable --check
  durable restore orders.durable --replace --yes`,
		Args: between(1, 1, "the file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.restore(cmd.Context(), args[0], r, cmd.Flags().Changed("hub"))
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&r.check, "check", false, "only check the file, and tell what it has")
	flags.BoolVar(&r.replace, "replace", false, "delete the hub that is there; needs --yes")
	flags.BoolVar(&r.yes, "yes", false, "do it without asking")
	flags.IntVar(&r.replicas, "replicas", 0, "`number` of replicas of the streams; 0: as they had")
	r.place.addFlags(flags)
	return cmd
}

func (s *session) restore(ctx context.Context, path string, r restoring, named bool) error {
	switch {
	case r.replace && !r.yes && !r.check:
		return exit.Usagef("--replace deletes all that the hub has: say --yes too")
	case r.replicas < 0 || r.replicas > 5:
		return exit.Usagef("--replicas is %d, want 1 to 5", r.replicas)
	}
	m, err := backup.Verify(path)
	if err != nil {
		return err
	}
	if named && s.Hub != m.Hub {
		return exit.Usagef("the file is of the hub %s, and a hub cannot change its name: leave --hub away, and restore it on another server or in another account if both are to be there", m.Hub)
	}
	if r.check {
		return s.tellCopy("in "+path, path, m)
	}
	cfg, err := s.Config()
	if err != nil {
		return err
	}
	cfg.Hub = m.Hub
	progress, done := s.copying("restored")
	m, err = backup.Restore(ctx, path, backup.Config{Server: cfg, Replace: r.replace, Replicas: r.replicas, Placement: r.place.value(), Progress: progress})
	done()
	switch {
	case err == nil:
		return s.tellCopy("restored", path, m)
	case errors.Is(err, backup.ErrNotEmpty), errors.Is(err, backup.ErrInUse):
		return exit.With(exit.Conflict, err)
	}
	return noAnswer(err)
}

// noAnswer gives an error of connecting the code that it has everywhere.
func noAnswer(err error) error {
	for _, e := range []error{nats.ErrNoServers, nats.ErrTimeout, nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return exit.With(exit.Refused, err)
		}
	}
	return err
}

// placement are the flags that say on which servers streams are.
type placement struct {
	cluster string
	tags    []string
}

func (p *placement) addFlags(flags interface {
	StringVar(p *string, name, value, usage string)
	StringSliceVar(p *[]string, name string, value []string, usage string)
}) {
	flags.StringVar(&p.cluster, "cluster", "", "`name` of the cluster that has the streams")
	flags.StringSliceVar(&p.tags, "server-tag", nil, "`tag` of the servers that have them; may be repeated")
}

func (p *placement) value() *jetstream.Placement {
	if p.cluster == "" && len(p.tags) == 0 {
		return nil
	}
	return &jetstream.Placement{Cluster: p.cluster, Tags: p.tags}
}
