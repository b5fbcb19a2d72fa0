package shape

import (
	"fmt"
	"slices"
	"strings"
)

// sameType compares what two nodes give: what is recorded has to be read again.
func (w *walk) sameType(s *state) {
	n := &w.new.Nodes[s.new.at]
	for _, c := range w.unreadable(&w.old.Nodes[s.old.at], s.new.at) {
		if c.Fails {
			w.failType(n, c, w.before(s), "a recorded result of %s may not be readable any more: %s", false)
		} else {
			w.failType(n, c, w.before(s), "of a recorded result of %s something is not seen any more, and what is decided depends on it: %s", false)
		}
	}
}

// unreadable tells what of the recorded results of an old node the new one cannot read, or reads as something else, so that it
// counts.
func (w *walk) unreadable(o *Node, n int) []TypeChange {
	return slices.DeleteFunc(CompareTypes(w.j.old, o.Type, w.j.new, w.new.Nodes[n].Type), func(c TypeChange) bool {
		return !c.Fails && !(c.Loses && w.new.readsResult(n, c.Path, w.strict))
	})
}

// sameWriting compares how arguments are written: what was read as they are, and is written again, has to be what was recorded.
func (w *walk) sameWriting(s *state) {
	n := &w.new.Nodes[s.new.at]
	for _, c := range w.rewritten(&w.old.Nodes[s.old.at], n) {
		w.failType(n, c, w.before(s), "an argument of %s is written otherwise than it was recorded: %s", c.Shown)
	}
}

// rewritten tells which arguments of an old node the new one writes otherwise.
func (w *walk) rewritten(o, n *Node) []TypeChange {
	var a, b []Param
	if o.Kind == Send {
		old, now := findEvent(w.j.old.Events, o.Target), findEvent(w.j.new.Events, n.Target)
		if old == nil || now == nil {
			return nil
		}
		a, b = old.Params, now.Params
	} else {
		a, b = w.j.old.paramsOf(o.Kind, o.Target), w.j.new.paramsOf(n.Kind, n.Target)
		if len(a) != len(b) || len(a) == 0 {
			return nil
		}
	}
	compare := CompareParams
	if o.Bytes {
		compare = CompareBytes
	}
	return slices.DeleteFunc(compare(w.j.old, a, w.j.new, b), func(c TypeChange) bool { return !c.Rewrites })
}

func (w *walk) failType(n *Node, c TypeChange, before, change string, shown bool) {
	pos := c.Pos
	if !pos.IsValid() {
		pos = n.Pos
	}
	w.add(failure{kind: failType, pos: pos, expected: n.String(), after: before, change: fmt.Sprintf(change, n, at(c)), shown: shown})
}

// received compares the types of events that both programs receive.
func (w *walk) received() {
	told := map[string]bool{}
	w.new.receives(func(f *Flow, i int) {
		n := &f.Nodes[i]
		a, b := findEvent(w.j.old.Events, n.Target), findEvent(w.j.new.Events, n.Target)
		if a == nil || b == nil || !w.old.Flow.names(eventName(n.Target)) {
			return
		}
		for _, c := range CompareParams(w.j.old, a.Params, w.j.new, b.Params) {
			change := "an event that was recorded for %s may not be readable any more: %s"
			if !c.Fails {
				change = "of an event that was recorded for %s something is not seen any more, and what is decided depends on it: %s"
			}
			if told[at(c)] || !c.Fails && !(c.Loses && f.readsResult(i, c.Path, f != w.new.Flow)) {
				continue
			}
			told[at(c)] = true
			w.failType(n, c, "", change, false)
		}
	})
}

// receives goes through the nodes that receive events, those of bodies too.
func (f *Flow) receives(visit func(*Flow, int)) {
	for i := range f.Nodes {
		if f.Nodes[i].Kind == Receive {
			visit(f, i)
		}
		for k := range f.Nodes[i].Bodies {
			f.Nodes[i].Bodies[k].receives(visit)
		}
	}
}

// readsResult reports whether anything depends on what a node gives, at a path of it: on that, on what is in it, or on a whole
// that holds it. strict: what is returned counts.
func (f *Flow) readsResult(node int, path string, strict bool) bool {
	paths := make([]string, len(f.Values))
	result := make([]bool, len(f.Values))
	for i := range f.Values { // the result itself, and what is found to hang on it
		v := &f.Values[i]
		if v.ofNode() && v.Node == node && v.Op != "future" && v.Op != "now" {
			result[i] = v.Op == opResult
		}
		for k, a := range v.Args {
			u := &f.Values[a]
			if u.Op != "future" || u.Node != node {
				continue
			}
			switch {
			case k == 0 && v.Op == opResult:
				result[i] = true
			case k == 0 && (v.Op == "error" || v.Op == "after" || v.Op == "done"):
			case v.Op == opEqual || v.Op == "!=" || v.Op == opNot: // which of several it was
			default:
				return true
			}
		}
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Kind == Await || n.Kind == AwaitAny {
			continue
		}
		if slices.ContainsFunc(n.Args, func(v int) bool { return f.Values[v].Op == "future" && f.Values[v].Node == node }) {
			return true
		}
	}
	for again := true; again; {
		again = false
		for i := range f.Values {
			v := &f.Values[i]
			if result[i] || len(v.Args) == 0 || !result[v.Args[0]] || v.Op != "field" && v.Op != opIndex {
				continue
			}
			paths[i], result[i], again = paths[v.Args[0]]+"[]", true, true
			if v.Op == "field" {
				paths[i] = strings.TrimPrefix(paths[v.Args[0]]+"."+v.What, ".")
			}
		}
	}
	for i := range f.Values {
		if result[i] && (paths[i] != "" && under(paths[i], path) || under(path, paths[i]) && f.whole(i, strict)) {
			return true
		}
	}
	return false
}

// whole reports whether a value is used otherwise than for what is in it.
func (f *Flow) whole(v int, strict bool) bool {
	for i := range f.Nodes {
		if n := &f.Nodes[i]; slices.Contains(n.Args, v) && (strict || n.Kind != Return) {
			return true
		}
	}
	return slices.ContainsFunc(f.Values, func(u Value) bool {
		return slices.Contains(u.Args, v) && u.Op != "field" && u.Op != opLen && !(u.Op == opIndex && u.Args[0] == v)
	})
}

// Describe has every orchestrator tell of the declarations of types that it stores.
func (l *Lock) Describe() {
	for i := range l.Orchestrators {
		o := &l.Orchestrators[i]
		seen := map[TypeRef]bool{}
		var visit func(TypeRef)
		visit = func(ref TypeRef) {
			if ref < 0 || int(ref) >= len(l.Types) || seen[ref] {
				return
			}
			seen[ref] = true
			for _, w := range l.Types[ref].Written {
				if !slices.ContainsFunc(o.Flow.Written, func(have Written) bool { return have.Name == w.Name && have.Pieces == w.Pieces }) {
					o.Flow.Written = append(o.Flow.Written, w)
				}
			}
			for _, part := range l.Types[ref].children() {
				visit(part)
			}
		}
		all := func(params []Param, result TypeRef) {
			for _, p := range params {
				visit(p.Type)
			}
			visit(result)
		}
		all(o.Params, o.Result)
		uses := o.Flow.Uses()
		for _, e := range answering(l.Activities, uses[Activity]) {
			all(e.Params, e.Result)
		}
		for _, e := range answering(l.started(), uses[Child]) {
			all(e.Params, e.Result)
		}
		for _, e := range l.Events {
			if o.Flow.names(eventName(e.Name)) {
				all(e.Params, e.Result)
			}
		}
	}
}

// recased gives the new flow with fields under their old names where only the case of these has changed: encoding/json reads
// them alike.
func (j *judgement) recased(f *Flow) *Flow {
	names := map[string]string{}
	for _, c := range j.typeChanges() {
		name := c.Path[strings.LastIndexByte(c.Path, '.')+1:]
		if c.Cased != "" && !j.old.hasBoth(name, c.Cased) && !j.new.hasBoth(name, c.Cased) {
			names[c.Cased] = name
		}
	}
	if len(names) == 0 {
		return f
	}
	return f.renamed(names)
}

// hasBoth reports whether there is an object with fields of both names.
func (l *Lock) hasBoth(a, b string) bool {
	has := func(t Type, name string) bool {
		return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Name == name })
	}
	return slices.ContainsFunc(l.Types, func(t Type) bool { return has(t, a) && has(t, b) })
}

func (f *Flow) renamed(names map[string]string) *Flow {
	out := *f
	out.Values, out.Nodes = slices.Clone(f.Values), slices.Clone(f.Nodes)
	for i := range out.Values {
		if v := &out.Values[i]; v.Op == "field" && names[v.What] != "" {
			v.What = names[v.What]
		}
	}
	for i := range out.Nodes {
		n := &out.Nodes[i]
		n.Bodies = slices.Clone(n.Bodies)
		for k := range n.Bodies {
			n.Bodies[k] = *n.Bodies[k].renamed(names)
		}
	}
	out.Functions = slices.Clone(f.Functions)
	for i := range out.Functions {
		out.Functions[i].Flow = *out.Functions[i].Flow.renamed(names)
	}
	if f.Run != nil {
		out.Run = f.Run.renamed(names)
	}
	return &out
}
