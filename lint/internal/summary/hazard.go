package summary

import (
	"cmp"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// Hazard is one thing that a replay could not repeat, seen from a function that does it or reaches it.
type Hazard struct {
	Rule string // "DET101"
	What string // "time.Now"
	Note string // what makes it one when its name does not tell: who writes the variable that is read
	Spot
	Via []Step // the functions between, the first one called by the function that is looked at
}

// Spot is where a hazard is. One of the module that is looked at is told where it is, another one where it is entered.
type Spot struct {
	Pos  token.Pos // in the package that is looked at; no part of a fact
	At   Place     // in another package, if Pos is not valid
	Deep Place     // the hazard itself, when Pos or At is only the way to it, or where the order of a loop shows
}

// Place is a position that a fact can hold.
type Place struct {
	Module, Package string
	File            string // absolute
	Line, Column    int
}

func (p Place) known() bool { return p.File != "" }

func (p Place) compare(q Place) int {
	return cmp.Or(strings.Compare(p.Package, q.Package), strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// String leaves the folders of the machine out.
func (p Place) String() string {
	if !p.known() {
		return ""
	}
	return fmt.Sprintf("%s/%s:%d:%d", p.Package, filepath.Base(p.File), p.Line, p.Column)
}

// seen is the spot as a caller in module tells it: what is outside of the module is where it is called.
func (s Spot) seen(module string, call Spot) Spot {
	if s.Pos.IsValid() || s.At.known() && s.At.Module == module {
		return s
	}
	deep := s.Deep
	if !deep.known() {
		deep = s.At
	}
	call.Deep = deep
	return call
}

// Step is a function on the way, and where it is entered.
type Step struct {
	Func string // "club.stamp", "(*store.HTTP).Get"
	At   Place  // of the call
}

type hazardKey struct {
	rule string
	pos  token.Pos
	at   Place
}

func (h *Hazard) key() hazardKey { return hazardKey{rule: h.Rule, pos: h.Pos, at: h.At} }

// shorter prefers few steps, then the alphabet, so that every run tells the same way.
func (h *Hazard) shorter(than *Hazard) bool {
	return cmp.Or(compareWays(h.Via, than.Via), strings.Compare(h.What, than.What), h.Deep.compare(than.Deep)) < 0
}

// compareWays orders ways by their length, then by the functions and places on them.
func compareWays(a, b []Step) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	for i := range a {
		if c := cmp.Or(strings.Compare(a[i].Func, b[i].Func), a[i].At.compare(b[i].At)); c != 0 {
			return c
		}
	}
	return 0
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

// addThrough adds what a caller in module sees of h. It reports whether the set has changed.
func (hs hazards) addThrough(h *Hazard, module string, call Spot, steps []Step) bool {
	spot := h.seen(module, call)
	if had := hs[hazardKey{h.Rule, spot.Pos, spot.At}]; had != nil && len(had.Via) < len(steps)+len(h.Via) {
		return false
	}
	return hs.add(h.through(module, call, steps...))
}

// brief keeps one hazard of each rule.
func (hs hazards) brief() hazards {
	best := map[string]*Hazard{}
	for _, h := range hs {
		if had := best[h.Rule]; had == nil || cmp.Or(compareWays(h.Via, had.Via), h.At.compare(had.At), cmp.Compare(h.Pos, had.Pos)) < 0 {
			best[h.Rule] = h
		}
	}
	out := hazards{}
	for _, h := range best {
		out.add(h)
	}
	return out
}

// sorted orders them by place.
func (hs hazards) sorted() []*Hazard {
	var out []*Hazard
	for _, h := range hs {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b *Hazard) int {
		return cmp.Or(a.At.compare(b.At), cmp.Compare(a.Pos, b.Pos), strings.Compare(a.Rule, b.Rule))
	})
	return out
}

// through is h as the caller of steps in module sees it.
func (h *Hazard) through(module string, call Spot, steps ...Step) *Hazard {
	n := *h
	n.Via = slices.Concat(steps, h.Via)
	n.Spot = h.seen(module, call)
	return &n
}
