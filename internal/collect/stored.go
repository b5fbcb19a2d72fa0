package collect

import (
	"fmt"
	"strings"
)

// StoredName is the name of a declaration in histories.
func (d *Decl) StoredName(pkg string) string {
	if d.Name != "" {
		return d.Name
	}
	return pkg + "." + d.Ident
}

// StoredClashes refuses two owners of one stored name. Orchestrators and activities share a table, events and errors have
// their own; events are told apart without regard to case, as in Durable Functions.
func StoredClashes(pkg *Package) []Problem {
	var problems []Problem
	report := func(d *Decl, format string, args ...any) {
		problems = append(problems, Problem{"DUR109", d.Start, d.Pos, fmt.Sprintf(format, args...)})
	}
	owners := map[string]*Decl{}
	for _, d := range pkg.Decls {
		for i, name := range append([]string{d.StoredName(pkg.Name)}, d.Aliases...) {
			key := table(d, name)
			other := owners[key]
			if other == nil {
				owners[key] = d
				continue
			}
			if i > 0 {
				report(d, "the alias %q of %s already belongs to %s; history could not tell them apart: leave it out or choose another",
					name, d.Local(), other.Local())
				continue
			}
			free := Fresh(func(s string) bool { return owners[table(d, s)] != nil }, pkg.Name+"."+strings.ReplaceAll(d.Local(), ".", ""))
			report(d, "the stored name %q of %s already belongs to %s; history could not tell them apart: choose another with name=%s",
				name, d.Local(), other.Local(), free)
		}
	}
	return problems
}

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
