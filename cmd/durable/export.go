package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// exporting are the flags of export.
type exporting struct {
	dir    string
	redact bool
}

func exportCommand(s *session) *cobra.Command {
	var f choose.Flags
	var e exporting
	cmd := &cobra.Command{
		Use:   "export ID... | -",
		Short: "Write the histories of instances, for replays and for looking at them elsewhere",
		Long: `Write the histories of instances: of the present or last execution of each, a JSON object a line, or each into a file of its own.
durabletest.Replay runs code over such a file, durable replay prints it, durable import shows it in another hub.`,
		Example: `  durable export order-17 > order-17.json
  durable export --status Failed --dir failed --redact`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			return s.look(cmd, ids, &f, "export", nil, func(ctx context.Context, h *hub, ids []string, single bool) error {
				return s.export(ctx, h, ids, single, e)
			})
		},
	}
	s.chooses(cmd, &f)
	s.completesIDs(cmd, nil)
	cmd.Flags().StringVar(&e.dir, "dir", "", "`folder` for a file an instance, a message a line; it is made when it is missing")
	cmd.Flags().BoolVar(&e.redact, "redact", false, "leave payloads and texts of errors out: a replay of such a history compares names and their order only")
	return cmd
}

// export writes one history after the other, so that one is in memory at a time.
func (s *session) export(ctx context.Context, h *hub, ids []string, single bool, e exporting) error {
	if e.dir != "" {
		if err := os.MkdirAll(e.dir, 0o700); err != nil {
			return fmt.Errorf("the folder for the files: %w", err)
		}
	}
	return s.several(ids, single, func(id string) error {
		var text []byte
		err := s.briefly(ctx, func(ctx context.Context) (err error) {
			text, err = h.SaveHistory(ctx, id)
			return err
		})
		if err == nil && e.redact {
			text, err = durable.RedactHistory(text)
		}
		if err != nil {
			return err
		}
		if e.dir == "" {
			return s.line(text)
		}
		path := filepath.Join(e.dir, url.PathEscape(id)+".json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("write the history: %w", err)
		}
		_, err = fmt.Fprintln(s.stdout, path)
		return err
	})
}

// line writes JSON on one line.
func (s *session) line(text []byte) error {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return err
	}
	b.WriteByte('\n')
	if _, err := s.stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// several does something with one thing after the other. What fails is told on stderr; the error says how to exit then.
func (s *session) several(all []string, single bool, do func(string) error) error {
	sum, codes := summary{}, map[exit.Code]bool{}
	for _, one := range all {
		err := do(one)
		switch {
		case err != nil && single:
			return err
		case err != nil:
			sum.Failed++
			codes[exit.Of(err)] = true
			s.mention(err)
		default:
			sum.Done++
		}
	}
	return verdict(sum, codes)
}
