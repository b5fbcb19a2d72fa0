// Package baseline keeps the findings that were there when a team began to lint, so that only new ones are told.
package baseline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/durablegen/durablegen/lint"
)

// Baseline counts findings by what they are known by, which has no line number: code may move.
type Baseline map[Entry]int

// Entry is what a finding is known by.
type Entry struct {
	Rule     string `json:"rule"`
	Package  string `json:"package"`
	Function string `json:"function,omitempty"`
	Line     string `json:"line"` // the source text
}

func entryOf(f lint.Finding) Entry { return Entry{f.Rule.ID, f.Package, f.Func, f.Line} }

// file is the form on disk, by package, function, line and rule, so that merges are easy.
type file struct {
	Version  int       `json:"version"`
	Findings []counted `json:"findings"`
}

type counted struct {
	Entry
	Count int `json:"count,omitempty"` // absent: 1
}

// Of makes the baseline that hides findings.
func Of(findings []lint.Finding) Baseline {
	b := Baseline{}
	for _, f := range findings {
		if f.Allowed == "" {
			b[entryOf(f)]++
		}
	}
	return b
}

// Read reads a file.
func Read(path string) (Baseline, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("baseline %s is not there; write it with -write-baseline", path)
	}
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	var f file
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil || f.Version != 1 {
		return nil, fmt.Errorf("baseline %s is none of version 1 (%v); write it anew with -write-baseline", path, err)
	}
	b := Baseline{}
	for _, c := range f.Findings {
		b[c.Entry] += max(c.Count, 1)
	}
	return b, nil
}

// Write writes a file.
func (b Baseline) Write(path string) error {
	f := file{Version: 1, Findings: []counted{}}
	for e, n := range b {
		c := counted{Entry: e}
		if n > 1 {
			c.Count = n
		}
		f.Findings = append(f.Findings, c)
	}
	slices.SortFunc(f.Findings, func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
	})
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(f); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	return nil
}

// Hide leaves out the findings that are in the baseline, each as often as it is there. Gone counts those of its entries that
// nothing was found for.
func (b Baseline) Hide(findings []lint.Finding) (fresh []lint.Finding, gone int) {
	left := Baseline{}
	for e, n := range b {
		left[e] = n
	}
	for _, f := range findings {
		if e := entryOf(f); f.Allowed == "" && left[e] > 0 {
			left[e]--
			continue
		}
		fresh = append(fresh, f)
	}
	for _, n := range left {
		gone += n
	}
	return fresh, gone
}
