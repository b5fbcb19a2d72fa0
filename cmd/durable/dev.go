package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// developing are the flags of dev.
type developing struct {
	serving
	dir, nats string
	fresh     bool
}

func devCommand(s *session) *cobra.Command {
	var d developing
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a NATS server with the hub, its API and a page on this machine",
		Long: `Run a NATS server with the hub in a folder, the management API, and a page that shows instances, until ^C. For development:
everybody on this machine may do everything. The data is kept.`,
		Example: `  durable dev
  durable dev --fresh
  durable dev --dir /tmp/try --nats 127.0.0.1:0 --listen 127.0.0.1:0`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.dev(cmd.Context(), &d) },
	}
	d.page = true
	flags := cmd.Flags()
	d.addFlags(flags)
	flags.StringVar(&d.dir, "dir", ".durable", "`folder` for the data")
	flags.StringVar(&d.nats, "nats", "127.0.0.1:4222", "`host:port` of the NATS server; port 0 picks one")
	flags.BoolVar(&d.fresh, "fresh", false, "remove the data first")
	return cmd
}

func (s *session) dev(ctx context.Context, d *developing) (err error) {
	cfg, err := d.config()
	if err != nil {
		return err
	}
	if d.fresh {
		if err := wipe(d.dir); err != nil {
			return err
		}
	}
	server, err := embedded.Start(ctx, embedded.Config{Dir: d.dir, Listen: d.nats})
	switch {
	case errors.Is(err, embedded.ErrInUse):
		return exit.With(exit.Conflict, err)
	case err != nil:
		return fmt.Errorf("%w: say another address with --nats, or another folder with --dir", err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	b, err := server.Backend(ctx, natsbackend.Config{Hub: s.Hub, Name: "durable dev"})
	if err != nil {
		return err
	}
	h := &hub{durable.NewClient(b, durable.ClientConfig{}), b}
	defer func() { err = errors.Join(err, h.close()) }()
	fmt.Fprintf(s.stdout, "export NATS_URL=%s\n", server.URL())
	if s.Hub != "default" {
		fmt.Fprintf(s.stdout, "export DURABLE_HUB=%s\n", s.Hub)
	}
	fmt.Fprintf(s.stderr, "data in %s; ^C ends\n", d.dir)
	return s.serve(ctx, h, &d.serving, cfg)
}

// wipe removes the data of an embedded server, and nothing that is not one's.
func wipe(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("remove the data: %w", err)
	case len(entries) == 0:
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, "durable.lock")); err != nil {
		return exit.Usagef("--fresh: %s is no folder of durable dev: it has other files", dir)
	}
	// Somebody may serve it: then it is not ours to remove.
	s, err := embedded.Start(context.Background(), embedded.Config{Dir: dir})
	if err != nil {
		return exit.With(exit.Conflict, err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the data: %w", err)
	}
	return nil
}
