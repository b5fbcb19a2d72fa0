package rehearsal

import (
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// That a Map gets more items than it takes at once may need two things that do not come together by chance: a long list, and
// that nothing in front of it turns away who comes with that.

// fill makes lists longer on which it depends how many items come to a Map. Where that has scenarios go another way, what is
// compared there is turned until they come to the Map again.
func (h *hunt) fill(t *target, from targeted) {
	const most = 4
	s := h.run(from.base, nil)
	if s == nil {
		return
	}
	names := map[string]bool{}
	t.aboutOf([]int{t.flow.Nodes[t.n].Args[0]}, names)
	all, _ := s.knobs.about(names)
	sizes := slices.DeleteFunc(all, func(k knob) bool { return !strings.HasPrefix(k.name, "size of ") })
	for range most {
		if len(sizes) == 0 || h.over() || !t.waits() {
			return
		}
		k := sizes[h.draw.IntN(len(sizes))]
		longer := base{from.seed, settings{k.name: {n: max(k.n, 0) + 1 + h.draw.Int64N(8)}}.and(from.set)}
		t.runs++
		if s := h.run(longer, nil); s != nil && t.near > 0 && t.near < unreached {
			h.lead(t, longer, s)
		}
	}
}

// lead turns what is compared where a scenario has gone another way than to a target, until it comes there or is as near as it
// gets.
func (h *hunt) lead(t *target, b base, s *scenario) {
	g := goal{question{v: -1}, fork{t.program, t.nearest, 0}}
	a := &attempt{hunt: h, goal: g, until: t.waits, base: b, seen: s, before: t.knobs, leaves: g.leaves(), about: map[string]bool{}}
	g.about(a.about)
	a.knobs, _ = s.knobs.about(a.about)
	t.side.watched = map[question]bool{}
	for _, q := range a.leaves {
		t.side.watched[q] = true
	}
	defer func() { t.side.watched = nil }()
	for _, q := range a.leaves {
		a.approach(q)
	}
}

// crowded reports whether a target is a Map that has to get more items.
func (t *target) crowded() bool {
	node := &t.flow.Nodes[t.n]
	return t.number < 0 && node.Kind == shape.Go && len(node.Args) > 1 && node.Target != "go"
}

// waits reports whether anything is still missing at the Map that is a target.
func (t *target) waits() bool { return slices.ContainsFunc(t.lacks, lack.missing) }

// takesAll reports whether a Map or ForEach always takes as many items at once as there are: its limit is the length of the very
// list, or more.
func takesAll(f *shape.Flow, n *shape.Node) bool { return holds(f, n.Args[1], n.Args[0], 0) }

// holds reports whether a number is certainly at least the length of a list.
func holds(f *shape.Flow, v, list, depth int) bool {
	val := &f.Values[v]
	also := func(a int) bool { return holds(f, a, list, depth+1) }
	switch {
	case depth > deepestFact:
		return false
	case val.Op == "call" && val.What == "max":
		return slices.ContainsFunc(val.Args, also)
	case val.Op == "if":
		return also(val.Args[1]) && also(val.Args[2])
	}
	return val.Op == "len" && val.Args[0] == list
}
