package gen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/durablegen/durablegen/gen/internal/diag"
	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/lock"
	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/rehearsal"
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
	var plans []*names.Plan
	for _, pkg := range r.program.Packages {
		if plan := r.plans[pkg]; plan != nil {
			plans = append(plans, plan)
		}
	}
	types := lock.NewTypes(fset, declared...)
	types.Look(sources)
	flows := lock.Flows(fset, sources, func(s *lock.Source) bool { return target[s.Path] }, types.Ref)
	var judged []*judgement
	for _, pkg := range r.program.Packages {
		if !pkg.Target || pkg.Foreign {
			continue
		}
		now := &shape.Lock{Format: shape.Format, Package: pkg.Path}
		if len(pkg.Files) > 0 {
			now.Pos = fset.Position(pkg.Files[0].Package)
		}
		if plan := r.plans[pkg]; plan != nil {
			now = lock.Build(fset, types, plan, pkg.Files, flows)
			lock.Foreign(fset, types, now, plans)
		}
		judged = append(judged, &judgement{pkg: pkg, now: now})
	}
	return r.judge(judged, accept)
}

// judgement is what has become of the lock of one package.
type judgement struct {
	pkg      *load.Package
	now      *shape.Lock
	file     File
	findings []Finding
	err      error
}

// judge makes the files of all locks, side by side: a rehearsal takes its time.
func (r *run) judge(all []*judgement, accept Acceptance) (files []File, findings []Finding, err error) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, j := range all {
		wg.Go(func() {
			turns <- struct{}{}
			j.file, j.findings, j.err = lockFile(j.pkg, j.now, accept)
			<-turns
		})
	}
	wg.Wait()
	for _, j := range all {
		var unreadable unreadableLock
		switch {
		case errors.As(j.err, &unreadable):
			r.report(j.pkg, []diag.Diagnostic{diag.At(token.Position{Filename: unreadable.path, Line: 1, Column: 1}, "%s", unreadable.err)})
		case j.err != nil:
			return nil, nil, j.err
		case j.file.Old != nil || j.file.New != nil:
			files = append(files, j.file)
		}
		findings = append(findings, j.findings...)
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
	exact := canonical(now)
	var findings []Finding
	merged := exact
	if f.Old != nil {
		old, err := shape.Read(f.Old)
		if err != nil {
			return File{}, nil, unreadableLock{f.Path, err}
		}
		findings = compare(&old, now, exact)
		merged = merge(&old, exact, findings, accept)
	}
	if len(merged.Orchestrators)+len(merged.Activities)+len(merged.Events)+len(merged.Accepted) > 0 {
		f.New = merged.Text()
	}
	return f, findings, nil
}

// canonical gives a lock with its flows in the form of the file, in which values have no places.
func canonical(l *shape.Lock) *shape.Lock {
	out := *l
	out.Orchestrators = slices.Clone(l.Orchestrators)
	for i := range out.Orchestrators {
		out.Orchestrators[i].Flow = shape.Canonical(out.Orchestrators[i].Flow)
	}
	return &out
}

// compare judges what has changed. exact is the canonical form of now. The judgement follows every way through a flow, so
// those that are the same to the letter are left out.
func compare(old, now, exact *shape.Lock) []Finding {
	same := shape.Unchanged(old, exact)
	findings := shape.Compare(without(old, same), without(now, same), rehearsal.Rehearse)
	for _, f := range shape.Payloads(old, now) {
		told := func(g Finding) bool { return g.Pos.Filename == f.Pos.Filename && g.Pos.Line == f.Pos.Line }
		if !slices.ContainsFunc(findings, told) {
			findings = append(findings, f)
		}
	}
	for i := range findings {
		if !findings[i].Pos.IsValid() {
			findings[i].Pos = now.Pos // nothing is left of it
		}
	}
	return findings
}

// without gives a lock in which some orchestrators decide nothing.
func without(l *shape.Lock, same map[[2]string]bool) *shape.Lock {
	nothing := shape.Flow{Nodes: []shape.Node{{Kind: shape.Join, Next: []int{1}, Type: shape.NoType}, {Kind: shape.Return, Type: shape.NoType}}}
	out := *l
	out.Orchestrators = slices.Clone(l.Orchestrators)
	for i := range out.Orchestrators {
		if o := &out.Orchestrators[i]; same[[2]string{o.Name, o.Version}] {
			o.Flow = nothing
		}
	}
	return &out
}

// key is an orchestrator: its wire name and its version.
type key struct{ name, version string }

// runnable gives the orchestrators that are the same in both, of which the old lock has a form to run. That is no canonical
// form: it stays as it was written when the flow last changed.
func runnable(old, now *shape.Lock) map[key]bool {
	runs, same := map[key]bool{}, shape.Unchanged(old, now)
	for _, o := range old.Orchestrators {
		runs[key{o.Name, o.Version}] = o.Flow.Run != nil && same[[2]string{o.Name, o.Version}]
	}
	return runs
}

// merge keeps what would break instances, unless it is accepted.
func merge(old, now *shape.Lock, findings []Finding, accept Acceptance) *shape.Lock {
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
	runs := runnable(old, now)
	merged := shape.Keep(old, now, func(name, version string) bool { return keep[key{name, version}] || runs[key{name, version}] })
	merged.Accepted = append(merged.Accepted, accepted...)
	merged.Written = shape.Rewritten(old, merged, len(keep) > 0)
	return merged
}
