package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/cmd/durable/internal/output"
)

// verbs is the whole command: every verb is a file with the function that makes it.
var verbs = []struct {
	title string
	make  []func(*session) *cobra.Command
}{
	{"Instances:", []func(*session) *cobra.Command{
		startCommand,
		listCommand,
		countCommand,
		showCommand,
		historyCommand,
		whyCommand,
		treeCommand,
		tailCommand,
		waitCommand,
		raiseCommand,
		suspendCommand,
		resumeCommand,
		cancelCommand,
		terminateCommand,
		rewindCommand,
		restartCommand,
		purgeCommand,
		exportCommand,
		importCommand,
		replayCommand,
	}},
	{"The hub:", []func(*session) *cobra.Command{
		initCommand,
		checkCommand,
		doctorCommand,
		statsCommand,
		workersCommand,
		queuesCommand,
		timersCommand,
		versionsCommand,
		schedulesCommand,
		permissionsCommand,
		backupCommand,
		restoreCommand,
		serveCommand,
		devCommand,
	}},
	{"The command:", []func(*session) *cobra.Command{
		versionCommand,
	}},
}

// surroundings is what the command has of the system.
type surroundings struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

// run runs the command and gives its exit code.
func run(ctx context.Context, args []string, around surroundings) int {
	s := newSession(around)
	cmd := root(s)
	cmd.SetArgs(args)
	cmd.SetIn(around.stdin)
	cmd.SetOut(around.stdout)
	cmd.SetErr(around.stderr)
	s.format.Find(args) // an error may come before the flags are parsed
	err := cmd.ExecuteContext(ctx)
	if err != nil && !exit.IsSilent(err) {
		s.complain(err)
	}
	return int(exit.Of(err))
}

func root(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "durable",
		Short:         "Look after a task hub of durable orchestrations",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:          known,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return s.Resolve(s.getenv)
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.Usagef("%w: `%s -h` lists the flags", err, cmd.CommandPath())
	})
	s.AddFlags(cmd.PersistentFlags())
	cmd.PersistentFlags().VarP(&s.format, "output", "o", strings.Join(output.Formats, ", "))
	complete(cmd, "output", output.Formats)
	for _, group := range verbs {
		cmd.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, verb := range group.make {
			v := verb(s)
			v.GroupID = group.title
			cmd.AddCommand(v)
		}
	}
	last := verbs[len(verbs)-1].title
	cmd.SetHelpCommandGroupID(last)
	cmd.SetCompletionCommandGroupID(last)
	return cmd
}

// known refuses verbs that do not exist.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		return exit.Usagef("there is no verb %q; did you mean %s?", args[0], strings.Join(like, " or "))
	}
	return exit.Usagef("there is no verb %q: `durable -h` lists them", args[0])
}

// between accepts from least to most arguments; what names those that are missing.
func between(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) > most:
			return exit.Usagef("unexpected argument %q", args[most])
		case len(args) < least:
			return exit.Usagef("give %s", what)
		case slices.Contains(args, ""):
			return exit.Usagef("an argument is empty")
		}
		return nil
	}
}

// complete has a flag completed with some words.
func complete(cmd *cobra.Command, flag string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// problem is an error as programs see it.
type problem struct {
	Code    string `json:"code"` // word of the exit code
	Message string `json:"message"`
}

func problemOf(err error) *problem { return &problem{exit.Of(err).String(), exit.Message(err)} }

// mention tells people an error.
func (s *session) mention(err error) {
	fmt.Fprintln(s.stderr, "durable: "+output.Clean(exit.Message(err)))
}

// complain tells the error that the command ends with: people on stderr, programs on stdout too.
func (s *session) complain(err error) {
	s.mention(err)
	if s.format.ForPrograms() {
		v := struct {
			Error *problem `json:"error"`
		}{problemOf(err)}
		if s.format == output.JSON || s.format == output.JSONL {
			_ = json.NewEncoder(s.stdout).Encode(v) // whether it can be written does not change what went wrong
			return
		}
		_ = s.printer().One(v, "", nil)
	}
}
