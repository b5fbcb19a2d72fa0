package shape_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// This is a small engine that runs flows: an inbox of messages, slots, a replay check (I6). What activities give, and what
// cannot be computed, is a hash of where it comes from and a seed: the same in every program that does the same.

type message struct {
	slot    int    // that is complete, if event is ""
	event   string // name
	payload int64
}

type decision struct{ what, args string }

type future struct {
	done  bool
	value int64
	fails int64
	event string
	order int
	own   any // of a coroutine
}

type engine struct {
	seed     int64
	expected []decision
	slots    []decision
	futures  []*future // by slot
	mail     map[string][]int64
	lines    []*line
	ready    []*line
	markers  map[string]bool
	clock    int64
	drawn    int64
	random   int64
	receives int
	broken   string
	ended    bool
}

// line is a coroutine.
type line struct {
	e     *engine
	flow  *shape.Flow
	at    int
	given map[int]any
	after map[int]int64
	phis  map[int]any
	outer []any
	item  any
	waits []*future // that it is blocked on
	gives *future
	main  bool
}

func run(flow *shape.Flow, seed int64, expected []decision, inbox []message) *engine {
	e := &engine{seed: seed, expected: expected, mail: map[string][]int64{}, markers: map[string]bool{}}
	e.spawn(&line{flow: flow, main: true})
	e.settle()
	for i, m := range inbox {
		e.clock = int64(i + 1)
		e.apply(m)
	}
	if e.broken == "" && len(e.slots) < len(expected) {
		e.broken = fmt.Sprintf("slot %d, %v, is not produced", len(e.slots), expected[len(e.slots)])
	}
	return e
}

func (e *engine) spawn(l *line) {
	l.e, l.given, l.after, l.phis = e, map[int]any{}, map[int]int64{}, map[int]any{}
	e.lines = append(e.lines, l)
	e.ready = append(e.ready, l)
	if len(e.lines) > 100 {
		e.broken = "spins"
	}
}

func (e *engine) apply(m message) {
	if e.ended || e.broken != "" {
		return
	}
	if m.event == "" {
		if m.slot < len(e.futures) && !e.futures[m.slot].done {
			e.complete(e.futures[m.slot])
		}
	} else if f := e.receiver(m.event); f != nil {
		f.value = m.payload
		e.complete(f)
	} else {
		e.mail[m.event] = append(e.mail[m.event], m.payload)
	}
	e.settle()
}

// receiver finds the oldest future of an event that is waited on.
func (e *engine) receiver(event string) (oldest *future) {
	for _, l := range e.lines {
		for _, f := range l.waits {
			if f.event == event && !f.done && (oldest == nil || f.order < oldest.order) {
				oldest = f
			}
		}
	}
	return oldest
}

func (e *engine) complete(f *future) {
	f.done = true
	for _, l := range e.lines {
		if slices.Contains(l.waits, f) {
			l.waits = nil
			e.ready = append(e.ready, l)
		}
	}
}

func (e *engine) settle() {
	for len(e.ready) > 0 && !e.ended && e.broken == "" {
		l := e.ready[0]
		e.ready = e.ready[1:]
		for steps := 0; l.step(); steps++ {
			if steps > 500 {
				e.broken = "spins"
				return
			}
		}
	}
}

func (e *engine) hash(parts ...any) int64 {
	h := fnv.New64a()
	fmt.Fprint(h, e.seed, parts)
	return int64(h.Sum64() >> 1)
}

// decide takes a slot.
func (l *line) decide(n *shape.Node, args string) *future {
	e := l.e
	d := decision{string(n.Kind) + " " + n.Target, args}
	if n.Kind == shape.Timer {
		d = decision{"timer", ""}
	}
	at := len(e.slots)
	if at < len(e.expected) && e.expected[at] != d {
		e.broken = fmt.Sprintf("slot %d was %v and is %v", at, e.expected[at], d)
		return nil
	}
	e.slots = append(e.slots, d)
	f := &future{value: e.hash("result", at, d) % 3, fails: e.hash("error", at, d) % 2}
	f.done = n.Kind == shape.Send || n.Kind == shape.Marker
	e.futures = append(e.futures, f)
	return f
}

// step runs a node; false: the coroutine is blocked or has ended.
func (l *line) step() bool {
	e, n := l.e, &l.flow.Nodes[l.at]
	switch n.Kind {
	case shape.Branch:
		l.move(1 - truth(l.value(n.Args[0])))
		return true
	case shape.Await:
		for _, f := range l.futures(n.Args) {
			if !l.there([]*future{f}) {
				l.waits = []*future{f}
				return false
			}
		}
		l.after[l.at] = e.clock
	case shape.AwaitAny:
		fs := l.futures(n.Args)
		if !l.there(fs) {
			l.waits = fs
			return false
		}
		l.given[l.at] = int64(slices.IndexFunc(fs, func(f *future) bool { return f.done }))
		l.after[l.at] = e.clock
	case shape.Receive:
		e.receives++
		l.given[l.at] = &future{event: n.Target, order: e.receives}
	case shape.UUID:
		e.drawn++
		l.given[l.at] = e.hash("uuid", e.drawn)
	case shape.Random:
		e.random = e.hash(e.random, n.Target, l.text(n.Args))
		l.given[l.at] = e.random % 5
	case shape.Marker:
		l.given[l.at] = l.marker(n)
	case shape.Go:
		l.start(n)
	case shape.Return, shape.Continue, shape.Panic:
		if e.ended = l.main; !l.main {
			if l.gives.value = e.hash("own", l.text(n.Args)) % 3; len(n.Args) > 0 {
				l.gives.own = l.value(n.Args[0])
			}
			e.complete(l.gives)
		}
		return false
	case shape.Join:
	default:
		f := l.decide(n, l.text(n.Args))
		if f == nil {
			return false
		}
		l.given[l.at] = f
	}
	if e.broken != "" {
		return false
	}
	l.move(0)
	return true
}

func (l *line) start(n *shape.Node) {
	gives := &future{}
	body := &line{flow: &n.Bodies[0], gives: gives}
	for _, a := range n.Args {
		body.outer = append(body.outer, l.value(a))
	}
	l.given[l.at] = gives
	l.e.spawn(body)
}

func (l *line) marker(n *shape.Node) bool {
	e := l.e
	if known, ok := e.markers[n.Target]; ok {
		return known
	}
	at := len(e.slots)
	yes := at >= len(e.expected) || e.expected[at].what == "marker "+n.Target
	if e.markers[n.Target] = yes; yes {
		l.decide(n, "")
	}
	return yes
}

// there reports whether one of the futures is complete, or takes an event for one.
func (l *line) there(fs []*future) bool {
	for _, f := range fs {
		if f.done {
			return true
		}
		events := l.e.mail[f.event]
		older := slices.ContainsFunc(fs, func(g *future) bool { return !g.done && g.event == f.event && g.order < f.order })
		if f.event != "" && len(events) > 0 && !older {
			f.value, l.e.mail[f.event] = events[0], events[1:]
			l.e.complete(f)
			return true
		}
	}
	return false
}

func (l *line) futures(args []int) (fs []*future) {
	for _, a := range args {
		switch v := l.value(a).(type) {
		case *future:
			fs = append(fs, v)
		case []any:
			for _, x := range v {
				fs = append(fs, x.(*future))
			}
		}
	}
	return fs
}

func (l *line) move(way int) {
	from := l.at
	l.at = l.flow.Nodes[from].Next[way]
	edge := slices.Index(l.flow.Nodes[l.at].In, shape.Edge{From: from, Next: way})
	next := map[int]any{}
	for v := range l.flow.Values {
		if val := &l.flow.Values[v]; val.Op == "phi" && val.Node == l.at && edge >= 0 {
			next[v] = l.value(val.Args[edge])
		}
	}
	for v, x := range next {
		l.phis[v] = x
	}
}

func truth(v any) int {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
	case int64:
		return int(v & 1)
	}
	return 0
}

func (l *line) text(args []int) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, "%s, ", text(l.value(a)))
	}
	return b.String()
}

func text(v any) string {
	switch v := v.(type) {
	case *future:
		return "future"
	case []any:
		return "list " + strconv.Itoa(len(v))
	}
	return fmt.Sprint(v)
}

func (l *line) value(n int) any {
	v := &l.flow.Values[n]
	switch v.Op {
	case "const":
		if i, err := strconv.ParseInt(v.What, 10, 64); err == nil {
			return i
		}
		return v.What
	case "param":
		if v.What == "" {
			return l.e.hash("input") % 4
		}
		return l.item
	case "outer":
		i, _ := strconv.Atoi(v.What)
		return l.outer[i]
	case "phi":
		return l.phis[n]
	case "future":
		return l.given[v.Node]
	case "start":
		return int64(0)
	case "after":
		return l.after[v.Node]
	case "result":
		if len(v.Args) == 0 {
			return l.given[v.Node]
		}
	}
	args := make([]any, len(v.Args))
	for i, a := range v.Args {
		args[i] = l.value(a)
	}
	return l.compute(v, args)
}

func (l *line) compute(v *shape.Value, args []any) any {
	number := func(i int) int64 { n, _ := args[i].(int64); return n }
	switch v.Op {
	case "result":
		if f, ok := args[0].(*future); ok && f.own != nil {
			return f.own
		} else if ok {
			return f.value
		}
		return int64(0)
	case "error":
		if f, ok := args[0].(*future); ok && f.fails == 1 {
			return int64(1)
		}
		return "nil"
	case "==":
		return text(args[0]) == text(args[1])
	case "<":
		return number(0) < number(1)
	case "+":
		return number(0) + number(1)
	case "not":
		return truth(args[0]) == 0
	case "now":
		return "at " + fmt.Sprint(args[0])
	case "append":
		list, _ := args[0].([]any)
		return append(slices.Clone(list), args[1:]...)
	}
	var b strings.Builder
	for _, a := range args {
		b.WriteString(text(a) + ",")
	}
	return l.e.hash(v.Op, v.What, b.String()) % 4
}
