package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// gotos finds the places from which the labels of a function are gone to.
func (prog *program) addGotos(info *types.Info, body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		if s, ok := n.(*ast.BranchStmt); ok && s.Tok == token.GOTO {
			prog.gotos[info.Uses[s.Label]] = append(prog.gotos[info.Uses[s.Label]], s.Pos())
		}
		return true
	})
}

// labelled reads the statements of a block from one with a label on to which something goes: back, as a loop around the
// rest of the block; forward, as ways that meet there. It reports whether it has read all of them.
func (m *machine) labelled(s *ast.LabeledStmt, list []ast.Stmt, ahead map[*ast.LabeledStmt]*target) bool {
	from := m.gotos[m.frame.info.Defs[s.Label]]
	end := list[len(list)-1].End()
	jumps := slices.ContainsFunc(list[1:], func(o ast.Stmt) bool {
		l, ok := o.(*ast.LabeledStmt)
		return ok && ahead[l] != nil
	})
	if slices.ContainsFunc(from, func(pos token.Pos) bool { return pos > s.Pos() && pos < end }) {
		if jumps { // into the middle of what would be the loop
			m.unreadable(s.Pos(), ahead)
			return true
		}
		m.backward(s, list)
		return true
	}
	return false
}

// backward reads what a label begins as an endless loop that the end of the block leaves.
func (m *machine) backward(s *ast.LabeledStmt, list []ast.Stmt) {
	l := &loop{
		pos: s.Pos(), label: gotoLabel(s.Label),
		cond: func() (yes, no []*path) { return m.cur, nil },
		post: func() {},
	}
	l.body = func() {
		m.stmt(s.Stmt, s.Label.Name)
		m.block(list[1:])
		t := m.targets[len(m.targets)-1]
		t.breaks = append(t.breaks, m.cur...)
		m.cur = nil
	}
	m.runLoop(l)
}

// unreadable gives the rest of a function up: one node stands for all that it does, by its text.
func (m *machine) unreadable(pos token.Pos, ahead map[*ast.LabeledStmt]*target) {
	for _, t := range ahead {
		m.arrive(t)
	}
	m.merge(pos)
	body := ast.Node(m.frame.body())
	m.pushAll(m.val(pos, "source", m.source(body, m.frame.info)))
	m.opaqueCall(pos, "goto", 1, nil)
	m.each(func(p *path) { p.pop() })
	m.unwind(m.frame)
}

// gotoLabel is the label of the target that goto leads to, which break and continue do not.
func gotoLabel(id *ast.Ident) string { return "goto " + id.Name }

// forward makes targets of the labels of a block to which something before them goes.
func (m *machine) forward(list []ast.Stmt) map[*ast.LabeledStmt]*target {
	if len(m.gotos) == 0 {
		return nil
	}
	var found map[*ast.LabeledStmt]*target
	for _, s := range list {
		l, ok := s.(*ast.LabeledStmt)
		if !ok {
			continue
		}
		from := m.gotos[m.frame.info.Defs[l.Label]]
		if slices.ContainsFunc(from, func(pos token.Pos) bool { return pos >= list[0].Pos() && pos < l.Pos() }) {
			t := &target{label: gotoLabel(l.Label)}
			m.targets = append(m.targets, t)
			if found == nil {
				found = map[*ast.LabeledStmt]*target{}
			}
			found[l] = t
		}
	}
	return found
}

// arrive lets the ways to a label meet there.
func (m *machine) arrive(t *target) {
	m.targets = slices.DeleteFunc(m.targets, func(o *target) bool { return o == t })
	m.cur = m.fold(append(m.cur, t.breaks...))
}
