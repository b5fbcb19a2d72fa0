// Package change prints what has changed since a lock was written: as text for people, as JSON for programs, and as a
// table for pull requests.
package change

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/durablegen/durablegen/gen"
)

func verdict(f gen.Finding) string {
	if f.Safe {
		return "safe"
	}
	return "unsafe"
}

// subject names the orchestrator, and its version if it says one.
func subject(f gen.Finding) string {
	if f.Version == "" || f.Version == "1" {
		return f.Orchestrator
	}
	return f.Orchestrator + " version " + f.Version
}

// Text prints "file:line:col: orchestrator shop.Order: unsafe: what changed" for each change that breaks instances, and
// below it which and the ways out. Of those that harm nobody it says only how many there are.
func Text(w io.Writer, findings []gen.Finding) error {
	var b strings.Builder
	safe := 0
	for _, f := range findings {
		if f.Safe {
			safe++
			continue
		}
		if f.Pos.Filename != "" {
			fmt.Fprintf(&b, "%s: ", f.Pos)
		}
		if f.Orchestrator != "" {
			fmt.Fprintf(&b, "orchestrator %s: ", subject(f))
		}
		fmt.Fprintf(&b, "unsafe: %s\n", f.Change)
		if f.Reason != "" {
			fmt.Fprintf(&b, "\twhy: %s\n", f.Reason)
		}
		if f.Breaks != "" {
			fmt.Fprintf(&b, "\tbreaks: %s\n", f.Breaks)
		}
		for i, way := range f.WaysOut {
			label := "or:"
			if i == 0 {
				label = "ways out:"
			}
			fmt.Fprintf(&b, "\t%s %s\n", label, way)
		}
	}
	if safe > 0 {
		fmt.Fprintf(&b, "%s no running instance\n", harmless(safe))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func harmless(n int) string {
	if n == 1 {
		return "1 change breaks"
	}
	return fmt.Sprintf("%d changes break", n)
}

// finding is one object of the JSON form.
type finding struct {
	File         string   `json:"file"`
	Line         int      `json:"line"`
	Column       int      `json:"column"`
	Orchestrator string   `json:"orchestrator"`
	Version      string   `json:"version,omitempty"`
	Verdict      string   `json:"verdict"`
	Change       string   `json:"change"`
	Reason       string   `json:"reason"`
	Breaks       string   `json:"breaks"`
	WaysOut      []string `json:"ways_out"`
}

// JSON prints an object a line for each change.
func JSON(w io.Writer, findings []gen.Finding) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, f := range findings {
		out := finding{
			File: f.Pos.Filename, Line: f.Pos.Line, Column: f.Pos.Column, Orchestrator: f.Orchestrator, Version: f.Version,
			Verdict: verdict(f), Change: f.Change, Reason: f.Reason, Breaks: f.Breaks, WaysOut: f.WaysOut,
		}
		if out.WaysOut == nil {
			out.WaysOut = []string{}
		}
		if err := e.Encode(out); err != nil {
			return err
		}
	}
	return nil
}

// Markdown prints a table, what breaks instances first, or one sentence when there is nothing to tell.
func Markdown(w io.Writer, findings []gen.Finding) error {
	var b strings.Builder
	var bad, good []gen.Finding
	for _, f := range findings {
		if f.Safe {
			good = append(good, f)
		} else {
			bad = append(bad, f)
		}
	}
	switch {
	case len(findings) == 0:
		b.WriteString("**durablegen check**: nothing has changed that running instances would notice.\n")
	case len(bad) == 0:
		fmt.Fprintf(&b, "**durablegen check**: safe, %s no running instance.\n", harmless(len(good)))
	default:
		fmt.Fprintf(&b, "**durablegen check**: unsafe, %d of %d changes would break running instances.\n", len(bad), len(findings))
	}
	if len(findings) > 0 {
		b.WriteString("\n| verdict | where | orchestrator | change | why | breaks | ways out |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	}
	for _, f := range append(bad, good...) {
		where := ""
		if f.Pos.Filename != "" {
			where = fmt.Sprintf("`%s:%d`", f.Pos.Filename, f.Pos.Line)
		}
		mark := "safe"
		if !f.Safe {
			mark = "**unsafe**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", mark, where, cell(subject(f)), cell(f.Change), cell(f.Reason), cell(f.Breaks), cell(strings.Join(f.WaysOut, "\n")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell makes a text fit into a table.
func cell(s string) string {
	s = strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\r", "", "\n", "<br>").Replace(s)
	return strings.TrimSpace(s)
}
