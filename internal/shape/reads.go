package shape

import (
	"slices"
	"strconv"
	"strings"
)

// readsInput reports whether what a flow decides depends on the input at a path of it: on it, on what is in it, or on a whole
// that holds it.
func readsInput(f *Flow, path string) bool {
	r := reading{path: path, functions: f.Functions}
	return r.reads(f, func(v *Value) (string, bool) { return v.What, v.Op == opParam }, 0)
}

// reading looks for what reads the input at a path.
type reading struct {
	path      string
	functions []Function
}

// root gives the path of a value that is the input, or that a body takes from around it.
type root func(v *Value) (path string, ok bool)

const deepestRead = 8 // of functions in functions

func (r *reading) reads(f *Flow, is root, depth int) bool {
	read := make([]bool, len(f.Values))
	for i := range f.Values {
		for _, a := range f.Values[i].Args {
			read[a] = true
		}
	}
	for i := range f.Values {
		at, ok := f.inputPath(i, is, 0)
		if !ok || !under(at, r.path) && !under(r.path, at) {
			continue
		}
		_, given := is(&f.Values[i])
		whole := f.Values[i].Op == opParam && !read[i] && !f.given(i)
		if under(at, r.path) && !given || whole || r.readsWhole(f, i, at, depth) {
			return true
		}
	}
	return false
}

// given reports whether a step gets a value.
func (f *Flow) given(v int) bool {
	return slices.ContainsFunc(f.Nodes, func(n Node) bool { return slices.Contains(n.Args, v) })
}

// readsWhole reports whether a value at a path is used otherwise than for fields of it, its length, or functions that only use such
// fields. What the next execution begins with is repeated by nobody.
func (r *reading) readsWhole(f *Flow, v int, at string, depth int) bool {
	for i := range f.Nodes {
		n := &f.Nodes[i]
		first := 0 // of what bodies take from around them
		if n.Kind == Go && n.Target != "go" {
			first = 2
		}
		for k, a := range n.Args {
			if a == v && n.Kind != Continue && (n.Kind != Go || k < first || len(n.Bodies) == 0 || r.readsOuter(&n.Bodies[0], k, at, depth)) {
				return true
			}
		}
	}
	for i := range f.Values {
		u := &f.Values[i]
		for k, a := range u.Args {
			if a == v && u.Op != "field" && u.Op != opLen && !(u.Op == opIndex && k == 0) && (u.Op != opFunc || r.readsFunction(u.Sum, k, at, depth)) {
				return true
			}
		}
	}
	return false
}

// readsFunction reports whether a function reads what it takes from around it as its k-th value. One of which only a hash is known
// may.
func (r *reading) readsFunction(sum string, k int, at string, depth int) bool {
	i := slices.IndexFunc(r.functions, func(fn Function) bool { return sum != "" && fn.Sum == sum })
	return i < 0 || r.readsOuter(&r.functions[i].Flow, k, at, depth)
}

func (r *reading) readsOuter(f *Flow, k int, at string, depth int) bool {
	return depth > deepestRead || r.reads(f, func(v *Value) (string, bool) { return at, v.Op == opOuter && v.What == strconv.Itoa(k) }, depth+1)
}

// inputPath gives the path of a value that is a field of the input.
func (f *Flow) inputPath(v int, is root, depth int) (path string, ok bool) {
	val := &f.Values[v]
	if path, ok := is(val); ok {
		return path, true
	}
	switch {
	case depth > 20:
		return "", false
	case val.Op == "field" && len(val.Args) == 1:
		outer, ok := f.inputPath(val.Args[0], is, depth+1)
		return strings.TrimPrefix(outer+"."+val.What, "."), ok
	case val.Op == opIndex && len(val.Args) == 2:
		outer, ok := f.inputPath(val.Args[0], is, depth+1)
		return outer + "[]", ok
	}
	return "", false
}
