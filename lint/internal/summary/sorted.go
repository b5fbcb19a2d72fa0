package summary

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/durablegen/durablegen/lint/internal/form"
)

// fate is what becomes of a slice, or of an iterator, whose elements have no order.
type fate struct {
	leaks    bool        // something looks at it as it is
	returned bool        // its function returns it as it is
	ties     []token.Pos // the sorts that leave equal ones in the order they had
}

// uses are the instructions that meet a slice, wrapped or not.
type uses struct {
	p      *pkg
	skip   func(ssa.Instruction) bool
	seen   map[ssa.Value]bool
	sorts  []sortCall
	others []ssa.Instruction
	ties   []token.Pos // of extremes that several elements may be

	sortsOnly bool // nobody asks for the others
}

type sortCall struct {
	in    ssa.Instruction
	total bool
}

// slice is the fate of a slice that a loop gathers in v.
func (p *pkg) slice(v ssa.Value, l *loop) fate {
	u := p.usesBehind(l)
	u.of(v)
	return u.fate()
}

func (p *pkg) usesBehind(l *loop) *uses {
	u := &uses{p: p, seen: map[ssa.Value]bool{}, skip: func(ssa.Instruction) bool { return false }}
	if l != nil {
		u.skip = func(in ssa.Instruction) bool {
			if in.Parent() != l.fn {
				return false
			}
			return l.header == nil || l.body[in.Block()] || !l.header.Dominates(in.Block())
		}
	}
	return u
}

// elements is the fate of a slice whose elements a loop sets.
func (p *pkg) elements(s ssa.Value, l *loop) fate {
	if load, ok := s.(*ssa.UnOp); ok {
		return p.variable(load.X, l)
	}
	if a, ok := s.(*ssa.Alloc); ok { // an array, or one that a slice was made of
		u := p.usesBehind(l)
		u.of(a)
		return u.fate()
	}
	return p.slice(s, l)
}

// variable is the fate of a slice in memory: a variable that closures share, or a field of one.
func (p *pkg) variable(addr ssa.Value, l *loop) fate {
	u := p.usesBehind(l)
	switch a := addr.(type) {
	case *ssa.FreeVar:
		for _, b := range form.Bindings(a) {
			u.in(b, nil)
		}
	case *ssa.Alloc:
		u.in(a, nil)
	case *ssa.FieldAddr:
		base := a.X
		if f, ok := base.(*ssa.FreeVar); ok && len(form.Bindings(f)) == 1 {
			base = form.Bindings(f)[0]
		}
		if _, ok := base.(*ssa.Alloc); !ok {
			return fate{leaks: !p.fieldSorted(a)}
		}
		u.in(base, a)
	default:
		return fate{leaks: true}
	}
	return u.fate()
}

// fieldSorted reports whether the function sorts a field of that name and type of some value: of each in a map, it is taken.
func (p *pkg) fieldSorted(field *ssa.FieldAddr) bool {
	for _, b := range field.Parent().Blocks {
		for _, in := range b.Instrs {
			f, ok := in.(*ssa.FieldAddr)
			if !ok || f == field || f.Field != field.Field || !types.Identical(f.X.Type(), field.X.Type()) {
				continue
			}
			u := p.usesBehind(nil)
			u.sortsOnly = true
			u.in(f, nil)
			if len(u.sorts) > 0 {
				return true
			}
		}
	}
	return false
}

// in gathers the uses of what is in a variable; with a field, of that field.
func (u *uses) in(a ssa.Value, field *ssa.FieldAddr) {
	if a.Referrers() == nil {
		return
	}
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.UnOp:
			if u.skip(r) {
				continue
			}
			if field != nil {
				u.others = append(u.others, r)
				continue
			}
			u.of(r)
		case *ssa.FieldAddr:
			if field != nil && r.Field == field.Field {
				u.in(r, nil)
			}
		case *ssa.Store:
			if r.Val == a && !u.skip(r) {
				u.others = append(u.others, r)
			}
		case *ssa.MakeClosure, *ssa.DebugRef:
		case ssa.CallInstruction, *ssa.Return, *ssa.MakeInterface:
			if !u.skip(r) {
				u.others = append(u.others, r)
			}
		}
	}
}

// of gathers the uses of a value.
func (u *uses) of(v ssa.Value) {
	if u.seen[v] || v.Referrers() == nil {
		return
	}
	u.seen[v] = true
	for _, r := range *v.Referrers() {
		switch in := r.(type) {
		case *ssa.DebugRef:
			continue
		case *ssa.MakeInterface, *ssa.ChangeType, *ssa.ChangeInterface, *ssa.Convert:
			if !u.skip(r) {
				u.of(r.(ssa.Value))
			}
			continue
		case *ssa.Phi:
			if !u.skip(r) {
				u.of(in)
			}
			continue
		case *ssa.Slice:
			if !u.skip(r) {
				u.of(in)
			}
			continue
		case *ssa.IndexAddr:
			if storesOnly(in) || !u.sortsOnly && u.orderFree(in) {
				continue
			}
		case *ssa.Store:
			if a, ok := in.Addr.(*ssa.Alloc); ok && in.Val == v && !u.skip(r) {
				u.in(a, nil)
				continue
			}
		case *ssa.Call:
			if u.skip(r) {
				continue
			}
			if total, ok := u.p.isSort(in, v); ok {
				u.sorts = append(u.sorts, sortCall{in, total})
				continue
			}
			if harmless(in) {
				continue
			}
			if path, name := calleeName(in); path == "slices" && (name == "MinFunc" || name == "MaxFunc") {
				if !u.p.totalFunc(in.Call.Args[1], v) {
					u.ties = append(u.ties, in.Pos())
				}
				continue
			}
			if isReverse(in) {
				u.of(in)
				continue
			}
		}
		if !u.skip(r) {
			u.others = append(u.others, r)
		}
	}
}

// orderFree reports whether an element is only looked at in a loop over all of them that does not show their order.
func (u *uses) orderFree(in *ssa.IndexAddr) bool {
	header := in.Block()
	for header != nil && !slices.ContainsFunc(header.Preds, header.Dominates) {
		header = header.Idom()
	}
	if header == nil || in.Block() == header {
		return false
	}
	l := &loop{p: u.p, fn: in.Parent(), pos: in.Pos(), header: header, body: form.Loop(header), values: map[ssa.Value]bool{in: true}}
	l.first = inside(header, l.body)
	if l.first == nil || !l.body[in.Block()] {
		return false
	}
	for _, r := range *in.Referrers() {
		if load, ok := r.(*ssa.UnOp); ok {
			l.key = load
		}
	}
	if u.p.busy[in] { // it is copied into itself
		return false
	}
	u.p.busy[in] = true
	l.run()
	delete(u.p.busy, in)
	return len(l.leaks) == 0
}

func storesOnly(a ssa.Value) bool {
	return !slices.ContainsFunc(*a.Referrers(), func(r ssa.Instruction) bool {
		s, ok := r.(*ssa.Store)
		return !ok || s.Addr != a
	})
}

func (u *uses) fate() fate {
	f := fate{ties: u.ties}
	for _, o := range u.others {
		if slices.ContainsFunc(u.sorts, func(s sortCall) bool { return before(s.in, o) }) {
			continue
		}
		if _, ok := o.(*ssa.Return); ok {
			f.returned = true
		} else {
			f.leaks = true
		}
	}
	if len(u.others) > 0 {
		for _, s := range u.sorts {
			if !s.total {
				f.ties = append(f.ties, s.in.Pos())
			}
		}
	}
	return f
}

func before(a, b ssa.Instruction) bool {
	if a.Block() != b.Block() {
		return a.Block().Dominates(b.Block())
	}
	return slices.Index(a.Block().Instrs, a) < slices.Index(b.Block().Instrs, b)
}

// harmless reports whether a call does not look at the order of a slice.
func harmless(c *ssa.Call) bool {
	if b, ok := c.Call.Value.(*ssa.Builtin); ok {
		return b.Name() == "len" || b.Name() == "cap"
	}
	path, name := calleeName(c)
	return path == "slices" && slices.Contains([]string{"Contains", "Max", "Min"}, name)
}

func isReverse(c *ssa.Call) bool {
	path, name := calleeName(c)
	return path == "sort" && name == "Reverse"
}

// calleeName is package and name of the function that is called, "" when it is not known or a method.
func calleeName(c *ssa.Call) (path, name string) {
	fn := c.Call.StaticCallee()
	if fn == nil {
		return "", ""
	}
	obj, ok := form.Origin(fn).Object().(*types.Func)
	if !ok || obj.Pkg() == nil || obj.Signature().Recv() != nil {
		return "", ""
	}
	return obj.Pkg().Path(), obj.Name()
}

// isSort reports whether a call sorts v, and whether so that no two elements may be equal.
func (p *pkg) isSort(c *ssa.Call, v ssa.Value) (total, ok bool) {
	switch path, name := calleeName(c); path {
	case "sort":
		switch name {
		case "Strings", "Ints", "Float64s":
			return true, true
		case "Sort", "Stable":
			return p.totalInterface(c.Call.Args[0]), true
		case "Slice", "SliceStable":
			return p.totalFunc(c.Call.Args[1], v), true
		}
		return false, false
	case "slices", "golang.org/x/exp/slices":
		switch name {
		case "Sort":
			return true, true
		case "SortFunc", "SortStableFunc":
			return p.totalFunc(c.Call.Args[1], v), true
		}
		return false, false
	}
	fn := c.Call.StaticCallee()
	if fn == nil {
		return false, false
	}
	var s *sum
	if own := p.nodes[form.Origin(fn)]; own != nil {
		s = own.sum
	} else if obj, ok := form.Origin(fn).Object().(*types.Func); ok && obj.Pkg() != nil && !isRuntime(obj.Pkg().Path()) {
		if _, _, listed := listed(obj); !listed {
			s = p.summaryOf(obj.Origin())
		}
	}
	if s == nil {
		return false, false
	}
	for i, arg := range c.Call.Args {
		if arg == v && s.sorts[i] {
			return true, true
		}
	}
	return false, false
}

// insertsSorted recognises an element that is put where a search in the same slice says: the slice stays sorted, whatever the
// order in which they come.
func (p *pkg) insertsSorted(v ssa.Value, same func(ssa.Value) bool) bool {
	insert, ok := v.(*ssa.Call)
	if !ok || len(insert.Call.Args) != 3 || !same(insert.Call.Args[0]) {
		return false
	}
	if path, name := calleeName(insert); path != "slices" || name != "Insert" {
		return false
	}
	at := insert.Call.Args[1]
	if e, ok := at.(*ssa.Extract); ok && e.Index == 0 {
		at = e.Tuple
	}
	search, ok := at.(*ssa.Call)
	if !ok || len(search.Call.Args) == 0 || !same(search.Call.Args[0]) {
		return false
	}
	switch path, name := calleeName(search); path + "." + name {
	case "slices.BinarySearch", "sort.SearchStrings", "sort.SearchInts", "sort.SearchFloat64s":
		return true
	case "slices.BinarySearchFunc":
		return p.totalFunc(search.Call.Args[2], insert)
	}
	return false
}

// findSorts notes the functions that sort a parameter on every path.
func (p *pkg) findSorts() {
	for range 3 { // sorts that call sorts
		for _, n := range p.order {
			for i, param := range n.fn.Params {
				if _, ok := param.Type().Underlying().(*types.Slice); !ok {
					continue
				}
				u := p.usesBehind(nil)
				u.sortsOnly = true
				u.of(param)
				if slices.ContainsFunc(u.sorts, func(s sortCall) bool { return always(n.fn, s.in) }) {
					n.sum.sorts[i] = true
				}
			}
		}
	}
}

// always reports whether a function does something on each of its ways out.
func always(fn *ssa.Function, in ssa.Instruction) bool {
	for _, b := range fn.Blocks {
		if _, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && !in.Block().Dominates(b) {
			return false
		}
	}
	return true
}

// groupsSorted reports whether the slices in a map are sorted somewhere in the function.
func (p *pkg) groupsSorted(m ssa.Value) bool {
	refs := m.Referrers()
	if load, ok := m.(*ssa.UnOp); ok && load.X.Referrers() != nil {
		refs = load.X.Referrers()
	}
	if refs == nil {
		return false
	}
	sorted := func(v ssa.Value) bool {
		u := p.usesBehind(nil)
		u.sortsOnly = true
		u.of(v)
		return len(u.sorts) > 0
	}
	for _, r := range *refs {
		switch r := r.(type) {
		case *ssa.Lookup:
			if r.X == m && sorted(r) {
				return true
			}
		case *ssa.Range:
			for _, next := range *r.Referrers() {
				if n, ok := next.(*ssa.Next); ok {
					if v := extracted(n, 2); v != nil && sorted(v) {
						return true
					}
				}
			}
		}
	}
	return false
}
