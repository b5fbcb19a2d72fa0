package lock

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// reading are packages whose functions change nothing of what they are given but what pointers point to.
var reading = map[string]bool{
	"fmt": true, "strings": true, "strconv": true, "errors": true, "math": true, "time": true, "unicode": true, "unicode/utf8": true, "cmp": true,
	"bytes": true, "regexp": true, "path": true, "net/url": true, "html": true, "reflect": true, "slices": true, "maps": true, "sort": true, "log/slog": true,
}

// writing are functions of those that change elements of their first argument.
var writing = map[string]bool{
	"sort.Strings": true, "sort.Ints": true, "sort.Float64s": true, "sort.Slice": true, "sort.SliceStable": true, "sort.Sort": true, "sort.Stable": true,
	"slices.Sort": true, "slices.SortFunc": true, "slices.SortStableFunc": true, "slices.Reverse": true, "slices.Delete": true, "slices.DeleteFunc": true,
	"slices.Insert": true, "slices.Replace": true, "slices.Compact": true, "slices.CompactFunc": true, "slices.AppendSeq": true,
	"maps.Copy": true, "maps.DeleteFunc": true, "maps.Insert": true, "reflect.Copy": true,
}

// written tells of an argument of a function of another module whether it may change what that leads to.
func written(name string, i int, t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer:
	default:
		return false
	}
	pkg, _, ok := strings.Cut(strings.TrimLeft(name, "(*"), ".")
	if j := strings.LastIndex(name, "/"); j >= 0 {
		rest, _, found := strings.Cut(name[j:], ".")
		pkg, ok = strings.TrimLeft(name[:j], "(*")+rest, found
	}
	if ok && reading[pkg] {
		return i == 0 && writing[name]
	}
	return true
}

// memory is the expression of the list or map that another is a part of, and whether it names a place.
func memory(info *types.Info, e ast.Expr) (x ast.Expr, named bool) {
	for {
		switch n := ast.Unparen(e).(type) {
		case *ast.SliceExpr:
			e = n.X
			continue
		case *ast.CallExpr:
			if !info.Types[n.Fun].IsType() || len(n.Args) != 1 {
				return n, false
			}
			e = n.Args[0]
			continue
		case *ast.CompositeLit, *ast.FuncLit, *ast.BasicLit:
			return n, false
		}
		named = true
		ast.Inspect(e, func(n ast.Node) bool {
			_, call := n.(*ast.CallExpr)
			named = named && !call
			return named
		})
		return e, named
	}
}

// mutate changes what an argument leads to into what becomes gives of it; it is on no stack.
func (m *machine) mutate(e ast.Expr, becomes func(p *path, old *value) *value) {
	info := m.frame.info
	x, named := memory(info, e)
	if !named {
		return
	}
	t := m.exprType(x)
	m.place(x)
	m.each(func(p *path) {
		ref := p.pop()
		old := m.read(p, ref)
		if old.op == "ref" {
			ref, old = old, m.read(p, old)
		}
		now := becomes(p, old)
		m.write(p, ref, now)
		m.elsewhere(p, ref.cell, t, old, now)
	})
}

// disturb changes what values lead to, and the variables that functions in them change.
func (m *machine) disturb(p *path, values []*value, becomes func(c *cell, old *value) *value) {
	var cells []*cell
	add := func(c *cell) {
		if !slices.Contains(cells, c) {
			cells = append(cells, c)
		}
	}
	for _, v := range values {
		for _, c := range m.reach(p, v) {
			add(c)
		}
		m.disturbed(p, v, func(c *cell) {
			if !m.remote(c) { // the function does it itself
				add(c)
			}
		})
	}
	if len(cells) > 0 {
		for _, c := range m.sortedCells(p.vars) {
			if c.split {
				add(c)
			}
		}
	}
	for _, c := range cells {
		m.store(p, c, becomes(c, m.load(p, c)))
	}
}

// directly tells of places how a function that is called with some arguments may change them, if there is only one way: "arg"
// and the number of the parameter that points there, Contexts not counted, or "out" and the number of a variable that functions
// change. The function itself is the first of args.
func (m *machine) directly(p *path, args []*value) map[*cell]string {
	own, pointed := map[*cell]string{}, map[*cell]int{}
	for k, a := range withoutPlain(args) {
		for _, c := range m.reach(p, a) {
			pointed[c]++
			if own[c] = ""; a.op == "ref" && a.cell == c && len(a.way) == 0 && pointed[c] == 1 {
				own[c] = "arg " + strconv.Itoa(k-1)
			}
		}
	}
	for _, a := range args {
		m.disturbed(p, a, func(c *cell) {
			if own[c] = ""; pointed[c] == 0 && slices.Contains(m.root().outside, c) {
				own[c] = "out " + m.root().variable(c)
			}
		})
	}
	return own
}

// withoutPlain leaves out Contexts.
func withoutPlain(args []*value) []*value {
	return slices.DeleteFunc(slices.Clone(args), func(a *value) bool { return a.op == "ctx" })
}

// disturbed calls f with the variables that functions in a value change when they are called.
func (m *machine) disturbed(p *path, v *value, f func(*cell)) {
	m.functions(p, v, func(c *closure) {
		m.alters(p, c, func(cl *cell, _ ast.Expr) { f(cl) })
	})
}

// plain reports whether an argument is of a basic type: it holds no function, though that from which it was taken may. at counts
// from behind the last of the values; those of a variadic parameter are one.
func (m *machine) plain(e *ast.CallExpr, sig *types.Signature, at int) bool {
	if sig == nil || sig.Params().Len()+at < 0 {
		return false
	}
	from := sig.Params().Len() + at
	to := from + 1
	if sig.Variadic() && at == -1 && !e.Ellipsis.IsValid() {
		to = len(e.Args)
	}
	if from > to || to > len(e.Args) {
		return false
	}
	return !slices.ContainsFunc(e.Args[from:to], func(a ast.Expr) bool {
		t := m.exprType(a)
		if t == nil {
			return true
		}
		_, basic := t.Underlying().(*types.Basic)
		return !basic
	})
}

// afterCall changes what a function of another module may have changed. v is what it has given, on top of the stacks.
func (m *machine) afterCall(e *ast.CallExpr, name string, sig *types.Signature, raw map[*path][]*value) {
	m.each(func(p *path) {
		v := p.stack[len(p.stack)-1]
		var cells []*cell
		for i, a := range raw[p] {
			if m.plain(e, sig, i-len(raw[p])) {
				continue
			}
			m.disturbed(p, a, func(c *cell) {
				if cells = append(cells, c); m.remote(c) {
					m.blur() // it is not known when
				}
			})
		}
		slices.SortFunc(cells, func(a, b *cell) int { return a.id - b.id })
		for _, c := range slices.Compact(cells) {
			m.store(p, c, m.val(e.Pos(), "changed", "by", v, m.load(p, c)))
		}
	})
	for i, a := range e.Args {
		a = m.turned(name, a)
		t := m.frame.info.TypeOf(a)
		if t == nil || !written(name, i, t) {
			continue
		}
		m.mutate(a, func(p *path, old *value) *value {
			return m.val(e.Pos(), "changed", strconv.Itoa(i), p.stack[len(p.stack)-1])
		})
	}
}

// turned is what is sorted where an argument of sort.Sort turns its order round.
func (m *machine) turned(name string, a ast.Expr) ast.Expr {
	for name == "sort.Sort" || name == "sort.Stable" {
		call, ok := ast.Unparen(a).(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			break
		}
		fn, _ := m.frame.info.Uses[funcName(call.Fun)].(*types.Func)
		if fn == nil || fn.FullName() != "sort.Reverse" {
			break
		}
		a = call.Args[0]
	}
	return a
}
