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
	base   base
	seen   *scenario
	before int // knobs that were asked for before the goal was near
	leaves []question
}

// attempt turns the knobs of a scenario that has come near to a goal: those that are what was compared, those on which the
// distance of two numbers depends, and others that were asked for shortly before.
func (h *hunt) attempt(g goal, round int) {
	samples := h.x.closest[g]
	if !g.missing() || len(samples) == 0 {
		return
	}
	a := &attempt{hunt: h, goal: g, base: samples[round%len(samples)].base, leaves: g.leaves()}
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
	for _, q := range a.leaves {
		if m := side.met[q]; m != nil {
			kept := *m
			a.exchange(kept.pairs)
		}
	}
	for _, q := range a.leaves {
		a.approach(q)
	}
	for range 12 {
		if a.ended() {
			return
		}
		set := settings{}
		for range 1 + h.draw.IntN(2) {
			k := a.recent()
			set[k.name] = h.turned(a.seen, k)
		}
		h.run(a.base, set)
	}
}

func (a *attempt) ended() bool { return a.over() || !a.goal.missing() }

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

// leaves are the questions on which a goal depends, the nearest first.
func (g goal) leaves() (out []question) {
	const most = 40
	p, open := g.question.p, []int{g.v}
	if p == nil {
		p, open = g.fork.p, slices.Clone(g.fork.p.flow.Nodes[g.n].Args)
	}
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

// exchange gives to what is one of a pair what is the other.
func (a *attempt) exchange(pairs [][2]any) {
	const most = 6 // knobs of a value
	for _, pair := range pairs {
		for i, is := range pair {
			turned := 0
			for _, k := range slices.Backward(a.seen.knobs.all[:min(a.before, len(a.seen.knobs.all))]) {
				if a.ended() || turned == most {
					break
				}
				if to, ok := k.as(is, pair[1-i]); ok {
					turned++
					a.run(a.base, settings{k.name: to})
				}
			}
		}
	}
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
	const most = 8 // knobs
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
	for range most {
		if a.ended() {
			return
		}
		if k := a.recent(); !k.text && k.below == 0 {
			gap = a.turn(q, k, gap)
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
