package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/change"
	"github.com/durablegen/durablegen/gen"
)

// runCheck tells what has changed since the locks were written, and which files are not what they should be.
func runCheck(a arguments, result gen.Result, stdout, stderr io.Writer) int {
	for i := range result.Findings {
		f := &result.Findings[i]
		f.Pos.Filename = short(f.Pos.Filename)
	}
	if a.accept.Reason != "" {
		return accept(a, result, stdout, stderr)
	}
	if err := tell(a.format, result.Findings, stdout); err != nil {
		fmt.Fprintf(stderr, "durablegen: %s\n", err)
		return exitFailure
	}
	stale := staleness(a, result.Files, stdout, stderr)
	if unsafe(result.Findings) || stale && a.format == "text" {
		return exitProblems
	}
	return exitOK
}

func tell(format string, findings []gen.Finding, stdout io.Writer) error {
	switch format {
	case "json":
		return change.JSON(stdout, findings)
	case "markdown":
		return change.Markdown(stdout, findings)
	}
	return change.Text(stdout, findings)
}

func unsafe(findings []gen.Finding) bool {
	return slices.ContainsFunc(findings, func(f gen.Finding) bool { return !f.Safe })
}

// staleness names the files that are not what they should be.
func staleness(a arguments, files []gen.File, stdout, stderr io.Writer) bool {
	stale := 0
	if a.format != "text" {
		stdout = stderr // which is for the findings
	}
	for _, f := range files {
		if !f.Changed() {
			if a.verbose {
				fmt.Fprintf(stdout, "unchanged %s\n", short(f.Path))
			}
			continue
		}
		stale++
		if a.diff {
			stdout.Write(difference(f)) // a lost line of output is the reader's loss only
		}
		fmt.Fprintf(stderr, "%s %s\n", state(f), short(f.Path))
	}
	if stale > 0 {
		fmt.Fprintf(stderr, "durablegen: %d generated %s not up to date; run go generate, or durablegen with the same packages\n",
			stale, plural(stale, "file is", "files are"))
	}
	return stale > 0
}

// accept writes the locks with what has been accepted, and tells what has not.
func accept(a arguments, result gen.Result, stdout, stderr io.Writer) int {
	var rest []gen.Finding
	taken := 0
	for _, f := range result.Findings {
		switch {
		case f.Safe:
		case a.accept.Orchestrator == "" || a.accept.Orchestrator == f.Orchestrator:
			taken++
		default:
			rest = append(rest, f)
		}
	}
	if taken == 0 {
		fmt.Fprintf(stderr, "durablegen: there is nothing to accept%s\n", of(a.accept.Orchestrator))
		return exitFailure
	}
	for _, f := range result.Files {
		if filepath.Base(f.Path) != gen.LockName || !f.Changed() {
			continue
		}
		if err := write(f); err != nil {
			fmt.Fprintf(stderr, "durablegen: %s\n", err)
			return exitFailure
		}
		fmt.Fprintf(stderr, "%s %s\n", done(f), short(f.Path))
	}
	fmt.Fprintf(stderr, "durablegen: accepted %d %s: %s\n", taken, plural(taken, "change", "changes"), a.accept.Reason)
	if err := tell(a.format, rest, stdout); err != nil {
		fmt.Fprintf(stderr, "durablegen: %s\n", err)
		return exitFailure
	}
	if len(rest) > 0 {
		return exitProblems
	}
	return exitOK
}

func of(orchestrator string) string {
	if orchestrator == "" {
		return ""
	}
	return " of " + orchestrator + "; it is the stored name that is asked for, such as shop.Order"
}

// warn tells, when files are written, what durablegen check will refuse.
func warn(stderr io.Writer, findings []gen.Finding) {
	var bad []gen.Finding
	for _, f := range findings {
		if !f.Safe {
			f.Pos.Filename = short(f.Pos.Filename)
			bad = append(bad, f)
		}
	}
	if len(bad) == 0 {
		return
	}
	_ = change.Text(stderr, bad) // a lost line of output is the reader's loss only
	fmt.Fprintf(stderr, "durablegen: %d %s would break running instances; the lock keeps what they began with, and durablegen check fails\n",
		len(bad), plural(len(bad), "change", "changes"))
}
