package gen

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"go/token"
	"regexp"
	"slices"
	"sync"

	"github.com/durablegen/durablegen/gen/internal/diag"
	"github.com/durablegen/durablegen/gen/internal/emit"
	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/collect"
)

// FileName is the name of the one generated file of a package.
const FileName = load.FileName

// Config says what to generate.
type Config struct {
	// Dir is where patterns are resolved. Defaults to the working directory.
	Dir string
	// Patterns name packages as for go build. Defaults to the package in Dir.
	Patterns []string
	// Env is the environment of the go command that lists packages. Defaults to the process's own.
	Env []string
	// Accept takes changes into the locks that would break running instances. Defaults to none of them.
	Accept Acceptance
}

// Result is what a run came to. When there are diagnostics there are no files.
type Result struct {
	Files       []File       // by path; those that are up to date included
	Findings    []Finding    // what has changed since the locks were written, by position; those that harm nobody included
	Diagnostics []Diagnostic // by position
}

// File is one generated file.
type File struct {
	Package string // import path
	Path    string // absolute
	Old     []byte // what is on disk, nil when there is no such file
	New     []byte // what should be there, nil when the file should go because its package has lost its annotations
}

// Changed reports whether the file on disk is not what it should be.
func (f File) Changed() bool {
	return !bytes.Equal(f.Old, f.New) || (f.Old == nil) != (f.New == nil)
}

// Diagnostic is one mistake in the user's code: where, what, why and the accepted form.
type Diagnostic = diag.Diagnostic

// Generate loads the packages, collects their annotations, decides names, emits, and checks that the result compiles. A
// mistake in the user's code is a diagnostic; an error means that the run itself failed, for example because there is no
// go command. It may be called concurrently.
func Generate(ctx context.Context, cfg Config) (Result, error) {
	program, problems, err := load.Load(ctx, load.Config{Dir: cfg.Dir, Patterns: cfg.Patterns, Env: cfg.Env})
	if err != nil || len(problems) > 0 {
		return Result{Diagnostics: diag.Sorted(problems)}, err
	}
	r := &run{program: program, generated: map[*load.Package][]byte{}, plans: map[*load.Package]*names.Plan{}, refused: map[string]bool{}}
	if err := r.emit(); err != nil {
		return Result{}, err
	}
	if err := r.verify(); err != nil {
		return Result{}, err
	}
	if r.broken {
		return Result{Diagnostics: diag.Sorted(r.problems)}, nil
	}
	return r.result(cfg.Accept)
}

type run struct {
	program   *load.Program
	generated map[*load.Package][]byte // absent: the package has no annotations
	plans     map[*load.Package]*names.Plan
	refused   map[string]bool // handles that are missing because of a diagnostic
	problems  []diag.Diagnostic
	broken    bool // a target has a problem; those of dependencies alone are for their own runs
}

// emit makes the files of all packages, side by side: printing is half of a run's time.
func (r *run) emit() error {
	outputs := make([]output, len(r.program.Packages))
	var wg sync.WaitGroup
	for i, pkg := range r.program.Packages {
		wg.Go(func() { outputs[i] = generate(r.program.Fset, pkg) })
	}
	wg.Wait()
	var errs []error
	for i, pkg := range r.program.Packages {
		out := outputs[i]
		errs = append(errs, out.err)
		r.report(pkg, out.problems)
		for _, name := range out.refused {
			r.refused[name] = true
		}
		if out.src != nil {
			r.generated[pkg], r.plans[pkg] = out.src, out.plan
		}
	}
	return errors.Join(errs...)
}

// output is what one package came to.
type output struct {
	src      []byte // nil: nothing to generate
	plan     *names.Plan
	problems []diag.Diagnostic
	refused  []string // handles that are missing because of the problems
	err      error
}

// generate makes the file of one package. Declarations with diagnostics are left out, so that the rest is still checked.
func generate(fset *token.FileSet, pkg *load.Package) output {
	model, problems := collect.Collect(fset, &collect.Source{
		Path: pkg.Path, Name: pkg.Name, Files: pkg.Files, Tests: pkg.Tests, Types: pkg.Types, Defs: pkg.Defs,
	})
	out := output{refused: model.Refused}
	for _, p := range problems {
		out.problems = append(out.problems, diag.Diagnostic{Pos: p.At, Message: p.Message})
	}
	if len(model.Decls) == 0 {
		return out
	}
	if pkg.Foreign {
		out.problems = append(out.problems, diag.At(token.Position{Filename: pkg.GenPath, Line: 1, Column: 1},
			"the file has the name of the generated one but was not written by durablegen: rename it, it would be overwritten"))
		return out
	}
	plan, clashes := names.Assign(model)
	if len(clashes) > 0 {
		out.problems = append(out.problems, clashes...)
		for _, d := range plan.Decls {
			out.refused = append(out.refused, d.Handle) // what would be emitted cannot compile
		}
		return out
	}
	out.plan = plan
	out.src, out.err = emit.File(plan)
	return out
}

var undefined = regexp.MustCompile(`^undefined: (?:\w+\.)?([\pL_][\pL_\pN]*)`)

// verify type-checks everything with the new files. What remains are the user's own mistakes, apart from echoes: handles
// that are missing because their declaration has a diagnostic.
func (r *run) verify() error {
	found, err := r.program.Verify(r.generated)
	for _, pkg := range r.program.Packages {
		r.report(pkg, found[pkg])
	}
	r.problems = slices.DeleteFunc(r.problems, func(p diag.Diagnostic) bool {
		m := undefined.FindStringSubmatch(p.Message)
		return m != nil && r.refused[m[1]]
	})
	return err
}

func (r *run) report(pkg *load.Package, problems []diag.Diagnostic) {
	r.problems = append(r.problems, problems...)
	r.broken = r.broken || pkg.Target && len(problems) > 0
}

// result adds the locks to the generated files.
func (r *run) result(accept Acceptance) (Result, error) {
	locks, findings, err := r.lockFiles(accept)
	if err != nil {
		return Result{}, err
	}
	if r.broken {
		return Result{Diagnostics: diag.Sorted(r.problems)}, nil
	}
	files := append(r.files(), locks...)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return Result{Files: files, Findings: findings}, nil
}

func (r *run) files() []File {
	var files []File
	for _, pkg := range r.program.Packages {
		src := r.generated[pkg]
		if !pkg.Target || pkg.Foreign || src == nil && pkg.Old == nil {
			continue
		}
		files = append(files, File{Package: pkg.Path, Path: pkg.GenPath, Old: pkg.Old, New: src})
	}
	return files
}
