package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

func replayCommand(s *session) *cobra.Command {
	payloads := false
	cmd := &cobra.Command{
		Use:   "replay FILE... | -",
		Short: "Check histories in files and print what they tell; without a hub",
		Long: `Check histories in files, as durable export writes them, and print what they tell. This command has no code of yours: to see whether
your code still does what a history says, replay it in a test:

  func TestReplay(t *testing.T) {
      durabletest.Replay(t, "testdata/order-17.json", PayOrchestrator.Bind(Pay))
  }`,
		Example: `  durable replay order-17.json
  durable export --status Failed | durable replay - -o jsonl`,
		Args: between(1, 1<<20, "files, or - for stdin"),
		RunE: func(_ *cobra.Command, files []string) error {
			var all []chronicle
			err := s.eachSaved(files, func(text []byte) error {
				h, err := durable.ReadHistory(text)
				if err == nil {
					all = append(all, chronicleOf(h))
				}
				return unreadable(err)
			})
			if len(all) == 0 {
				return err
			}
			if told := s.tellHistories(all, len(all) == 1 && err == nil, payloads); told != nil {
				return told
			}
			if s.format == output.Table {
				fmt.Fprintln(s.stderr, "to run your code over it: durabletest.Replay in a test; durable replay -h has an example")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&payloads, "payloads", false, "what went in and came out of each step, too; in JSON and YAML it is there anyway")
	return cmd
}
