package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/shape"
)

// contents are shared variables of which it is being said what is put into them: the first by a hash of the whole, and those
// that are looked at in what is put there by their number. A function may be put into a variable that it looks at itself.
type contents struct {
	cells   []*cell
	numbers int // how often one was named
}

func (s *contents) number(c *cell) string {
	s.numbers++
	i := slices.Index(s.cells, c)
	if i < 0 {
		i = len(s.cells)
		s.cells = append(s.cells, c)
	}
	return "variable " + strconv.Itoa(i)
}

// sum is a hash of everything that is put into a shared variable.
func (e *emitter) sum(c *cell) string {
	root := e.root()
	if root.putting != nil {
		return root.putting.number(c)
	}
	s := &contents{cells: []*cell{c}}
	root.putting = s
	defer func() { root.putting = nil }()
	var of []string
	for i := 0; i < len(s.cells); i++ {
		of = append(of, e.put(s.cells[i]))
	}
	sum := sha256.Sum256([]byte(strings.Join(of, "\n\n")))
	return hex.EncodeToString(sum[:8])
}

// put says everything that is put into a shared variable.
func (e *emitter) put(c *cell) string {
	var all []string
	for _, s := range e.root().stored {
		if s.cell == c {
			d := describer{emitter: e, sums: map[*value]string{}}
			all = append(all, d.of(s.value))
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "\n")
}

// numbered is how often shared variables have been named by numbers, which mean nothing elsewhere.
func (m *machine) numbered() int {
	if s := m.root().putting; s != nil {
		return s.numbers
	}
	return 0
}

// sumOf is a hash of a function that is a value. The numbers of types in it depend on what else there is.
func sumOf(flow shape.Flow) string {
	text, err := json.Marshal(untyped(flow))
	if err != nil {
		return "?" // a flow is plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// untyped is a flow without the types of results, which follow from what its nodes call, and the numbers of variables.
func untyped(flow shape.Flow) shape.Flow {
	flow.Values = slices.Clone(flow.Values)
	for i := range flow.Values {
		switch v := &flow.Values[i]; {
		case v.Op == "out" || v.Op == "changed" && strings.HasPrefix(v.What, "out "):
			v.What = ""
		case v.Op == "found" || v.Op == "finds":
			_, v.What, _ = strings.Cut(v.What, " ")
		}
	}
	flow.Nodes = slices.Clone(flow.Nodes)
	for i := range flow.Nodes {
		n := &flow.Nodes[i]
		n.Type, n.Bodies = 0, slices.Clone(n.Bodies)
		for k := range n.Bodies {
			n.Bodies[k] = untyped(n.Bodies[k])
		}
	}
	return flow
}
