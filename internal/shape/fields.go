package shape

import (
	"go/token"
	"slices"
	"strings"
)

// object compares two objects field by field. A field is found by its name, else by its name in other case, as
// encoding/json does.
func (c *typeComparison) object(path string, a, b *Type) {
	partner := c.partners(a, b)
	added := map[int]bool{}
	for i := range b.Fields {
		added[i] = true
	}
	for _, j := range partner {
		delete(added, j)
	}
	for i := range a.Fields {
		f := &a.Fields[i]
		j, there := partner[i]
		if !there {
			c.removed(path, a, b, i, partner, added)
			continue
		}
		c.field(path, f, &b.Fields[j])
	}
	if c.bytes && turned(a, b, partner) {
		c.report(TypeChange{Path: path, Pos: b.Pos, Rewrites: true}, "what %s is made of is written in another order, and arguments are compared by their bytes", what(path))
	}
	for j := range b.Fields {
		if !added[j] {
			continue
		}
		f := &b.Fields[j]
		form := "the field %s is new"
		if !f.Optional {
			form += " and is written even when it is zero"
		}
		c.report(TypeChange{Path: join(path, f.Name), Pos: f.Pos, Rewrites: !f.Optional}, form, join(path, f.Name))
	}
}

// turned reports whether what two objects have in common comes in another order.
func turned(a, b *Type, partner map[int]int) bool {
	last := -1
	for i := range a.Fields {
		j, there := partner[i]
		if there && j < last {
			return true
		}
		last = max(last, j)
	}
	return false
}

// partners gives for fields of a where their values go in b.
func (c *typeComparison) partners(a, b *Type) map[int]int {
	partner, taken := map[int]int{}, map[int]bool{}
	match := func(same func(x, y string) bool) {
		for i, f := range a.Fields {
			if _, has := partner[i]; has {
				continue
			}
			for j, g := range b.Fields {
				if !taken[j] && same(f.Name, g.Name) {
					partner[i], taken[j] = j, true
					break
				}
			}
		}
	}
	match(func(x, y string) bool { return x == y })
	match(strings.EqualFold)
	return partner
}

// field compares a field that both have.
func (c *typeComparison) field(path string, f, g *Field) {
	at := join(path, f.Name)
	if f.Name != g.Name {
		c.report(TypeChange{Path: at, Pos: g.Pos, Rewrites: true, Cased: g.Name}, "the field %s is written as %s", at, g.Name)
	}
	switch {
	case f.Quoted == g.Quoted:
	case f.Quoted:
		kind := c.base(c.now, g.Type).Kind
		fails := kind != "string" && kind != "any" && kind != "raw"
		c.report(TypeChange{Path: at, Pos: g.Pos, Fails: fails, Loses: true, Rewrites: fails || c.base(c.old, f.Type).Kind == "string"}, "the field %s was written as a string, by the option string, and is not any more", at)
		return
	default:
		c.report(TypeChange{Path: at, Pos: g.Pos, Fails: true, Loses: true, Rewrites: true}, "the field %s is written as a string, by the option string, and was not before", at)
		return
	}
	c.compare(at, f.Type, g.Type, g.Pos)
	if f.From != g.From && (f.Hides || g.Hides) {
		c.report(TypeChange{Path: at, Pos: g.Pos, Rewrites: true}, "the field %s is another one of that name, in what is embedded or not", at)
	}
	switch {
	case f.Optional && c.old[f.Type].Kind != "pointer" && c.now[g.Type].Kind == "pointer":
		c.report(TypeChange{Path: at, Pos: g.Pos, Loses: true, Rewrites: !g.Optional}, "a zero %s was left out, and is read as nil", at)
	case f.Optional && !g.Optional:
		c.report(TypeChange{Path: at, Pos: g.Pos, Rewrites: true}, "the field %s was left out when it was zero and is written now", at)
	case f.Optional && f.Zero != g.Zero:
		c.report(TypeChange{Path: at, Pos: g.Pos, Rewrites: true}, "the field %s is left out in other cases: %s, and it was %s", at, left(g), left(f))
	case !f.Optional && g.Optional:
		c.report(TypeChange{Path: at, Pos: g.Pos, Rewrites: true}, "the field %s was written when it was zero and is left out now", at)
	}
}

// left says when a field is left out.
func left(f *Field) string {
	how, own, _ := strings.Cut(f.Zero, " ")
	switch {
	case f.Zero == "":
		return "when it is empty"
	case own != "":
		return "when its IsZero says so"
	}
	return "when it is " + how
}

func (c *typeComparison) base(types []Type, ref TypeRef) *Type {
	if t := &types[ref]; t.Kind == "pointer" && t.Elem >= 0 && int(t.Elem) < len(types) {
		return &types[t.Elem]
	}
	return &types[ref]
}

// removed tells about a field whose values go nowhere. If there is a new one of the same type, it looks renamed.
func (c *typeComparison) removed(path string, a, b *Type, i int, partner map[int]int, added map[int]bool) {
	f := &a.Fields[i]
	change := TypeChange{Path: join(path, f.Name), Pos: c.whereItWas(a, b, i, partner), Loses: true, Rewrites: true}
	for j := range b.Fields {
		g := &b.Fields[j]
		if added[j] && !slices.ContainsFunc(b.Fields, func(g Field) bool { return strings.EqualFold(f.Name, g.Name) }) && f.Optional == g.Optional && f.Quoted == g.Quoted && c.equal(f.Type, g.Type) {
			delete(added, j)
			change.Pos, change.Renamed = g.Pos, g.Name
			c.report(change, "the field %s is gone and looks renamed to %s", change.Path, g.Name)
			return
		}
	}
	if slices.ContainsFunc(b.Fields, func(g Field) bool { return strings.EqualFold(f.Name, g.Name) }) {
		change.Fails = true
		c.report(change, "the field %s is gone, and is read into one whose name differs in case only", change.Path)
		return
	}
	c.report(change, "the field %s is gone", change.Path)
}

// whereItWas gives the line of what stands in a removed field's place: the next field, or the closing brace.
func (c *typeComparison) whereItWas(a, b *Type, i int, partner map[int]int) token.Position {
	for next := i + 1; next < len(a.Fields); next++ {
		if j, there := partner[next]; there {
			return b.Fields[j].Pos
		}
	}
	if b.End.IsValid() {
		return b.End
	}
	return b.Pos
}
