package rehearsal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// BenchmarkPower changes one thing in flows of this repository, and tells what share a rehearsal notices, refuses for what is
// missing, and accepts. What it accepts, -v tells.
func BenchmarkPower(b *testing.B) {
	files := []string{"../../examples/membership/club", "../../bench/workload", "../../lint/testdata/shop"}
	draw := rand.New(rand.NewPCG(3, 5))
	counts, all := map[string]int{}, 0
	for b.Loop() {
		m := mutant{draw: draw, file: filepath.Join(files[draw.IntN(len(files))], shape.FileName)}
		if m.read(b) && m.mutate() {
			counts[m.judge(b)]++
			all++
		}
	}
	for _, is := range []string{"noticed", "refused", "accepted"} {
		b.ReportMetric(float64(counts[is])/float64(max(all, 1)), is+"/change")
	}
}

// mutant is an orchestrator, and a copy in which one thing is another.
type mutant struct {
	draw     *rand.Rand
	file     string
	old, now *shape.Lock
	of       int // which of the orchestrators
	change   string
}

func (m *mutant) read(b *testing.B) bool {
	for _, into := range []**shape.Lock{&m.old, &m.now} {
		text, err := os.ReadFile(m.file)
		if err != nil {
			b.Fatal(err)
		}
		l, err := shape.Read(text)
		if err != nil {
			b.Fatal(err)
		}
		*into = &l
	}
	if len(m.old.Orchestrators) == 0 {
		return false
	}
	m.of = m.draw.IntN(len(m.old.Orchestrators))
	return true
}

// judge tells what a rehearsal says of a mutant.
func (m *mutant) judge(b *testing.B) string {
	old, now := &m.old.Orchestrators[m.of], &m.now.Orchestrators[m.of]
	x := newPair(shape.Program{Lock: m.old, Orchestrator: old, Flow: &old.Flow}, shape.Program{Lock: m.now, Orchestrator: now, Flow: &now.Flow})
	defer x.close()
	switch wrong, missing := x.rehearse(), x.missing(); {
	case wrong != "":
		return "noticed"
	case len(missing) > 0:
		b.Logf("refused %s %s: %s: %.300q", filepath.Base(m.file), old.Name, m.change, missing)
		return "refused"
	}
	b.Logf("accepted %s %s: %s", filepath.Base(m.file), old.Name, m.change)
	return "accepted"
}

// mutate changes one thing. It reports whether it could.
func (m *mutant) mutate() bool {
	f := &m.now.Orchestrators[m.of].Flow
	where := "flow"
	for m.draw.IntN(3) > 0 { // into a body, rather
		var bodies []*shape.Flow
		for i := range f.Nodes {
			for b := range f.Nodes[i].Bodies {
				bodies = append(bodies, &f.Nodes[i].Bodies[b])
			}
		}
		if len(bodies) == 0 {
			break
		}
		f, where = bodies[m.draw.IntN(len(bodies))], where+" body"
	}
	for range 20 {
		if m.mutateFlow(f) {
			m.change = where + " " + m.change
			return true
		}
	}
	return false
}

func (m *mutant) mutateFlow(f *shape.Flow) bool {
	if len(f.Values) == 0 {
		return false
	}
	if m.draw.IntN(3) == 0 {
		return m.mutateNode(f, m.draw.IntN(len(f.Nodes)))
	}
	return m.mutateValue(f, m.draw.IntN(len(f.Values)))
}

func (m *mutant) mutateNode(f *shape.Flow, at int) bool {
	n := &f.Nodes[at]
	switch {
	case n.Kind == shape.Branch && len(n.Next) == 2 && m.draw.IntN(4) == 0:
		m.change = fmt.Sprintf("ways of %d exchanged", at)
		n.Next[0], n.Next[1] = n.Next[1], n.Next[0]
		return m.fixEdges(f, at)
	case slotKinds[n.Kind] && len(n.Args) > 1:
		i, k := m.draw.IntN(len(n.Args)), m.draw.IntN(len(n.Args))
		if n.Args[i] == n.Args[k] {
			return false
		}
		m.change = fmt.Sprintf("argument %d of %d %s is argument %d", i, at, n.Target, k)
		n.Args[i] = n.Args[k]
		return true
	case n.Kind == shape.Activity && m.draw.IntN(3) == 0:
		m.change = fmt.Sprintf("target of %d %s", at, n.Target)
		n.Target += "Other"
		return true
	}
	return false
}

// fixEdges has the joins behind a branch know where their ways come from.
func (m *mutant) fixEdges(f *shape.Flow, at int) bool {
	for i, next := range f.Nodes[at].Next {
		for k := range f.Nodes[next].In {
			if e := &f.Nodes[next].In[k]; e.From == at && e.Next == 1-i {
				e.Next = i
				break
			}
		}
	}
	return f.Nodes[at].Next[0] != f.Nodes[at].Next[1]
}

func (m *mutant) mutateValue(f *shape.Flow, at int) bool {
	v := &f.Values[at]
	was := *v
	used := slices.ContainsFunc(f.Values, func(u shape.Value) bool { return u.Op != "const" && slices.Contains(u.Args, at) }) ||
		slices.ContainsFunc(f.Nodes, func(n shape.Node) bool { return slices.Contains(n.Args, at) })
	if !used { // it only says of what a constant was made
		return false
	}
	switch v.Op {
	case "const":
		switch c := constant(v.What).(type) {
		case int64:
			v.What = strconv.FormatInt(c+[]int64{1, -1, 10}[m.draw.IntN(3)], 10)
		case string:
			v.What = strconv.Quote(c + "x")
		case bool:
			v.What = strconv.FormatBool(!c)
		default:
			return false
		}
	case "<":
		if m.draw.IntN(2) == 0 {
			v.Op = "<="
		} else {
			v.Args = []int{v.Args[1], v.Args[0]}
		}
	case "+", "-", "*", "/":
		if len(v.Args) != 2 {
			return false
		}
		v.Op = map[string]string{"+": "-", "-": "+", "*": "+", "/": "*"}[v.Op]
	case "phi", "list", "cat", "append", "if", "struct":
		return m.exchange(f, at)
	case "field":
		return m.otherField(f, at)
	default:
		return false
	}
	m.change = fmt.Sprintf("value %d: %s %s %v is %s %s %v", at, was.Op, was.What, was.Args, v.Op, v.What, v.Args)
	return true
}

// exchange exchanges two of what a value is made of.
func (m *mutant) exchange(f *shape.Flow, at int) bool {
	v := &f.Values[at]
	least := 0
	if v.Op == "if" {
		least = 1
	}
	if len(v.Args)-least < 2 {
		return false
	}
	i, k := least+m.draw.IntN(len(v.Args)-least), least+m.draw.IntN(len(v.Args)-least)
	if v.Args[i] == v.Args[k] {
		return false
	}
	m.change = fmt.Sprintf("value %d: %s %s, %d and %d of %v exchanged", at, v.Op, v.What, i, k, v.Args)
	v.Args = slices.Clone(v.Args)
	v.Args[i], v.Args[k] = v.Args[k], v.Args[i]
	return true
}

// otherField takes another field of the same value.
func (m *mutant) otherField(f *shape.Flow, at int) bool {
	v := &f.Values[at]
	for i := range f.Values {
		if o := &f.Values[(i+at)%len(f.Values)]; o.Op == "field" && slices.Equal(o.Args, v.Args) && o.What != v.What {
			m.change = fmt.Sprintf("value %d: field %s is %s", at, v.What, o.What)
			v.What = o.What
			return true
		}
	}
	return false
}
