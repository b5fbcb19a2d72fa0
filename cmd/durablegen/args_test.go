package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/gen"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		want arguments
	}{
		{"nothing", nil, arguments{command: generate}},
		{"packages", []string{"./a", "./b/..."}, arguments{command: generate, patterns: []string{"./a", "./b/..."}}},
		{"generate by name", []string{"generate", "."}, arguments{command: generate, patterns: []string{"."}}},
		{"check", []string{"check", "./..."}, arguments{command: check, patterns: []string{"./..."}}},
		{"flags before the command", []string{"-C", "dir", "-v", "check"}, arguments{command: check, dir: "dir", verbose: true, patterns: []string{}}},
		{"flags after the command", []string{"check", "-diff", "-C=dir", "."}, arguments{command: check, dir: "dir", diff: true, patterns: []string{"."}}},
		{"flags on both sides", []string{"-v", "check", "-diff"}, arguments{command: check, verbose: true, diff: true, patterns: []string{}}},
		{"a package called check", []string{"./check"}, arguments{command: generate, patterns: []string{"./check"}}},
		{"a format", []string{"check", "-format", "json", "."}, arguments{command: check, format: "json", patterns: []string{"."}}},
		{"to accept", []string{"check", "-accept", " none runs ", "-orchestrator=shop.Order"}, arguments{command: check, accept: gen.Acceptance{Reason: "none runs", Orchestrator: "shop.Order"}}},
		{"two dashes", []string{"--diff", "."}, arguments{command: generate, diff: true, patterns: []string{"."}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(test.args)
			if err != nil {
				t.Fatal(err)
			}
			if test.want.format == "" {
				test.want.format = "text"
			}
			if len(got.patterns) == 0 && len(test.want.patterns) == 0 {
				got.patterns, test.want.patterns = nil, nil // no packages is the default, however it is spelled
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(arguments{})); diff != "" {
				t.Errorf("parse(%q) (-want +got):\n%s", test.args, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"unknown flag after the command", []string{"check", "-x"}, "flag provided but not defined: -x"},
		{"missing value", []string{"-C"}, "flag needs an argument: -C"},
		{"flag after a package", []string{".", "-diff"}, "flag -diff stands after a package; flags go first"},
		{"unknown format", []string{"check", "-format", "xml"}, "-format=xml: it is text, json or markdown"},
		{"format of generate", []string{"-format", "json"}, "-format, -accept and -orchestrator are flags of durablegen check"},
		{"accept of generate", []string{"-accept", "x"}, "-format, -accept and -orchestrator are flags of durablegen check"},
		{"no reason", []string{"check", "-accept", " "}, `invalid value " " for flag -accept: say why running instances may break`},
		{"nothing to accept", []string{"check", "-orchestrator", "shop.Order"}, "-orchestrator says what -accept is about: give -accept and the reason too"},
		{"diff as JSON", []string{"check", "-diff", "-format", "json"}, "-diff shows files and goes with -format text only"},
		{"empty pattern", []string{""}, "a package pattern is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(test.args)
			if err == nil || err.Error() != test.want {
				t.Errorf("parse(%q) = %v, want %s", test.args, err, test.want)
			}
		})
	}
	t.Run("help", func(t *testing.T) {
		t.Parallel()
		if _, err := parse([]string{"check", "-h"}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("parse -h = %v, want flag.ErrHelp", err)
		}
	})
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeModule(root, dir); err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string]string{
		"fine/f.go":  "package fine\n\n//durable:activity\nfunc Now() error { return nil }\n",
		"wrong/w.go": "package wrong\n\n//durable:activity\nfunc Now() {}\n",
		"spelt/s.go": "package spelt\n\n//durable:purre\nfunc Now() {}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		args []string
		want int
	}{
		{"help", []string{"-h"}, exitOK},
		{"a difference is no failure", []string{"-C", dir, "-diff", "./fine"}, exitOK},
		{"a missing file", []string{"-C", dir, "check", "./fine"}, exitProblems},
		{"mistakes in the code", []string{"-C", dir, "./wrong"}, exitProblems},
		{"no such package", []string{"-C", dir, "./nowhere"}, exitProblems},
		{"wrong usage", []string{"-nosuch"}, exitFailure},
		{"a file for a package", []string{"p.go"}, exitFailure},
		{"no such directory", []string{"-C", filepath.Join(dir, "nowhere")}, exitFailure},
		{"lint help", []string{"lint", "-h"}, exitOK},
		{"lint finds nothing", []string{"lint", "-C", dir, "./fine"}, exitOK},
		{"lint finds something", []string{"-C", dir, "lint", "./spelt"}, exitProblems},
		{"lint cannot load", []string{"-C", dir, "lint", "./spelt", "./nowhere"}, exitFailure},
		{"lint of wrong usage", []string{"lint", "-nosuch"}, exitFailure},
		{"lint of no packages", []string{"-C", dir, "lint", "./fine/x..."}, exitFailure},
		{"no packages", []string{"-C", dir, "./fine/x..."}, exitFailure},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if got := run(context.Background(), test.args, &stdout, &stderr); got != test.want {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", got, test.want, &stdout, &stderr)
			}
			if lints := slices.Contains(test.args, "lint"); !lints && (test.want == exitOK) != (stderr.Len() == 0) {
				t.Errorf("exit code %d with stderr %q", test.want, &stderr)
			}
		})
	}
}
