package shape

import (
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// TypeChange is a way in which the JSON of a type has changed. One of which neither Fails, Loses nor Rewrites is set harms
// nobody.
type TypeChange struct {
	Path   string         // of the value, by names in JSON: "items[].price"; "" is the value itself
	Pos    token.Position // in the new source, as far as the type is declared there
	Change string         // "the field was int64 and is string"

	Fails    bool   // there are old values that the new type cannot decode
	Loses    bool   // of an old value the new code does not see what is at Path, or sees something else
	Rewrites bool   // an old value that was decoded is written as other JSON: recorded arguments differ
	Shown    bool   // whether it does is seen when values are written that the code has made: a rehearsal can tell
	Renamed  string // the field looks renamed, and this is its new name in JSON
	Cased    string // the field has its name in other case, and this is it
}

// CompareTypes tells what became of a type, field by field; nil when nothing did.
func CompareTypes(old *Lock, from TypeRef, now *Lock, to TypeRef) []TypeChange {
	c := typeComparison{old: old.Types, now: now.Types, seen: map[[2]TypeRef]bool{}}
	c.compare("", from, to, token.Position{})
	return c.changes
}

// CompareParams does the same with what a function takes: nothing, a value, or an object of several.
func CompareParams(old *Lock, from []Param, now *Lock, to []Param) []TypeChange {
	a, b := *old, *now
	return CompareTypes(&a, a.payload(from), &b, b.payload(to))
}

// CompareBytes does the same with arguments that are compared by the bytes of their JSON: the order of fields counts, and what
// Rewrites changes it, too.
func CompareBytes(old *Lock, from []Param, now *Lock, to []Param) []TypeChange {
	a, b := *old, *now
	x, y := a.payload(from), b.payload(to)
	c := typeComparison{old: a.Types, now: b.Types, bytes: true, seen: map[[2]TypeRef]bool{}}
	c.compare("", x, y, token.Position{})
	return c.changes
}

// payload gives the type of all parameters together, which it adds to the lock's own list when there are several.
func (l *Lock) payload(params []Param) TypeRef {
	switch len(params) {
	case 0:
		return NoType
	case 1:
		return params[0].Type
	}
	object := Type{Kind: "object", Pos: params[0].Pos}
	for _, p := range params {
		object.Fields = append(object.Fields, Field{Name: p.Name, Type: p.Type, Pos: p.Pos})
	}
	l.Types = append(l.Types[:len(l.Types):len(l.Types)], object)
	return TypeRef(len(l.Types) - 1)
}

type typeComparison struct {
	old, now []Type
	bytes    bool                // arguments of which only a sum is recorded: the order of fields counts
	seen     map[[2]TypeRef]bool // pairs that are being or have been compared: equal until the contrary is found
	changes  []TypeChange
}

func (c *typeComparison) report(t TypeChange, format string, args ...any) {
	t.Change = fmt.Sprintf(format, args...)
	c.changes = append(c.changes, t)
}

// equal reports whether two types are the same JSON, without telling.
func (c *typeComparison) equal(from, to TypeRef) bool {
	inner := typeComparison{old: c.old, now: c.now, bytes: c.bytes, seen: map[[2]TypeRef]bool{}}
	inner.compare("", from, to, token.Position{})
	return len(inner.changes) == 0
}

// compare tells about the values at path, which the source speaks of at pos.
func (c *typeComparison) compare(path string, from, to TypeRef, pos token.Position) {
	switch {
	case from == NoType && to == NoType:
		return
	case from == NoType:
		c.report(TypeChange{Path: path, Pos: pos, Loses: true, Rewrites: true}, "there was no value and is %s", c.say(c.now, to)) // null decodes as zero
		return
	case to == NoType:
		c.report(TypeChange{Path: path, Pos: pos, Loses: true, Rewrites: true}, "the value was %s and is gone", c.say(c.old, from))
		return
	}
	pair := [2]TypeRef{from, to}
	if c.seen[pair] {
		return
	}
	c.seen[pair] = true
	a, b := &c.old[from], &c.now[to]
	if !pos.IsValid() {
		pos = b.Pos
	}
	if a.Kind == b.Kind {
		c.sameKind(path, from, to, pos)
		return
	}
	c.otherKind(path, from, to, pos)
}

func (c *typeComparison) sameKind(path string, from, to TypeRef, pos token.Position) {
	a, b := &c.old[from], &c.now[to]
	switch a.Kind {
	case "int", "uint", "float":
		if a.Bits > b.Bits {
			c.retyped(path, from, to, TypeChange{Pos: pos, Fails: true, Loses: a.Kind == "float", Rewrites: a.Kind == "float"})
		} else if a.Bits < b.Bits {
			c.retyped(path, from, to, TypeChange{Pos: pos})
		}
	case "text", "own":
		c.coded(path, from, to, pos)
	case "array":
		if a.Bits != b.Bits {
			c.retyped(path, from, to, TypeChange{Pos: pos, Loses: a.Bits > b.Bits, Rewrites: true})
		}
		c.compare(path+"[]", a.Elem, b.Elem, pos)
	case "list":
		c.compare(path+"[]", a.Elem, b.Elem, pos)
	case "map":
		c.key(path, a.Key, b.Key, pos)
		c.compare(path+"[]", a.Elem, b.Elem, pos)
	case "pointer":
		c.compare(path, a.Elem, b.Elem, pos)
	case "object":
		c.object(path, a, b)
	}
}

// key compares the types of a map's keys, which are text in JSON whatever they are in Go.
func (c *typeComparison) key(path string, from, to TypeRef, pos token.Position) {
	a, b := &c.old[from], &c.now[to]
	switch {
	case a.Kind == b.Kind && (a.Kind == "text" || a.Kind == "own"):
		c.coded(path, from, to, pos)
	case a.Kind == b.Kind && a.Bits == b.Bits && a.Name == b.Name:
	case b.Kind == "string":
		c.retyped(path, from, to, TypeChange{Pos: pos})
	case a.holds(b):
		c.retyped(path, from, to, TypeChange{Pos: pos})
	default:
		c.retyped(path, from, to, TypeChange{Pos: pos, Fails: true, Loses: true, Rewrites: true})
	}
}

// coded compares types by the code with which they write and read themselves, and if that is not known by their names.
func (c *typeComparison) coded(path string, from, to TypeRef, pos token.Position) {
	a, b := &c.old[from], &c.now[to]
	if a.Reads == "" || b.Reads == "" || a.Writes == "" || b.Writes == "" {
		if a.Name != b.Name {
			c.retyped(path, from, to, TypeChange{Pos: pos, Fails: true, Loses: true, Rewrites: true})
		}
		return
	}
	at := func(method token.Position) token.Position {
		if method.IsValid() {
			return method
		}
		return b.Pos
	}
	name := c.say(c.now, to)
	if a.Writes != b.Writes {
		c.report(TypeChange{Path: path, Pos: at(b.WritesPos), Rewrites: true}, "%s is written by %s itself, and the code that does it changed", what(path), name)
	}
	if a.Reads != b.Reads {
		c.report(TypeChange{Path: path, Pos: at(b.ReadsPos), Fails: true, Loses: true}, "%s is read by %s itself, and the code that does it changed", what(path), name)
	}
}

func what(path string) string {
	if path == "" {
		return "the value"
	}
	return path
}

// holds reports whether every number of the type fits into b as it is.
func (t *Type) holds(b *Type) bool {
	switch {
	case t.Kind == b.Kind:
		return t.Bits <= b.Bits
	case t.Kind == "uint" && b.Kind == "int":
		return t.Bits < b.Bits
	case b.Kind == "float" && (t.Kind == "int" || t.Kind == "uint"):
		return t.Bits <= 16 || b.Bits == 64 // within the mantissa; of 64 bits up to 2^53, as sums are taken not to overflow
	}
	return false
}

// sorted reports whether the fields of all objects in a type are written in the order of their names, as those of a map are.
func (c *typeComparison) sorted(ref TypeRef, seen map[TypeRef]bool) bool {
	if seen[ref] {
		return true
	}
	seen[ref] = true
	t := &c.old[ref]
	if t.Kind == "own" || t.Kind == "raw" || !slices.IsSortedFunc(t.Fields, func(f, g Field) int { return strings.Compare(f.Name, g.Name) }) {
		return false
	}
	return !slices.ContainsFunc(t.children(), func(part TypeRef) bool { return !c.sorted(part, seen) })
}

func (t *Type) number() bool { return t.Kind == "int" || t.Kind == "uint" || t.Kind == "float" }

// exact reports whether values that go through any come back as they were: numbers there are float64, see holds.
func (c *typeComparison) exact(ref TypeRef, seen map[TypeRef]bool) bool {
	if seen[ref] {
		return true
	}
	seen[ref] = true
	t := &c.old[ref]
	switch t.Kind {
	case "own", "raw":
		return false
	case "map":
		return c.exact(t.Elem, seen)
	}
	for _, part := range t.children() {
		if !c.exact(part, seen) {
			return false
		}
	}
	return true
}

// otherKind tells about a value that is another JSON kind now, or the same one that means something else.
func (c *typeComparison) otherKind(path string, from, to TypeRef, pos token.Position) {
	a, b := &c.old[from], &c.now[to]
	change := TypeChange{Pos: pos, Fails: true, Loses: true, Rewrites: true}
	switch pair := a.Kind + " " + b.Kind; {
	case b.Kind == "raw":
		change.Fails, change.Loses, change.Rewrites = false, false, false
	case b.Kind == "any":
		inexact := !c.exact(from, map[TypeRef]bool{}) || c.bytes && !c.sorted(from, map[TypeRef]bool{})
		change.Fails, change.Loses, change.Rewrites = false, inexact, inexact
	case a.Kind == "any":
		change.Shown = b.basic() || b.Kind == "object" || b.Kind == "map" || b.Kind == "list"
	case a.Kind == "pointer":
		c.unpointed(path, from, to, pos)
		return
	case b.Kind == "pointer":
		c.compare(path, from, b.Elem, pos)
		c.retyped(path, from, to, TypeChange{Pos: pos}) // what was there is there; what was left out is nil, see object
		return
	case a.number() && b.number():
		fits := a.holds(b)
		change.Fails, change.Loses, change.Rewrites = b.Kind != "float" && !fits, !fits, !fits
		change.Shown = a.Kind == "float" && a.Bits == 64 && b.Bits == 64
	case pair == "bytes string": // nil is written as null
		change.Fails = false
	case pair == "time string" || pair == "text string":
		change.Fails, change.Rewrites = false, false
	case pair == "map object":
		for _, f := range b.Fields {
			c.compare(join(path, f.Name), a.Elem, f.Type, f.Pos)
		}
		change.Fails, change.Shown = false, true
	case pair == "list array":
		c.compare(path+"[]", a.Elem, b.Elem, pos)
		change.Fails = false
	case pair == "array list":
		c.compare(path+"[]", a.Elem, b.Elem, pos)
		change.Fails, change.Loses, change.Rewrites = false, false, false
	case pair == "array bytes" && c.old[a.Elem].Kind == "uint" && c.old[a.Elem].Bits == 8:
		change.Fails, change.Loses = false, false
	case pair == "object map" && c.now[b.Key].Kind == "string":
		for _, f := range a.Fields {
			c.compare(join(path, f.Name), f.Type, b.Elem, pos)
		}
		change.Fails, change.Loses, change.Rewrites = false, false, c.bytes && !c.sorted(from, map[TypeRef]bool{})
	}
	c.retyped(path, from, to, change)
}

// unpointed tells about a pointer that has become a value: nil, written as null, is read as the zero value.
func (c *typeComparison) unpointed(path string, from, to TypeRef, pos token.Position) {
	inner := &c.old[c.old[from].Elem]
	c.compare(path, c.old[from].Elem, to, pos)
	nullable := inner.Kind == "pointer" || inner.Kind == "any"
	c.retyped(path, from, to, TypeChange{Pos: pos, Loses: !nullable, Rewrites: !nullable})
}

func (c *typeComparison) retyped(path string, from, to TypeRef, change TypeChange) {
	change.Path, change.Shown = path, change.Shown && !c.bytes
	if to := &c.now[to]; to.basic() && to.Pos.IsValid() && filepath.Dir(to.Pos.Filename) == filepath.Dir(change.Pos.Filename) {
		change.Pos = to.Pos // a type of the package, which most likely was something else before
	}
	c.report(change, "%s was %s and is %s", what(path), c.say(c.old, from), c.say(c.now, to))
}

func (t *Type) basic() bool {
	return slices.Contains([]string{"string", "bool", "int", "uint", "float"}, t.Kind)
}

// say names a type for people.
func (c *typeComparison) say(types []Type, ref TypeRef) string { return sayType(types, ref, 0) }

func sayType(types []Type, ref TypeRef, depth int) string {
	if ref < 0 || int(ref) >= len(types) {
		return "nothing"
	}
	t := &types[ref]
	if depth > 4 {
		return "…"
	}
	part := func(ref TypeRef) string { return sayType(types, ref, depth+1) }
	switch t.Kind {
	case "int", "uint", "float":
		return fmt.Sprint(t.Kind, t.Bits)
	case "list":
		return "[]" + part(t.Elem)
	case "array":
		return fmt.Sprintf("[%d]%s", t.Bits, part(t.Elem))
	case "pointer":
		return "*" + part(t.Elem)
	case "map":
		return fmt.Sprintf("map[%s]%s", part(t.Key), part(t.Elem))
	case "object":
		if t.Name != "" && !strings.HasPrefix(t.Name, "struct{") {
			return t.Name
		}
		return "an object"
	case "time":
		return "time.Time"
	case "bytes":
		return "[]byte"
	case "raw":
		return "json.RawMessage"
	case "text", "own":
		return t.Name[strings.LastIndexByte(t.Name, '/')+1:]
	}
	return t.Kind
}

// join gives the path of a field.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
