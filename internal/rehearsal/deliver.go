package rehearsal

import (
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// deliver has an event come in shortly before the goal was near, if that depends on which of several was there first: which event
// comes at a step takes several knobs at once.
func (a *attempt) deliver() {
	const most = 3 // steps back
	names := a.x.old.receive
	for _, event := range a.goal.events() {
		which := slices.Index(names, event)
		if which < 0 {
			continue
		}
		for i, steps := min(a.before, len(a.seen.knobs.all))-1, 0; i >= 0 && steps < most && !a.ended(); i-- {
			by, is := strings.CutSuffix(a.seen.knobs.all[i].name, " event")
			if !is {
				continue
			}
			steps++
			a.run(a.base, settings{by + " event": {n: 1}, by + " name": {n: int64(which)}, by + " favourite": {n: 1}})
		}
	}
}

// events are those for which the waits look on whose outcome a goal depends.
func (g goal) events() (names []string) {
	p, open := g.from()
	been := map[int]bool{}
	add := func(vs []int) {
		for _, v := range vs {
			if !been[v] {
				been[v] = true
				open = append(open, v)
			}
		}
	}
	for len(open) > 0 {
		val := &p.flow.Values[open[0]]
		open = open[1:]
		node := &p.flow.Nodes[val.Node]
		switch {
		case val.Op == "result" && len(val.Args) == 0 && node.Kind == shape.AwaitAny:
			add(node.Args)
		case val.Op == "future" && node.Kind == shape.Receive:
			names = append(names, strings.ToLower(node.Target))
		}
		add(val.Args)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
