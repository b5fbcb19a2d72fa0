package collect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/durablegen/durablegen/annotations"
)

// StoredName is the name of a declaration in histories.
func (d *Decl) StoredName(pkg string) string {
	if d.Name != "" {
		return d.Name
	}
	return pkg + "." + d.Ident
}

// StoredClashes refuses two owners of one stored name. Orchestrators and activities share a table, events and errors have
// their own; events are told apart without regard to case, as in Durable Functions. Versions of an orchestrator have one name
// together.
func StoredClashes(pkg *Package) []Problem {
	var problems []Problem
	report := func(d *Decl, format string, args ...any) {
		problems = append(problems, Problem{"DUR109", d.Start, d.Pos, fmt.Sprintf(format, args...)})
	}
	owners := map[string][]*Decl{}
	for _, d := range pkg.Decls {
		for i, name := range append([]string{d.StoredName(pkg.Name)}, d.Aliases...) {
			key := table(d, name)
			if len(owners[key]) == 0 {
				owners[key] = []*Decl{d}
				continue
			}
			other := owners[key][0]
			if d != other && versionOf(d, other, pkg.Name) {
				if problem := twins(d, owners[key]); problem != "" && i == 0 {
					report(d, "the stored name %q of %s already belongs to %s, %s", name, d.Local(), other.Local(), problem)
				}
				owners[key] = append(owners[key], d)
				continue
			}
			if i > 0 {
				report(d, "the alias %q of %s already belongs to %s; history could not tell them apart: leave it out or choose another",
					name, d.Local(), other.Local())
				continue
			}
			free := Fresh(func(s string) bool { return len(owners[table(d, s)]) > 0 }, pkg.Name+"."+strings.ReplaceAll(d.Local(), ".", ""))
			report(d, "the stored name %q of %s already belongs to %s; history could not tell them apart: choose another with name=%s",
				name, d.Local(), other.Local(), free)
		}
	}
	return problems
}

// versionOf reports whether two declarations are versions of one orchestrator: who gives them one name and tells at least
// one of them a version means that.
func versionOf(a, b *Decl, pkg string) bool {
	return a.Word == annotations.Orchestrator && b.Word == annotations.Orchestrator &&
		a.StoredName(pkg) == b.StoredName(pkg) && (a.Version != "" || b.Version != "")
}

// twins says why an orchestrator cannot be a version beside others.
func twins(d *Decl, others []*Decl) string {
	for _, o := range others {
		switch {
		case cmp.Or(o.Version, firstVersion) == cmp.Or(d.Version, firstVersion):
			return fmt.Sprintf("and both are version %s (none is 1): give one of them another version=, or another name=", cmp.Or(d.Version, firstVersion))
		case o.Group != d.Group:
			return "and they are of different groups: versions of one orchestrator run in one group, give them the same with group="
		}
	}
	return ""
}

const firstVersion = "1" // of an orchestrator that says none, as the runtime has it

// table gives the key under which a stored name must be unique.
func table(d *Decl, name string) string {
	switch {
	case d.Event != nil:
		return "event " + strings.ToLower(name)
	case d.Error != nil:
		return "error " + name
	}
	return "function " + name
}

// Fresh gives the first of the candidates that taken does not refuse, then the last one with a number from 2.
func Fresh(taken func(string) bool, candidates ...string) string {
	for _, c := range candidates {
		if !taken(c) {
			return c
		}
	}
	last := candidates[len(candidates)-1]
	for i := 2; ; i++ {
		if c := fmt.Sprintf("%s%d", last, i); !taken(c) {
			return c
		}
	}
}
