package lock

import (
	"go/token"
	"maps"
	"slices"

	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/shape"
)

// secondPass are the orchestrators that are read once more, in the form that is run: what coroutines share has a place in
// memory there, and what is put into it and taken from it stands in the flow. Where it is not known what all may change such a
// place, variables are told by hashes as in the form that is compared.
type secondPass struct {
	all    map[*names.Decl]*machine // what has read them first
	order  []*names.Decl
	places map[token.Pos]bool
}

// add notes an orchestrator, if something in it is told by a hash that can be written out.
func (s *secondPass) add(d *names.Decl, m *machine) {
	if !m.hidden {
		return
	}
	s.all[d], s.order = m, append(s.order, d)
	if s.places == nil {
		s.places = map[token.Pos]bool{}
	}
	if !m.vague {
		maps.Copy(s.places, m.shares)
	}
}

// read gives flows their second form. All share what is known of functions.
func (s *secondPass) read(prog *program, flows map[*names.Decl]shape.Flow) {
	if len(s.order) == 0 {
		return
	}
	exact, hashed := prog.running(s.places), prog.running(nil)
	for _, d := range s.order {
		flow := flows[d]
		fn, first := exact.funcs[s.all[d].entry.fn.obj], s.all[d]
		run, m := exact.flow(fn, d.Func.Params)
		if first.vague || m.vague {
			run, _ = hashed.flow(fn, d.Func.Params)
		}
		run = shape.Canonical(run)
		flow.Run = &run
		flows[d] = flow
	}
}

// running is the program for flows that are run.
func (prog *program) running(places map[token.Pos]bool) *program {
	own := *prog
	own.runs, own.places, own.summaries = true, places, map[summaryOf]*machine{}
	own.boxes, own.named = map[string]bool{}, map[string]*machine{}
	return &own
}

// remote reports whether a cell has its place in memory: what a path knows of it is where that is.
func (m *machine) remote(c *cell) bool { return m.places[c.made] }

// makeRemote notes that coroutines share a cell, so that it gets a place in memory in the form to run.
func (m *machine) makeRemote(c *cell) {
	root := m.root()
	if root.shares == nil {
		root.shares = map[token.Pos]bool{}
	}
	if root.shares[c.made] = true; !c.made.IsValid() {
		m.blur()
	}
}

// blur notes that a place in memory may be changed by something that the form to run does not have.
func (m *machine) blur() {
	for ; m != nil && !m.vague; m = m.parent {
		m.vague = true
	}
}

// storeRemote puts a value into a place in memory: a new one, if the path has none yet.
func (m *machine) storeRemote(p *path, c *cell, v *value) {
	if m.aliased(p, c, v) {
		m.blur()
	}
	now := m.freeze(p, v)
	if at := p.vars[c]; at != nil {
		p.epoch = m.ofNode("after", "", m.step(p, shape.Store, v.pos, m.freeze(p, at), now))
	} else {
		n := m.step(p, shape.Variable, v.pos, now)
		p.vars[c], p.epoch = m.ofNode("result", "", n), m.ofNode("after", "", n)
	}
	if p.known == nil {
		p.known = map[*cell]*value{}
	}
	p.known[c] = now
}

// loadRemote is what a place in memory holds.
func (m *machine) loadRemote(p *path, c *cell) *value {
	at := p.vars[c]
	if at == nil {
		return m.val(token.NoPos, "unknown", "")
	}
	if v := p.known[c]; v != nil {
		return m.resolve(p, v)
	}
	return m.make(value{op: "load", args: []*value{m.resolve(p, at), p.epoch}, owner: m})
}

// held is what a cell holds, as far as a path knows that.
func (m *machine) held(p *path, c *cell) *value {
	if m.remote(c) {
		return m.loadRemote(p, c)
	}
	return p.vars[c]
}

// aliased reports whether something that a value leads to is a variable, or is held by another one than c, too: what is put
// there later would not be seen in c.
func (m *machine) aliased(p *path, c *cell, v *value) bool {
	cells := m.reach(p, v)
	return slices.ContainsFunc(cells, func(to *cell) bool {
		if to.named {
			return true
		}
		for other, w := range p.vars {
			if other != c && !slices.Contains(cells, other) && slices.Contains(m.reach(p, w), to) {
				return true
			}
		}
		return false
	})
}

// lend notes that a function with steps is given pointers to places in memory: it works with what was there when it began,
// so nobody else may see these places meanwhile.
func (m *machine) lend(p *path, args []*value) {
	for _, a := range args {
		if p.forked && slices.ContainsFunc(m.reach(p, a), m.remote) {
			m.blur()
		}
	}
}

// step adds a node to a path that others may be beside.
func (m *machine) step(p *path, kind shape.NodeKind, pos token.Pos, args ...*value) *node {
	n := m.newNode(kind, pos, 1)
	n.loop, n.args = m.loop(), args
	m.attach(p, n)
	p.edge = edge{n, 0}
	return n
}
