package gen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"

	"github.com/durablegen/durablegen/gen/internal/diag"
	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/lock"
	"github.com/durablegen/durablegen/internal/shape"
)

// LockName is the name of the file that says what the orchestrators of a package decide.
const LockName = shape.FileName

// Finding is a change since the lock was written, at a place of the new code, and what becomes of running instances.
type Finding = shape.Finding

// Acceptance takes incompatible changes upon somebody. The zero value accepts nothing.
type Acceptance struct {
	Reason       string // goes into the lock; "": nothing is accepted
	Orchestrator string // wire name of the one that is meant; "": all
}

func (a Acceptance) covers(f Finding) bool {
	return a.Reason != "" && (a.Orchestrator == "" || a.Orchestrator == f.Orchestrator)
}

// lockFiles makes the locks of the targets and tells what has changed since those on disk.
func (r *run) lockFiles(accept Acceptance) ([]File, []Finding, error) {
	fset := r.program.Fset
	sources := r.sources()
	target := map[string]bool{}
	var declared []*ast.File
	for _, pkg := range r.program.Packages {
		target[pkg.Path] = pkg.Target
		declared = append(declared, pkg.Files...)
	}
	types := lock.NewTypes(fset, declared...)
	flows := lock.Flows(fset, sources, func(s *lock.Source) bool { return target[s.Path] }, types.Ref)
	var files []File
	var findings []Finding
	for _, pkg := range r.program.Packages {
		if !pkg.Target || pkg.Foreign {
			continue
		}
		now := &shape.Lock{Format: shape.Format, Package: pkg.Path}
		if plan := r.plans[pkg]; plan != nil {
			now = lock.Build(fset, types, plan, pkg.Files, flows)
		}
		file, found, err := lockFile(pkg, now, accept)
		var unreadable unreadableLock
		switch {
		case errors.As(err, &unreadable):
			r.report(pkg, []diag.Diagnostic{diag.At(token.Position{Filename: unreadable.path, Line: 1, Column: 1}, "%s", unreadable.err)})
		case err != nil:
			return nil, nil, err
		case file.Old != nil || file.New != nil:
			files = append(files, file)
		}
		findings = append(findings, found...)
	}
	return files, findings, nil
}

// sources gives what flows are read from. A package with mistakes counts for nothing: it is known by name.
func (r *run) sources() []*lock.Source {
	var list []*lock.Source
	for _, pkg := range r.program.Packages {
		if c := pkg.Checked; c != nil && c.Sound {
			list = append(list, &lock.Source{Path: pkg.Path, Files: c.Files, Types: c.Types, Info: c.Info, Plan: r.plans[pkg]})
		}
	}
	return list
}

// unreadableLock is one that somebody has to mend before anything can be said.
type unreadableLock struct {
	path string
	err  error
}

func (e unreadableLock) Error() string { return e.path + ": " + e.err.Error() }

// lockFile decides what the lock of a package has to be. What no instance minds is taken over; what would break some
// stays as it was, for those orchestrators, until it is accepted.
func lockFile(pkg *load.Package, now *shape.Lock, accept Acceptance) (File, []Finding, error) {
	f := File{Package: pkg.Path, Path: filepath.Join(pkg.Dir, LockName)}
	var err error
	if f.Old, err = os.ReadFile(f.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return File{}, nil, fmt.Errorf("durablegen: %w", err)
	}
	var findings []Finding
	merged := now
	if f.Old != nil {
		old, err := shape.Read(f.Old)
		if err != nil {
			return File{}, nil, unreadableLock{f.Path, err}
		}
		findings = shape.Compare(&old, now)
		merged = merge(&old, now, findings, accept)
	}
	if len(merged.Orchestrators)+len(merged.Activities)+len(merged.Events)+len(merged.Accepted) == 0 {
		return f, findings, nil
	}
	canonical := *merged
	canonical.Orchestrators = slices.Clone(canonical.Orchestrators)
	for i := range canonical.Orchestrators {
		canonical.Orchestrators[i].Flow = lock.Canonical(canonical.Orchestrators[i].Flow)
	}
	f.New = canonical.Text()
	return f, findings, nil
}

// merge keeps what would break instances, unless it is accepted.
func merge(old, now *shape.Lock, findings []Finding, accept Acceptance) *shape.Lock {
	type key struct{ name, version string }
	keep := map[key]bool{}
	var accepted []shape.Accepted
	for _, f := range findings {
		switch {
		case f.Safe:
		case accept.covers(f):
			accepted = append(accepted, shape.Accepted{Orchestrator: f.Orchestrator, Change: f.Change, Reason: accept.Reason})
		default:
			keep[key{f.Orchestrator, f.Version}] = true
		}
	}
	merged := shape.Keep(old, now, func(name, version string) bool { return keep[key{name, version}] })
	merged.Accepted = append(merged.Accepted, accepted...)
	return merged
}
