package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// renamed are functions of the standard library that do the same as others.
var renamed = map[string]string{
	"sort.Strings": "slices.Sort", "sort.Ints": "slices.Sort", "sort.Float64s": "slices.Sort",
}

// known is a call of a function of another module, in the form that is the same however it is written.
func (m *machine) known(e *ast.CallExpr, name string, args []*value) *value {
	if name == "fmt.Sprintf" && !e.Ellipsis.IsValid() && len(args) > 0 && args[0].lit != nil && len(args) == len(e.Args) {
		if v := m.sprintf(e, args); v != nil {
			return v
		}
	}
	if name == "fmt.Sprint" && !e.Ellipsis.IsValid() && len(e.Args) == 1 && len(args) == 1 {
		if v := m.printed(m.said(e, 0), args[0]); v != nil {
			return v
		}
	}
	if name == "strings.Join" && len(args) == 2 && args[0].op == "list" && args[0].what == "" {
		out := m.constant(e.Pos(), constant.MakeString(""))
		for i, part := range args[0].args {
			if i > 0 {
				out = m.concat(e.Pos(), out, args[1])
			}
			out = m.concat(e.Pos(), out, part)
		}
		return out
	}
	if (name == "slices.Clone" || name == "maps.Clone") && len(args) == 1 {
		return m.copied(e.Pos(), args[0], m.exprType(e))
	}
	if same := renamed[name]; same != "" {
		name = same
	}
	args = m.patterned(name, args)
	return m.val(e.Pos(), "call", name, args...)
}

// sprintf is a format of texts and integers as the parts that it joins; nil when there is more to it.
func (m *machine) sprintf(e *ast.CallExpr, args []*value) *value {
	format := args[0]
	out := m.constant(format.pos, constant.MakeString(""))
	next := 1
	for rest := constant.StringVal(format.lit); rest != ""; {
		text, after, verb := strings.Cut(rest, "%")
		out = m.concat(e.Pos(), out, m.constant(format.pos, constant.MakeString(text)))
		if !verb {
			break
		}
		if after == "" {
			return nil
		}
		rest = after[1:]
		if after[0] == '%' {
			out = m.concat(e.Pos(), out, m.constant(format.pos, constant.MakeString("%")))
			continue
		}
		if next >= len(args) || !strings.ContainsRune("svd", rune(after[0])) {
			return nil
		}
		basic := m.said(e, next)
		if basic == nil || (after[0] == 's') != (basic.Info()&types.IsString != 0) && after[0] != 'v' {
			return nil
		}
		part := m.printed(basic, args[next])
		if part == nil {
			return nil
		}
		out = m.concat(e.Pos(), out, part)
		next++
	}
	if next != len(args) {
		return nil
	}
	return out
}

// printed is what %v makes of a text or an int; nil of anything else.
func (m *machine) printed(basic *types.Basic, v *value) *value {
	switch {
	case basic == nil:
		return nil
	case basic.Info()&types.IsString != 0:
		return v
	case v.lit != nil && v.lit.Kind() == constant.Int:
		return m.constant(v.pos, constant.MakeString(v.lit.ExactString()))
	case basic.Kind() == types.Int || basic.Kind() == types.UntypedInt:
		return m.val(v.pos, "call", "strconv.Itoa", v)
	}
	return nil
}

// builder is a method of a strings.Builder: what is in it is a text. The builder and n-1 arguments are on the stacks.
func (m *machine) builder(e *ast.CallExpr, name string, n int) bool {
	method, ok := strings.CutPrefix(name, "(*strings.Builder).")
	if !ok {
		return false
	}
	switch method {
	case "WriteString", "WriteByte", "WriteRune", "String", "Len", "Grow", "Reset":
	default:
		return false
	}
	for _, p := range m.cur {
		if ref := p.stack[len(p.stack)-n]; ref.op != "ref" {
			return false
		}
	}
	m.each(func(p *path) {
		args := p.popN(n)
		text := m.read(p, args[0])
		switch method {
		case "String":
			p.push(text)
			return
		case "Len":
			p.push(m.length(e.Pos(), text, true))
			return
		case "Reset":
			m.write(p, args[0], m.constant(e.Pos(), constant.MakeString("")))
		case "Grow":
		default:
			m.write(p, args[0], m.concat(e.Pos(), text, m.character(e.Pos(), method, args[1])))
		}
		p.push(m.pair(e.Pos(), m.integer(e.Pos(), 0), m.null(e.Pos())))
	})
	return true
}

// character is a rune or byte as text; a text is what it is.
func (m *machine) character(pos token.Pos, method string, v *value) *value {
	if method == "WriteString" {
		return v
	}
	if v.lit == nil || v.lit.Kind() != constant.Int {
		return m.val(pos, "text", method, v)
	}
	r, _ := constant.Int64Val(v.lit)
	if method == "WriteByte" && r > 127 {
		return m.val(pos, "text", method, v)
	}
	return m.constant(pos, constant.MakeString(string(rune(r))))
}
