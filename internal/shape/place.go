package shape

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// Place moves findings from where a change is felt to where it was made: to the directive that renames or regroups, and to
// the field or parameter that has another name. Those of one orchestrator that come to lie on one line are one.
func Place(old, now *Lock, findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if !f.Safe {
			if pos := origin(old, now, f); pos.IsValid() {
				f.Pos = pos
			}
		}
		same := func(g Finding) bool {
			return !g.Safe && !f.Safe && g.Orchestrator == f.Orchestrator && g.Version == f.Version && f.Pos.IsValid() &&
				g.Pos.Filename == f.Pos.Filename && g.Pos.Line == f.Pos.Line
		}
		if !slices.ContainsFunc(out, same) {
			out = append(out, f)
		}
	}
	sortFindings(out)
	return out
}

// origin finds where the change of a finding was made, if that is another place.
func origin(old, now *Lock, f Finding) token.Position {
	before, after := named(old, f.Orchestrator), named(now, f.Orchestrator)
	switch f.Kind {
	case "group", "renamed", "version":
		for _, o := range now.Orchestrators {
			if o.Pos == f.Pos && f.Kind == "renamed" {
				return whereNamed(o.Name, o.Func, o.Pos, o.Directive)
			}
			if o.Pos == f.Pos {
				return o.Directive
			}
		}
		return token.Position{}
	}
	if before == nil || after == nil {
		return token.Position{}
	}
	if pos := renamedEndpoint(old, now, f.Change); pos.IsValid() {
		return pos
	}
	if strings.Contains(f.Change, "event") || strings.Contains(f.Change, "comes first") {
		if pos := renamedEvent(old, now, before, after); pos.IsValid() {
			return pos
		}
	}
	if pos := renamedField(old, now, before, after, f.Change); pos.IsValid() {
		return pos
	}
	return token.Position{}
}

// whereNamed gives what a stored name comes from: the Go name, unless the directive says it.
func whereNamed(stored, name string, pos, directive token.Position) token.Position {
	if strings.HasSuffix(stored, "."+name) {
		return pos
	}
	return directive
}

func named(l *Lock, name string) *Orchestrator {
	i := slices.IndexFunc(l.Orchestrators, func(o Orchestrator) bool { return o.Name == name || slices.Contains(o.Aliases, name) })
	if i < 0 {
		return nil
	}
	return &l.Orchestrators[i]
}

// renamedEndpoint finds the activity or child that is meant by "activity a became activity b", if b is there in a's place.
func renamedEndpoint(old, now *Lock, change string) token.Position {
	for _, list := range []struct{ before, after []Endpoint }{{old.Activities, now.Activities}, {old.Children, now.Children}} {
		for _, e := range list.after {
			for _, was := range list.before {
				if find(list.after, was.Name) == nil && find(list.before, e.Name) == nil &&
					strings.HasSuffix(change, " "+e.Name) && strings.Contains(change, was.Name+" became ") {
					return whereNamed(e.Name, e.Func, e.Pos, e.Directive)
				}
			}
		}
	}
	return token.Position{}
}

// renamedEvent finds the one event that is new in a flow, if there is one that the package does not have any more.
func renamedEvent(old, now *Lock, before, after *Orchestrator) token.Position {
	had, has := before.Flow.Uses()[Receive], after.Flow.Uses()[Receive]
	gone := false
	for name := range had {
		gone = gone || find(now.Events, name) == nil
	}
	var pos token.Position
	for name := range has {
		e := find(now.Events, name)
		if e == nil || find(old.Events, name) != nil {
			continue
		}
		if pos.IsValid() {
			return token.Position{} // which of them cannot be told
		}
		pos = whereNamed(e.Name, e.Func, e.Pos, e.Directive)
	}
	if !gone {
		return token.Position{}
	}
	return pos
}

// renamedField finds the field or parameter that explains a change in what an orchestrator computes or passes.
func renamedField(old, now *Lock, before, after *Orchestrator, change string) token.Position {
	if len(before.Params) != len(after.Params) && len(after.Params) > 0 && strings.Contains(change, "the input became ") {
		return after.Params[0].Pos
	}
	changes := CompareParams(old, before.Params, now, after.Params)
	for _, c := range changes {
		if c.explains(change) || c.lost(change) {
			return c.Pos
		}
	}
	used := before.Flow.Uses()
	for _, list := range []struct {
		kind          NodeKind
		before, after []Endpoint
	}{{Activity, old.Activities, now.Activities}, {Receive, old.Events, now.Events}, {Child, old.Children, now.Children}} {
		for _, a := range answering(list.before, used[list.kind]) {
			b := find(list.after, a.Name)
			if b == nil {
				continue
			}
			params := CompareParams(old, a.Params, now, b.Params)
			for _, c := range append(params, CompareTypes(old, a.Result, now, b.Result)...) {
				if c.explains(change) {
					return c.Pos
				}
			}
			if i := slices.IndexFunc(params, func(c TypeChange) bool { return c.Renamed != "" }); i >= 0 &&
				strings.HasPrefix(change, fmt.Sprintf("a parameter of %s %s ", list.kind, a.Name)) {
				return params[i].Pos
			}
		}
	}
	return token.Position{}
}

// lost reports whether a finding says that something is not computed any more from a field of the input that is gone.
func (c TypeChange) lost(change string) bool {
	before, after, ok := strings.Cut(change, " became ")
	name := "the input." + c.Path
	return ok && c.Loses && c.Path != "" && c.Pos.IsValid() && strings.Contains(before, name) && !strings.Contains(after, name)
}

// explains reports whether a finding speaks of the field that has another name.
func (c TypeChange) explains(change string) bool {
	was := c.Path[strings.LastIndexByte(c.Path, '.')+1:]
	switch {
	case c.Renamed == "" || !c.Pos.IsValid():
		return false
	case strings.Contains(change, "."+was+" became ") || strings.Contains(change, "."+was+","):
		return strings.Contains(change, "."+c.Renamed)
	}
	return strings.Contains(change, "field "+c.Renamed+" is set") || strings.Contains(change, "field "+was+" is not set")
}
