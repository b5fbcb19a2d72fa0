package lock

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

func (m *machine) block(list []ast.Stmt) {
	ahead := m.forward(list)
	for i, s := range list {
		l, ok := s.(*ast.LabeledStmt)
		if t := ahead[l]; ok && t != nil {
			m.arrive(t)
			delete(ahead, l)
		}
		if len(m.cur) == 0 && len(ahead) == 0 {
			return
		}
		if ok && len(m.cur) > 0 && m.labelled(l, list[i:], ahead) {
			return
		}
		m.stmt(s, "")
	}
}

func (m *machine) stmt(s ast.Stmt, label string) {
	*m.fuel--
	switch s := s.(type) {
	case *ast.ExprStmt:
		m.eval(s.X)
		m.each(func(p *path) { p.pop() })
	case *ast.AssignStmt:
		m.assign(s)
	case *ast.IncDecStmt:
		op := token.ADD
		if s.Tok == token.DEC {
			op = token.SUB
		}
		m.update(s.X, op, func() { m.pushAll(m.integer(s.Pos(), 1)) })
	case *ast.DeclStmt:
		m.declStmt(s)
	case *ast.BlockStmt:
		m.block(s.List)
	case *ast.LabeledStmt:
		m.stmt(s.Stmt, s.Label.Name)
	case *ast.IfStmt:
		m.ifStmt(s)
	case *ast.ForStmt:
		m.forStmt(s, label)
	case *ast.RangeStmt:
		m.rangeStmt(s, label)
	case *ast.SwitchStmt:
		m.switchStmt(s, label)
	case *ast.TypeSwitchStmt:
		m.typeSwitch(s, label)
	case *ast.ReturnStmt:
		m.returnStmt(s)
	case *ast.BranchStmt:
		m.jump(s)
	case *ast.DeferStmt:
		m.deferStmt(s)
	case *ast.GoStmt:
		m.goStmt(s)
	case *ast.SelectStmt:
		m.selectStmt(s, label)
	case *ast.SendStmt:
		m.eval(s.Chan)
		m.eval(s.Value)
		m.opaqueCall(s.Pos(), "send", 2, nil)
		m.each(func(p *path) { p.pop() })
	}
}

// goStmt is a goroutine, which an orchestrator must not have: nobody knows when it does what.
func (m *machine) goStmt(s *ast.GoStmt) {
	d := deferred{frame: m.frame, call: s.Call, bound: m.operands(s.Call)}
	m.beside(d, "goroutine")
}

// selectStmt is one of Go, which an orchestrator must not have: any case may be the one.
func (m *machine) selectStmt(s *ast.SelectStmt, label string) {
	m.merge(s.Pos())
	if len(m.cur) == 0 {
		return
	}
	n, p := m.node(shape.Call, "select", s.Pos(), m.integer(s.Pos(), int64(len(s.Body.List))))
	m.blocks(n, p)
	which := m.ofNode("result", "", n)
	t := &target{label: label}
	m.targets = append(m.targets, t)
	var after []*path
	rest := m.cur
	if len(s.Body.List) == 0 {
		after = rest
	}
	for i, c := range s.Body.List {
		if len(rest) == 0 {
			break
		}
		m.cur = rest
		if i < len(s.Body.List)-1 {
			m.pushAll(m.equal(c.Pos(), which, m.integer(c.Pos(), int64(i))))
			m.cur, rest = m.branch(c.Pos())
		}
		clause := c.(*ast.CommClause)
		if clause.Comm != nil {
			m.stmt(clause.Comm, "")
		}
		m.block(clause.Body)
		after = append(after, m.cur...)
	}
	m.targets = m.targets[:len(m.targets)-1]
	m.cur = m.fold(append(after, t.breaks...))
}

func (m *machine) ifStmt(s *ast.IfStmt) {
	if s.Init != nil {
		m.stmt(s.Init, "")
	}
	yes, no := m.cond(s.Cond)
	m.cur = m.fold(yes)
	m.block(s.Body.List)
	after := m.cur
	m.cur = m.fold(no)
	if s.Else != nil && len(m.cur) > 0 {
		m.stmt(s.Else, "")
	}
	m.cur = m.fold(append(after, m.cur...))
}

func (m *machine) declStmt(s *ast.DeclStmt) {
	gen, ok := s.Decl.(*ast.GenDecl)
	if !ok || gen.Tok != token.VAR {
		return
	}
	for _, spec := range gen.Specs {
		spec := spec.(*ast.ValueSpec)
		lhs := make([]ast.Expr, len(spec.Names))
		for i, name := range spec.Names {
			lhs[i] = name
		}
		if len(spec.Values) > 0 {
			m.define(lhs, spec.Values)
			continue
		}
		for _, name := range spec.Names {
			if obj := m.frame.info.Defs[name]; obj != nil {
				c := m.declare(obj)
				v := m.zero(name.Pos(), m.frame.actual(obj.Type()))
				m.each(func(p *path) { m.store(p, c, v) })
			}
		}
	}
}

// values pushes as many values as there are on the left of an assignment.
func (m *machine) values(n int, rhs []ast.Expr) {
	if len(rhs) == n {
		for _, e := range rhs {
			m.eval(e)
		}
		return
	}
	e := ast.Unparen(rhs[0])
	switch x := e.(type) {
	case *ast.IndexExpr:
		m.eval(x.X)
		m.eval(x.Index)
		m.each(func(p *path) {
			i := p.pop()
			coll := m.read(p, p.pop())
			p.push(m.index(x.Pos(), coll, i), m.val(x.Pos(), "has", "", coll, i))
		})
	case *ast.TypeAssertExpr:
		m.eval(x.X)
		t := m.exprType(x.Type)
		m.each(func(p *path) {
			v := p.pop()
			p.push(m.asType(x.Pos(), v, t), m.hasType(x.Pos(), v, t))
		})
	default:
		m.eval(e)
		m.each(func(p *path) { p.push(m.convertedParts(e, m.spread(p.pop(), n))...) })
	}
}

// spread parts a tuple.
func (m *machine) spread(v *value, n int) []*value {
	if v.op == "tuple" && len(v.args) == n {
		return v.args
	}
	if v.op == "if" {
		yes, no := m.spread(v.args[1], n), m.spread(v.args[2], n)
		out := make([]*value, n)
		for i := range out {
			out[i] = m.choose(v.pos, v.args[0], yes[i], no[i])
		}
		return out
	}
	out := make([]*value, n)
	for i := range out {
		out[i] = m.val(v.pos, "part", string(rune('0'+i)), v)
	}
	return out
}

func (m *machine) define(lhs, rhs []ast.Expr) {
	m.values(len(lhs), rhs)
	cells := make([]*cell, len(lhs))
	for i, e := range lhs {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
			if obj := m.frame.info.Defs[id]; obj != nil {
				cells[i] = m.declare(obj)
			} else {
				cells[i] = m.frame.cellOf(m.frame.info.Uses[id])
			}
		}
	}
	m.each(func(p *path) {
		for i, v := range p.popN(len(lhs)) {
			if cells[i] != nil {
				m.detach(p, &value{op: "ref", cell: cells[i]})
				m.store(p, cells[i], v)
			}
		}
	})
}

func (m *machine) assign(s *ast.AssignStmt) {
	switch s.Tok {
	case token.DEFINE:
		m.define(s.Lhs, s.Rhs)
	case token.ASSIGN:
		for _, e := range s.Lhs {
			if isBlank(e) {
				m.pushAll(m.null(e.Pos()))
				continue
			}
			m.place(e)
		}
		n := len(s.Lhs)
		m.values(n, s.Rhs)
		m.each(func(p *path) {
			vs := p.popN(n)
			refs := p.popN(n)
			for i, ref := range refs {
				m.detach(p, ref)
				m.write(p, ref, vs[i])
			}
		})
	default:
		m.update(s.Lhs[0], s.Tok-token.ADD_ASSIGN+token.ADD, func() { m.eval(s.Rhs[0]) })
	}
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// update is x op= y.
func (m *machine) update(x ast.Expr, op token.Token, y func()) {
	t := m.exprType(x)
	m.place(x)
	m.each(func(p *path) { p.push(m.read(p, p.stack[len(p.stack)-1])) })
	y()
	m.each(func(p *path) {
		b, a := p.pop(), p.pop()
		m.write(p, p.pop(), m.binary(x.Pos(), op, a, b, t))
	})
}

func (m *machine) returnStmt(s *ast.ReturnStmt) {
	f := m.frame
	n := m.resultCount(f)
	switch {
	case len(s.Results) == 0 && len(f.results) > 0:
		m.each(func(p *path) {
			for _, c := range f.results {
				p.push(m.load(p, c))
			}
		})
	case len(s.Results) == 0:
	default:
		m.values(n, s.Results)
	}
	m.each(func(p *path) {
		vs := p.popN(n)
		for i, c := range f.results {
			m.store(p, c, vs[i])
		}
		p.push(m.make(value{op: "tuple", args: vs, pos: s.Pos()}))
	})
	f.returns = append(f.returns, m.cur...)
	m.cur = nil
}

func (m *machine) resultCount(f *frame) int {
	var list *ast.FieldList
	switch {
	case f.fn != nil:
		list = f.fn.decl.Type.Results
	case f.lit != nil:
		list = f.lit.Type.Results
	}
	return list.NumFields()
}

func (m *machine) jump(s *ast.BranchStmt) {
	label := ""
	if s.Label != nil {
		label = s.Label.Name
		if s.Tok == token.GOTO {
			label = gotoLabel(s.Label)
		}
	}
	for i := len(m.targets) - 1; i >= 0; i-- {
		t := m.targets[i]
		if label != "" && t.label != label {
			continue
		}
		switch {
		case s.Tok == token.BREAK && !strings.HasPrefix(t.label, "goto "), s.Tok == token.GOTO && !t.loop:
			t.breaks = append(t.breaks, m.cur...)
		case s.Tok == token.CONTINUE && t.loop && !strings.HasPrefix(t.label, "goto "), s.Tok == token.GOTO && t.loop:
			t.continues = append(t.continues, m.cur...)
		default:
			continue
		}
		m.cur = nil
		return
	}
}

// switchStmt reads a switch as the ifs that it stands for.
func (m *machine) switchStmt(s *ast.SwitchStmt, label string) {
	if s.Init != nil {
		m.stmt(s.Init, "")
	}
	var tag *cell
	if s.Tag != nil {
		tag = m.newCell()
		m.eval(s.Tag)
		m.each(func(p *path) { p.vars[tag] = p.pop() })
	}
	m.clauses(s.Body, label, func(clause *ast.CaseClause) (yes []*path) {
		for _, e := range clause.List {
			var y, n []*path
			if tag == nil {
				y, n = m.cond(e)
			} else {
				m.each(func(p *path) { p.push(m.load(p, tag)) })
				m.eval(e)
				m.each(func(p *path) {
					b, a := p.pop(), p.pop()
					p.push(m.binary(e.Pos(), token.EQL, a, b, m.exprType(s.Tag)))
				})
				y, n = m.branch(e.Pos())
			}
			yes = append(yes, y...)
			m.cur = m.fold(n)
		}
		return yes
	}, nil)
}

// clauses runs the bodies of a switch. choose parts the current paths and leaves those that a clause does not take.
func (m *machine) clauses(body *ast.BlockStmt, label string, choose func(*ast.CaseClause) []*path, enter func(*ast.CaseClause)) {
	t := &target{label: label}
	m.targets = append(m.targets, t)
	taken := make([][]*path, len(body.List))
	def := -1
	for i, c := range body.List {
		clause := c.(*ast.CaseClause)
		if clause.List == nil {
			def = i
			continue
		}
		taken[i] = choose(clause)
	}
	if def >= 0 {
		taken[def] = m.cur
		m.cur = nil
	}
	after := m.cur
	var through []*path
	for i, c := range body.List {
		clause := c.(*ast.CaseClause)
		m.cur = m.fold(append(through, taken[i]...))
		through = nil
		if enter != nil {
			enter(clause)
		}
		list := clause.Body
		falls := false
		if n := len(list); n > 0 {
			if b, ok := list[n-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
				list, falls = list[:n-1], true
			}
		}
		m.block(list)
		if falls {
			through = m.cur
			continue
		}
		after = append(after, m.cur...)
	}
	m.targets = m.targets[:len(m.targets)-1]
	m.cur = m.fold(append(after, t.breaks...))
}

func (m *machine) typeSwitch(s *ast.TypeSwitchStmt, label string) {
	if s.Init != nil {
		m.stmt(s.Init, "")
	}
	var x ast.Expr
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		x = a.Rhs[0].(*ast.TypeAssertExpr).X
	case *ast.ExprStmt:
		x = a.X.(*ast.TypeAssertExpr).X
	}
	tag := m.newCell()
	m.eval(x)
	m.each(func(p *path) { p.vars[tag] = p.pop() })
	info := m.frame.info
	m.clauses(s.Body, label, func(clause *ast.CaseClause) (yes []*path) {
		for _, e := range clause.List {
			m.each(func(p *path) {
				v := m.load(p, tag)
				if info.Types[e].IsNil() {
					p.push(m.equal(e.Pos(), v, m.null(e.Pos())))
					return
				}
				p.push(m.hasType(e.Pos(), v, m.exprType(e)))
			})
			y, n := m.branch(e.Pos())
			yes = append(yes, y...)
			m.cur = m.fold(n)
		}
		return yes
	}, func(clause *ast.CaseClause) {
		obj, ok := info.Implicits[clause].(*types.Var)
		if !ok {
			return
		}
		c := m.declare(obj)
		m.each(func(p *path) {
			v := m.load(p, tag)
			if len(clause.List) == 1 && !info.Types[clause.List[0]].IsNil() {
				v = m.asType(clause.Pos(), v, m.frame.actual(obj.Type()))
			}
			m.store(p, c, v)
		})
	})
}
