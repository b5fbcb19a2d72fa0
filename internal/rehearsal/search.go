package rehearsal

import (
	"maps"
	"math"
	"slices"
)

// Search goes on where drawing is not enough: it turns the numbers of scenarios until comparisons come to their limits.
func (x *Pair) Search(seeds uint64, budget int) string {
	for _, s := range []*side{x.old, x.now} {
		for _, q := range s.open() {
			if wrong := x.reach(s, q, seeds, &budget); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// open are the comparisons of numbers that have not come to all that they can.
func (s *side) open() (open []question) {
	for q, seen := range s.asks {
		switch v := &q.p.flow.Values[q.v]; v.Op {
		case "<", "<=":
			if seen&(sawLess|sawEqual|sawMore) != sawLess|sawEqual|sawMore {
				open = append(open, q)
			}
		case "==":
			if seen&3 != 3 {
				open = append(open, q)
			}
		}
	}
	slices.SortFunc(open, func(a, b question) int { return a.v - b.v })
	return open
}

// done reports whether a comparison has come to all that it can.
func (s *side) done(q question) bool {
	seen := s.asks[q]
	if q.p.flow.Values[q.v].Op == "==" {
		return seen&3 == 3
	}
	return seen&(sawLess|sawEqual|sawMore) == sawLess|sawEqual|sawMore
}

// reach tries to have a comparison come to its limit.
func (x *Pair) reach(s *side, q question, seeds uint64, budget *int) string {
	const (
		most  = 6 // scenarios
		turns = 14
	)
	tried := 0
	for seed := uint64(0); seed < seeds && tried < most && *budget > 0 && !s.done(q); seed++ {
		*budget--
		wrong, base := x.try(seed, nil)
		if wrong != "" {
			return wrong
		}
		gap, met := s.gaps[q]
		if !met || gap == 0 && s.asks[q]&sawEqual != 0 && len(base.knobs.names) == 0 {
			continue
		}
		tried++
		names := slices.Clone(base.knobs.names)
		for k := range min(turns, len(names)) { // some of them, others for other seeds
			i := k + base.pick(len(names)-k, "turn", names[k])
			names[k], names[i] = names[i], names[k]
			if wrong := x.turn(s, q, seed, names[k], base, gap, budget); wrong != "" {
				return wrong
			}
			if s.done(q) || *budget <= 0 {
				break
			}
		}
	}
	return ""
}

// turn turns one number by one, and then as far as that seems to be needed.
func (x *Pair) turn(s *side, q question, seed uint64, name string, base *scenario, gap float64, budget *int) string {
	set := map[string]int64{name: base.knobs.are[name] + 1}
	*budget--
	wrong, _ := x.try(seed, set)
	if wrong != "" {
		return wrong
	}
	after, met := s.gaps[q]
	slope := after - gap
	if !met || slope == 0 {
		return ""
	}
	n := int64(math.Round(-gap / slope))
	for _, by := range []int64{n, n - 1, n + 1} {
		set := maps.Clone(set)
		set[name] = base.knobs.are[name] + by
		*budget--
		if wrong, _ := x.try(seed, set); wrong != "" {
			return wrong
		}
	}
	return ""
}
