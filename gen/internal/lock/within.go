package lock

import (
	"slices"

	"github.com/durablegen/durablegen/internal/shape"
)

// reachable leaves out methods which nothing can call: those of types that are in no interface, or not in that on which the
// method is called, the first of the values.
func (e *emitter) reachable(vs []*value) []*value {
	if len(vs) == 0 || vs[len(vs)-1].op != "method" {
		return vs
	}
	in := &inside{emitter: e, types: map[string]bool{}, seen: map[*value]bool{}}
	in.look(vs[0])
	return slices.DeleteFunc(slices.Clone(vs), func(v *value) bool {
		return v.op == "method" && (!e.boxes[v.what] || !in.any && !in.types[v.what])
	})
}

// inside looks for the types of what may be in an interface.
type inside struct {
	*emitter
	types map[string]bool
	any   bool // it is not known what else
	seen  map[*value]bool
}

func (in *inside) look(v *value) {
	v = in.real(v)
	if in.seen[v] || in.any {
		return
	}
	in.seen[v] = true
	switch v.op {
	case "box":
		in.types[v.what] = true // what it holds may hold others
	case "ref", "load", "unknown", "apply", dispatched, "lambda", "func", "source", "global", "external", "bound", "cycle", "later":
		in.any = true
	case "param":
		in.any = v.owner == nil || v.owner.parent != nil // that of an orchestrator comes from a payload
	case "call":
		in.any = len(v.what) > 9 && v.what[:9] == "recursion"
	}
	if v.at != nil && v.op != "phi" && (v.at.kind == shape.Call || v.at.kind == shape.Go) {
		in.any = true
	}
	for _, a := range v.args {
		in.look(a)
	}
}
