package lock

import (
	"go/constant"
	"regexp/syntax"
	"slices"
	"strings"
)

// patterned is a call of package regexp with the pattern as it is parsed: two that are written otherwise may be the same. What
// tells how it was written keeps it.
func (m *machine) patterned(name string, args []*value) []*value {
	method, ok := strings.CutPrefix(name, "(*regexp.Regexp).")
	switch {
	case len(args) == 0:
	case name == "regexp.MatchString":
		args = slices.Clone(args)
		args[0] = m.pattern(args[0])
	case ok && (strings.HasPrefix(method, "Match") || strings.HasPrefix(method, "Find") || strings.HasPrefix(method, "Replace") || method == "Split"):
		if by := args[0]; by.op == "call" && by.what == "regexp.MustCompile" && len(by.args) == 1 {
			args = slices.Clone(args)
			args[0] = m.val(by.pos, by.op, by.what, m.pattern(by.args[0]))
		}
	}
	return args
}

// pattern is a constant pattern in the form that is the same for the same.
func (m *machine) pattern(v *value) *value {
	if v.lit == nil || v.lit.Kind() != constant.String {
		return v
	}
	re, err := syntax.Parse(constant.StringVal(v.lit), syntax.Perl)
	if err != nil {
		return v
	}
	w := m.constant(v.pos, constant.MakeString(plainer(re).String()))
	w.args = v.args
	return w
}

// plainer writes one or more as that: what is repeated behind itself.
func plainer(re *syntax.Regexp) *syntax.Regexp {
	for i, sub := range re.Sub {
		re.Sub[i] = plainer(sub)
	}
	if re.Op != syntax.OpConcat {
		return re
	}
	for i := 0; i+1 < len(re.Sub); i++ {
		one, more := re.Sub[i], re.Sub[i+1]
		if more.Op == syntax.OpStar && one.Op != syntax.OpCapture && one.Equal(more.Sub[0]) {
			plus := *more
			plus.Op = syntax.OpPlus
			re.Sub[i] = &plus
			re.Sub = slices.Delete(re.Sub, i+1, i+2)
		}
	}
	if len(re.Sub) == 1 {
		return re.Sub[0]
	}
	return re
}
