package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/lint"
)

// isVet reports whether the go command calls, for go vet -vettool: it asks for the version, for the flags, or has one
// package looked at that a .cfg file describes.
func isVet(args []string) bool {
	return slices.Contains(args, "-V=full") || slices.Equal(args, []string{"-flags"}) ||
		len(args) > 0 && strings.HasSuffix(args[len(args)-1], ".cfg")
}

// vet answers the go command.
func vet(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	switch args[0] {
	case "-V=full":
		id, err := vetID()
		if err != nil {
			fmt.Fprintf(stderr, "durablegen: %s\n", err)
			return exitFailure
		}
		fmt.Fprintf(stdout, "durablegen version devel buildID=%x\n", id)
		return exitOK
	case "-flags":
		fmt.Fprintln(stdout, `[{"Name":"config","Bool":false,"Usage":"the durablelint.yaml to read"},{"Name":"json","Bool":true,"Usage":"print JSON"}]`)
		return exitOK
	}
	var asJSON bool
	set := flag.NewFlagSet("durablegen", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(lint.PolicyPath(), "config", "", "")
	set.BoolVar(&asJSON, "json", false, "")
	if err := set.Parse(args); err != nil {
		return exitFailure
	}
	debug.SetGCPercent(800) // a package at a time, in a process of its own
	unit, err := lint.RunUnit(ctx, set.Arg(0))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitProblems
	}
	if asJSON {
		err := printUnit(unit, stdout)
		if err != nil {
			fmt.Fprintf(stderr, "durablegen: %s\n", err)
			return exitProblems
		}
		return exitOK
	}
	code := exitOK
	for _, f := range unit.Findings {
		if f.Allowed == "" {
			fmt.Fprintf(stderr, "%s: %s\n", f.Pos, f.Message)
			code = exitProblems
		}
	}
	return code
}

// printUnit prints what tools of go vet print: findings by package and analyzer.
func printUnit(unit *lint.Unit, stdout io.Writer) error {
	type finding struct {
		Category string `json:"category"`
		Posn     string `json:"posn"`
		Message  string `json:"message"`
	}
	var list []finding
	for _, f := range unit.Findings {
		if f.Allowed == "" {
			list = append(list, finding{f.Rule.ID, f.Pos.String(), f.Message})
		}
	}
	tree := map[string]map[string][]finding{}
	if list != nil {
		tree[unit.ID] = map[string][]finding{lint.Analyzer.Name: list}
	}
	text, err := json.MarshalIndent(tree, "", "\t")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if unit.Output != "" {
		return os.WriteFile(unit.Output, text, 0o666)
	}
	_, err = stdout.Write(text)
	return err
}

// vetID stands for all that findings depend on beside the code: this program and durablelint.yaml. The go command asks for
// it in the user's folder, and keeps results under it.
func vetID() ([]byte, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	h := sha256.New()
	if _, err := io.Copy(h, program); err != nil {
		return nil, err
	}
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if text, err := os.ReadFile(lint.PolicyFile(wd)); err == nil {
		h.Write(text)
	}
	return h.Sum(nil), nil
}
