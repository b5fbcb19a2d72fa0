package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	"github.com/durablegen/durablegen/runtime/natsbackend/backup"
)

func backupCommand(s *session) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Copy the hub into a file, also while workers use it",
		Long: `Copy the hub into a file, also while workers use it: log, archive, states, payloads, and how far all is consumed.
The copy has everything that was acknowledged before it began. The file has its name when it is whole.`,
		Example: `  durable backup
  durable backup -f /backups
  durable backup --hub orders -f orders.durable`,
		Args: between(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd.Context(), func(*hub) error { return s.backup(cmd.Context(), s.backupFile(to)) })
		},
	}
	cmd.Flags().StringVarP(&to, "file", "f", ".", "`file`, or a folder in which it is named after hub and time")
	return cmd
}

// backupFile names a file in a folder.
func (s *session) backupFile(to string) string {
	if info, err := os.Stat(to); err != nil || !info.IsDir() {
		return to
	}
	return filepath.Join(to, s.Hub+"-"+s.now().UTC().Format("20060102T150405Z")+".durable")
}

func (s *session) backup(ctx context.Context, path string) error {
	cfg, err := s.Config()
	if err != nil {
		return err
	}
	progress, done := s.copying("copied")
	m, err := backup.Write(ctx, cfg, path, progress)
	done()
	if errors.Is(err, fs.ErrExist) {
		return exit.With(exit.Conflict, err)
	}
	if err != nil {
		return err
	}
	return s.tellCopy("copied to "+path, path, m)
}

// copied is what programs are told of a copy.
type copied struct {
	File     string       `json:"file"`
	Hub      string       `json:"hub"`
	Begun    time.Time    `json:"begun"`
	Messages uint64       `json:"messages"`
	Streams  []copiedPart `json:"streams"`
}

type copiedPart struct {
	Name     string `json:"name"`
	Messages uint64 `json:"messages"`
	Last     uint64 `json:"last"`
}

func (s *session) tellCopy(what, path string, m backup.Manifest) error {
	c := copied{File: path, Hub: m.Hub, Begun: m.Begun}
	for _, part := range m.Streams {
		c.Messages += part.Messages
		c.Streams = append(c.Streams, copiedPart{part.Name, part.Messages, part.Last})
	}
	return s.printer().One(c, path, func(w io.Writer) {
		fmt.Fprintf(w, "hub %s of %s: %d messages %s\n", m.Hub, m.Begun.Format(time.RFC3339), c.Messages, what)
	})
}

// copying shows people how far a copy is.
func (s *session) copying(what string) (progress func(backup.Progress), done func()) {
	if !output.Terminal(s.stderr) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(s.stderr), progressbar.OptionClearOnFinish())
	return func(p backup.Progress) {
		bar.Describe(fmt.Sprintf("%s: %d of %d messages, %d MiB %s", p.Stream, p.Messages, p.Of, p.Bytes>>20, what))
		_ = bar.Add(1) // what people do not see does no harm
	}, func() { _ = bar.Finish() }
}
