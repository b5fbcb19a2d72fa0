package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// An error that joins others is nil if all of them are.
func TestJoinedErrors(t *testing.T) {
	f := shape.Flow{
		Values: []shape.Value{
			{Op: "future", Node: 1},
			{Op: "error", Args: []int{0}},
			{Op: "future", Node: 2},
			{Op: "error", Args: []int{2}},
			{Op: "call", What: "errors.Join", Args: []int{1, 3, 5}},
			{Op: "source", What: "code"},
			{Op: "const", What: "nil"},
			{Op: "==", Args: []int{4, 6}},
			{Op: "==", Args: []int{1, 6}},
			{Op: "==", Args: []int{3, 6}},
			{Op: "const", What: `"no"`},
			{Op: "call", What: "errors.New", Args: []int{10}},
			{Op: "call", What: "errors.Join", Args: []int{11, 3}},
			{Op: "==", Args: []int{12, 6}},
			{Op: "list", Args: []int{1}},
			{Op: "call", What: "errors.Join", Args: []int{14}},
			{Op: "==", Args: []int{15, 6}},
			{Op: "==", Args: []int{14, 6}},
			{Op: "call", What: "errors.As", Args: []int{4, 6}},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Activity, Target: "a", Next: []int{2}},
			{Kind: shape.Activity, Target: "b", Next: []int{3}},
			{Kind: shape.Return},
		},
	}
	type answer struct{ yes, sure bool }
	no, yes, open := answer{false, true}, answer{true, true}, answer{}
	for name, c := range map[string]struct {
		learns map[int]bool
		want   map[int]answer
	}{
		"nothing":          {nil, map[int]answer{7: open, 8: open, 13: no, 16: open, 18: open}},
		"none":             {map[int]bool{7: true}, map[int]answer{8: yes, 9: yes, 18: no}},
		"some":             {map[int]bool{7: false}, map[int]answer{8: open, 9: open, 18: open}},
		"one":              {map[int]bool{8: false}, map[int]answer{7: no, 9: open, 18: open}},
		"none of one":      {map[int]bool{8: true}, map[int]answer{7: open, 9: open}},
		"none of each":     {map[int]bool{8: true, 9: true}, map[int]answer{7: yes, 18: no}},
		"a list that is":   {map[int]bool{17: false}, map[int]answer{16: open}},
		"none in the list": {map[int]bool{16: true}, map[int]answer{17: open}},
	} {
		p, known := made(t, f), noFacts()
		for v, is := range c.learns {
			p.learn(v, is, known)
		}
		for v, want := range c.want {
			if is, sure := p.answer(v, known, 0); (answer{is, sure}) != want {
				t.Errorf("%s: value %d is %t (known: %t), want %v", name, v, is, sure, want)
			}
		}
	}
	p, known := made(t, f), noFacts()
	p.learn(8, true, known)
	p.learn(7, false, known)
	if is, sure := p.answer(9, known, 0); is || !sure {
		t.Error("of two errors one is nil, and joined they are not: the other may be nil")
	}
}

// The fields of a variable are those of what it got.
func TestFieldOfVariable(t *testing.T) {
	for name, c := range map[string]struct {
		what   string
		args   []int
		closed bool
	}{
		"not set":   {"name", []int{5}, true},
		"set":       {"name ok", []int{5, 6}, true},
		"computed":  {"name ok", []int{5, 7}, false},
		"embedding": {"Base", []int{5}, false},
	} {
		p := made(t, shape.Flow{
			Values: []shape.Value{
				{Op: "param", What: "in"},
				{Op: "field", What: "ok", Args: []int{0}},
				{Op: "phi", Args: []int{0, 4}, Node: 2},
				{Op: "field", What: "ok", Args: []int{2}},
				{Op: "struct", What: c.what, Args: c.args},
				{Op: "const", What: `"a"`},
				{Op: "const", What: "false"},
				{Op: "field", What: "other", Args: []int{0}},
				{Op: "field", What: "ok", Args: []int{0}},
			},
			Nodes: []shape.Node{
				{Kind: shape.Join, Next: []int{1}},
				{Kind: shape.Branch, Args: []int{1}, Next: []int{4, 2}},
				{Kind: shape.Join, Next: []int{3}, In: []shape.Edge{{From: 1, Next: 1}, {From: 4, Next: 0}}},
				{Kind: shape.Branch, Args: []int{3}, Next: []int{5, 5}},
				{Kind: shape.Branch, Args: []int{7}, Next: []int{2, 5}},
				{Kind: shape.Return},
			},
		}, shape.Param{Name: "in", Type: 1})
		if got := p.closed[fork{p, 3, 0}]; got != c.closed {
			t.Errorf("%s: it is known that the field is false: %t, want %t", name, got, c.closed)
		}
	}
}
