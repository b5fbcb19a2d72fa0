package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// rounds has a loop whose variables are a counter and a text, and a use of the text behind it.
func rounds(limit string) shape.Flow {
	return shape.Flow{
		Values: []shape.Value{
			{Op: "phi", Args: []int{1, 2}, Node: 1},
			{Op: "const", What: "0"},
			{Op: "+", Args: []int{0, 3}},
			{Op: "const", What: "1"},
			{Op: "phi", Args: []int{5, 6}, Node: 1},
			{Op: "const", What: `"first"`},
			{Op: "const", What: `"again"`},
			{Op: "<", Args: []int{0, 8}},
			{Op: "const", What: limit},
			{Op: "future", Node: 3},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Join, Next: []int{2}, In: []shape.Edge{{From: 0}, {From: 4}}},
			{Kind: shape.Branch, Args: []int{7}, Next: []int{3, 5}},
			{Kind: shape.Activity, Target: "a", Next: []int{4}},
			{Kind: shape.Await, Args: []int{9}, Next: []int{1}},
			{Kind: shape.Activity, Target: "b", Args: []int{4}, Next: []int{6}},
			{Kind: shape.Return},
		},
	}
}

// made is the program of a flow.
func made(t *testing.T, f shape.Flow, params ...shape.Param) *program {
	t.Helper()
	p := programOf(lockOf(f, params...))
	x := newPair(p, p)
	t.Cleanup(x.close)
	return x.old.program
}

// What comes into a variable at the beginning is not used behind a loop that goes round at least once.
func TestReaches(t *testing.T) {
	for _, c := range []struct {
		limit string
		edge  int
		want  bool
	}{{"1", 0, false}, {"1", 1, true}, {"0", 0, true}, {"0", 1, false}, {"3", 0, false}, {"3", 1, true}} {
		if got := made(t, rounds(c.limit)).reaches(arrival{4, c.edge})[5]; got != c.want {
			t.Errorf("of %s rounds, what comes by way %d is used behind the loop: %t, want %t", c.limit, c.edge, got, c.want)
		}
	}
}

// A loop that does not go round is dead, and one that does is not.
func TestClosedByCount(t *testing.T) {
	for limit, want := range map[string][2]bool{"0": {true, false}, "-4": {true, false}, "1": {}, "1000": {}} {
		p := made(t, rounds(limit))
		for next := range 2 {
			if got := p.closed[fork{p, 2, next}]; got != want[next] {
				t.Errorf("of %s rounds, way %d from the branch is closed: %t, want %t", limit, next, got, want[next])
			}
		}
	}
}

// waitedFor asks which of two futures was there, one after the other, and then for a third.
func waitedFor() shape.Flow {
	return shape.Flow{
		Values: []shape.Value{
			{Op: "future", Node: 1},
			{Op: "future", Node: 2},
			{Op: "result", Node: 3},
			{Op: "==", Args: []int{2, 4}},
			{Op: "const", What: "0"},
			{Op: "==", Args: []int{2, 6}},
			{Op: "const", What: "1"},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Timer, Next: []int{2}},
			{Kind: shape.Receive, Target: "e", Next: []int{3}},
			{Kind: shape.AwaitAny, Args: []int{0, 1}, Next: []int{4}},
			{Kind: shape.Branch, Args: []int{3}, Next: []int{6, 5}},
			{Kind: shape.Branch, Args: []int{5}, Next: []int{7, 8}},
			{Kind: shape.Return},
			{Kind: shape.Return},
			{Kind: shape.Activity, Target: "a", Next: []int{9}},
			{Kind: shape.Return},
		},
	}
}

func TestWhichOfAll(t *testing.T) {
	p := made(t, waitedFor())
	if !p.closed[fork{p, 5, 1}] || p.live[8] {
		t.Error("one of two futures is neither the first nor the second")
	}
	if p.closed[fork{p, 4, 0}] || p.closed[fork{p, 4, 1}] || p.closed[fork{p, 5, 0}] {
		t.Error("one of two futures is always the same")
	}
}

// What is known of a number that may have a fraction is less than of a whole one.
func TestBound(t *testing.T) {
	p := made(t, shape.Flow{
		Values: []shape.Value{
			{Op: "len", Args: []int{1}},
			{Op: "param", What: "items"},
			{Op: "const", What: "3"},
			{Op: "<", Args: []int{0, 2}},
			{Op: "call", What: "max", Args: []int{5, 2}},
			{Op: "index", Args: []int{1, 2}},
			{Op: "<", Args: []int{2, 4}},
			{Op: "slice", Args: []int{1, 2, 8, 8}},
			{Op: "const", What: "nil"},
			{Op: "len", Args: []int{7}},
			{Op: "<", Args: []int{2, 0}},
		},
		Nodes: []shape.Node{{Kind: shape.Join, Next: []int{1}}, {Kind: shape.Return}},
	}, shape.Param{Name: "items", Type: 1})
	for _, c := range []struct {
		v, of int
		is    bool
		want  span
	}{
		{3, 0, true, span{0, 2, false}},
		{3, 0, false, span{3, highest, false}},
		{6, 4, true, span{3, highest, true}},
		{6, 4, false, span{3, 3, true}},
		{10, 9, true, span{1, highest, false}},
	} {
		known := noFacts()
		p.learn(c.v, c.is, known)
		if got, ok := p.span(c.of, known, 0); !ok || got != c.want {
			t.Errorf("if value %d is %t, value %d is in %v, want %v", c.v, c.is, c.of, got, c.want)
		}
	}
}

// An error that wraps another one is that, and no error is none.
func TestErrorsThatAreKnown(t *testing.T) {
	p := made(t, shape.Flow{
		Values: []shape.Value{
			{Op: "global", What: "a.ErrA"},
			{Op: "global", What: "a.ErrB"},
			{Op: "const", What: `"%d: %w"`},
			{Op: "const", What: "7"},
			{Op: "call", What: "fmt.Errorf", Args: []int{2, 3, 0}},
			{Op: "call", What: "errors.Is", Args: []int{4, 0}},
			{Op: "call", What: "errors.Is", Args: []int{4, 1}},
			{Op: "const", What: "nil"},
			{Op: "call", What: "errors.Is", Args: []int{7, 0}},
			{Op: "const", What: `"%d: %v"`},
			{Op: "call", What: "fmt.Errorf", Args: []int{9, 3, 0}},
			{Op: "call", What: "errors.Is", Args: []int{10, 0}},
			{Op: "==", Args: []int{10, 7}},
		},
		Nodes: []shape.Node{{Kind: shape.Join, Next: []int{1}}, {Kind: shape.Return}},
	})
	for v, want := range map[int][2]bool{5: {true, true}, 6: {false, false}, 8: {false, true}, 11: {false, false}, 12: {false, true}} {
		if yes, sure := p.answer(v, noFacts(), 0); [2]bool{yes, sure} != want {
			t.Errorf("value %d is %t (known: %t), want %v", v, yes, sure, want)
		}
	}
}

// repeated receives events as long as they are of one kind, and does something when there were enough: sometimes it begins to
// count shortly before that. The last value is the text that tells that it has counted all.
func repeated(all ...shape.Value) shape.Flow {
	values := []shape.Value{
		{Op: "phi", Args: []int{1, 2, 3}, Node: 2},
		{Op: "const", What: "5"},
		{Op: "const", What: "0"},
		{Op: "+", Args: []int{0, 4}},
		{Op: "const", What: "1"},
		{Op: "<", Args: []int{0, 6}},
		{Op: "const", What: "6"},
		{Op: "future", Node: 4},
		{Op: "result", Args: []int{7}},
		{Op: "==", Args: []int{8, 10}},
		{Op: "const", What: "7"},
		{Op: "<", Args: []int{12, 2}},
		{Op: "param", What: "n"},
		{Op: "phi", Args: []int{14, 14 + len(all), 13}, Node: 2},
		{Op: "const", What: `"some"`},
	}
	return shape.Flow{Values: append(values, all...), Nodes: []shape.Node{
		{Kind: shape.Join, Next: []int{1}},
		{Kind: shape.Branch, Args: []int{11}, Next: []int{2, 2}},
		{Kind: shape.Join, Next: []int{3}, In: []shape.Edge{{From: 1}, {From: 1, Next: 1}, {From: 6}}},
		{Kind: shape.Branch, Args: []int{5}, Next: []int{4, 7}},
		{Kind: shape.Receive, Target: "e", Next: []int{5}},
		{Kind: shape.Await, Args: []int{7}, Next: []int{6}},
		{Kind: shape.Branch, Args: []int{9}, Next: []int{2, 8}},
		{Kind: shape.Activity, Target: "b", Args: []int{13}, Next: []int{8}},
		{Kind: shape.Return},
	}}
}

// Scenarios come to what needs one thing after the other, though every way was taken by others.
func TestStrive(t *testing.T) {
	n := shape.Param{Name: "n", Type: 0}
	joined := func(text string) shape.Flow {
		return repeated(shape.Value{Op: "const", What: `"a"`}, shape.Value{Op: "const", What: text}, shape.Value{Op: "cat", Args: []int{15, 16}})
	}
	old := repeated(shape.Value{Op: "const", What: `"all"`})
	if wrong, missing, runs := rehearsed(old, joined(`"ll"`), n); wrong != "" || len(missing) > 0 {
		t.Errorf("after %d scenarios: %s, %q", runs, wrong, missing)
	}
	if wrong, _, runs := rehearsed(old, joined(`"lll"`), n); wrong == "" {
		t.Errorf("a text became another, and %d scenarios do not show it", runs)
	}
}

// Of the scenarios that have come near to a limit some are kept on each side, and of those the nearest.
func TestSamplesOnBothSides(t *testing.T) {
	x := &pair{closest: map[goal][]sample{}}
	g := goal{question: question{v: 1}}
	for i := range 100 {
		x.keep(g, sample{gap: -1})
		x.keep(g, sample{gap: float64(200 - i)})
	}
	above, farthest := 0, 0.0
	for _, s := range x.closest[g] {
		above += btoi(s.gap > 0)
		farthest = max(farthest, s.gap)
	}
	if above != mostSamples/2 || farthest > 104 {
		t.Errorf("kept are %v", x.closest[g])
	}
}

// A step that was called after a cancellation has got nothing that anybody compares.
func TestUseTakesASlot(t *testing.T) {
	failing := func(f shape.Flow) shape.Flow {
		f.Values[1].What, f.Values[6].What = "15", "16"
		f.Values[8].Op, f.Values[10].What = "error", "nil"
		f.Nodes[4] = shape.Node{Kind: shape.Activity, Target: "a", Next: []int{5}}
		f.Nodes[6].Next, f.Nodes[2].In[2].Next = []int{8, 2}, 1
		return f
	}
	old := failing(repeated(shape.Value{Op: "const", What: `"all"`}))
	now := failing(repeated(shape.Value{Op: "const", What: `"a"`}, shape.Value{Op: "const", What: `"lll"`}, shape.Value{Op: "cat", Args: []int{15, 16}}))
	if wrong, missing, runs := rehearsed(old, now, shape.Param{Name: "n", Type: 0}); wrong == "" && len(missing) == 0 {
		t.Errorf("%d scenarios do not show that a text is another, and nothing is missing", runs)
	}
}
