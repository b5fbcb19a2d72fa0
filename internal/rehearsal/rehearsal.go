// Package rehearsal runs two flows of an orchestrator on the engine, with inputs, results and events that are drawn, and
// looks whether the new one repeats what the old one has decided. It is for what cannot be proved.
package rehearsal

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/shape"
)

// side is one of the two programs, and what was seen of it.
type side struct {
	lock      *shape.Lock
	of        *shape.Orchestrator
	program   *program
	functions map[string]*program // by their sums
	ran, said map[*program]bool   // of functions: those that were run, and those of which only the sum was compared
	globals   map[string]bool
	marked    bool // it asks Context.Version
	unread    map[string]bool
	receive   []string

	broke   map[string]int
	nodes   map[*shape.Node]bool
	decided map[*shape.Node]bool // that have taken a slot
	ways    map[way2]bool
	asks    map[question]uint8
	gaps    map[question]float64 // of this scenario: the least
}

type way2 struct {
	node *shape.Node
	next int
}

// question is a value that is true or false, or compares two.
type question struct {
	p *program
	v int
}

func newSide(l *shape.Lock, o *shape.Orchestrator, f *shape.Flow) *side {
	s := &side{lock: l, of: o, globals: map[string]bool{}, broke: map[string]int{}, unread: map[string]bool{}, nodes: map[*shape.Node]bool{}, decided: map[*shape.Node]bool{}, ways: map[way2]bool{}, asks: map[question]uint8{}, gaps: map[question]float64{}}
	s.look(f)
	s.functions, s.ran, s.said = map[string]*program{}, map[*program]bool{}, map[*program]bool{}
	for i := range f.Functions {
		fn := &f.Functions[i]
		s.look(&fn.Flow)
		s.functions[fn.Sum] = newProgram(s, &fn.Flow)
	}
	s.program = newProgram(s, f)
	return s
}

// each visits all programs, those of functions too.
func (s *side) each(visit func(*program)) {
	s.program.each(visit)
	for _, sum := range slices.Sorted(maps.Keys(s.functions)) {
		s.functions[sum].each(visit)
	}
}

func (s *side) look(f *shape.Flow) {
	for i := range f.Values {
		if v := &f.Values[i]; v.Op == "global" {
			s.globals[v.What] = true
		}
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		switch n.Kind {
		case shape.Marker:
			s.marked = true
			if !slices.ContainsFunc(f.Values, func(v shape.Value) bool { return v.Op == "result" && len(v.Args) == 0 && v.Node == i }) {
				s.unread[n.Target] = true
			}
		case shape.Receive:
			s.receive = append(s.receive, strings.ToLower(n.Target))
		}
		for b := range n.Bodies {
			s.look(&n.Bodies[b])
		}
	}
}

// event gives the type of an event.
func (s *side) event(name string) shape.TypeRef {
	for _, e := range s.lock.Events {
		if strings.EqualFold(e.Name, name) && len(e.Params) > 0 {
			return e.Params[0].Type
		}
	}
	return -2
}

// params are the names under which the arguments of a node are stored.
func (s *side) params(n *shape.Node) (names []string) {
	var params []shape.Param
	switch n.Kind {
	case shape.Activity:
		params = find(s.lock.Activities, n.Target)
	case shape.Child:
		for _, o := range s.lock.Orchestrators {
			if o.Name == n.Target || slices.Contains(o.Aliases, n.Target) {
				params = o.Params
			}
		}
		if params == nil {
			params = find(s.lock.Children, n.Target)
		}
	}
	for _, p := range params {
		names = append(names, p.Name)
	}
	return names
}

func find(list []shape.Endpoint, name string) []shape.Param {
	for _, e := range list {
		if e.Name == name || slices.Contains(e.Aliases, name) {
			return e.Params
		}
	}
	return nil
}

// denied reports whether a scenario is of an instance that had passed the place of a marker before that was there.
func (s *scenario) denied(id string, in *side) bool {
	return s.old[id] && s.pick(3, "denied", id) == 0
}

// asked notes how a question was answered.
func (r *run) asked(v int, yes bool) bool {
	r.p.side.asks[question{r.p, v}] |= 1 << btoi(yes)
	return yes
}

// near notes how two numbers compare, and how far apart they are.
func (r *run) near(v, order int, gap float64) {
	q := question{r.p, v}
	r.p.side.asks[q] |= []uint8{sawLess, sawEqual, sawMore}[order+1]
	if old, seen := r.p.side.gaps[q]; !seen || math.Abs(gap) < math.Abs(old) {
		r.p.side.gaps[q] = gap
	}
}

// Pair is an orchestrator in two versions of its code.
type Pair struct {
	old, now *side
	pool     *pool
	stacks   *engine.Stacks
	resolve  map[string]string
	markers  map[string]bool

	Tired, Done int // scenarios
}

// New prepares a pair. The flows are those that are compared: with arguments as they are stored.
func New(oldLock *shape.Lock, old *shape.Orchestrator, oldFlow *shape.Flow, newLock *shape.Lock, now *shape.Orchestrator, newFlow *shape.Flow) *Pair {
	x := &Pair{old: newSide(oldLock, old, oldFlow), now: newSide(newLock, now, newFlow), pool: poolOf(oldFlow, newFlow), stacks: engine.NewStacks(8), resolve: map[string]string{}, markers: map[string]bool{}}
	var gather func(f *shape.Flow)
	gather = func(f *shape.Flow) {
		for i := range f.Nodes {
			if n := &f.Nodes[i]; n.Kind == shape.Marker && !x.now.unread[n.Target] {
				x.markers[n.Target] = true
			}
			for b := range f.Nodes[i].Bodies {
				gather(&f.Nodes[i].Bodies[b])
			}
		}
		for i := range f.Functions {
			gather(&f.Functions[i].Flow)
		}
	}
	gather(oldFlow)
	for _, list := range [][]shape.Endpoint{newLock.Activities, newLock.Children, newLock.Events} {
		for _, e := range list {
			for _, alias := range e.Aliases {
				x.resolve[alias] = e.Name
			}
		}
	}
	for _, o := range newLock.Orchestrators {
		for _, alias := range o.Aliases {
			x.resolve[alias] = o.Name
		}
	}
	return x
}

// Close ends what the pair keeps.
func (x *Pair) Close() { x.stacks.Close() }

var self = history.Address{Group: "g", ID: "i"}

// machine makes an execution of one of the sides.
func (x *Pair) machine(of *side, s *scenario, tired *bool) *engine.Machine {
	program := func(co *engine.Coroutine, _ history.Payload) (result history.Payload, err error) {
		m := &meeting{types: map[*engine.Future]shape.TypeRef{}}
		defer func() {
			switch p := recover().(type) {
			case nil:
			case crash:
				*tired = *tired || p.err == errTired
				result, err = nil, p.err
			default:
				panic(p)
			}
		}()
		r := newRun(of.program, s, m, co)
		r.params = func(name string) any { return of.input(s, name) }
		r.walk()
		return nil, nil
	}
	cfg := engine.Config{Self: self, Program: program, Stacks: x.stacks, Resolve: func(_ history.SlotKind, name string) string {
		if now, ok := x.resolve[name]; ok {
			return now
		}
		return name
	}}
	return engine.New(cfg, history.Message{Seq: 1, Time: began, Record: &history.Start{Run: 1, Orchestrator: "o"}})
}

// input draws a parameter.
func (s *side) input(of *scenario, name string) any {
	for _, p := range s.of.Params {
		if p.Name == name || len(s.of.Params) == 1 {
			return of.draw(s.lock, p.Type, "input "+name, 0)
		}
	}
	return of.unknown("input", name)
}

// record is what has happened to an instance.
type events struct {
	inbox []history.Message
	slots [][]history.Slot // by message, that of the start first
}

// live has the old program run on what is drawn.
func (x *Pair) live(s *scenario) (h events, ok bool) {
	const most = 40
	draw := rand.New(rand.NewPCG(s.seed, 7))
	tired := false
	m := x.machine(x.old, s, &tired)
	defer m.Close()
	turn, err := m.Begin()
	now, seq, raised := began, uint64(1), map[string]int{}
	var open []history.Slot
	for {
		if err != nil || tired {
			return h, false
		}
		h.slots = append(h.slots, turn.Slots)
		for _, slot := range turn.Slots {
			seq++
			if slot.Kind != history.SlotVersion && (slot.Kind != history.SlotSend || slot.Confirm) {
				open = append(open, slot)
			}
		}
		if turn.End != nil || len(h.inbox) == most {
			return h, true
		}
		open = slices.DeleteFunc(open, func(o history.Slot) bool { return !m.Pending(history.Ref{Run: 1, Slot: o.N}) })
		names := x.old.receive
		if len(open) == 0 && len(names) == 0 && !s.cancels {
			return h, true
		}
		var rec history.Record
		if s.cancels && draw.IntN(8) == 0 {
			rec = &history.Control{Verb: history.Cancel, ID: "cancel"}
		} else if len(names) > 0 && (len(open) == 0 || draw.IntN(10) < s.eager) {
			name := names[draw.IntN(len(names))]
			if draw.IntN(2) == 0 {
				name = names[s.pick(len(names), "favourite")]
			}
			raised[name]++
			rec = &history.Event{Name: name, ID: fmt.Sprint(name, raised[name]), Payload: history.Payload(fmt.Sprintf("%q", fmt.Sprint("event ", name, raised[name])))}
		} else {
			slot := open[draw.IntN(len(open))]
			for range s.patience {
				if slot.Kind == history.SlotTimer {
					slot = open[draw.IntN(len(open))]
				}
			}
			ref := history.Ref{Run: 1, Slot: slot.N}
			if slot.Kind == history.SlotTimer {
				rec = &history.Fired{Ref: ref, Due: slot.Due}
			} else {
				done := &history.Done{Ref: ref, Name: slot.Name, Hash: history.ArgsHash(slot.Args)}
				if slot.Kind == history.SlotChild {
					done.Hash = 0
				}
				if draw.IntN(100) < s.failing {
					done.Failure = &history.Failure{Message: fmt.Sprint("E", draw.IntN(3))}
				} else {
					done.Result = history.Payload(fmt.Sprintf("%q", fmt.Sprint("result ", slot.Name, slot.N)))
				}
				rec = done
			}
		}
		seq++
		now = now.Add(s.passes(draw, len(h.inbox)))
		msg := history.Message{Seq: seq, Time: now, Record: rec}
		h.inbox = append(h.inbox, msg)
		turn, err = m.Apply(msg)
	}
}

// passes is how long it is to the next message.
func (s *scenario) passes(draw *rand.Rand, n int) time.Duration {
	number := s.numbers[draw.IntN(len(s.numbers))]
	seconds := []int64{60, 3600, int64(1+draw.IntN(60)) * 86400, max(number, -number)%10_000*int64(1+draw.IntN(2)*59)*60 + 1}[draw.IntN(4)]
	return time.Duration(max(s.knob(fmt.Sprint("until message ", n), seconds), 1)) * time.Second
}

// follow has the new program repeat what the old one has done, as if the code was exchanged after each message. It gives
// what is wrong, "" for nothing.
func (x *Pair) follow(s *scenario, h events) (string, bool) {
	if !x.now.marked {
		return x.replay(s, h, len(h.inbox), true)
	}
	for cut := range len(h.inbox) + 1 {
		if len(h.slots[cut]) == 0 && cut < len(h.inbox) {
			continue
		}
		if wrong, ok := x.replay(s, h, cut, false); wrong != "" || !ok {
			return wrong, ok
		}
	}
	return "", true
}

// replay repeats the first messages. each: everything has to be decided as early as it was.
func (x *Pair) replay(s *scenario, h events, cut int, each bool) (wrong string, ok bool) {
	tired := false
	m := x.machine(x.now, s, &tired)
	defer m.Close()
	var expected []engine.Recorded
	due, seq := 0, uint64(1)
	for i := range cut + 1 {
		if i > 0 {
			seq = h.inbox[i-1].Seq
		}
		for k, slot := range h.slots[i] {
			expected = append(expected, engine.Recorded{Slot: slot, Seq: seq + 1 + uint64(k)})
		}
	}
	m.Expect(expected)
	turn, err := m.Begin()
	decided := 0
	for i := 0; ; i++ {
		decided += len(turn.Slots)
		due += len(h.slots[i])
		switch {
		case tired:
			return "", false
		case err != nil:
			return err.Error(), true
		case each && decided < due:
			return fmt.Sprintf("after %d messages %d of %d slots", i, decided, due), true
		}
		if i == cut {
			break
		}
		turn, err = m.Apply(h.inbox[i])
	}
	if err := m.Replayed(); err != nil {
		return err.Error(), true
	}
	return "", true
}

// Try runs one scenario. It gives what the new program does not repeat.
func (x *Pair) Try(seed uint64) string {
	wrong, _ := x.try(seed, nil)
	return wrong
}

func (x *Pair) try(seed uint64, set map[string]int64) (wrong string, s *scenario) {
	s = newScenario(seed, x.pool)
	s.knobs.set = set
	s.old = x.markers
	s.failing = []int{0, 0, 10, 25, 50}[s.pick(5, "failing")]
	s.patience = []int{0, 2, 8}[s.pick(3, "patience")]
	s.eager = []int{1, 3, 6, 9}[s.pick(4, "eager")]
	s.cancels = s.pick(10, "cancels") == 0
	clear(x.old.gaps)
	clear(x.now.gaps)
	h, ok := x.live(s)
	if ok {
		wrong, ok = x.follow(s, h)
	}
	if !ok {
		x.Tired++
		return "", s
	}
	x.Done++
	return wrong, s
}

// Coverage tells how many nodes, ways and questions were seen.
func (x *Pair) Coverage() string {
	out := x.old.coverage() + " / " + x.now.coverage()
	if Debug {
		for i := range x.old.program.flow.Nodes {
			if n := &x.old.program.flow.Nodes[i]; !x.old.nodes[n] {
				out += fmt.Sprintf(" [%d %s %s]", i, n.Kind, n.Target)
			}
		}
		keys := slices.SortedFunc(maps.Keys(x.old.broke), func(a, b string) int { return x.old.broke[b] - x.old.broke[a] })
		for _, k := range keys[:min(5, len(keys))] {
			out += fmt.Sprintf("\n   %d %s", x.old.broke[k], k)
		}
	}
	return out
}

func (s *side) coverage() string {
	nodes, ways, allNodes, allWays := 0, 0, 0, 0
	var count func(f *shape.Flow)
	count = func(f *shape.Flow) {
		for i := range f.Nodes {
			n := &f.Nodes[i]
			allNodes++
			nodes += btoi(s.nodes[n])
			if n.Kind == shape.Branch {
				allWays += 2
				ways += btoi(s.ways[way2{n, 0}]) + btoi(s.ways[way2{n, 1}])
			}
			for b := range n.Bodies {
				count(&n.Bodies[b])
			}
		}
		for i := range f.Functions {
			count(&f.Functions[i].Flow)
		}
	}
	count(s.program.flow)
	return fmt.Sprintf("%d/%d nodes %d/%d ways", nodes, allNodes, ways, allWays)
}
