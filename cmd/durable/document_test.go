package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDocument runs the sessions of docs/cli.md, one after the other on the same hub. What a command says stands below it;
// `echo $?` tells how it exits, if not with 0.
func TestDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	script := "serve\nwork\n"
	var wants strings.Builder
	for n, step := range steps(string(text)) {
		if strings.HasPrefix(step.command, "durable tree") { // the hub shows what has begun within a quarter of a second
			script += "shows order-4 Running\nshows order-5 Running\n"
		}
		if strings.Contains(step.command, "--name Parent") {
			script += "shows order-4 Failed\n"
		}
		script += fmt.Sprintf("exits %s %s\nsaid out\nagree out want/%d\n", step.code, step.command, n)
		fmt.Fprintf(&wants, "-- want/%d --\n%s", n, step.says)
	}
	if wants.Len() == 0 {
		t.Fatal("the document has no session")
	}
	file := filepath.Join(t.TempDir(), "cli.txtar")
	if err := os.WriteFile(file, []byte(script+wants.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	scripts(t, testscript.Params{Files: []string{file}})
}

// TestProduction runs the sessions of docs/production.md in the same way; "…" stands for anything in a line.
func TestProduction(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	script, guarded := "serve\nwork\n", false
	var wants strings.Builder
	for n, step := range steps(string(text)) {
		if strings.Contains(step.command, "--user") && !guarded {
			script, guarded = script+"rest\nstop\nguard\n", true
		}
		script += fmt.Sprintf("exits %s %s\nsaid out\nfits out want/%d\n", step.code, step.command, n)
		fmt.Fprintf(&wants, "-- want/%d --\n%s", n, step.says)
	}
	if !guarded {
		t.Fatal("the document has no session of a user who may not do everything")
	}
	file := filepath.Join(t.TempDir(), "production.txtar")
	if err := os.WriteFile(file, []byte(script+wants.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	scripts(t, testscript.Params{Files: []string{file}})
}

// step is a command of a document.
type step struct{ command, says, code string }

// steps reads the blocks fenced by ```console.
func steps(text string) (all []step) {
	_, rest, _ := strings.Cut(text, "```console\n")
	for rest != "" {
		block, after, _ := strings.Cut(rest, "```\n")
		coded := false
		for line := range strings.Lines(block) {
			command, is := strings.CutPrefix(line, "$ ")
			switch {
			case is && command == "echo $?\n":
				coded = true
			case is:
				all, coded = append(all, step{command: strings.TrimSpace(command), code: "0"}), false
			case coded:
				all[len(all)-1].code = strings.TrimSpace(line)
			default:
				all[len(all)-1].says += line
			}
		}
		_, rest, _ = strings.Cut(after, "```console\n")
	}
	return all
}
