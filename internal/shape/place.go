package shape

import (
	"go/token"
	"slices"
	"strings"
)

// declared moves a failure from where a change is felt to the declaration in which it was made: of an activity or event that
// has another name, of a field or parameter that is gone or has another name.
func (j *judgement) declared(f *failure) {
	switch {
	case f.gone != nil && j.moved(f, j.renamedEndpoint(f.gone, f.come)):
	case (f.event || f.difference != nil && f.difference.event) && j.moved(f, j.renamedEvent()):
	case f.difference != nil && j.moved(f, j.field(f.difference)):
		f.declared = false // of a field that is gone that is what stands there now, or near it what took its place
	}
}

func (j *judgement) moved(f *failure, pos token.Position) bool {
	if pos.IsValid() {
		f.pos, f.declared = pos, true
	}
	return pos.IsValid()
}

// whereNamed gives what a stored name comes from: the Go name, unless the directive says it.
func whereNamed(stored, name string, pos, directive token.Position) token.Position {
	if strings.HasSuffix(stored, "."+name) {
		return pos
	}
	return directive
}

// renamedEndpoint finds the activity or child that has taken the place of another one, which is not there any more.
func (j *judgement) renamedEndpoint(gone, come *Node) token.Position {
	before, after := j.old.Activities, j.new.Activities
	if come.Kind == Child {
		before, after = j.old.Children, j.new.Children
	}
	e := find(after, come.Target)
	if gone.Kind != come.Kind || e == nil || find(before, e.Name) != nil || find(before, gone.Target) == nil || find(after, gone.Target) != nil {
		return token.Position{}
	}
	return whereNamed(e.Name, e.Func, e.Pos, e.Directive)
}

// renamedEvent finds the one event that is new in the flow, if there is one that the package does not have any more.
func (j *judgement) renamedEvent() token.Position {
	gone := false
	for name := range j.from.Flow.Uses()[Receive] {
		gone = gone || find(j.new.Events, name) == nil
	}
	var pos token.Position
	for name := range j.to.Flow.Uses()[Receive] {
		e := find(j.new.Events, name)
		if e == nil || find(j.old.Events, name) != nil {
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

// field finds the field or parameter that an old value was made of and a new one is not, because it is gone or is called
// otherwise.
func (j *judgement) field(d *difference) token.Position {
	if d.is[""] && !d.was[""] && len(j.to.Params) == 1 && len(j.from.Params) != 1 {
		return j.to.Params[0].Pos // it was several parameters before
	}
	for _, c := range j.typeChanges() {
		name := c.Path[strings.LastIndexByte(c.Path, '.')+1:]
		if c.Pos.IsValid() && c.Loses && name != "" && d.was[name] && !d.is[name] {
			return c.Pos
		}
	}
	return token.Position{}
}

// typeChanges are those of all that is stored.
func (j *judgement) typeChanges() []TypeChange {
	if j.types != nil {
		return j.types
	}
	j.types = append([]TypeChange{}, CompareParams(j.old, j.from.Params, j.new, j.to.Params)...)
	used := j.from.Flow.Uses()
	for _, list := range []struct {
		kind          NodeKind
		before, after []Endpoint
	}{{Activity, j.old.Activities, j.new.Activities}, {Receive, j.old.Events, j.new.Events}, {Child, j.old.started(), j.new.started()}} {
		for _, a := range answering(list.before, used[list.kind]) {
			if b := find(list.after, a.Name); b != nil {
				j.types = append(j.types, CompareParams(j.old, a.Params, j.new, b.Params)...)
				j.types = append(j.types, CompareTypes(j.old, a.Result, j.new, b.Result)...)
			}
		}
	}
	return j.types
}

// names adds the fields and parameters of which a value is made.
func (g *graph) names(v int) map[string]bool {
	list, seen := map[string]bool{}, map[int]bool{}
	var visit func(int)
	visit = func(v int) {
		if seen[v] {
			return
		}
		seen[v] = true
		switch val := &g.Values[v]; val.Op {
		case "field", opParam:
			list[val.What] = true
		case "struct":
			for _, name := range strings.Fields(val.What) {
				list[name] = true
			}
		}
		for _, a := range g.Values[v].Args {
			visit(a)
		}
	}
	visit(v)
	return list
}

// onePerLine leaves of the unsafe findings of an orchestrator in a line the first.
func onePerLine(findings []Finding) (out []Finding) {
	for _, f := range findings {
		same := func(g Finding) bool {
			return !g.Safe && !f.Safe && g.Orchestrator == f.Orchestrator && g.Version == f.Version && f.Pos.IsValid() &&
				g.Pos.Filename == f.Pos.Filename && g.Pos.Line == f.Pos.Line
		}
		if !slices.ContainsFunc(out, same) {
			out = append(out, f)
		}
	}
	return out
}
