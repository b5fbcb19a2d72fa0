package lock

import (
	"go/token"
	"go/types"
	"strconv"
)

// params are the types of what a function takes, the receiver first.
func params(sig *types.Signature) []types.Type {
	var list []types.Type
	if sig.Recv() != nil {
		list = append(list, sig.Recv().Type())
	}
	for v := range sig.Params().Variables() {
		list = append(list, v.Type())
	}
	return list
}

// unknowns pushes arguments that are not known. What a function makes of what they lead to is part of what it does.
func (m *machine) unknowns(p *path, list []types.Type, pos token.Pos) int {
	k := 0
	for _, t := range list {
		if isContext(t) {
			p.push(m.leaf("ctx", "", pos))
			continue
		}
		v := m.leaf("param", strconv.Itoa(k), pos)
		k++
		arg := m.shelter(p, t, v)
		switch t.Underlying().(type) {
		case *types.Pointer, *types.Map:
			arg.cell.typ = t
			if ptr, ok := t.Underlying().(*types.Pointer); ok {
				arg.cell.typ = ptr.Elem()
			}
			arg.cell.maybe = v
			m.given = append(m.given, handed{arg.cell, v})
		case *types.Slice:
			c := m.newCell() // others that have the same elements
			c.typ = t
			p.vars[c] = v
			m.given = append(m.given, handed{c, v})
		}
		p.push(arg)
	}
	return len(list)
}

// handed is a place that was given to a function that is read by itself, and what was there.
type handed struct {
	cell *cell
	was  *value
}

// left is what a function leaves in the places that were given to it, where that is something else than before.
func (m *machine) left(p *path) []*value {
	var list []*value
	for _, g := range m.given {
		if v := p.vars[g.cell]; v != nil && v.class != g.was.class {
			list = append(list, m.val(v.pos, "left", g.was.what, m.freeze(p, v)))
		}
	}
	return list
}

// byItself reports whether a function is read apart from who calls it, or what is within such a one: functions that it is
// given may do anything.
func (m *machine) byItself() bool {
	for ; m != nil; m = m.parent {
		if m.lambda {
			return true
		}
	}
	return false
}
