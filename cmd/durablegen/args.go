package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/against"
	"github.com/durablegen/durablegen/gen"
)

const usage = `durablegen writes durable_gen.go and durable.lock.json for packages with //durable: directives.

Usage:

	durablegen [flags] [packages]          generate, the default
	durablegen check [flags] [packages]    tell which changes would break running instances, and what is stale
	durablegen check -against URL …        replay the histories of a hub; durablegen check -against= -h tells more
	durablegen lint [flags] [packages]     find what a replay could not repeat; durablegen lint -h tells more

Packages are patterns as for go build; the default is the package in the working directory.

Flags:

	-C dir    work in dir
	-diff     show what would change, write nothing
	-v        name files that are up to date too
	-h        show this

Of check:

	-format form           text (the default), json: an object a line for each change, or markdown: a table
	-accept reason         write changes that would break instances into the lock, with the reason
	-orchestrator name     of -accept: only those of this orchestrator

Exit codes: 0 all is well, 1 mistakes in the code, 2 wrong usage or a failed run. Of check: 0 all is well, 1 a change
would break running instances or, with -format text, a file is stale or missing, 2 the code could not be loaded.
`

type command string

const (
	generate command = "generate"
	check    command = "check"
	linting  command = "lint"
	replays  command = "check -against"
)

// arguments is a parsed command line.
type arguments struct {
	command  command
	dir      string
	diff     bool
	verbose  bool
	format   string         // of check: "text", "json" or "markdown"
	accept   gen.Acceptance // of check
	patterns []string       // of lint and check -against: everything behind its name
}

// parse reads a command line. Flags may stand before and after the command. It gives flag.ErrHelp for -h.
func parse(args []string) (arguments, error) {
	a := arguments{command: generate, format: "text"}
	rest, err := a.flags(args)
	if err != nil {
		return arguments{}, err
	}
	if len(rest) > 0 && rest[0] == string(linting) {
		a.command, a.patterns = linting, rest[1:]
		return a, nil
	}
	if len(rest) > 0 && rest[0] == string(check) && against.Asked(rest[1:]) {
		a.command, a.patterns = replays, rest[1:]
		return a, nil
	}
	if len(rest) > 0 && (rest[0] == string(generate) || rest[0] == string(check)) {
		a.command = command(rest[0])
		if rest, err = a.flags(rest[1:]); err != nil {
			return arguments{}, err
		}
	}
	if i := slices.IndexFunc(rest, func(s string) bool { return len(s) > 1 && s[0] == '-' }); i >= 0 {
		return arguments{}, fmt.Errorf("flag %s stands after a package; flags go first", rest[i])
	}
	if slices.Contains(rest, "") {
		return arguments{}, errors.New("a package pattern is empty")
	}
	a.patterns = rest
	return a, a.validate()
}

// validate checks what only check takes.
func (a *arguments) validate() error {
	switch {
	case !slices.Contains([]string{"text", "json", "markdown"}, a.format):
		return fmt.Errorf("-format=%s: it is text, json or markdown", a.format)
	case a.command != check && (a.format != "text" || a.accept != gen.Acceptance{}):
		return errors.New("-format, -accept and -orchestrator are flags of durablegen check")
	case a.accept.Orchestrator != "" && a.accept.Reason == "":
		return errors.New("-orchestrator says what -accept is about: give -accept and the reason too")
	case a.diff && a.format != "text":
		return errors.New("-diff shows files and goes with -format text only")
	}
	return nil
}

func (a *arguments) flags(args []string) ([]string, error) {
	set := flag.NewFlagSet("durablegen", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&a.dir, "C", a.dir, "")
	set.BoolVar(&a.diff, "diff", a.diff, "")
	set.BoolVar(&a.verbose, "v", a.verbose, "")
	set.StringVar(&a.format, "format", a.format, "")
	set.Func("accept", "", func(reason string) error {
		if a.accept.Reason = strings.TrimSpace(reason); a.accept.Reason == "" {
			return errors.New("say why running instances may break")
		}
		return nil
	})
	set.StringVar(&a.accept.Orchestrator, "orchestrator", a.accept.Orchestrator, "")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	return set.Args(), nil
}
