package rehearsal

import (
	"math"
	"slices"
	"strings"
	"time"
)

// attempt is a try to come from a scenario to a goal.
type attempt struct {
	*hunt
	goal   goal
	until  func() bool // reports whether it is still missing
	base   base
	seen   *scenario
	before int // knobs that were asked for before the goal was near
	leaves []question
	about  map[string]bool // fields and steps on which the goal depends
	knobs  []knob          // of those
}

// attempt turns the knobs of a scenario that has come near to a goal: those that are what was compared, those on which the
// distance of two numbers depends, and others that were asked for shortly before.
func (h *hunt) attempt(g goal, round int) {
	samples := h.x.closest[g]
	if !g.missing() || len(samples) == 0 {
		return
	}
	a := &attempt{hunt: h, goal: g, until: g.missing, base: samples[round%len(samples)].base, leaves: g.leaves(), about: map[string]bool{}}
	g.about(a.about)
	watched := map[question]bool{}
	for _, q := range a.leaves {
		watched[q] = true
	}
	side := g.side()
	side.watched = watched
	defer func() { side.watched = nil }()
	a.seen = h.run(a.base, nil)
	if a.seen == nil {
		return
	}
	a.before = a.near()
	a.knobs, _ = a.seen.knobs.about(a.about)
	a.deliver()
	for _, q := range a.leaves {
		if m := side.met[q]; m != nil {
			kept := *m
			a.exchange(kept.pairs)
		}
	}
	for _, q := range a.leaves {
		a.approach(q)
	}
	for i := range 14 {
		if a.ended() {
			return
		}
		set := settings{}
		for range 1 + h.draw.IntN(2) {
			k := a.recent()
			if i%2 == 0 && len(a.knobs) > 0 {
				k = a.knobs[h.draw.IntN(len(a.knobs))]
			}
			set[k.name] = h.turned(a.seen, k)
		}
		h.run(a.base, set)
	}
}

func (a *attempt) ended() bool { return a.over() || !a.until() }

// near tells how many knobs were asked for when the goal was near.
func (a *attempt) near() int {
	side := a.goal.side()
	if m := side.met[a.goal.question]; m != nil && a.goal.question.p != nil {
		return m.knobs
	}
	if n, ok := side.forks[a.goal.fork]; ok {
		return n
	}
	return len(a.seen.knobs.all)
}

// recent draws a knob, rather one of those that were asked for last.
func (a *attempt) recent() knob {
	n := max(min(a.before, len(a.seen.knobs.all)), 1)
	return a.seen.knobs.all[n-1-int(float64(n)*math.Pow(a.draw.Float64(), 2))]
}

// about gathers the names of the fields and inputs of which a goal is made, and of the steps whose results are in it.
func (g goal) about(names map[string]bool) {
	p, open := g.from()
	p.aboutOf(open, names)
}

// aboutOf is about, of values.
func (p *program) aboutOf(open []int, names map[string]bool) {
	been := map[int]bool{}
	for len(open) > 0 {
		v := open[0]
		open = open[1:]
		if been[v] {
			continue
		}
		been[v] = true
		val := &p.flow.Values[v]
		switch val.Op {
		case "field":
			names[val.What] = true
		case "param":
			if p == p.side.program {
				names[val.What] = true
			}
		case "future", "result":
			if n := &p.flow.Nodes[val.Node]; n.Target != "" {
				names[n.Target], names[strings.ToLower(n.Target)] = true, true
			}
		}
		open = append(open, val.Args...)
	}
}

// from is what a goal is made of.
func (g goal) from() (*program, []int) {
	if g.question.p != nil {
		return g.question.p, []int{g.v}
	}
	return g.fork.p, slices.Clone(g.fork.p.flow.Nodes[g.n].Args)
}

// leaves are the questions on which a goal depends, the nearest first.
func (g goal) leaves() (out []question) {
	const most = 40
	p, open := g.from()
	been := map[int]bool{}
	for len(open) > 0 && len(out) < most {
		v := open[0]
		open = open[1:]
		if been[v] {
			continue
		}
		been[v] = true
		switch val := &p.flow.Values[v]; val.Op {
		case "==", "<", "<=", "call", "has":
			out = append(out, question{p, v})
			open = append(open, val.Args...)
		default:
			open = append(open, val.Args...)
		}
	}
	return out
}

// exchange gives to what is one of a pair what is the other. A text may have been made of another one: if none is the same,
// some are tried.
func (a *attempt) exchange(pairs [][2]any) {
	for _, pair := range pairs {
		for i, is := range pair {
			text, ok := pair[1-i].(string)
			if a.give(a.seen.knobs.all, func(k knob) (setting, bool) { return k.as(is, pair[1-i]) }) > 0 || !ok {
				continue
			}
			a.give(a.knobs, func(k knob) (setting, bool) { return setting{written: text}, k.text && k.written != text })
			a.give(a.knobs, func(k knob) (setting, bool) { return setting{written: text + k.written}, k.text && text != "" })
		}
	}
}

// give turns knobs, each to what is right for it. It gives how many.
func (a *attempt) give(knobs []knob, to func(knob) (setting, bool)) (turned int) {
	const most = 6
	for _, k := range slices.Backward(knobs) {
		if a.ended() || turned == most {
			break
		}
		if set, ok := to(k); ok {
			turned++
			a.run(a.base, settings{k.name: set})
		}
	}
	return turned
}

// as gives to what a knob has to be set so that what is a value becomes another.
func (k *knob) as(is, to any) (setting, bool) {
	if p, ok := to.(pointer); ok {
		to = p.to
	}
	switch is := is.(type) {
	case pointer:
		return k.as(is.to, to)
	case unknown:
		return k.asUnknown(is, to)
	case string:
		text, ok := to.(string)
		return setting{written: text}, ok && k.text && strings.EqualFold(strings.TrimSpace(k.written), strings.TrimSpace(is))
	case int64:
		n, ok := to.(int64)
		return setting{n: n}, ok && !k.text && k.n == is
	case float64:
		f, ok := to.(float64)
		return setting{n: int64(math.Round(f * 100))}, ok && !k.text && k.n == int64(math.Round(is*100))
	case time.Time:
		t, ok := to.(time.Time)
		return setting{n: int64(t.Sub(began).Seconds())}, ok && !k.text && k.n == int64(is.Sub(began).Seconds())
	}
	return setting{}, false
}

// asUnknown is as, of what is taken for a text or a number without being known.
func (k *knob) asUnknown(is unknown, to any) (setting, bool) {
	switch to := to.(type) {
	case string:
		return setting{written: to}, k.name == "text text "+text(is)
	case int64:
		return setting{n: to}, k.name == "number "+text(is)
	}
	return setting{}, false
}

// approach turns knobs on which the distance of two numbers depends until it is none.
func (a *attempt) approach(q question) {
	const most = 12 // knobs
	if m := q.p.side.met[q]; m == nil || !m.numbers {
		if a.run(a.base, nil) == nil {
			return
		}
	}
	m := q.p.side.met[q]
	if m == nil || !m.numbers {
		return
	}
	gap := m.gap
	known := a.knobs
	for i := range most {
		if a.ended() {
			return
		}
		k := a.recent()
		if i < most-3 && len(known) > 0 {
			n := a.draw.IntN(len(known))
			k = known[n]
			known = slices.Delete(slices.Clone(known), n, n+1)
		}
		if at, ok := a.seen.knobs.at[k.name]; ok && !k.text && k.below == 0 {
			gap = a.turn(q, a.seen.knobs.all[at], gap)
		}
	}
}

// turn turns a number by one, or by more if that changes nothing, and then as far as it seems to be needed. What comes nearer
// is kept. It gives how far it is then.
func (a *attempt) turn(q question, k knob, gap float64) float64 {
	const most = 7
	at := func(n int64) (float64, bool) {
		if a.run(a.base, settings{k.name: setting{n: n}}) == nil {
			return 0, false
		}
		m := q.p.side.met[q]
		if m == nil || !m.numbers {
			return 0, false
		}
		return m.gap, true
	}
	x0, g0 := k.n, gap
	best, bestAt := gap, k.n
	x1 := x0 + 1
	g1, ok := at(x1)
	if ok && g1 == g0 {
		x1 = x0 + 97
		g1, ok = at(x1)
	}
	for range most {
		if !ok || a.ended() || g1 == g0 {
			break
		}
		if math.Abs(g1) < math.Abs(best) {
			best, bestAt = g1, x1
		}
		by := math.Round(-g1 * float64(x1-x0) / (g1 - g0))
		if by == 0 {
			by = 1
			if (g1 > 0) == (g1-g0 > 0) == (x1 > x0) {
				by = -1
			}
		}
		if math.Abs(by) > 1e15 {
			break
		}
		x0, g0 = x1, g1
		x1 += int64(by)
		g1, ok = at(x1)
	}
	if bestAt != k.n && !a.ended() {
		a.base = base{a.base.seed, settings{k.name: setting{n: bestAt}}.and(a.base.set)}
		if s := a.run(a.base, nil); s != nil {
			a.seen = s
		}
	}
	return best
}

// and gives the settings with others that are not set in them.
func (s settings) and(others settings) settings {
	for name, is := range others {
		if _, set := s[name]; !set {
			s[name] = is
		}
	}
	return s
}
