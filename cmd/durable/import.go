package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// mostSaved bounds a file of histories: what the hub keeps of one run at most.
const mostSaved = 256 << 20

func importCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE... | -",
		Short: "Put histories of instances that have ended into the hub, for looking at them",
		Long: `Put histories of instances that have ended, as durable export writes them, into the archive of the hub: show, history and why tell of
them, for as long as the hub keeps what ends now. Live ones are refused: two hubs would run them.`,
		Example: `  durable export --status Failed | durable import - --server nats://127.0.0.1:4222`,
		Args:    between(1, 1<<20, "files, or - for stdin"),
		RunE: func(cmd *cobra.Command, files []string) error {
			return s.with(cmd.Context(), func(h *hub) error {
				return s.eachSaved(files, func(text []byte) error {
					return s.briefly(cmd.Context(), func(ctx context.Context) error {
						id, err := h.ImportHistory(ctx, text)
						if err == nil {
							_, err = fmt.Fprintln(s.stdout, id)
						}
						return unreadable(err)
					})
				})
			})
		},
	}
}

// unreadable makes what is no history a mistake of who gave it.
func unreadable(err error) error {
	if errors.Is(err, durable.ErrHistory) {
		return exit.With(exit.Usage, err)
	}
	return err
}

// eachSaved does something with each history in some files: one a file, or one a line.
func (s *session) eachSaved(files []string, do func(text []byte) error) error {
	sum, codes := summary{}, map[exit.Code]bool{}
	for _, name := range files {
		all, err := s.saved(name)
		if err != nil {
			return err
		}
		for n, text := range all {
			if err := do(text); err != nil {
				sum.Failed++
				codes[exit.Of(err)] = true
				s.mention(fmt.Errorf("history %d of %q: %w", n+1, name, err))
				continue
			}
			sum.Done++
		}
	}
	return verdict(sum, codes)
}

// saved reads a file of histories.
func (s *session) saved(name string) (all [][]byte, err error) {
	r := s.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, exit.With(exit.Usage, err)
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, mostSaved+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %q: %w", name, err)
	case len(text) > mostSaved:
		return nil, exit.Usagef("%q has more than %d bytes: split it by lines", name, mostSaved)
	}
	if _, err := durable.ReadHistory(text); err == nil {
		return [][]byte{text}, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, mostSaved)
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			all = append(all, bytes.Clone(line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	if len(all) == 0 {
		return nil, exit.Usagef("%q has no history", name)
	}
	return all, nil
}
