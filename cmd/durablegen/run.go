package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/against"
	"github.com/durablegen/durablegen/gen"
)

// The exit codes.
const (
	exitOK = iota
	exitProblems
	exitFailure
)

// run is the whole command: parse, generate, print or write.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if isVet(args) {
		return vet(ctx, args, stdout, stderr)
	}
	a, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "durablegen: %s\nRun durablegen -h for help.\n", err)
		return exitFailure
	}
	if a.command == linting {
		return runLint(ctx, a.dir, a.patterns, stdout, stderr)
	}
	if a.command == replays {
		return against.Run(ctx, a.dir, a.patterns, stdout, stderr)
	}
	result, err := gen.Generate(ctx, gen.Config{Dir: a.dir, Patterns: a.patterns, Accept: a.accept})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	if len(result.Diagnostics) > 0 {
		printDiagnostics(stderr, result.Diagnostics)
		if a.command == check {
			return exitFailure // nothing can be said about running instances
		}
		return exitProblems
	}
	if a.command == check {
		return runCheck(a, result, stdout, stderr)
	}
	return finish(a, result, stdout, stderr)
}

func printDiagnostics(w io.Writer, list []gen.Diagnostic) {
	for _, d := range list {
		d.Pos.Filename = short(d.Pos.Filename)
		fmt.Fprintln(w, d)
	}
	fmt.Fprintf(w, "durablegen: %d %s, nothing was written\n", len(list), plural(len(list), "problem", "problems"))
}

// finish writes the files, or shows what would change in them.
func finish(a arguments, result gen.Result, stdout, stderr io.Writer) int {
	for _, f := range result.Files {
		switch {
		case !f.Changed() && a.verbose:
			fmt.Fprintf(stdout, "unchanged %s\n", short(f.Path))
		case !f.Changed():
		case a.diff:
			stdout.Write(difference(f)) // a lost line of output is the reader's loss only
		default:
			if err := write(f); err != nil {
				fmt.Fprintf(stderr, "durablegen: %s\n", err)
				return exitFailure
			}
			fmt.Fprintf(stdout, "%s %s\n", done(f), short(f.Path))
		}
	}
	warn(stderr, result.Findings)
	return exitOK
}

func state(f gen.File) string {
	switch {
	case f.Old == nil:
		return "missing"
	case f.New == nil:
		return "left over"
	}
	return "stale"
}

func done(f gen.File) string {
	if f.New == nil {
		return "removed"
	}
	return "wrote"
}

// write replaces a file in one step, so that an interrupted run leaves the old one or the new one.
func write(f gen.File) error {
	if f.New == nil {
		return os.Remove(f.Path)
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.Path), ".durable_gen-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(f.New)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), f.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// difference is a unified diff, with the names that patch and git apply expect.
func difference(f gen.File) []byte {
	name := filepath.ToSlash(short(f.Path))
	before, after := "a/"+name, "b/"+name
	if f.Old == nil {
		before = "/dev/null"
	}
	if f.New == nil {
		after = "/dev/null"
	}
	return diff.Diff(before, f.Old, after, f.New)
}

// short gives path as seen from the working directory when that is shorter.
func short(path string) string {
	wd, err := os.Getwd()
	if err != nil || path == "" {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
