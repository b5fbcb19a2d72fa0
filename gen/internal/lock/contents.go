package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
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
