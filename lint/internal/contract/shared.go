package contract

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/code"
)

// shared finds variables that a coroutine and its creator use at the same time (DUR107): one of them writes, and nobody has
// waited for the coroutine in between. A coroutine first runs when its creator waits, so what is assigned after durable.Go
// is what it sees.
//
// The other way round it is with what an activity or a child is given: that is stored when the call is made, and what is
// changed in it before anybody waits is not seen.
func (c *checker) shared(f *code.Func) {
	for in := range instrs(f.Function) {
		spawn, ok := in.(*ssa.Call)
		if !ok {
			continue
		}
		if code.IsFuture(spawn.Type()) && c.Stores(spawn) {
			c.changed(f, spawn)
		}
		if code.Calls(spawn) != "Go" {
			continue
		}
		for _, arg := range spawn.Call.Args {
			if m, ok := arg.(*ssa.MakeClosure); ok {
				c.sharedWith(f, spawn, m)
			}
		}
	}
}

func (c *checker) sharedWith(f *code.Func, spawn *ssa.Call, m *ssa.MakeClosure) {
	fn := m.Fn.(*ssa.Function)
	joins := c.joins(spawn)
	for i, b := range m.Bindings {
		v, ok := b.(*ssa.Alloc)
		if !ok || i >= len(fn.FreeVars) || code.IsContext(elem(v.Type())) {
			continue
		}
		writes, reads := accesses(fn.FreeVars[i])
		var at ssa.Instruction
		var what string
		code.Reaches(spawn, func(in ssa.Instruction) bool { return slices.Contains(joins, in) || in == ssa.Instruction(v) },
			func(in ssa.Instruction) bool {
				if in == ssa.Instruction(spawn) {
					return false
				}
				switch {
				case writes && readsVar(in, v):
					at, what = in, "reads "+v.Comment+", which a coroutine writes"
				case (writes || reads) && writesVar(in, v):
					at, what = in, "writes "+v.Comment+", which a coroutine uses"
				}
				return at != nil
			})
		if at != nil {
			c.report(code.Finding{Rule: "DUR107", Pos: c.place(at), What: what, In: f, Note: "the coroutine begins on line " + c.line(spawn.Pos())})
		}
	}
}

// changed finds writes into what a call that is under way was given by reference.
func (c *checker) changed(f *code.Func, start *ssa.Call) {
	fate := c.Follow(start)
	if fate.Held || !fate.Used() {
		return
	}
	for _, arg := range start.Call.Args {
		switch arg.Type().Underlying().(type) {
		case *types.Pointer, *types.Slice, *types.Map:
		default:
			continue
		}
		if _, made := arg.(*ssa.Slice); made && arg == start.Call.Args[len(start.Call.Args)-1] {
			continue // the list of options
		}
		var at ssa.Instruction
		code.Reaches(start, func(in ssa.Instruction) bool { return in == ssa.Instruction(start) || slices.Contains(fate.Uses, in) },
			func(in ssa.Instruction) bool {
				if writesInto(in, arg) {
					at = in
				}
				return at != nil
			})
		if at != nil {
			c.report(code.Finding{Rule: "DUR107", Pos: c.place(at), What: "changes what " + c.Name(start) + " was given", In: f,
				Note: "the call on line " + c.line(start.Pos()) + " has stored it as it was"})
		}
	}
}

// writesInto reports whether an instruction writes into the memory that a value refers to.
func writesInto(in ssa.Instruction, v ssa.Value) bool {
	switch in := in.(type) {
	case *ssa.Store:
		addr := in.Addr
		for {
			switch a := addr.(type) {
			case *ssa.FieldAddr:
				addr = a.X
			case *ssa.IndexAddr:
				addr = a.X
			default:
				return addr == v
			}
		}
	case *ssa.MapUpdate:
		return in.Map == v
	}
	return false
}

// place is where an instruction is, or what uses it: a load has no position of its own.
func (c *checker) place(in ssa.Instruction) token.Pos {
	if pos := in.Pos(); pos.IsValid() {
		return pos
	}
	if v, ok := in.(ssa.Value); ok {
		for _, r := range *v.Referrers() {
			if pos := c.At(r); pos.IsValid() {
				return pos
			}
		}
	}
	for _, other := range in.Block().Instrs {
		if pos := other.Pos(); pos.IsValid() {
			return pos
		}
	}
	return in.Parent().Pos()
}

// joins are the places that wait for a coroutine; of one in a slice, also the loops that wait.
func (c *checker) joins(spawn *ssa.Call) []ssa.Instruction {
	fate := c.Follow(spawn)
	joins := slices.Clone(fate.Uses)
	if !fate.Held {
		return joins
	}
	for _, l := range code.Loops(spawn.Parent()) {
		for _, use := range fate.Uses {
			if l.Body[use.Block()] && !l.Body[spawn.Block()] {
				joins = append(joins, l.Header.Instrs[0])
			}
		}
	}
	return joins
}

// accesses says what a closure, and those inside it, do with a variable that it captures.
func accesses(v *ssa.FreeVar) (writes, reads bool) {
	for _, r := range *v.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			writes = writes || r.Addr == v
			reads = reads || r.Val == v
		case *ssa.MakeClosure:
			fn := r.Fn.(*ssa.Function)
			for i, b := range r.Bindings {
				if b == v && i < len(fn.FreeVars) {
					w, rd := accesses(fn.FreeVars[i])
					writes, reads = writes || w, reads || rd
				}
			}
		case *ssa.FieldAddr, *ssa.IndexAddr:
			w, rd := throughAddr(r.(ssa.Value))
			writes, reads = writes || w, reads || rd
		case *ssa.UnOp:
			reads = true
			for _, use := range *r.Referrers() {
				if u, ok := use.(*ssa.MapUpdate); ok && u.Map == r {
					writes = true
				}
				if ix, ok := use.(*ssa.IndexAddr); ok && ix.X == r {
					w, _ := throughAddr(ix)
					writes = writes || w
				}
			}
		default:
			reads = true
		}
	}
	return writes, reads
}

func throughAddr(addr ssa.Value) (writes, reads bool) {
	for _, r := range *addr.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			writes = writes || r.Addr == addr
		case *ssa.FieldAddr:
			w, rd := throughAddr(r)
			writes, reads = writes || w, reads || rd
		default:
			reads = true
		}
	}
	return writes, reads
}

func readsVar(in ssa.Instruction, v *ssa.Alloc) bool {
	u, ok := in.(*ssa.UnOp)
	if !ok || u.Op != token.MUL {
		return false
	}
	return u.X == v || fieldOf(u.X) == ssa.Value(v)
}

func writesVar(in ssa.Instruction, v *ssa.Alloc) bool {
	s, ok := in.(*ssa.Store)
	return ok && (s.Addr == v || fieldOf(s.Addr) == ssa.Value(v))
}

func fieldOf(addr ssa.Value) ssa.Value {
	for {
		a, ok := addr.(*ssa.FieldAddr)
		if !ok {
			return addr
		}
		addr = a.X
	}
}
