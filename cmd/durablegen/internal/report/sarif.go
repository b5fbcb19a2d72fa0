package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/durablegen/durablegen/lint"
)

// SARIF prints a log in the Static Analysis Results Interchange Format 2.1.0, as code hosts read it: the rules with their
// texts, results with the way to each as a code flow, fixes, and what is allowed as suppressed. root is the folder that file
// names are relative to.
func SARIF(w io.Writer, result *lint.Result, root string) error {
	s := &sarif{root: root, sources: map[string][]byte{}, prints: map[string]int{}}
	rules, index := s.rules(result.Findings)
	run := sarifRun{
		Tool:        sarifTool{Driver: sarifDriver{Name: "durablegen", InformationURI: home, Rules: rules}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
		Invocations: []sarifInvocation{s.invocation(result.Unseen)},
		BaseIDs:     map[string]sarifBase{srcRoot: {Description: sarifMessage{Text: "The folder that the linter was run in."}}},
	}
	for _, f := range result.Findings {
		run.Results = append(run.Results, s.result(f, index[f.Rule.ID]))
	}
	return write(w, sarifLog{Schema: schema, Version: "2.1.0", Runs: []sarifRun{run}})
}

const (
	schema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home    = "https://github.com/durablegen/durablegen"
	srcRoot = "SRCROOT"
)

type sarif struct {
	root    string
	sources map[string][]byte
	prints  map[string]int // how often a fingerprint was there
}

// rules gives those that have findings, by id, and the place of each.
func (s *sarif) rules(findings []lint.Finding) ([]sarifRule, map[string]int) {
	var broken []lint.Rule
	index := map[string]int{}
	for _, f := range findings {
		if _, ok := index[f.Rule.ID]; !ok {
			index[f.Rule.ID] = 0
			broken = append(broken, f.Rule)
		}
	}
	slices.SortFunc(broken, func(a, b lint.Rule) int { return strings.Compare(a.ID, b.ID) })
	rules := []sarifRule{}
	for i, r := range broken {
		index[r.ID] = i
		doc := lint.Explain(r.ID)
		rules = append(rules, sarifRule{
			ID: r.ID, Name: name(r.Title), Short: sarifMessage{Text: r.Title}, Full: sarifMessage{Text: cmp.Or(r.Why, r.Title) + "; " + r.Do},
			Help: sarifMessage{Text: doc, Markdown: doc}, HelpURI: home + "/blob/main/docs/lint/" + r.ID + ".md",
			Default: sarifConfiguration{Level: level(r.Severity)},
		})
	}
	return rules, index
}

// name is a title as an identifier: "go statement" is GoStatement.
func name(title string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(title, func(r rune) bool { return r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func level(s lint.Severity) string { return string(s) } // the words are the same

func (s *sarif) result(f lint.Finding, index int) sarifResult {
	r := sarifResult{
		RuleID: f.Rule.ID, RuleIndex: index, Level: level(f.Rule.Severity), Message: sarifMessage{Text: f.Message},
		Locations: []sarifLocation{s.location(f.Pos, f.End, "")}, Prints: map[string]string{"durablegen/v1": s.print(f)},
	}
	if len(f.Chain) > 0 {
		var flow sarifThread
		for _, step := range f.Chain {
			flow.Locations = append(flow.Locations, sarifStep{s.location(step.Pos, token.Position{}, step.Text)})
		}
		r.CodeFlows = []sarifFlow{{[]sarifThread{flow}}}
	}
	for _, fix := range f.Fixes {
		r.Fixes = append(r.Fixes, s.fix(fix))
	}
	if f.Allowed != "" {
		r.Suppressions = []sarifSuppression{{Kind: "inSource", Justification: f.Allowed}}
	}
	return r
}

// print is what a finding is known by when lines move.
func (s *sarif) print(f lint.Finding) string {
	key := strings.Join([]string{f.Rule.ID, f.Package, f.Func, f.Line}, "\x00")
	s.prints[key]++
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, s.prints[key])))[:32]
}

func (s *sarif) location(pos, end token.Position, text string) sarifLocation {
	var l sarifLocation
	if text != "" {
		l.Message = &sarifMessage{Text: text}
	}
	if pos.IsValid() {
		l.Physical = &sarifPhysical{File: s.file(pos.Filename), Region: s.region(pos, end)}
	}
	return l
}

func (s *sarif) file(path string) sarifFile {
	if rel, err := filepath.Rel(s.root, path); err == nil && filepath.IsLocal(rel) {
		return sarifFile{URI: uri(rel), Base: srcRoot}
	}
	return sarifFile{URI: uri(filepath.Base(path))} // of a module elsewhere: its folder on this machine is nobody's business
}

// named is a package, or a file without the folders of this machine.
func (s *sarif) named(what string) string {
	if !filepath.IsAbs(what) {
		return what
	}
	if rel, err := filepath.Rel(s.root, what); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(what)
}

func uri(path string) string {
	path = filepath.ToSlash(path)
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c > ' ' && c < 0x7f && !strings.ContainsRune(`%<>"{}|\^`+"`?#[]:", rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (s *sarif) region(pos, end token.Position) sarifRegion {
	r := sarifRegion{StartLine: pos.Line, StartColumn: s.column(pos)}
	if end.IsValid() && end.Filename == pos.Filename {
		r.EndLine, r.EndColumn = end.Line, s.column(end)
	}
	return r
}

// column counts characters, where Go counts bytes.
func (s *sarif) column(pos token.Position) int {
	lines := bytes.SplitN(s.source(pos.Filename), []byte("\n"), pos.Line+1)
	if pos.Line > len(lines) || pos.Column-1 > len(lines[pos.Line-1]) {
		return pos.Column
	}
	return utf8.RuneCount(lines[pos.Line-1][:max(pos.Column-1, 0)]) + 1
}

func (s *sarif) source(path string) []byte {
	src, ok := s.sources[path]
	if !ok {
		src, _ = os.ReadFile(path)
		s.sources[path] = src
	}
	return src
}

func (s *sarif) fix(fix lint.Fix) sarifFix {
	out := sarifFix{Description: sarifMessage{Text: fix.Text}}
	for _, e := range fix.Edits {
		file := s.file(e.File)
		i := slices.IndexFunc(out.Changes, func(c sarifChange) bool { return c.File == file })
		if i < 0 {
			i = len(out.Changes)
			out.Changes = append(out.Changes, sarifChange{File: file})
		}
		src := s.source(e.File)
		start, end := position(src, e.File, e.Start), position(src, e.File, e.End)
		out.Changes[i].Replacements = append(out.Changes[i].Replacements, sarifReplacement{s.region(start, end), sarifContent{e.New}})
	}
	return out
}

// position finds an offset.
func position(src []byte, file string, offset int) token.Position {
	before := src[:min(offset, len(src))]
	return token.Position{Filename: file, Line: bytes.Count(before, []byte("\n")) + 1, Column: len(before) - bytes.LastIndexByte(before, '\n')}
}

func (s *sarif) invocation(list []lint.Unseen) sarifInvocation {
	inv := sarifInvocation{Successful: true, Notifications: []sarifNotification{}}
	for _, u := range list {
		n := sarifNotification{Level: "warning", Message: sarifMessage{Text: fmt.Sprintf("not looked at: %s: %s", s.named(u.What), strings.Join(shortened(u.Why), "; "))}}
		if u.Broken {
			inv.Successful, n.Level = false, "error"
		}
		inv.Notifications = append(inv.Notifications, n)
	}
	return inv
}
