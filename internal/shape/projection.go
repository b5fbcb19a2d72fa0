package shape

import (
	"slices"
	"strings"
)

// stored gives a flow in which arguments are what is stored of them: without the fields that do not travel, and those of
// embedded structs beside the others.
func (l *Lock) stored(f *Flow) *Flow {
	p := &projection{types: l.Types, flow: *f}
	p.flow.Nodes = slices.Clone(f.Nodes)
	p.flow.Values = slices.Clone(f.Values)
	changed := false
	for i := range p.flow.Nodes {
		n := &p.flow.Nodes[i]
		params, first := l.paramsOf(n.Kind, n.Target), 0
		switch n.Kind {
		case Continue:
			params = l.paramsOf(Child, n.Target)
		case Send:
			if e := findEvent(l.Events, n.Target); e != nil {
				params, first = e.Params, 1
			}
		}
		args := slices.Clone(n.Args)
		for k := range params {
			if first+k < len(args) {
				args[first+k] = p.value(args[first+k], params[k].Type, 0)
			}
		}
		bodies := slices.Clone(n.Bodies)
		for k := range bodies {
			if inner := l.stored(&n.Bodies[k]); inner != &n.Bodies[k] {
				bodies[k], changed = *inner, true
			}
		}
		changed = changed || !slices.Equal(args, n.Args)
		n.Args, n.Bodies = args, bodies
	}
	p.flow.Functions = slices.Clone(f.Functions)
	for i := range p.flow.Functions {
		fn := &p.flow.Functions[i]
		if inner := l.stored(&f.Functions[i].Flow); inner != &f.Functions[i].Flow {
			fn.Flow, changed = *inner, true
		}
	}
	if !changed {
		return f
	}
	return &p.flow
}

type projection struct {
	types []Type
	flow  Flow
}

// value gives what is stored of a value of a type; the value itself if that is not known to be less.
func (p *projection) value(v int, ref TypeRef, depth int) int {
	const deep = 8
	if depth > deep || ref < 0 || int(ref) >= len(p.types) {
		return v
	}
	t, val := &p.types[ref], p.flow.Values[v]
	each := func(part TypeRef, from, step int) int {
		args := slices.Clone(val.Args)
		for i := from; i < len(args); i += step {
			args[i] = p.value(args[i], part, depth+1)
		}
		return p.with(v, val.What, args)
	}
	switch {
	case val.Op == opIf && len(val.Args) == 3:
		return each(ref, 1, 1)
	case t.Kind == "pointer":
		return p.value(v, t.Elem, depth+1)
	case t.Kind == "list" && val.Op == opList:
		return each(t.Elem, 0, 1)
	case t.Kind == "map" && val.Op == "map":
		return each(t.Elem, 1, 2)
	case t.Kind == "object" && val.Op == "struct":
		return p.object(v, t, depth)
	}
	return v
}

// object gives the fields of a struct that are stored, by their names.
func (p *projection) object(v int, t *Type, depth int) int {
	fields := map[string]int{}
	if !p.collect(v, t, fields) {
		return v
	}
	var names []string
	var args []int
	for _, f := range t.Fields {
		if _, there := fields[f.Name]; there {
			names = append(names, f.Name)
		} else if strings.Contains(f.From, "*") {
			return v // not written when that is nil, unlike the others, which are zero
		}
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Name == name })
		args = append(args, p.value(fields[name], t.Fields[i].Type, depth+1))
	}
	return p.with(v, strings.Join(names, " "), args)
}

// collect gathers the fields of a struct, and then those of what it embeds. It reports whether all is known.
func (p *projection) collect(v int, t *Type, fields map[string]int) bool {
	val := p.flow.Values[v]
	names := strings.Split(val.What, " ")
	if len(names) != len(val.Args) {
		return false
	}
	for i, name := range names {
		if slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Name == name }) {
			fields[name] = val.Args[i]
		}
	}
	embedded := 0
	for i, name := range names {
		from := name + "."
		if _, own := fields[name]; own || !slices.ContainsFunc(t.Fields, func(f Field) bool { return strings.HasPrefix(f.From, from) || strings.Contains(f.From, "*"+from) }) {
			continue // it does not travel
		}
		if embedded++; embedded > 1 || !p.promote(val.Args[i], from, t, fields) {
			return false // of two either may hide the other
		}
	}
	return true
}

// promote adds the fields of an embedded struct that comes from elsewhere. One behind a pointer may be none.
func (p *projection) promote(v int, from string, t *Type, fields map[string]int) bool {
	if p.flow.Values[v].Op == "struct" || p.flow.Values[v].Op == opConst {
		return false
	}
	for _, f := range t.Fields {
		if strings.Contains(f.From, "*") || strings.HasPrefix(f.From, from) && f.From != from {
			return false
		}
		if _, there := fields[f.Name]; !there && f.From == from {
			p.flow.Values = append(p.flow.Values, Value{Op: "field", What: f.Name, Args: []int{v}, Pos: p.flow.Values[v].Pos})
			fields[f.Name] = len(p.flow.Values) - 1
		}
	}
	return true
}

// with gives a value with other parts.
func (p *projection) with(v int, what string, args []int) int {
	val := p.flow.Values[v]
	if val.What == what && slices.Equal(val.Args, args) {
		return v
	}
	val.What, val.Args = what, args
	p.flow.Values = append(p.flow.Values, val)
	return len(p.flow.Values) - 1
}
