package names

import (
	"strings"

	"github.com/durablegen/durablegen/gen/internal/diag"
)

// storedClashes refuses two owners of one stored name. Orchestrators and activities share a table, events and errors have
// their own; events are told apart without regard to case, as in Durable Functions.
func storedClashes(pkg string, decls []*Decl) []diag.Diagnostic {
	var problems []diag.Diagnostic
	owners := map[string]*Decl{}
	for _, d := range decls {
		for i, name := range append([]string{d.Wire}, d.Aliases...) {
			key := table(d, name)
			other := owners[key]
			if other == nil {
				owners[key] = d
				continue
			}
			if i > 0 {
				problems = append(problems, diag.At(d.Decl.Pos, "the alias %q of %s already belongs to %s; history could not tell them apart: leave it out or choose another",
					name, d.Local(), other.Local()))
				continue
			}
			free := Fresh(func(s string) bool { return owners[table(d, s)] != nil }, pkg+"."+strings.ReplaceAll(d.Local(), ".", ""))
			problems = append(problems, diag.At(d.Decl.Pos, "the stored name %q of %s already belongs to %s; history could not tell them apart: choose another with name=%s",
				name, d.Local(), other.Local(), free))
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
