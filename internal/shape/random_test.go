package shape_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/rehearsal"
	"github.com/durablegen/durablegen/internal/shape"
)

// writer makes random programs in the notation.
type writer struct {
	r       *rand.Rand
	lines   []string
	futures []string
	there   []string // futures that were waited for
	values  []string
	made    int
}

func (w *writer) one(of ...string) string { return of[w.r.IntN(len(of))] }

func (w *writer) value() string {
	choice := append([]string{"in", "1", "2"}, w.values...)
	for _, f := range w.there {
		choice = append(choice, "result("+f+")")
	}
	v := w.one(choice...)
	return w.one(v, v, v, v+" + 1", "f("+v+")")
}

func (w *writer) name(prefix string) string {
	w.made++
	return fmt.Sprintf("%s%d", prefix, w.made)
}

func (w *writer) add(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *writer) block(statements, depth int) {
	for range statements {
		w.statement(depth)
	}
}

func (w *writer) statement(depth int) {
	switch k := w.r.IntN(20); {
	case k < 6:
		f := w.name("x")
		w.add("%s = activity %s(%s)", f, w.one("A", "B", "C"), w.value())
		if w.r.IntN(2) == 0 {
			w.add("await %s", f)
			w.there = append(w.there, f)
		}
		w.futures = append(w.futures, f)
	case k < 8 && len(w.futures) > 0:
		f := w.one(w.futures...)
		w.add("await %s", f)
		w.there = append(w.there, f)
	case k < 9:
		f := w.name("t")
		w.add("%s = timer T(1)", f)
		w.futures = append(w.futures, f)
	case k < 11:
		f := w.name("e")
		w.add("%s = receive %s", f, w.one("E", "F"))
		if w.r.IntN(2) == 0 {
			w.add("await %s", f)
			w.there = append(w.there, f)
		}
		w.futures = append(w.futures, f)
	case k < 12 && len(w.futures) > 1:
		v := w.name("n")
		w.add("%s = any(%s, %s)", v, w.one(w.futures...), w.one(w.futures...))
		w.values = append(w.values, v)
	case k < 13:
		v := w.name("u")
		w.add("%s = %s", v, w.one("uuid", "random M(1)", "random M(2)", "now()", "version a", "version b"))
		w.values = append(w.values, v)
	case k < 14:
		v := w.name("v")
		w.add("%s = %s", v, w.value())
		w.values = append(w.values, v)
	case k < 17 && depth > 0:
		w.branch(depth)
	case k < 18 && depth > 0:
		w.loop(depth)
	case k < 19 && depth > 0 && w.r.IntN(3) == 0:
		w.coroutine()
	default:
		w.add("send %s(1, %s)", w.one("S", "Q"), w.value())
	}
}

func (w *writer) branch(depth int) {
	w.add("if %s {", w.one(w.value()+" == "+w.one("1", "2"), w.value()+" < 2"))
	futures, values, there := slices.Clone(w.futures), slices.Clone(w.values), slices.Clone(w.there)
	w.block(1+w.r.IntN(2), depth-1)
	if w.r.IntN(5) == 0 {
		w.add("return")
	}
	w.futures, w.values, w.there = slices.Clone(futures), slices.Clone(values), slices.Clone(there)
	if w.r.IntN(2) == 0 {
		w.add("} else {")
		w.block(1+w.r.IntN(2), depth-1)
		w.futures, w.values, w.there = futures, values, there
	}
	w.add("}")
}

func (w *writer) loop(depth int) {
	i := w.name("i")
	w.add("%s = %s", i, w.one("0", "1"))
	w.add("while %s < %s {", i, w.one("2", "3", "in"))
	futures, values, there := slices.Clone(w.futures), slices.Clone(w.values), slices.Clone(w.there)
	w.values = append(w.values, i)
	w.block(1+w.r.IntN(2), depth-1)
	w.add("%s = %s + 1", i, i)
	w.add("}")
	w.futures, w.values, w.there = futures, values, there
}

func (w *writer) coroutine() {
	f := w.name("g")
	w.add("%s = go {", f)
	futures, values, there := w.futures, w.values, w.there
	w.futures = nil
	w.block(1+w.r.IntN(2), 0)
	w.add("return %s", w.value())
	w.add("}")
	w.futures, w.values, w.there = futures, values, there
	w.block(1, 0)
	w.add("await %s", f)
	w.there = append(w.there, f)
}

// mutate changes a program: often to one that does not hold together, which the caller leaves out.
func (w *writer) mutate(lines []string) []string {
	lines = slices.Clone(lines)
	at := w.r.IntN(len(lines))
	switch w.r.IntN(8) {
	case 0:
		return slices.Delete(lines, at, at+1)
	case 1:
		if at+1 < len(lines) {
			lines[at], lines[at+1] = lines[at+1], lines[at]
		}
	case 2:
		lines[at] = strings.Replace(lines[at], w.one("1", "2", "in"), w.one("1", "2", "3"), 1)
	case 3:
		lines[at] = strings.Replace(lines[at], "activity "+w.one("A", "B", "C"), "activity "+w.one("A", "B", "C"), 1)
	case 4:
		w.lines = nil
		w.statement(1)
		return slices.Insert(lines, at, w.lines...)
	case 5: // moved
		to := w.r.IntN(len(lines))
		line := lines[at]
		lines = slices.Delete(lines, at, at+1)
		return slices.Insert(lines, min(to, len(lines)), line)
	case 6: // behind a patch
		if !strings.ContainsAny(lines[at], "{}") {
			w.lines = nil
			w.statement(0)
			patch := append([]string{"p = version patch", "if p {"}, w.lines...)
			patch = append(append(patch, "} else {"), lines[at], "}")
			return slices.Concat(lines[:at], patch, lines[at+1:])
		}
	case 7:
		lines[at] = strings.Replace(lines[at], "== 1", w.one("== 2", "< 1"), 1)
	}
	return lines
}

// parsed gives nil for a text that does not hold together.
func parsed(lines []string) (f *shape.Flow) {
	defer func() {
		if recover() != nil {
			f = nil
		}
	}()
	depth := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "}") {
			depth--
		}
		if depth < 0 {
			return nil
		}
		if strings.HasSuffix(l, "{") {
			depth++
		}
	}
	if depth != 0 {
		return nil
	}
	flow := parse(strings.Join(lines, "\n"))
	return &flow
}

// witness looks for a run of the old program that the new one cannot repeat.
func witness(r *rand.Rand, before, after *shape.Flow, tries int) string {
	for range tries {
		seed := r.Int64()
		var inbox []message
		for len(inbox) < 20 {
			old := run(before, seed, nil, inbox)
			if old.broken != "" {
				break
			}
			if now := run(after, seed, old.slots, inbox); now.broken != "" && now.broken != "spins" {
				return fmt.Sprintf("after %v: %s", inbox, now.broken)
			}
			if old.ended {
				break
			}
			inbox = append(inbox, next(r, old))
		}
	}
	return ""
}

// next chooses a message that may come.
func next(r *rand.Rand, e *engine) message {
	choice := []message{{event: "E", payload: int64(r.IntN(3))}, {event: "F", payload: int64(r.IntN(3))}}
	for n, f := range e.futures {
		if !f.done {
			choice = append(choice, message{slot: n}, message{slot: n})
		}
	}
	return choice[r.IntN(len(choice))]
}

// TestSafeNeverBreaks compares random programs with random changes of them, and runs the old one to any point and the new
// one from there: what is called safe, because it is proved or because no rehearsal shows a difference, must never break.
func TestSafeNeverBreaks(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 7))
	pairs := 500
	if testing.Short() {
		pairs = 150
	}
	safe, unsafe, unshown := 0, 0, 0
	for range pairs {
		w := &writer{r: r}
		w.block(3+r.IntN(5), 2)
		program := w.lines
		changed := w.mutate(program)
		if r.IntN(3) == 0 && len(changed) > 0 {
			changed = w.mutate(changed)
		}
		before, after := parsed(program), parsed(changed)
		if before == nil || after == nil || len(changed) == 0 {
			continue
		}
		broken := witness(r, before, after, 40)
		if shape.Unsafe(shape.Compare(lock(*before), lock(*after), rehearsal.Rehearse)) {
			unsafe++
			if broken == "" {
				unshown++
				t.Logf("no witness:\n%s\n--\n%s", strings.Join(program, "\n"), strings.Join(changed, "\n"))
			}
			continue
		}
		if safe++; broken != "" {
			t.Errorf("it is called safe, but breaks %s:\n%s\n--\n%s", broken, strings.Join(program, "\n"), strings.Join(changed, "\n"))
			return
		}
	}
	t.Logf("%d safe, %d unsafe, of those %d without a witness", safe, unsafe, unshown)
}
