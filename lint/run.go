package lint

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"

	"github.com/durablegen/durablegen/lint/internal/driver"
	"github.com/durablegen/durablegen/lint/internal/policy"
	"github.com/durablegen/durablegen/lint/internal/summary"
	"github.com/durablegen/durablegen/lint/internal/whole"
)

// Config says what to lint.
type Config struct {
	// Dir is where patterns are resolved. Defaults to the working directory.
	Dir string
	// Patterns name packages as for go build. Defaults to the package in Dir.
	Patterns []string
	// Env is the environment of the go command. Defaults to the process's own.
	Env []string
	// Policy is the durablelint.yaml to read. Defaults to the one beside the go.mod of each package. It is the same for all runs
	// of a process.
	Policy string
	// Program also loads all that the packages import, the standard library included, and asks it what is called where no package
	// shows it: variables that another package sets, interfaces from far away. Tens of seconds and gigabytes more; off by default.
	Program bool
}

// Result is what a run found.
type Result struct {
	Findings []Finding // by package and position
	Unseen   []Unseen  // what was not looked at
}

// Finding is one break of a rule.
type Finding struct {
	Rule     Rule
	Package  string         // import path
	Func     string         // the declaration that it is in: "Verify", "Notifier.Send"; "" outside of all
	Pos, End token.Position // End is that of the line when nothing more is known
	Line     string         // the source line, without white space around it
	Message  string         // ends with the rule's id
	Chain    []Step         // the way from the orchestrator, when there is one
	Fixes    []Fix
	Allowed  string // the reason of the //durable:allow that permits it; "": it counts
}

// Step is one place on the way to a finding.
type Step struct {
	Pos  token.Position // without a file name when it is in code whose source was not read
	Text string
}

// Fix is one way to mend a finding.
type Fix struct {
	Text  string
	Edits []Edit
}

// Edit replaces bytes of a file.
type Edit struct {
	File       string
	Start, End int // offsets
	New        string
}

// Unseen is something that was not looked at.
type Unseen struct {
	What   string   // a package or file
	Why    []string // errors with their places, or the reason
	Broken bool     // it could not be loaded; otherwise it was left out on purpose
}

// Run lints packages. An error means that the run itself failed; code that does not compile is told in the result.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if cfg.Policy != "" {
		abs, err := filepath.Abs(cfg.Policy)
		if err != nil {
			return nil, fmt.Errorf("durablegen: %w", err)
		}
		policy.Path = abs
	}
	if path := policy.Path; path != "" {
		if _, err := policy.Read(path); err != nil {
			return nil, fmt.Errorf("durablegen: %w", err)
		}
	}
	if cfg.Dir != "" {
		if _, err := os.Stat(cfg.Dir); err != nil {
			return nil, fmt.Errorf("durablegen: %w", err)
		}
	}
	patterns := cfg.Patterns
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	result, all, err := look(ctx, cfg.Program, driver.Config{
		Dir: cfg.Dir, Env: cfg.Env, Patterns: patterns, Analyzers: Analyzers(), Skip: Known, Matters: matters,
	})
	if err != nil {
		return nil, fmt.Errorf("durablegen: %w", err)
	}
	if len(result.Graph) == 0 {
		return nil, fmt.Errorf("durablegen: %s matched no packages", strings.Join(patterns, " "))
	}
	r := &reading{result: result, sources: map[string][]byte{}}
	out := &Result{Findings: r.findings(), Unseen: unseen(result)}
	if cfg.Program && !all {
		out.Unseen = append(out.Unseen, Unseen{What: "the program", Why: []string{"some of its packages do not compile; the others were looked at by themselves"}, Broken: true})
	}
	return out, nil
}

// look runs the analyzers, of a whole program twice: first all of its packages say what they do. Of a broken program each
// package is looked at by itself.
func look(ctx context.Context, program bool, cfg driver.Config) (result *driver.Result, all bool, err error) {
	graph, err := driver.Load(ctx, cfg)
	if err != nil {
		return nil, false, err
	}
	packages.Visit(graph, nil, func(p *packages.Package) { program = program && len(p.Errors) == 0 })
	if program {
		calls, err := whole.Load(ctx, whole.Config{Dir: cfg.Dir, Env: cfg.Env, Patterns: cfg.Patterns, Skip: Known})
		if err != nil {
			return nil, false, err
		}
		p := summary.NewProgram(calls)
		cfg.Given = map[*analysis.Analyzer]any{summary.Whole: p}
		first := cfg
		first.Analyzers, first.Matters = []*analysis.Analyzer{summary.Analyzer}, nil
		if _, err := driver.Look(ctx, first, graph); err != nil {
			return nil, false, err
		}
		p.Described()
	}
	result, err = driver.Look(ctx, cfg, graph)
	return result, program, err
}

// matters reports whether a package can have findings: it has a directive, it registers packages that have, or it has code that
// an orchestrator may call with its Context. The others, and what only they import, need not be read.
func matters(pkg *packages.Package) bool {
	uses := pkg.Imports[runtimePath] != nil
	return slices.ContainsFunc(pkg.GoFiles, func(name string) bool { return hasDirective(name) || uses && usesRuntime(name) })
}

const runtimePath = "github.com/durablegen/durablegen/runtime"

// directive matches a comment that is a directive, or was meant to be one; not one that tells of directives.
var directive = regexp.MustCompile("(?m)^(?:[^\"`/\n]|/[^/*\n])*(?://|/\\*)[ \\t]*(?i:durable)[ \\t]*:[ \\t]*[A-Za-z]")

func hasDirective(name string) bool {
	src, err := os.ReadFile(name)
	return err == nil && directive.Match(src)
}

// usesRuntime reports whether a file names the type Context of the runtime, or registers what was generated.
func usesRuntime(name string) bool {
	src, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		return true // looking at it says why
	}
	for _, spec := range file.Imports {
		if spec.Path.Value != strconv.Quote(runtimePath) {
			continue
		}
		as := "durable"
		if spec.Name != nil {
			as = spec.Name.Name
		}
		return as == "." || bytes.Contains(src, []byte(as+".Context")) || bytes.Contains(src, []byte(".RegisterDurable("))
	}
	return false
}

// reading turns diagnostics into findings.
type reading struct {
	result  *driver.Result
	sources map[string][]byte
}

func (r *reading) findings() []Finding {
	files := map[string]*ast.File{}
	for _, p := range r.result.Packages {
		for _, f := range p.Files {
			files[r.result.Fset.File(f.FileStart).Name()] = f
		}
	}
	var list []Finding
	for _, f := range r.result.Findings {
		list = append(list, r.finding(f.Package, files, f.Diagnostic))
	}
	for _, p := range r.result.Packages {
		for _, h := range p.Results[Analyzer].([]hidden) {
			rule, _ := RuleOf(h.rule)
			f := r.finding(p.Path, files, analysis.Diagnostic{
				Pos: h.pos, Category: h.rule, Message: fmt.Sprintf("%s, allowed: %s (%s)", rule.Title, h.reason, rule.ID),
			})
			f.Allowed = h.reason
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return list
}

func (r *reading) finding(pkg string, files map[string]*ast.File, d analysis.Diagnostic) Finding {
	fset := r.result.Fset
	rule, ok := RuleOf(d.Category)
	if !ok {
		rule = Rule{ID: d.Category, Severity: Error}
	}
	f := Finding{Rule: rule, Package: pkg, Pos: fset.Position(d.Pos), Message: d.Message}
	if d.End.IsValid() {
		f.End = fset.Position(d.End)
	}
	f.Func = enclosing(fset, files[fset.File(d.Pos).Name()], f.Pos.Line)
	f.Line = r.line(f.Pos)
	for _, rel := range d.Related {
		s := Step{Text: rel.Message}
		if rel.Pos.IsValid() {
			s.Pos = fset.Position(rel.Pos)
		}
		f.Chain = append(f.Chain, s)
	}
	for _, fix := range d.SuggestedFixes {
		f.Fixes = append(f.Fixes, edits(fset, fix))
	}
	return f
}

func edits(fset *token.FileSet, fix analysis.SuggestedFix) Fix {
	out := Fix{Text: fix.Message}
	for _, e := range fix.TextEdits {
		tf := fset.File(e.Pos)
		end := e.End
		if !end.IsValid() {
			end = e.Pos
		}
		out.Edits = append(out.Edits, Edit{File: tf.Name(), Start: tf.Offset(e.Pos), End: tf.Offset(end), New: string(e.NewText)})
	}
	return out
}

// line is the source line of a position, without white space around it.
func (r *reading) line(pos token.Position) string {
	src, ok := r.sources[pos.Filename]
	if !ok {
		src, _ = os.ReadFile(pos.Filename) // a file that was made has none
		r.sources[pos.Filename] = src
	}
	lines := bytes.SplitN(src, []byte("\n"), pos.Line+1)
	if pos.Line < 1 || pos.Line > len(lines) {
		return ""
	}
	return string(bytes.TrimSpace(lines[pos.Line-1]))
}

// enclosing names the declaration around a line. (A position of another package is in a file set's file of its own.)
func enclosing(fset *token.FileSet, file *ast.File, line int) string {
	if file == nil {
		return ""
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || line < fset.Position(fn.Pos()).Line || line > fset.Position(fn.End()).Line {
			continue
		}
		if fn.Recv != nil && len(fn.Recv.List) == 1 {
			return receiverName(fn.Recv.List[0].Type) + "." + fn.Name.Name
		}
		return fn.Name.Name
	}
	return ""
}

func receiverName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.IndexListExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// unseen tells what was not looked at: packages that do not compile, and files with directives that the build leaves out.
func unseen(result *driver.Result) []Unseen {
	var list []Unseen
	for _, p := range result.Problems {
		u := Unseen{What: p.Package, Broken: true}
		for _, err := range p.Errs {
			u.Why = append(u.Why, reason(err))
		}
		list = append(list, u)
	}
	left := map[string]bool{}
	for _, pkg := range result.Graph {
		for _, name := range pkg.IgnoredFiles {
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && hasDirective(name) {
				left[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		list = append(list, Unseen{
			What: name, Why: []string{"it has directives, and its build constraints leave it out here: lint again with the GOOS, GOARCH or -tags that it is for"},
		})
	}
	return list
}

// reason is an error as people read it.
func reason(err error) string {
	text := err.Error()
	if handle := undefinedHandle.FindString(text); handle != "" {
		text += "; run go generate if durable_gen.go is missing or old"
	}
	return text
}

// undefinedHandle matches the error about a handle that was not generated.
var undefinedHandle = regexp.MustCompile(`undefined: (\w+\.)?\w+(Activity|Orchestrator|Event)$`)
