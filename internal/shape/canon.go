package shape

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// children gives the types that t is made of.
func (t *Type) children() []TypeRef {
	switch t.Kind {
	case "list", "array", "pointer":
		return []TypeRef{t.Elem}
	case "map":
		return []TypeRef{t.Key, t.Elem}
	case "object":
		refs := make([]TypeRef, len(t.Fields))
		for i, f := range t.Fields {
			refs[i] = f.Type
		}
		return refs
	}
	return nil
}

// namer says every type of a lock in the notation of the file: what has no fields and does not contain itself in full,
// everything else by a hash of what it is made of. So a type keeps its name when others come and go, and two branches that
// both add types do not take the same number.
type namer struct {
	types []Type
	names []string // by index, "" until known
	// Of Tarjan's walk, which ends with a type after all that it is made of.
	index, low []int
	open       []TypeRef
	opened     []bool
	next       int
	entries    map[string]TypeRef // what needs a line of its own, by name
}

func newNamer(types []Type) *namer {
	n := len(types)
	return &namer{types: types, names: make([]string, n), index: make([]int, n), low: make([]int, n), opened: make([]bool, n), entries: map[string]TypeRef{}}
}

// name gives the notation of a type; "" for NoType.
func (n *namer) name(ref TypeRef) string {
	if ref < 0 || int(ref) >= len(n.types) {
		return ""
	}
	if n.names[ref] == "" {
		n.walk(ref)
	}
	return n.names[ref]
}

func (n *namer) walk(ref TypeRef) {
	n.next++
	n.index[ref], n.low[ref] = n.next, n.next
	n.open, n.opened[ref] = append(n.open, ref), true
	for _, child := range n.types[ref].children() {
		switch {
		case child < 0 || int(child) >= len(n.types):
		case n.index[child] == 0:
			n.walk(child)
			n.low[ref] = min(n.low[ref], n.low[child])
		case n.opened[child]:
			n.low[ref] = min(n.low[ref], n.index[child])
		}
	}
	if n.low[ref] != n.index[ref] {
		return
	}
	i := slices.Index(n.open, ref)
	ring := slices.Clone(n.open[i:])
	n.open = n.open[:i]
	for _, r := range ring {
		n.opened[r] = false
	}
	n.close(ring)
}

// close names types that contain each other, or one alone.
func (n *namer) close(ring []TypeRef) {
	t := &n.types[ring[0]]
	if len(ring) == 1 && !slices.Contains(t.children(), ring[0]) {
		n.names[ring[0]] = n.notation(t)
		if t.Kind == "object" {
			n.names[ring[0]] = n.enter(ring[0], n.notation(t))
		}
		return
	}
	// What contains itself has no end: each round looks one step deeper, and as many rounds as there are different types
	// tell all of them apart.
	n.deepen(ring, len(ring))
	n.deepen(ring, n.different(ring))
	inline := map[TypeRef]string{}
	for _, r := range ring {
		if s, ends := n.inline(r, nil); ends && n.types[r].Kind != "object" {
			inline[r] = s
			continue
		}
		n.entries[n.names[r]] = r
	}
	for r, s := range inline {
		n.names[r] = s
	}
}

// deepen hashes types that contain each other anew, to a depth.
func (n *namer) deepen(ring []TypeRef, rounds int) {
	for _, r := range ring {
		n.names[r] = ""
	}
	for range rounds {
		deeper := make([]string, len(ring))
		for i, r := range ring {
			deeper[i] = hash(n.notation(&n.types[r]))
		}
		for i, r := range ring {
			n.names[r] = deeper[i]
		}
	}
}

func (n *namer) different(ring []TypeRef) int {
	names := map[string]bool{}
	for _, r := range ring {
		names[n.names[r]] = true
	}
	return len(names)
}

// inline gives the notation of a type down to the objects in it, if it comes to its end there.
func (n *namer) inline(ref TypeRef, above []TypeRef) (string, bool) {
	t := &n.types[ref]
	if len(above) > 0 && (t.Kind == "object" || !strings.HasPrefix(n.names[ref], "#")) {
		return n.names[ref], true
	}
	if slices.Contains(above, ref) {
		return "", false
	}
	parts := map[TypeRef]string{}
	for _, child := range t.children() {
		s, ends := n.inline(child, append(above, ref))
		if !ends {
			return "", false
		}
		parts[child] = s
	}
	return n.spell(t, func(r TypeRef) string { return parts[r] }), true
}

func (n *namer) enter(ref TypeRef, notation string) string {
	name := hash(notation)
	if _, had := n.entries[name]; !had {
		n.entries[name] = ref
	}
	return name
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "#" + hex.EncodeToString(sum[:6])
}

// notation says what a type is, with the names that its parts have so far.
func (n *namer) notation(t *Type) string {
	return n.spell(t, func(ref TypeRef) string {
		if ref < 0 || int(ref) >= len(n.types) {
			return ""
		}
		return n.names[ref]
	})
}

// spell says what a type is, with what part says of its parts.
func (n *namer) spell(t *Type, part func(TypeRef) string) string {
	switch t.Kind {
	case "int", "uint", "float":
		return t.Kind + strconv.Itoa(t.Bits)
	case "list":
		return "[]" + part(t.Elem)
	case "array":
		return "[" + strconv.Itoa(t.Bits) + "]" + part(t.Elem)
	case "pointer":
		return "*" + part(t.Elem)
	case "map":
		return "map[" + part(t.Key) + "]" + part(t.Elem)
	case "text", "own":
		if t.Reads != "" && t.Writes != "" {
			return t.Kind + "(" + t.Name + "|" + t.Reads + "|" + t.Writes + ")"
		}
		return t.Kind + "(" + t.Name + ")"
	case "object":
		var b strings.Builder
		b.WriteString("{")
		for _, f := range t.Fields {
			fmt.Fprintf(&b, "%q %s %t %t;", f.Name, part(f.Type), f.Optional, f.Quoted)
			if f.Zero != "" || f.From != "" || f.Hides {
				fmt.Fprintf(&b, "%s %s %t;", f.Zero, f.From, f.Hides)
			}
		}
		return b.String() + "}"
	}
	return t.Kind
}
