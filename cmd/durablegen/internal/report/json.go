package report

import (
	"encoding/json"
	"go/token"
	"io"
	"path/filepath"

	"github.com/durablegen/durablegen/lint"
)

// The JSON form is a contract: fields are added, never renamed. docs/linter.md describes it.
type jsonReport struct {
	Findings []jsonFinding `json:"findings"`
	Unseen   []jsonUnseen  `json:"unseen"`
}

type jsonFinding struct {
	Rule     string        `json:"rule"`
	Severity lint.Severity `json:"severity"`
	Package  string        `json:"package"`
	Function string        `json:"function,omitempty"`
	jsonPlace
	Message string     `json:"message"`
	Chain   []jsonStep `json:"chain,omitempty"`
	Fixes   []jsonFix  `json:"fixes,omitempty"`
	Allowed string     `json:"allowed,omitempty"` // the reason
}

// jsonPlace is a place in a file; columns count bytes from 1.
type jsonPlace struct {
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
}

type jsonStep struct {
	jsonPlace
	Text string `json:"text"`
}

type jsonFix struct {
	Text  string     `json:"text"`
	Edits []jsonEdit `json:"edits"`
}

// jsonEdit replaces the bytes from Start up to End.
type jsonEdit struct {
	File  string `json:"file"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	New   string `json:"new"`
}

type jsonUnseen struct {
	What   string   `json:"what"`
	Why    []string `json:"why"`
	Broken bool     `json:"broken"`
}

// JSON prints one object with everything, what is allowed too.
func JSON(w io.Writer, result *lint.Result) error {
	out := jsonReport{Findings: []jsonFinding{}, Unseen: []jsonUnseen{}}
	for _, f := range result.Findings {
		j := jsonFinding{
			Rule: f.Rule.ID, Severity: f.Rule.Severity, Package: f.Package, Function: f.Func, jsonPlace: jsonAt(f.Pos, f.End), Message: f.Message,
			Allowed: f.Allowed,
		}
		for _, s := range f.Chain {
			j.Chain = append(j.Chain, jsonStep{jsonAt(s.Pos, token.Position{}), s.Text})
		}
		for _, fix := range f.Fixes {
			j.Fixes = append(j.Fixes, jsonFixOf(fix))
		}
		out.Findings = append(out.Findings, j)
	}
	for _, u := range result.Unseen {
		out.Unseen = append(out.Unseen, jsonUnseen{filepath.ToSlash(Short(u.What)), shortened(u.Why), u.Broken})
	}
	return write(w, out)
}

func jsonAt(pos, end token.Position) jsonPlace {
	return jsonPlace{filepath.ToSlash(Short(pos.Filename)), pos.Line, pos.Column, end.Line, end.Column}
}

func jsonFixOf(fix lint.Fix) jsonFix {
	out := jsonFix{Text: fix.Text}
	for _, e := range fix.Edits {
		out.Edits = append(out.Edits, jsonEdit{filepath.ToSlash(Short(e.File)), e.Start, e.End, e.New})
	}
	return out
}

func write(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
