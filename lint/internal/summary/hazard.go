package summary

import (
	"cmp"
	"go/token"
	"slices"
	"strings"
)

// Hazard is one thing that a replay could not repeat, seen from a function that does it or reaches it.
type Hazard struct {
	Rule string // "DET101"
	What string // "time.Now"
	Note string // what makes it one when its name does not tell: who writes the variable that is read
	// Pos is where it is, or, when it is in another package, the call that leads there. It is no part of a fact.
	Pos token.Pos
	At  string // the same in words, of one in another package
	// Via names the functions between, the first one called by the function that is looked at. The last Out of them are in other
	// packages.
	Via []Step
	Out int
}

// Step is a function on the way, and where it is entered.
type Step struct {
	Func string // "club.stamp", "(*store.HTTP).Get"
	At   string // of the call: "example.com/club/verify.go:12:5"
}

type hazardKey struct {
	rule, what string
	pos        token.Pos
	last       string // of a hazard elsewhere: where
}

func (h *Hazard) key() hazardKey {
	k := hazardKey{rule: h.Rule, what: h.What, pos: h.Pos}
	if h.Out > 0 {
		k.last = h.At
	}
	return k
}

// shorter prefers few steps, then the alphabet, so that every run tells the same way.
func (h *Hazard) shorter(than *Hazard) bool {
	if c := cmp.Compare(len(h.Via), len(than.Via)); c != 0 {
		return c < 0
	}
	return h.way() < than.way()
}

func (h *Hazard) way() string {
	var b strings.Builder
	for _, s := range h.Via {
		b.WriteString(s.Func)
		b.WriteString(s.At)
	}
	return b.String()
}

// hazards is a set of them: one way to each, the shortest.
type hazards map[hazardKey]*Hazard

// add reports whether the set has changed.
func (hs hazards) add(h *Hazard) bool {
	k := h.key()
	if had := hs[k]; had != nil && !h.shorter(had) {
		return false
	}
	hs[k] = h
	return true
}

// sorted orders them by place.
func (hs hazards) sorted() []*Hazard {
	var out []*Hazard
	for _, h := range hs {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b *Hazard) int {
		return cmp.Or(cmp.Compare(a.Pos, b.Pos), strings.Compare(a.Rule, b.Rule), strings.Compare(a.What, b.What), strings.Compare(a.way(), b.way()))
	})
	return out
}

// through is h as the caller of step sees it. Of a hazard in another package the caller's position is all that there is.
func (h *Hazard) through(step Step, call token.Pos, outside bool) *Hazard {
	n := *h
	n.Via = append([]Step{step}, h.Via...)
	if outside {
		n.Pos, n.Out = call, len(n.Via)
	}
	return &n
}
