package lock

import "go/ast"

// iterator makes a value of the function on the stack that a loop ranges over: what it yields is computed from what it
// does. It has run before the loop begins, as far as others see it.
func (m *machine) iterator(s *ast.RangeStmt) {
	acts := false
	m.map1(func(p *path, f *value) *value {
		acts = acts || m.acts(p, f)
		v := m.freeze(p, f)
		m.disturb(p, []*value{f}, func(_ *cell, old *value) *value { return m.val(s.X.Pos(), "changed", "", v, old) })
		return v
	})
	if acts {
		m.opaqueCall(s.X.Pos(), "range", 1, nil)
	}
}
