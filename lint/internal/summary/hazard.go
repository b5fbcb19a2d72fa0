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
	Fix string // how to mend it, for those who write the edit: "local", "sorted"; "": by its name
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
	rule, what string
	pos        token.Pos
	at, deep   string
}

func (h *Hazard) key() hazardKey {
	return hazardKey{rule: h.Rule, what: h.What, pos: h.Pos, at: h.At.String(), deep: h.Deep.String()}
}

// shorter prefers few steps, then the alphabet, so that every run tells the same way.
func (h *Hazard) shorter(than *Hazard) bool {
	if c := cmp.Compare(len(h.Via), len(than.Via)); c != 0 {
		return c < 0
	}
	return way(h.Via) < way(than.Via)
}

func way(via []Step) string {
	var b strings.Builder
	for _, s := range via {
		b.WriteString(s.Func)
		b.WriteString(s.At.String())
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
		return cmp.Or(strings.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column), cmp.Compare(a.Pos, b.Pos),
			strings.Compare(a.Rule, b.Rule), strings.Compare(a.What, b.What), strings.Compare(a.Deep.String(), b.Deep.String()), strings.Compare(way(a.Via), way(b.Via)))
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
