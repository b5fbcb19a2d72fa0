package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// step is one thing that a random program does.
type step struct {
	ID    string `json:"id"` // its place in the program, the same when other steps are left out
	Do    string `json:"do"`
	N     int    `json:"n,omitempty"`
	Event string `json:"event,omitempty"`
	Code  string `json:"code,omitempty"`  // of a child
	Steps []step `json:"steps,omitempty"` // of a child
}

// script is the input of a random program: what is left to do, and what has come of it so far.
type script struct {
	ID    string `json:"id"`             // begins the ids of its children
	Mark  string `json:"mark,omitempty"` // begins the names of its events
	Acc   int    `json:"acc,omitempty"`
	Sum   int    `json:"sum,omitempty"` // of the events, in whatever order they come
	Laps  uint32 `json:"laps,omitempty"`
	Steps []step `json:"steps"`
}

const tripping = 100 // from this argument on, the activity fails in the first run

// grammar makes a random program.
type grammar struct {
	rng    *rand.Rand
	events int
}

// kinds are the steps that a program is made of, with how often each comes. Those of parents need depth.
var kinds = []struct {
	do     string
	often  int
	parent bool
}{
	{"call", 2, false}, {"fan", 1, false}, {"sleep", 1, false}, {"stopped", 1, false}, {"race", 1, false}, {"again", 1, false},
	{"child", 2, true}, {"nudge", 1, true}, {"orphan", 1, true}, {"doomed", 1, true}, {"clash", 1, true},
	{"wait", 1, false}, {"pair", 1, false}, {"pages", 1, false}, {"laps", 1, false}, {"trip", 1, false}, {"cancelled", 1, false},
	{"late", 1, false}, {"note", 1, false},
	{"gift", 1, true}, {"nobody", 1, false},
	{"here", 2, false}, {"heres", 1, false}, {"given up", 1, false},
}

func (g *grammar) steps(at string, depth int) []step {
	all := 0
	for _, k := range kinds {
		all += k.often
	}
	var steps []step
	for range 1 + g.rng.IntN(5) {
		n := g.rng.IntN(all)
		for _, k := range kinds {
			if n -= k.often; n < 0 {
				if !k.parent || depth > 0 {
					steps = append(steps, g.kind(k.do, at, len(steps), depth)...)
				}
				break
			}
		}
	}
	return steps
}

// kind makes the steps of a kind: what comes in several steps can lose any of them.
func (g *grammar) kind(do, at string, n, depth int) []step {
	var steps []step
	add := func(s step) {
		s.ID = fmt.Sprintf("%s.%d", at, n+len(steps))
		steps = append(steps, s)
	}
	switch do {
	case "fan", "heres":
		add(step{Do: do, N: 1 + g.rng.IntN(5)})
	case "sleep", "race":
		add(step{Do: do, N: g.rng.IntN(1500)})
	case "trip":
		add(step{Do: do, N: tripping + g.rng.IntN(3)})
	case "again", "clash":
		add(step{Do: do})
	case "child":
		s := step{Do: do, Code: anyCode(g.rng, 4)}
		inner := grammar{rng: g.rng}
		s.Steps = inner.steps(fmt.Sprintf("%s.%d", at, n), depth-1)
		add(s)
	case "orphan": // the child's last word from its parent may come with the end, or before the next execution
		add(step{Do: do, N: g.rng.IntN(100), Code: anyCode(g.rng, 4)})
		if g.rng.IntN(2) == 0 {
			add(step{Do: "again"})
		}
	case "doomed":
		add(step{Do: do, N: g.rng.IntN(3)})
	case "wait":
		add(step{Do: do, Event: g.event(), N: 1 + g.rng.IntN(1000)})
	case "pair": // two events of one name: a repeated one must not stand for the other
		name, n := g.event(), 1+g.rng.IntN(1000)
		add(step{Do: "wait", Event: name, N: n})
		if g.rng.IntN(2) == 0 {
			add(step{Do: "again"})
		}
		add(step{Do: "wait", Event: name, N: n + 1000})
	case "pages": // an execution for each event
		for range 2 + g.rng.IntN(2) {
			add(step{Do: "again"})
			add(step{Do: "wait", Event: g.event(), N: 1 + g.rng.IntN(1000)})
		}
	case "laps": // what one execution has left over looks like what the next waits for
		n := g.rng.IntN(100)
		add(step{Do: "again"})
		add(step{Do: "lap", N: n})
		add(step{Do: "again"})
		add(step{Do: "call", N: n})
	default:
		add(step{Do: do, N: g.rng.IntN(100)})
	}
	return steps
}

func (g *grammar) event() string {
	g.events++
	return fmt.Sprintf("e%d", g.events-1)
}

// anyCode picks an orchestrator, one of n times one that only some workers know.
func anyCode(rng *rand.Rand, n int) string {
	if rng.IntN(n) > 0 {
		return orchestrator
	}
	return rare[rng.IntN(len(rare))]
}

// without leaves steps out.
func without(steps []step, drop map[string]bool) []step {
	var kept []step
	for _, s := range steps {
		if !drop[s.ID] {
			s.Steps = without(s.Steps, drop)
			kept = append(kept, s)
		}
	}
	return kept
}

// waits are the steps of a program, children left out, that wait for an event.
func waits(steps []step) []step {
	var w []step
	for _, s := range steps {
		if s.Do == "wait" {
			w = append(w, s)
		}
	}
	return w
}

// trips reports whether a program fails in its first run.
func trips(steps []step) bool {
	return slices.ContainsFunc(steps, func(s step) bool { return s.Do == "trip" || s.Do == "race" && s.N >= tripping || trips(s.Steps) })
}

// add is what the activity does: its result depends on its arguments, and on the execution that asks.
func add(n int, execution uint32) int { return n*31 + 7 + int(execution)*17 }

func mix(acc, n int) int { return (acc*131 + n) % 1_000_003 }

// expected is the result of a script, computed without any machinery.
func expected(s script) int {
	acc, sum, laps := s.Acc, s.Sum, s.Laps
	for _, st := range s.Steps {
		switch st.Do {
		case "call", "stopped", "cancelled", "doomed", "here", "given up":
			acc = mix(acc, add(st.N, laps))
		case "late":
			acc = mix(mix(acc, add(st.N, laps)), add(st.N, laps))
		case "orphan":
			acc = mix(mix(acc, add(st.N, laps)), add(st.N+1, laps))
		case "fan", "heres":
			for n := range st.N {
				acc = mix(acc, add(n, laps))
			}
		case "trip":
			for n := range st.N - tripping + 1 {
				acc = mix(acc, add(n+tripping, laps))
			}
		case "sleep", "race", "lap":
			acc = mix(acc, 1)
		case "again":
			acc = mix(acc, 2)
			laps++
		case "child":
			acc = mix(acc, expected(script{Steps: st.Steps}))
		case "nudge":
			acc = mix(acc, expected(script{Acc: st.N, Steps: nudged}))
		case "clash":
			acc = mix(acc, 5)
		case "gift":
			acc = mix(mix(acc, 6), expected(script{Acc: st.N, Steps: nudged}))
		case "nobody":
			acc = mix(acc, 7)
		case "wait", "note":
			sum += st.N
		}
	}
	return mix(acc, sum)
}

// nudged is a child that waits for one event.
var nudged = []step{{ID: "nudged", Do: "wait", Event: "nud", N: 3}}

// describe writes steps in one line.
func describe(steps []step) string {
	var words []string
	for _, s := range steps {
		text := s.ID[strings.LastIndex(s.ID, ".")+1:] + ":" + s.Do
		switch {
		case s.Event != "":
			text += fmt.Sprintf(" %s=%d", s.Event, s.N)
		case s.N > 0:
			text += fmt.Sprint(" ", s.N)
		}
		if s.Code != "" && s.Code != orchestrator {
			text += " " + s.Code
		}
		if s.Do == "child" {
			text += "(" + describe(s.Steps) + ")"
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}
