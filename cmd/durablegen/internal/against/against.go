// Package against checks the orchestrators of packages against the histories of a hub. This program cannot run them, so it
// builds one that can: the user's packages with a main function around package replaycheck.
package against

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/gen"
)

// Usage tells of the flags.
const Usage = `durablegen check -against replays the histories of a hub with the present code. It only reads.

Usage:

	durablegen check -against URL [flags] [packages]

It builds the orchestrators of the packages, as durablegen would generate them now, and runs them over the history of every
live instance of theirs and of up to 100 that have ended of each orchestrator and version.

Flags:

	-against URLs   NATS servers, comma-separated: nats://127.0.0.1:4222
	-hub name       task hub ($DURABLE_HUB, or "default")
	-name name      only this orchestrator: wire name, or its last part
	-sample n       at most n live instances, and n ended ones, of each orchestrator and version
	-parallel n     histories at once (8)
	-export dir     save every history to a file, for durabletest.ReplayDir
	-redact         leave payloads out of what is saved; the replay has them
	-format f       text, markdown, or json: an object a line, findings first and the sums last
	-inbox-prefix p inboxes of this client, for users whose permissions name one
	-timeout d      for connecting (5s)

The login is that of the environment, as for the durable command: NATS_USER, NATS_PASSWORD, NATS_CREDS, NATS_NKEY, NATS_CERT,
NATS_KEY, NATS_CA, NATS_CONTEXT. The permissions of a viewer are enough.

Exit codes: 0 every history fits, 1 one does not (mismatch, undecodable, without code), 2 it could not be found out.
`

// Asked reports whether the arguments of check are for this package.
func Asked(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		name, isFlag := strings.CutPrefix(arg, "-")
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
		return isFlag && name == "against"
	})
}

const exitFailure = 2

// Run checks, and gives the exit code. dir is where packages are looked for.
func Run(ctx context.Context, dir string, args []string, stdout, stderr io.Writer) int {
	own, patterns, err := parse(args, &dir)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, Usage)
		return 0
	}
	code, err := run(ctx, dir, own, patterns, stdout, stderr, err)
	if err != nil {
		fmt.Fprintf(stderr, "durablegen: check against a hub: %v\n", err)
		return exitFailure
	}
	return code
}

// parse divides the arguments into those of the program that is built, and the packages.
func parse(args []string, dir *string) (own, patterns []string, err error) {
	set := flag.NewFlagSet("check", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(dir, "C", *dir, "")
	for _, name := range []string{"against", "hub", "name", "sample", "parallel", "export", "format", "inbox-prefix", "timeout"} {
		set.String(name, "", "")
	}
	set.Bool("redact", false, "")
	if err := set.Parse(args); err != nil {
		return nil, nil, err
	}
	set.Visit(func(f *flag.Flag) {
		value := f.Value.String()
		switch f.Name {
		case "C":
			return
		case "export":
			value, err = filepath.Abs(value)
		case "format":
			if !slices.Contains([]string{"text", "json", "markdown"}, value) {
				err = fmt.Errorf("the format %q is none of text, json and markdown", value)
			}
		}
		own = append(own, "-"+f.Name+"="+value)
	})
	return own, set.Args(), err
}

func run(ctx context.Context, dir string, own, patterns []string, stdout, stderr io.Writer, err error) (code int, _ error) {
	if err != nil {
		return 0, err
	}
	result, err := gen.Generate(ctx, gen.Config{Dir: dir, Patterns: patterns})
	if err != nil {
		return 0, err
	}
	if len(result.Diagnostics) > 0 {
		for _, d := range result.Diagnostics {
			fmt.Fprintln(stderr, d)
		}
		return 0, errors.New("the packages have mistakes")
	}
	tmp, err := os.MkdirTemp("", "durablegen-check-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp) // what is left lies in a folder for such things
	b := &builder{dir: dir, tmp: tmp, replace: map[string]string{}, stderr: stderr}
	units, err := b.units(result.Files)
	if err != nil {
		return 0, err
	}
	return b.runAll(ctx, units, own, stdout)
}

// units lists the packages with something to register, and has them built as they would be generated now.
func (b *builder) units(files []gen.File) (units []unit, err error) {
	for _, f := range files {
		if f.New == nil || filepath.Base(f.Path) != gen.FileName {
			continue
		}
		u, ok, err := unitOf(f)
		if err != nil {
			return nil, err
		}
		if ok {
			units = append(units, u)
		}
		if f.Changed() {
			if err := b.add(f.Path, f.New); err != nil {
				return nil, err
			}
		}
	}
	if len(units) == 0 {
		return nil, errors.New("no package has an orchestrator: name those that have, as for go build")
	}
	return units, nil
}

// runAll builds all programs before it runs the first. The worst exit code is that of all.
func (b *builder) runAll(ctx context.Context, units []unit, own []string, stdout io.Writer) (worst int, err error) {
	moduleDir, err := modules(ctx, b.dir, units)
	if err != nil {
		return 0, err
	}
	var built []string
	for n, p := range programsOf(units, moduleDir) {
		path, err := b.build(ctx, p, n)
		if err != nil {
			return 0, err
		}
		built = append(built, path)
	}
	for _, path := range built {
		cmd := exec.CommandContext(ctx, path, own...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, stdout, b.stderr
		err := cmd.Run()
		exit, exited := errors.AsType[*exec.ExitError](err)
		switch {
		case err == nil:
		case exited && exit.ExitCode() > 0:
			worst = max(worst, min(exit.ExitCode(), exitFailure))
		default:
			return 0, fmt.Errorf("the program that replays histories: %w", err)
		}
	}
	return worst, nil
}

func executable() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
