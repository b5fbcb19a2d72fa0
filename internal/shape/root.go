package shape

import (
	"go/token"
	"slices"
)

// root finds the step that one of the flows does not have, and to which a state is due. key tells it from others. wide: also
// one that is not on the way there.
func (w *walk) root(s *state, wide bool) (pos token.Position, key string) {
	a := w.alignment()
	o, n := s.old.at, s.new.at
	if pos, key := w.changedAny(s); key != "" {
		return pos, key
	}
	for step := s.path; step != nil; step = step.before {
		if n := step.node; !step.old && w.turned(n) {
			return w.conditionAt(n), "turned " + itoa(n)
		}
	}
	if a.from[n] == none && !w.new.Nodes[n].ends() {
		return w.inserted(n), "came " + w.new.Nodes[n].String()
	}
	if a.to[o] == none && !w.old.Nodes[o].ends() && w.old.count(&w.old.Nodes[o]) != w.new.count(&w.old.Nodes[o]) {
		return w.removed(o), "went " + w.old.Nodes[o].String()
	}
	for step := s.path; step != nil; step = step.before {
		switch {
		case step.old && a.to[step.node] == none && w.old.Nodes[step.node].Kind != Join:
			return w.without(step.node)
		case !step.old && a.from[step.node] == none && w.new.Nodes[step.node].Kind != Join:
			return w.inserted(step.node), "came " + w.new.Nodes[step.node].String()
		}
	}
	switch {
	case w.new.Nodes[n].ends() && a.from[n] == none && !w.late(o):
		return w.new.Nodes[n].Pos, "came " + itoa(n)
	case w.new.Nodes[n].ends() && !wide:
		return w.removed(o), "went " + w.old.Nodes[o].String()
	case !wide:
		return token.Position{}, ""
	}
	for i := range a.to {
		if o := &w.old.Nodes[i]; a.to[i] == none && o.made() && w.old.count(o) > w.new.count(o) {
			return w.removed(i), "went " + w.old.Nodes[i].String()
		}
	}
	for i := range a.from {
		if n := &w.new.Nodes[i]; a.from[i] == none && n.made() && w.new.count(n) > w.old.count(n) {
			return w.inserted(i), "came " + w.new.Nodes[i].String()
		}
	}
	if a.to[o] == none || a.from[n] == none { // it was moved, and what was asked about it, too
		return token.Position{}, ""
	}
	for i := range a.to {
		if a.to[i] == none && w.old.Nodes[i].Kind == Branch {
			return w.without(i)
		}
	}
	return token.Position{}, ""
}

// changedAny finds, on the way to a state, the first wait for one of several that waits for others now.
func (w *walk) changedAny(s *state) (pos token.Position, key string) {
	a, p := w.alignment(), w.pairing()
	for step := (&step{before: s.path, node: s.new.at}); step != nil; step = step.before {
		if step.old {
			continue
		}
		n := &w.new.Nodes[step.node]
		if n.Kind != AwaitAny || a.from[step.node] == none {
			continue
		}
		o := &w.old.Nodes[a.from[step.node]]
		if slices.Equal(classesOf(p.a, o.Args), classesOf(p.b, n.Args)) {
			continue
		}
		pos, key = n.Pos, "any "+itoa(step.node)
		for _, v := range o.Args {
			for _, i := range w.old.nodesOf(v, nil) {
				if a.to[i] == none {
					pos, key = w.removed(i), "went "+w.old.Nodes[i].String()
				}
			}
		}
		for _, v := range n.Args {
			for _, i := range w.new.nodesOf(v, nil) {
				if a.from[i] == none {
					pos, key = w.inserted(i), "came "+w.new.Nodes[i].String()
				}
			}
		}
	}
	return pos, key
}

func classesOf(class, values []int) (list []int) {
	for _, v := range values {
		list = append(list, class[v])
	}
	return list
}

// turned reports whether the two ways out of a new branch were exchanged.
func (w *walk) turned(n int) bool {
	o := w.alignment().from[n]
	if w.new.Nodes[n].Kind != Branch || o == none {
		return false
	}
	p := w.pairing()
	if p.a[w.old.Nodes[o].Args[0]] != p.b[w.new.Nodes[n].Args[0]] {
		return false
	}
	label := func(g *graph, node, way int) string { return g.place(g.Nodes[node].Next[way]).String() }
	a, b := label(w.old, o, 0), label(w.old, o, 1)
	return a != b && a == label(w.new, n, 1) && b == label(w.new, n, 0)
}

// conditionAt gives the place of a new branch's condition.
func (w *walk) conditionAt(n int) token.Position {
	if pos := w.new.Values[w.new.Nodes[n].Args[0]].Pos; pos.IsValid() {
		return pos
	}
	return w.new.Nodes[n].Pos
}

// without gives the place of an old node that is gone, and for a branch that of what went with it.
func (w *walk) without(o int) (token.Position, string) {
	a := w.alignment()
	if w.old.Nodes[o].Kind != Branch {
		return w.removed(o), "went " + w.old.Nodes[o].String()
	}
	if n := w.operandOf(o); n != none {
		return w.conditionAt(n), "went " + itoa(o)
	}
	seen := map[int]bool{}
	gone := none
	var ahead func(int)
	ahead = func(n int) {
		if seen[n] || gone != none || a.to[n] != none {
			return
		}
		seen[n] = true
		if w.old.Nodes[n].slot() || w.old.Nodes[n].Kind == Receive {
			gone = n
			return
		}
		if w.old.Nodes[n].Kind == Join && n != o {
			return
		}
		for _, next := range w.old.Nodes[n].Next {
			ahead(next)
		}
	}
	ahead(o)
	if gone != none {
		return w.removed(gone), "went " + w.old.Nodes[gone].String()
	}
	return w.removed(o), "went " + itoa(o)
}

// operandOf finds the new branch that asks what is left of "a and b", or "a or b", of which an old branch was the other
// half: both lead to one place when the answer is settled. A question within another, with nothing else there, looks the same.
func (w *walk) operandOf(o int) int {
	a, g := w.alignment(), w.old
	half := func(first, way, second int) bool {
		settled := g.place(g.Nodes[first].Next[1-way])
		return settled == g.place(g.Nodes[second].Next[1-way])
	}
	for _, e := range a.before[o] {
		if g.Nodes[e.From].Kind == Branch && a.to[e.From] != none && half(e.From, e.Next, o) {
			return a.to[e.From]
		}
	}
	for way, next := range g.Nodes[o].Next {
		if g.Nodes[next].Kind == Branch && a.to[next] != none && half(o, way, next) {
			return a.to[next]
		}
	}
	return none
}

// everywhere reports whether several old nodes alike are gone, and no new one is left: a compensation, for example.
func (w *walk) everywhere(o int) bool {
	n := &w.old.Nodes[o]
	return n.slot() && n.Kind != Timer && w.new.count(n) == 0 && w.old.count(n) > 1
}

// earlier gives what stands behind the question before a new one: what is done wherever it was come further than that was
// settled there.
func (w *walk) earlier(n int) token.Position {
	before := entries(w.new.Flow)
	for range len(w.new.Nodes) {
		if len(before[n]) == 0 {
			break
		}
		e := before[n][0]
		if n = e.From; w.new.Nodes[n].Kind == Branch || n == 0 {
			return w.behind(&w.new.Nodes[n], e.Next, false)
		}
	}
	return w.new.Nodes[n].Pos
}

// late reports whether an old node looks like a compensation, or deferred: its like in the new flow is.
func (w *walk) late(o int) bool {
	return slices.ContainsFunc(w.new.Nodes, func(n Node) bool { return n.Late && n.slot() && n.String() == w.old.Nodes[o].String() })
}

// made reports whether a node is one by which a call is known again.
func (n *Node) made() bool {
	switch n.Kind {
	case Receive, UUID, Random, Go, Scope, Call, Now:
		return true
	}
	return n.slot()
}

func (n *Node) ends() bool {
	switch n.Kind {
	case Return, Continue, Panic, Join:
		return true
	}
	return false
}

// inserted gives the place of a new node: where it was called if all that the call decides is new.
func (w *walk) inserted(n int) token.Position {
	a, node := w.alignment(), &w.new.Nodes[n]
	for depth, site := range node.Calls {
		known := false
		for i := range w.new.Nodes {
			other := &w.new.Nodes[i]
			known = known || a.from[i] != none && other.made() && len(other.Calls) > depth && other.Calls[depth] == site
		}
		if !known {
			return site
		}
	}
	return node.Pos
}

// removed gives the place where an old node was: what stands behind the step before it now.
func (w *walk) removed(o int) token.Position {
	a := w.alignment()
	var best token.Position
	calls := 0 // the place that is in the fewest is where the ways meet
	seen := map[int]bool{}
	var back func(node int, asked, only bool)
	back = func(node int, asked, only bool) {
		if seen[node] {
			return
		}
		seen[node] = true
		for _, e := range a.before[node] {
			if a.to[e.From] == none && e.From != 0 {
				before := w.old.Nodes[e.From].Kind
				back(e.From, asked || before == Branch, only && (before == Branch || before == Join))
				continue
			}
			n := &w.new.Nodes[max(a.to[e.From], 0)]
			pos := w.behind(n, e.Next, asked)
			next := w.new.place(n.Next[min(e.Next, len(n.Next)-1)])
			if only && !n.Within.IsValid() && next.Pos.IsValid() || w.replaces(next) {
				pos = next.Pos
			}
			switch late := next.Late || w.late(o); {
			case w.everywhere(o) && !n.Late:
				pos = w.earlier(max(a.to[e.From], 0))
			case late && !n.Late, w.waitsFor(node, e.From):
				pos = n.Pos
			}
			if !best.IsValid() || len(n.Calls) < calls || len(n.Calls) == calls && pos.Filename == best.Filename && pos.Line > best.Line {
				best, calls = pos, len(n.Calls)
			}
		}
	}
	back(o, w.old.Nodes[o].Kind == Branch, w.old.Nodes[o].Kind == Branch)
	return best
}

// replaces reports whether a new node is one that stands for others that are gone.
func (w *walk) replaces(n *Node) bool {
	i := slices.IndexFunc(seq(len(w.new.Nodes)), func(i int) bool { return &w.new.Nodes[i] == n })
	return !n.ends() && i >= 0 && w.alignment().from[i] == none
}

// waitsFor reports whether an old node waits for what the one before it has started.
func (w *walk) waitsFor(o, before int) bool {
	n := &w.old.Nodes[o]
	return n.Kind == Await && len(n.Args) == 1 && slices.Contains(w.old.nodesOf(n.Args[0], nil), before)
}

// behind gives what stands behind a new node on a way. asked: a question was there, too.
func (w *walk) behind(n *Node, way int, asked bool) token.Position {
	if way >= len(n.Next) {
		return n.Pos
	}
	next := w.new.place(n.Next[way])
	if way >= len(n.After) {
		return next.Pos
	}
	pos := n.After[way]
	switch {
	case asked && n.Within.Line == n.Pos.Line:
		return n.Within
	case n.Late && !next.Late, pos.Line == next.Pos.Line:
		return next.Pos
	case asked && n.Within.IsValid():
		return n.Within
	case pos.IsValid():
		return pos
	}
	return next.Pos
}

// place gives a node, or if ways only meet there the one that follows.
func (g *graph) place(n int) *Node {
	for range 8 {
		if node := &g.Nodes[n]; node.Kind == Join && len(node.Next) == 1 {
			n = node.Next[0]
		}
	}
	return &g.Nodes[n]
}
