package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/baseline"
	"github.com/durablegen/durablegen/cmd/durablegen/internal/mend"
	"github.com/durablegen/durablegen/cmd/durablegen/internal/report"
	"github.com/durablegen/durablegen/gen"
	"github.com/durablegen/durablegen/lint"
)

const lintUsage = `durablegen lint proves that orchestrators are deterministic, or says where they are not.

Usage:

	durablegen lint [flags] [packages]
	go vet -vettool=$(go tool -n durablegen) [packages]

Flags:

	-C dir             work in dir
	-json              print one JSON object
	-sarif             print a SARIF 2.1.0 log
	-fix               mend what can be mended, and tell the rest
	-diff              show what -fix would change, write nothing
	-fail level        exit 1 from this severity on: error (the default; DET9xx too), warning, note, or never
	-baseline file     leave out the findings that are in file
	-write-baseline    write the findings into the baseline file, and exit 0
	-whole-program     load all that the program is made of, and look at what it really calls; slow
	-config file       the durablelint.yaml to read, instead of the one beside go.mod
	-explain rule      tell what a rule is about, such as DET401; "all" lists them
	-h                 show this

Exit codes: 0 nothing that fails, 1 findings, 2 the code could not be loaded, or wrong usage.
`

// lintArguments is the command line of durablegen lint.
type lintArguments struct {
	dir, format, fail, baseline, config, explain string
	fix, diff, write, program                    bool
	patterns                                     []string
}

func parseLint(dir string, args []string) (lintArguments, error) {
	a := lintArguments{dir: dir, format: "text"}
	set := flag.NewFlagSet("durablegen lint", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&a.dir, "C", dir, "")
	for _, format := range []string{"json", "sarif"} {
		set.BoolFunc(format, "", func(string) error { a.format = format; return nil })
	}
	set.StringVar(&a.fail, "fail", "error", "")
	set.StringVar(&a.baseline, "baseline", "", "")
	set.StringVar(&a.config, "config", "", "")
	set.StringVar(&a.explain, "explain", "", "")
	set.BoolVar(&a.fix, "fix", false, "")
	set.BoolVar(&a.diff, "diff", false, "")
	set.BoolVar(&a.program, "whole-program", false, "")
	set.BoolVar(&a.write, "write-baseline", false, "")
	if err := set.Parse(args); err != nil {
		return a, err
	}
	a.patterns = set.Args()
	switch i := slices.IndexFunc(a.patterns, func(s string) bool { return strings.HasPrefix(s, "-") }); {
	case i >= 0:
		return a, fmt.Errorf("flag %s stands after a package; flags go first", a.patterns[i])
	case !slices.Contains([]string{"error", "warning", "note", "never"}, a.fail):
		return a, fmt.Errorf("-fail=%s: it is error, warning, note or never", a.fail)
	case a.write && a.baseline == "":
		return a, errors.New("-write-baseline needs -baseline file: where to write it")
	case a.write && (a.fix || a.diff):
		return a, errors.New("-write-baseline and -fix exclude each other: fix first, then write down what is left")
	}
	return a, nil
}

// runLint is the whole of durablegen lint.
func runLint(ctx context.Context, dir string, args []string, stdout, stderr io.Writer) int {
	a, err := parseLint(dir, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, lintUsage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "durablegen: %s\nRun durablegen lint -h for help.\n", err)
		return exitFailure
	}
	if a.explain != "" {
		return explain(a.explain, stdout, stderr)
	}
	result, err := lint.Run(ctx, lint.Config{Dir: a.dir, Patterns: a.patterns, Policy: a.config, Program: a.program})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	if err := a.treat(result, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "durablegen: %s\n", err)
		return exitFailure
	}
	if err := a.print(result, stdout); err != nil {
		fmt.Fprintf(stderr, "durablegen: %s\n", err)
		return exitFailure
	}
	return a.verdict(result, stderr)
}

func explain(rule string, stdout, stderr io.Writer) int {
	if rule == "all" {
		fmt.Fprint(stdout, lint.Index())
		return exitOK
	}
	text := lint.Explain(strings.ToUpper(rule))
	if text == "" {
		fmt.Fprintf(stderr, "durablegen: there is no rule %s; durablegen lint -explain all lists them\n", rule)
		return exitFailure
	}
	fmt.Fprint(stdout, text)
	return exitOK
}

// treat takes out of the findings what the baseline has and what is mended.
func (a lintArguments) treat(result *lint.Result, stdout, stderr io.Writer) error {
	if a.write {
		b := baseline.Of(result.Findings)
		if err := b.Write(a.baseline); err != nil {
			return err
		}
		result.Findings, _ = b.Hide(result.Findings)
		return nil
	}
	if a.baseline != "" {
		b, err := baseline.Read(a.baseline)
		if err != nil {
			return err
		}
		var gone int
		if result.Findings, gone = b.Hide(result.Findings); gone > 0 {
			fmt.Fprintf(stderr, "durablegen: %d %s of %s no longer there; -write-baseline takes them out\n", gone, plural(gone, "finding", "findings"), a.baseline+plural(gone, " is", " are"))
		}
	}
	if a.fix || a.diff {
		return a.mend(result, stdout, stderr)
	}
	return nil
}

func (a lintArguments) mend(result *lint.Result, stdout, stderr io.Writer) error {
	files, done, err := mend.Apply(result.Findings)
	if err != nil {
		return err
	}
	for _, f := range files {
		file := gen.File{Path: f.Path, Old: f.Old, New: f.New}
		if a.diff {
			stdout.Write(difference(file)) // a lost line of output is the reader's loss only
			continue
		}
		if err := write(file); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "fixed %s\n", short(f.Path))
	}
	if !a.diff {
		result.Findings = slices.DeleteFunc(result.Findings, func(f lint.Finding) bool {
			return slices.ContainsFunc(done, func(d lint.Finding) bool { return d.Pos == f.Pos && d.Message == f.Message })
		})
	}
	return nil
}

func (a lintArguments) print(result *lint.Result, stdout io.Writer) error {
	switch a.format {
	case "json":
		return report.JSON(stdout, result)
	case "sarif":
		root, err := filepath.Abs(a.dir)
		if err != nil {
			return err
		}
		if wd, err := os.Getwd(); a.dir == "" && err == nil {
			root = wd
		}
		return report.SARIF(stdout, result, root)
	}
	if !a.diff {
		report.Text(stdout, result.Findings)
	}
	return nil
}

// verdict says what was not looked at, and gives the exit code.
func (a lintArguments) verdict(result *lint.Result, stderr io.Writer) int {
	report.Unseen(stderr, result.Unseen)
	if slices.ContainsFunc(result.Unseen, func(u lint.Unseen) bool { return u.Broken }) {
		return exitFailure
	}
	if slices.ContainsFunc(result.Findings, func(f lint.Finding) bool { return f.Allowed == "" && a.fails(f.Rule) }) {
		return exitProblems
	}
	return exitOK
}

// fails reports whether a finding is to fail the run. What could not be proved does, whatever its severity.
func (a lintArguments) fails(r lint.Rule) bool {
	switch a.fail {
	case "never":
		return false
	case "note":
		return true
	case "warning":
		return r.Severity != lint.Note
	}
	return r.Severity == lint.Error || strings.HasPrefix(r.ID, "DET9")
}
