package rehearsal

import (
	"sort"

	"github.com/durablegen/durablegen/internal/shape"
)

// memory is a place that coroutines may share. Values are computed when somebody asks for them, so what it held
// at each moment has to be there still.
type memory struct{ wrote []written }

// written is what was put into a place, and how many such writes there had been with this one.
type written struct {
	n int
	v any
}

// newMemory is one that holds v.
func (r *run) newMemory(v any) *memory {
	p := &memory{}
	r.write(p, v)
	return p
}

func (r *run) write(p *memory, v any) {
	r.m.writes++
	p.wrote = append(p.wrote, written{r.m.writes, v})
}

// store puts what a step says into a place.
func (r *run) store(args []any) {
	p, ok := args[0].(*memory)
	if !ok {
		panic(crash{errPanic})
	}
	r.write(p, args[1])
	r.give(nil)
}

// begun is when a call of a function began that is a value: where a step calls it that is now, and in a computation, which is
// done when somebody asks for it, that is when the function was made.
func (r *run) begun(v *shape.Value, in *frame) any {
	for in.outer != nil && in.bit != functionBit(v) {
		in = in.outer
	}
	if in.now || len(v.Args) == 0 {
		return r.moment()
	}
	return r.of(v.Args[0], in)
}

// load gives what a place held at a moment.
func load(at, when any) any {
	p, ok := at.(*memory)
	m, known := when.(moment)
	if !ok || !known {
		return broken{}
	}
	i := sort.Search(len(p.wrote), func(i int) bool { return p.wrote[i].n > m.wrote })
	if i == 0 {
		return broken{} // it was not there yet
	}
	return p.wrote[i-1].v
}
