package shape

import (
	"fmt"
	"go/token"
	"slices"
)

type failKind string

// Ways in which the new program does not repeat the old one.
const (
	failOther    failKind = "decision" // it decides something else, or nothing
	failWaits    failKind = "wait"     // it waits before it decides
	failTakes    failKind = "event"    // it may take an event that was left alone
	failApart    failKind = "order"    // something was moved across code that runs beside
	failScope    failKind = "context"
	failArgument failKind = "argument"
	failCount    failKind = "arguments"
	failName     failKind = "parameter"
	failType     failKind = "type"
)

// failure is one place where a replay may end.
type failure struct {
	kind     failKind
	pos      token.Position
	change   string
	expected string // what the old program has decided there
	after    string // what it had decided before, "" for nothing
	root     string // the step that came or went; "" when it is not known
	behind   string // of an argument: the step that came or went before it

	difference *difference // of a value
	gone, come *Node       // a decision that became another one
	event      bool        // it depends on which events are received
	declared   bool        // it is at the declaration that was changed
	swapped    bool        // both programs have both decisions, in another order
	marker     string      // the id of one that is not asked for any more
	shown      bool        // of a type: a rehearsal can tell
}

// fail tells that the new program does not come to where the old one stands.
func (w *walk) fail(s *state, kind failKind) {
	o, n := &w.old.Nodes[s.old.at], &w.new.Nodes[s.new.at]
	f := failure{kind: kind, pos: n.Pos, expected: o.String(), after: w.before(s)}
	if o.Kind == Marker && w.new.count(o) == 0 {
		f.marker = o.Target
	}
	if condition := w.blamed(s); condition != nil {
		f.kind, f.pos, f.change, f.difference = "condition", condition.pos, condition.text, condition
		if condition.felt {
			f.due(w.root(s, true))
		}
		w.add(f)
		return
	}
	f.event = kind == failWaits || kind == failTakes
	switch kind {
	case failWaits:
		f.change = fmt.Sprintf("the code now waits for %s before %s", w.waitedFor(n), o)
	case failTakes:
		f.change = fmt.Sprintf("the code now may take an event before %s that it left alone", o)
	case failApart:
		f.change = fmt.Sprintf("what stands before %s has changed, and it cannot be told in which order things come then", n)
	case failScope:
		f.change = fmt.Sprintf("%s is now called with a Context that is cancelled otherwise", n)
	default:
		w.instead(&f, o, n)
	}
	f.due(w.root(s, kind == failApart || kind == failTakes || f.swapped))
	w.add(f)
}

// due moves a failure to the step to which it is due.
func (f *failure) due(pos token.Position, root string) {
	if pos.IsValid() {
		f.pos, f.root = pos, root
	}
}

// instead says what the new program does in the place of a decision.
func (w *walk) instead(f *failure, o, n *Node) {
	gone := w.old.count(o) > w.new.count(o)
	come := w.new.count(n) > w.old.count(n)
	switch {
	case n.Kind == Return || n.Kind == Continue || n.Kind == Panic:
		f.change = fmt.Sprintf("the code now %s where it had %s", n, o)
	case gone && come:
		f.change, f.gone, f.come = fmt.Sprintf("%s became %s", o, n), o, n
	case gone:
		f.change = fmt.Sprintf("%s was removed: %s comes in its place", o, n)
	case come:
		f.change = fmt.Sprintf("%s was inserted before %s", n, o)
	default:
		f.change, f.swapped = fmt.Sprintf("%s now comes before %s", n, o), true
	}
}

// count tells how often a flow has a node of this kind and target, bodies included.
func (g *graph) count(like *Node) (n int) {
	for i := range g.Nodes {
		n += btoi(g.Nodes[i].Kind == like.Kind && g.Nodes[i].Target == like.Target)
	}
	for _, inner := range g.inner {
		n += inner.count(like)
	}
	return n
}

// failArg tells that an argument differs, at the innermost place where it does.
func (w *walk) failArg(s *state, kind failKind, a, b int) {
	o, n := &w.old.Nodes[s.old.at], &w.new.Nodes[s.new.at]
	f := failure{kind: kind, pos: n.Pos, expected: o.String(), after: w.before(s)}
	switch kind {
	case failCount:
		f.change = fmt.Sprintf("%s is called with another number of arguments", n)
	default:
		d := w.difference(a, b, n.Pos)
		if d == nil {
			if c := w.blamed(s); c != nil {
				d = c
			} else {
				d = &difference{text: fmt.Sprintf("%s is computed otherwise, or at another time", w.new.say(b)), pos: n.Pos, felt: true}
			}
		}
		f.difference = d
		if d.pos.IsValid() {
			f.pos = d.pos
		}
		f.change = fmt.Sprintf("an argument of %s changed: %s", n, d.text)
		if pos, root := w.root(s, false); d.felt || w.alignment().from[s.new.at] == none {
			f.due(pos, root)
		} else {
			f.behind = root
		}
		if n.Kind == Return {
			f.change = "what the coroutine returns changed: " + d.text
		}
	}
	w.add(f)
}

// failName tells that a parameter of what is called is not stored under its old name.
func (w *walk) failName(s *state, param int) {
	n := &w.new.Nodes[s.new.at]
	f := failure{kind: failName, pos: n.Pos, expected: n.String(), after: w.before(s)}
	p := w.j.new.paramsOf(n.Kind, n.Target)[param]
	if p.Pos.IsValid() {
		f.pos, f.declared = p.Pos, true
	}
	f.change = fmt.Sprintf("parameter %s of %s had another name, and arguments are stored by name", p.Name, n)
	w.add(f)
}

// at puts the path before what changed.
func at(c TypeChange) string {
	if c.Path == "" {
		return c.Change
	}
	return c.Path + ": " + c.Change
}

// add keeps a failure, once for its place.
func (w *walk) add(f failure) {
	j := w.j
	j.declared(&f)
	same := func(g failure) bool {
		return g.pos == f.pos && g.pos.IsValid() || g.root == f.root && f.root != "" || g.kind == f.kind && g.change == f.change && g.pos == f.pos
	}
	if !slices.ContainsFunc(j.failures, same) {
		j.failures = append(j.failures, f)
	}
}

// before names the last decision that both have made.
func (w *walk) before(s *state) string {
	for p := s.path; p != nil; p = p.before {
		if p.old && w.old.Nodes[p.node].slot() {
			return w.old.Nodes[p.node].String()
		}
	}
	return ""
}

func (n *Node) slot() bool {
	switch n.Kind {
	case Activity, Timer, Child, Send, Marker:
		return true
	}
	return false
}

// String names a node in a sentence.
func (n *Node) String() string {
	switch n.Kind {
	case Activity:
		return "activity " + n.Target
	case Child:
		return "child " + n.Target
	case Timer:
		return "a timer"
	case Send:
		return "sending event " + n.Target
	case Marker:
		return fmt.Sprintf("Version(%q)", n.Target)
	case Receive:
		return "receiving event " + n.Target
	case Await, AwaitAny:
		return "a wait"
	case UUID:
		return "a UUID"
	case Random:
		return "a random number"
	case Go:
		return "the coroutines of " + n.Target
	case Scope:
		return "a Context " + n.Target
	case Call:
		return "the call of " + n.Target
	case Return:
		return "returns"
	case Continue:
		return "continues as new"
	case Panic:
		return "panics"
	}
	return string(n.Kind)
}

// waitedFor names what a wait is for.
func (w *walk) waitedFor(n *Node) string {
	for _, v := range n.Args {
		if what := w.new.source(v, 0); what != "" {
			return what
		}
	}
	return "something"
}

// source finds the node of which a future is.
func (g *graph) source(v, depth int) string {
	val := &g.Values[v]
	if val.ofNode() && val.Node > 0 {
		return g.Nodes[val.Node].String()
	}
	if depth > 8 {
		return ""
	}
	for _, a := range val.Args {
		if what := g.source(a, depth+1); what != "" {
			return what
		}
	}
	return ""
}
