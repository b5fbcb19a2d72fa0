package rehearsal

import (
	"slices"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// countedUp asks whether n < m, then whether n+1 is m, and on both ways whether n+1 < m.
func countedUp() shape.Flow {
	return shape.Flow{
		Values: []shape.Value{
			{Op: "field", What: "n", Args: []int{2}},
			{Op: "field", What: "m", Args: []int{2}},
			{Op: "param"},
			{Op: "<", Args: []int{0, 1}},
			{Op: "+", Args: []int{0, 5}},
			{Op: "const", What: "1"},
			{Op: "==", Args: []int{4, 1}},
			{Op: "<", Args: []int{4, 1}},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Branch, Args: []int{3}, Next: []int{2, 6}},
			{Kind: shape.Branch, Args: []int{6}, Next: []int{3, 4}},
			{Kind: shape.Branch, Args: []int{7}, Next: []int{5, 6}},
			{Kind: shape.Branch, Args: []int{7}, Next: []int{5, 6}},
			{Kind: shape.Activity, Target: "a", Next: []int{6}},
			{Kind: shape.Return},
		},
	}
}

// What is equal is not less, and what is less and not the next is less than by more.
func TestOrderOfCounts(t *testing.T) {
	t.Parallel()
	p := made(t, countedUp())
	for _, c := range []struct {
		name    string
		n, next int
		want    bool
	}{
		{"n+1 is m, and less", 3, 0, true}, {"n+1 is m, and not less", 3, 1, false},
		{"n < m, n+1 is not m, and less", 4, 0, false}, {"n < m, n+1 is not m, and not less", 4, 1, true},
		{"n+1 is m", 2, 0, false}, {"n+1 is not m", 2, 1, false},
	} {
		if got := p.closed[fork{p, c.n, c.next}]; got != c.want {
			t.Errorf("%s: closed is %t, want %t", c.name, got, c.want)
		}
	}
}

// TestPoolKnowsFunctions gathers texts of which functions of texts make others.
func TestPoolKnowsFunctions(t *testing.T) {
	t.Parallel()
	call := func(name string, more ...shape.Value) *shape.Flow {
		args := []int{1}
		for i := range more {
			args = append(args, 2+i)
		}
		return &shape.Flow{Values: append([]shape.Value{{Op: "call", What: name, Args: args}, {Op: "param"}}, more...)}
	}
	text := func(s string) shape.Value { return shape.Value{Op: "const", What: s} }
	none := &shape.Flow{}
	for _, c := range []struct {
		flow *shape.Flow
		want string
	}{
		{call("strings.TrimSpace"), " a"},
		{call("strings.TrimPrefix", text(`"id-"`)), "id-a"},
		{call("strings.Fields"), "a b b"},
		{call("strings.Split", text(`","`)), "a,b"},
		{call("strings.ToLower", text(`"mint"`)), "Mint"},
		{&shape.Flow{Values: []shape.Value{{Op: "conv", What: "[]rune", Args: []int{1}}, {Op: "param"}}}, wide},
	} {
		if got := poolOf(none, c.flow).texts; !slices.Contains(got, c.want) {
			t.Errorf("%s: %q has no %q", c.flow.Values[0].What, got, c.want)
		}
	}
}

// An error that was read from a history is none that the module declares, as it is; what a coroutine gives may be.
func TestForeignErrors(t *testing.T) {
	t.Parallel()
	for kind, want := range map[shape.NodeKind]bool{shape.Activity: true, shape.Receive: true, shape.Go: false} {
		for _, name := range []string{"example.com/shop.ErrNone", "github.com/durablegen/durablegen/runtime.ErrTimeout"} {
			p := made(t, shape.Flow{
				Values: []shape.Value{
					{Op: "future", Node: 1},
					{Op: "error", Args: []int{0}},
					{Op: "global", What: name},
					{Op: "==", Args: []int{2, 1}},
				},
				Nodes: []shape.Node{
					{Kind: shape.Join, Next: []int{1}},
					{Kind: kind, Target: "go", Next: []int{2}},
					{Kind: shape.Await, Args: []int{0}, Next: []int{3}},
					{Kind: shape.Branch, Args: []int{3}, Next: []int{4, 5}},
					{Kind: shape.Activity, Target: "b", Next: []int{5}},
					{Kind: shape.Return},
				},
			})
			is := want && name == "example.com/shop.ErrNone"
			if got := p.closed[fork{p, 3, 0}]; got != is {
				t.Errorf("the error of %s is never %s: %t, want %t", kind, name, got, is)
			}
		}
	}
}

// What is deleted of nil is nil, and not an empty list.
func TestNothingOfNil(t *testing.T) {
	t.Parallel()
	r := made(t, rounds("1")).only(newScenario(0, poolOf(), nil))
	none := named{name: "strings.HasPrefix", on: []any{"x"}}
	if got := r.library("slices.DeleteFunc", []any{nil, none}); got != nil {
		t.Errorf("of nil: %#v", got)
	}
	if got, ok := r.library("slices.DeleteFunc", []any{list{"x"}, none}).(list); !ok || got == nil || len(got) > 0 {
		t.Errorf("of a list: %#v, want an empty one", got)
	}
}
