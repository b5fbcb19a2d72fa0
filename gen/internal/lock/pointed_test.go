package lock_test

import (
	"fmt"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// TestPointedToIsRun changes what a pointer leads to that stands in a place which coroutines share, twice: the form that is run has
// both.
func TestPointedToIsRun(t *testing.T) {
	t.Parallel()
	const program = `
type set struct {
	keys []string
	at   map[string]int
}

func (s *set) put(k string) {
	s.at[k] = len(s.keys)
	%s
}

type stay struct {
	works *set
	days  int
}

func F(ctx durable.Context, o Order) error {
	s := &stay{works: &set{at: map[string]int{}}, days: 3}
	for _, l := range o.Lines {
		s.works.put(l.SKU)
	}
	f := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		_, err := PackActivity.Call(ctx, Line{Count: s.days})
		return 1, err
	})
	s.days++
	if _, err := PackActivity.Call(ctx, Line{Count: len(s.works.keys)}); err != nil {
		return err
	}
	_, err := f.Get(ctx)
	return err
}`
	all := flows(t, map[string]string{"r0": fmt.Sprintf(program, "s.keys = append(s.keys, k)"), "r1": fmt.Sprintf(program, "")})
	with, without := all["r0"].Run, all["r1"].Run
	if with == nil || without == nil {
		t.Fatal("there is no form that is run")
	}
	stores := func(f *shape.Flow) (n int) {
		for _, node := range f.Nodes {
			if node.Kind == shape.Store {
				n++
			}
		}
		return n
	}
	if a, b := stores(with), stores(without); a != b+1 {
		t.Errorf("%d stores, and %d without one of them\n%s", a, b, text(*with))
	}
}
