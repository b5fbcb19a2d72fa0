package rehearsal

import "slices"

// A sort asks how two elements compare in the order in which its algorithm comes to them: a list that comes sorted is never
// asked the other way round, as long as it is short.

// sortBy sorts a list by a function that compares. Of neighbours it asks the other way round, too: that only counts if it says the
// same, so that every sort would give the same.
func (r *run) sortBy(f any, l list) {
	order := func(a, b any) int { return int(r.integer(r.call(f, []any{a, b}))) }
	slices.SortStableFunc(l, order)
	for i := range max(len(l)-1, 0) {
		if r.silently(func() int { return order(l[i], l[i+1]) }) < 0 {
			order(l[i], l[i+1])
		}
	}
}

// silently asks for something of which nothing is noted, not even that it fails: then it is 0.
func (r *run) silently(f func() int) (n int) {
	silent := r.p.side.silent
	r.p.side.silent = true
	defer func() {
		r.p.side.silent = silent
		switch p := recover().(type) {
		case nil:
		case crash:
			n = 0
		default:
			panic(p)
		}
	}()
	return f()
}
