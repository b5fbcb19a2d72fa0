package code

import (
	"fmt"
	"go/constant"
	"go/token"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// Loop is a natural loop: a header, and the blocks that it dominates and that lead back to it.
type Loop struct {
	Header *ssa.BasicBlock
	Body   map[*ssa.BasicBlock]bool
}

// Loops gives the loops of a function, in the order of their headers.
func Loops(fn *ssa.Function) (loops []*Loop) {
	for _, b := range fn.Blocks {
		if slices.ContainsFunc(b.Preds, b.Dominates) {
			loops = append(loops, &Loop{b, form.Loop(b)})
		}
	}
	return loops
}

// LoopTo is what leads from the beginning of a function to a block that begins it anew.
func LoopTo(b *ssa.BasicBlock) *Loop {
	first := b.Parent().Blocks[0]
	l := &Loop{first, map[*ssa.BasicBlock]bool{first: true}}
	form.Before(b, l.Body)
	return l
}

// Instrs gives the instructions of a loop in source order, or rather in that of its blocks.
func (l *Loop) Instrs(yield func(ssa.Instruction) bool) {
	for _, b := range l.Header.Parent().Blocks {
		if l.Body[b] {
			for _, in := range b.Instrs {
				if !yield(in) {
					return
				}
			}
		}
	}
}

// Exit is a way out of a loop.
type Exit struct {
	If   *ssa.If // that decides; nil for a jump
	Then bool    // taken when the condition is true
	To   *ssa.BasicBlock
}

// Exits gives the ways out of a loop, those that end in a panic left out.
func (l *Loop) Exits() (exits []Exit) {
	for _, b := range l.Header.Parent().Blocks {
		if !l.Body[b] {
			continue
		}
		for i, s := range b.Succs {
			if !l.Body[s] && !panics(s) {
				in, _ := b.Instrs[len(b.Instrs)-1].(*ssa.If)
				exits = append(exits, Exit{in, i == 0, s})
			}
		}
	}
	return exits
}

func panics(b *ssa.BasicBlock) bool {
	_, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Panic)
	return ok
}

// span is from the first position in a loop to the last. A phi has that of its variable, which may be anywhere.
func (l *Loop) span() (from, to token.Pos) {
	for in := range l.Instrs {
		if _, phi := in.(*ssa.Phi); phi || !in.Pos().IsValid() {
			continue
		}
		if !from.IsValid() || in.Pos() < from {
			from = in.Pos()
		}
		to = max(to, in.Pos())
	}
	return from, to
}

// Reaches walks from behind an instruction along every path until stop says that the path ends there, or visit that all is
// known. Conditions that are written alike are taken to come out alike, as long as nothing they read can have changed.
func Reaches(from ssa.Instruction, stop func(ssa.Instruction) bool, visit func(ssa.Instruction) (enough bool)) {
	w := &walk{stop: stop, visit: visit, seen: map[string]bool{}}
	b := from.Block()
	w.block(b, slices.Index(b.Instrs, from)+1, assumed(b))
}

type walk struct {
	stop, visit func(ssa.Instruction) bool
	seen        map[string]bool
	done        bool
}

// most is how many states of a walk are looked at; a function that needs more is left alone.
const most = 4000

func (w *walk) block(b *ssa.BasicBlock, first int, known map[string]bool) {
	for _, in := range b.Instrs[first:] {
		if w.done || w.stop(in) {
			return
		}
		if w.visit(in) || len(w.seen) > most {
			w.done = true
			return
		}
	}
	cond, ok := b.Instrs[len(b.Instrs)-1].(*ssa.If)
	for i, s := range b.Succs {
		next := known
		if ok {
			key, positive := Key(cond.Cond), i == 0
			if key != "" {
				if rest, negated := strings.CutPrefix(key, "!"); negated {
					key, positive = rest, !positive
				}
				if had, ok := known[key]; ok && had != positive {
					continue
				}
				next = with(known, key, positive)
			}
		}
		next = enter(b, s, next)
		if state := stateOf(s, next); !w.seen[state] {
			w.seen[state] = true
			w.block(s, 0, next)
		}
	}
}

// enter adds what the way from one block to another says of the variables that meet there: true or false, nil or not.
// Back at the beginning of a loop, what was computed in the round before is open again.
func enter(from, to *ssa.BasicBlock, known map[string]bool) map[string]bool {
	if to.Dominates(from) {
		known = maps.Clone(known)
		maps.DeleteFunc(known, func(key string, _ bool) bool { return strings.Contains(key, computed) || strings.Contains(key, "phi ") })
	}
	edge := slices.Index(to.Preds, from)
	for _, in := range to.Instrs {
		phi, ok := in.(*ssa.Phi)
		if !ok {
			break
		}
		truth, isNil := Key(phi), "("+Key(phi)+" == "+ssa.NewConst(nil, phi.Type()).String()+")"
		switch v := phi.Edges[edge].(type) {
		case *ssa.Const:
			if v.Value != nil && v.Value.Kind() == constant.Bool {
				known = with(known, truth, constant.BoolVal(v.Value))
			} else if v.IsNil() {
				known = with(known, isNil, true)
			}
		case *ssa.Alloc, *ssa.MakeInterface, *ssa.MakeClosure, *ssa.MakeMap, *ssa.MakeSlice:
			known = with(known, isNil, false)
		default:
			known = without(known, truth, isNil)
		}
	}
	return known
}

func without(known map[string]bool, keys ...string) map[string]bool {
	if !slices.ContainsFunc(keys, func(k string) bool { _, had := known[k]; return had }) {
		return known
	}
	next := maps.Clone(known)
	for _, k := range keys {
		delete(next, k)
	}
	return next
}

func with(known map[string]bool, key string, is bool) map[string]bool {
	next := make(map[string]bool, len(known)+1)
	for k, v := range known {
		next[k] = v
	}
	next[key] = is
	return next
}

func stateOf(b *ssa.BasicBlock, known map[string]bool) string {
	var parts []string
	for k, v := range known {
		parts = append(parts, fmt.Sprint(k, v))
	}
	slices.Sort(parts)
	return fmt.Sprint(b.Index, parts)
}

// assumed are the conditions that hold where a block is reached.
func assumed(b *ssa.BasicBlock) map[string]bool {
	known := map[string]bool{}
	for d := b.Idom(); d != nil; d = d.Idom() {
		cond, ok := d.Instrs[len(d.Instrs)-1].(*ssa.If)
		if !ok {
			continue
		}
		for i, s := range d.Succs {
			if len(s.Preds) == 1 && s.Dominates(b) {
				key, positive := Key(cond.Cond), i == 0
				if rest, negated := strings.CutPrefix(key, "!"); negated {
					key, positive = rest, !positive
				}
				if key != "" {
					known[key] = positive
				}
			}
		}
	}
	return known
}

// computed begins the key of a value that an instruction gives.
const computed = "t#"

// Key writes a value so that equal texts have equal values; "" is a value that may change.
func Key(v ssa.Value) string {
	switch x := v.(type) {
	case *ssa.Const:
		return x.String()
	case *ssa.Parameter:
		return x.Name()
	case *ssa.UnOp:
		inner := ""
		switch x.Op {
		case token.NOT:
			if inner = Key(x.X); strings.HasPrefix(inner, "!") {
				return inner[1:]
			}
			return prefix("!", inner)
		case token.MUL:
			if written(x.X) {
				return ""
			}
			return prefix("*", Key(x.X))
		}
		return prefix(x.Op.String(), Key(x.X))
	case *ssa.FieldAddr:
		return prefix(fmt.Sprint("&", x.Field, "."), Key(x.X))
	case *ssa.Field:
		return prefix(fmt.Sprint(x.Field, "."), Key(x.X))
	case *ssa.Alloc:
		return x.Name()
	case *ssa.BinOp:
		return binary(x)
	case *ssa.Convert:
		return prefix(x.Type().String()+" ", Key(x.X))
	case *ssa.Call:
		if b, ok := x.Call.Value.(*ssa.Builtin); ok && b.Name() == "len" {
			return prefix("len ", Key(x.Call.Args[0]))
		}
	}
	if in, ok := v.(ssa.Instruction); ok { // computed once: equal to itself, in a loop too as far as one round goes
		if _, phi := v.(*ssa.Phi); !phi {
			return fmt.Sprintf(computed+"%d.%d", in.Block().Index, slices.Index(in.Block().Instrs, in))
		}
		return "phi " + v.Name()
	}
	return ""
}

// binary writes x != y as the opposite of x == y.
func binary(x *ssa.BinOp) string {
	a, b := Key(x.X), Key(x.Y)
	if a == "" || b == "" {
		return ""
	}
	op, not := x.Op, ""
	if op == token.NEQ {
		op, not = token.EQL, "!"
	}
	return not + "(" + a + " " + op.String() + " " + b + ")"
}

func prefix(p, key string) string {
	if key == "" {
		return ""
	}
	return p + key
}

// written reports whether the memory at an address is written more than once, by being given its first value.
func written(addr ssa.Value) bool {
	a, ok := base(addr).(*ssa.Alloc)
	if !ok {
		_, param := base(addr).(*ssa.Parameter)
		return !param
	}
	stores := 0
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			if r.Addr == a {
				stores++
			}
		case *ssa.MakeClosure, ssa.CallInstruction:
			if a != addr || a.Heap {
				stores += 2
			}
		case *ssa.FieldAddr:
			for _, rr := range *r.Referrers() {
				if s, ok := rr.(*ssa.Store); ok && s.Addr == r && a == base(addr) && addr != ssa.Value(a) {
					stores++
				}
			}
		}
	}
	return stores > 1
}
