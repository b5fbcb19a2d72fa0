package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// used has one step that uses the first of some values, and a result of an activity that is waited for before it.
func used(values ...shape.Value) shape.Flow {
	return shape.Flow{Values: values, Nodes: []shape.Node{
		{Kind: shape.Join, Next: []int{1}},
		{Kind: shape.Activity, Target: "b", Args: []int{0}, Next: []int{2}},
		{Kind: shape.Return},
	}}
}

// The part that is behind a condition is computed only where that holds, and asks the same there in vain.
func TestAskedAgain(t *testing.T) {
	chosen := func(inner ...shape.Value) *program {
		p := made(t, used(append([]shape.Value{
			{Op: "if", Args: []int{1, 2, 6}},
			{Op: "==", Args: []int{3, 4}},
			{Op: "const", What: "7"},
			{Op: "len", Args: []int{5}},
			{Op: "const", What: "0"},
			{Op: "param", What: "items"},
		}, inner...)...), shape.Param{Name: "items", Type: 1})
		p.findPossible()
		return p
	}
	p := chosen(
		shape.Value{Op: "if", Args: []int{7, 10, 3}},
		shape.Value{Op: "==", Args: []int{8, 9}},
		shape.Value{Op: "len", Args: []int{5}},
		shape.Value{Op: "const", What: "0"},
		shape.Value{Op: "+", Args: []int{3, 3}},
	)
	if !p.sure[6] || !p.sure[7] || !p.idle[10] {
		t.Error("what is not empty may be empty")
	}
	if p.sure[0] || p.sure[1] || p.idle[2] || p.idle[6] {
		t.Error("what may be empty is not")
	}
	p = chosen(
		shape.Value{Op: "if", Args: []int{7, 10, 3}},
		shape.Value{Op: "==", Args: []int{8, 9}},
		shape.Value{Op: "len", Args: []int{5}},
		shape.Value{Op: "const", What: "1"},
		shape.Value{Op: "+", Args: []int{3, 3}},
	)
	if p.sure[6] || p.sure[7] || p.idle[10] {
		t.Error("what is not empty may have one element")
	}
}

// Of a choice it is known what it is where its condition is.
func TestAskedOfAChoice(t *testing.T) {
	for fact, want := range map[int]bool{1: true, 2: false} {
		p := made(t, used([]shape.Value{
			{Op: "if", Args: []int{fact, 7, 8}},
			{Op: "<", Args: []int{3, 4}}, // n < if small then 5 else 9
			{Op: "<", Args: []int{3, 9}},
			{Op: "param", What: "n"},
			{Op: "if", Args: []int{5, 6, 9}},
			{Op: "param", What: "small"},
			{Op: "const", What: "5"},
			{Op: "if", Args: []int{5, 10, 8}},
			{Op: "const", What: "1"},
			{Op: "param", What: "m"},
			{Op: "if", Args: []int{11, 8, 6}},
			{Op: "<", Args: []int{3, 6}},
		}...), shape.Param{Name: "n"}, shape.Param{Name: "m"})
		if p.findPossible(); p.sure[11] != want {
			t.Errorf("that n is less than 5 is known: %t, want %t", p.sure[11], want)
		}
	}
}

// cut cuts a list into parts of a size, and gives the parts if anything is left of it, and another list otherwise.
func cut(size string) shape.Flow {
	return used([]shape.Value{
		{Op: "if", Args: []int{1, 13, 14}},
		{Op: "==", Args: []int{2, 3}},
		{Op: "len", Args: []int{4}},
		{Op: "const", What: "0"},
		{Op: "eta", Args: []int{5, 8}, Loop: 1},
		{Op: "not", Args: []int{6}},
		{Op: "<", Args: []int{11, 7}},
		{Op: "len", Args: []int{8}},
		{Op: "mu", Args: []int{9, 10}, Loop: 1},
		{Op: "param", What: "items"},
		{Op: "slice", Args: []int{8, 11, 12, 12}},
		{Op: "const", What: size},
		{Op: "const", What: "nil"},
		{Op: "eta", Args: []int{5, 15}, Loop: 1},
		{Op: "eta", Args: []int{5, 17}, Loop: 1},
		{Op: "mu", Args: []int{12, 16}, Loop: 1},
		{Op: "append", Args: []int{15, 8}},
		{Op: "mu", Args: []int{19, 18}, Loop: 1},
		{Op: "append", Args: []int{17, 8}},
		{Op: "list"},
	}...)
}

// A loop that leaves something in each round has not gone round if nothing is left.
func TestNothingIsLeft(t *testing.T) {
	p := made(t, cut("2"), shape.Param{Name: "items", Type: 1})
	if p.findPossible(); !p.idle[16] || p.idle[18] || p.idle[15] {
		t.Error("it is not known that a loop that has left nothing has not gone round")
	}
	f := cut("2")
	f.Values[6] = shape.Value{Op: "<", Args: []int{3, 7}} // until nothing is left
	p = made(t, f, shape.Param{Name: "items", Type: 1})
	if p.findPossible(); p.idle[16] || !p.idle[18] {
		t.Error("a loop that leaves nothing does not go round, or may leave something")
	}
}

// searched looks for the first row of a table whose least is not above the points, after it has returned if there are none, or those
// are below some.
func searched(below string) shape.Flow {
	row := func(v int) shape.Value { return shape.Value{Op: "struct", What: "least", Args: []int{v}} }
	return shape.Flow{
		Values: []shape.Value{
			{Op: "eta", Args: []int{1, 4}, Loop: 1},
			{Op: "if", Args: []int{2, 7, 14}},
			{Op: "<", Args: []int{4, 3}},
			{Op: "const", What: "3"},
			{Op: "mu", Args: []int{5, 6}, Loop: 1},
			{Op: "const", What: "0"},
			{Op: "+", Args: []int{4, 15}},
			{Op: "not", Args: []int{8}},
			{Op: "<", Args: []int{16, 9}},
			{Op: "field", What: "least", Args: []int{10}},
			{Op: "index", Args: []int{11, 4}},
			{Op: "list", Args: []int{12, 13, 17}},
			row(18), row(19),
			{Op: "const", What: "true"},
			{Op: "const", What: "1"},
			{Op: "result", Args: []int{20}},
			{Op: "struct"},
			{Op: "const", What: "900"}, {Op: "const", What: "400"},
			{Op: "future", Node: 1},
			{Op: "<", Args: []int{16, 22}},
			{Op: "const", What: below},
			{Op: "error", Args: []int{20}}, {Op: "const", What: "nil"}, {Op: "==", Args: []int{23, 24}},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Activity, Target: "a", Next: []int{2}},
			{Kind: shape.Await, Args: []int{20}, Next: []int{7}},
			{Kind: shape.Branch, Args: []int{21}, Next: []int{6, 4}},
			{Kind: shape.Activity, Target: "b", Next: []int{5}},
			{Kind: shape.Activity, Target: "c", Args: []int{0}, Next: []int{6}},
			{Kind: shape.Return},
			{Kind: shape.Branch, Args: []int{25}, Next: []int{3, 6}},
		},
	}
}

// A search in a table whose last row always matches does not come to its end. That the result of an activity is at least some
// number is still known behind other steps.
func TestLastRowMatches(t *testing.T) {
	for below, want := range map[string]bool{"100": true, "0": true, "-1": false, "-100": false} {
		p := made(t, searched(below))
		if p.findPossible(); p.sure[2] != want || p.sure[1] != want {
			t.Errorf("if points are at least %s, the search finds a row: %t, want %t", below, p.sure[2], want)
		}
		if p.idle[6] || p.sure[8] {
			t.Error("the first row always matches")
		}
	}
}

// What is not complete may be something else later.
func TestResultBeforeItIsThere(t *testing.T) {
	f := searched("100")
	f.Nodes[2].Kind = shape.AwaitAny
	p := made(t, f)
	if p.findPossible(); p.sure[2] {
		t.Error("the result of what is not complete stays as it is")
	}
}

// What a coroutine gives that computes with fractions may be no number: then it is not less, and not more either.
func TestResultThatIsNoNumber(t *testing.T) {
	for of, want := range map[string]bool{"": true, "float64": false} {
		f := searched("100")
		f.Nodes[1] = shape.Node{Kind: shape.Go, Target: "go", Next: []int{2}, Bodies: []shape.Flow{{
			Values: []shape.Value{{Op: "-", What: of, Args: []int{1, 1}}, {Op: "const", What: "7"}},
			Nodes:  []shape.Node{{Kind: shape.Join, Next: []int{1}}, {Kind: shape.Return, Args: []int{0}}},
		}}}
		p := made(t, f)
		if p.findPossible(); p.sure[2] != want {
			t.Errorf("the search for a result %q finds a row: %t, want %t", of, p.sure[2], want)
		}
	}
}
