package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// lockOf is a lock with one orchestrator.
func lockOf(f shape.Flow, params ...shape.Param) *shape.Lock {
	types := []shape.Type{{Kind: "int", Bits: 64}, {Kind: "list", Elem: 0}, {Kind: "string"}}
	for i := range f.Nodes {
		f.Nodes[i].Type = shape.NoType
	}
	return &shape.Lock{
		Orchestrators: []shape.Orchestrator{{Name: "o", Params: params, Result: shape.NoType, Flow: f}},
		Events:        []shape.Endpoint{{Name: "e", Params: []shape.Param{{Type: 0}}, Result: shape.NoType}},
		Types:         types,
	}
}

// rehearsed runs two flows.
func rehearsed(old, now shape.Flow, params ...shape.Param) (wrong string, missing []string, runs int) {
	o, n := lockOf(old, params...), lockOf(now, params...)
	x := newPair(programOf(o), programOf(n))
	defer x.close()
	return x.rehearse(), x.missing(), x.done
}

// chosen starts one activity or another.
func chosen(values []shape.Value, by int) shape.Flow {
	return shape.Flow{Values: values, Nodes: []shape.Node{
		{Kind: shape.Join, Next: []int{1}},
		{Kind: shape.Branch, Args: []int{by}, Next: []int{2, 3}},
		{Kind: shape.Activity, Target: "small", Next: []int{4}},
		{Kind: shape.Activity, Target: "large", Next: []int{4}},
		{Kind: shape.Join, Next: []int{5}, In: []shape.Edge{{From: 2}, {From: 3}}},
		{Kind: shape.Return},
	}}
}

// summed compares the sum of a list with a limit.
func summed(limit string, sum ...int) shape.Flow {
	return chosen([]shape.Value{
		{Op: "<", Args: []int{1, 12}},
		{Op: "eta", Args: []int{2, 8}, Loop: 1},
		{Op: "not", Args: []int{3}},
		{Op: "<", Args: []int{4, 7}},
		{Op: "mu", Args: []int{5, 6}, Loop: 1},
		{Op: "const", What: "0"},
		{Op: "+", Args: []int{4, 11}},
		{Op: "len", Args: []int{10}},
		{Op: "mu", Args: []int{5, 9}, Loop: 1},
		{Op: "+", Args: sum},
		{Op: "param", What: "items"},
		{Op: "const", What: "1"},
		{Op: "const", What: limit},
		{Op: "index", Args: []int{10, 4}},
	}, 0)
}

func TestLimitOfASum(t *testing.T) {
	items := shape.Param{Name: "items", Type: 1}
	for _, other := range []string{"123456", "123458", "99999"} {
		if wrong, _, runs := rehearsed(summed("123457", 13, 8), summed(other, 13, 8), items); wrong == "" {
			t.Errorf("123457 became %s, and %d scenarios do not show it", other, runs)
		}
	}
	wrong, missing, runs := rehearsed(summed("123457", 13, 8), summed("123457", 8, 13), items)
	if wrong != "" || len(missing) > 0 {
		t.Errorf("added the other way round, after %d scenarios: %s, %q", runs, wrong, missing)
	}
}

func TestText(t *testing.T) {
	texts := func(is string) shape.Flow {
		return chosen([]shape.Value{
			{Op: "==", Args: []int{1, 2}},
			{Op: "call", What: "strings.ToUpper", Args: []int{3}},
			{Op: "const", What: is},
			{Op: "param", What: "name"},
		}, 0)
	}
	name := shape.Param{Name: "name", Type: 2}
	if wrong, _, runs := rehearsed(texts(`"NORTH-7"`), texts(`"NORTH-8"`), name); wrong == "" {
		t.Errorf("%d scenarios do not show that a text is another", runs)
	}
	if wrong, missing, _ := rehearsed(texts(`"NORTH-7"`), texts(`"NORTH-7"`), name); wrong != "" || len(missing) > 0 {
		t.Errorf("nothing was changed: %s, %q", wrong, missing)
	}
}

// counted counts events until a timer, and starts two activities: in another order if there were several events.
func counted(first, second string) shape.Flow {
	return shape.Flow{
		Values: []shape.Value{
			{Op: "future", Node: 1},
			{Op: "future", Node: 3},
			{Op: "==", Args: []int{3, 4}},
			{Op: "result", Node: 4},
			{Op: "const", What: "0"},
			{Op: "phi", Args: []int{4, 6}, Node: 2},
			{Op: "+", Args: []int{5, 7}},
			{Op: "const", What: "1"},
			{Op: "<", Args: []int{5, 9}},
			{Op: "const", What: "2"},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Timer, Next: []int{2}},
			{Kind: shape.Join, Next: []int{3}, In: []shape.Edge{{From: 1}, {From: 5, Next: 1}}},
			{Kind: shape.Receive, Target: "e", Next: []int{4}},
			{Kind: shape.AwaitAny, Args: []int{0, 1}, Next: []int{5}},
			{Kind: shape.Branch, Args: []int{2}, Next: []int{6, 2}},
			{Kind: shape.Branch, Args: []int{8}, Next: []int{7, 9}},
			{Kind: shape.Activity, Target: "a", Next: []int{8}},
			{Kind: shape.Activity, Target: "b", Next: []int{11}},
			{Kind: shape.Activity, Target: first, Next: []int{10}},
			{Kind: shape.Activity, Target: second, Next: []int{11}},
			{Kind: shape.Join, Next: []int{12}, In: []shape.Edge{{From: 8}, {From: 10}}},
			{Kind: shape.Return},
		},
	}
}

func TestOrderAfterTwoEvents(t *testing.T) {
	if wrong, _, runs := rehearsed(counted("a", "b"), counted("b", "a")); wrong == "" {
		t.Errorf("%d scenarios do not show another order", runs)
	}
	if wrong, missing, _ := rehearsed(counted("a", "b"), counted("a", "b")); wrong != "" || len(missing) > 0 {
		t.Errorf("nothing was changed: %s, %q", wrong, missing)
	}
}

// A value that comes into a variable in one round of a loop and is used in the next has to be seen there.
func TestUseOfAVariable(t *testing.T) {
	f := func(later string) shape.Flow {
		return shape.Flow{
			Values: []shape.Value{
				{Op: "phi", Args: []int{1, 2}, Node: 1},
				{Op: "const", What: `"first"`},
				{Op: "const", What: later},
				{Op: "future", Node: 2},
				{Op: "==", Args: []int{5, 6}},
				{Op: "error", Args: []int{3}},
				{Op: "const", What: "nil"},
			},
			Nodes: []shape.Node{
				{Kind: shape.Join, Next: []int{1}},
				{Kind: shape.Join, Next: []int{2}, In: []shape.Edge{{From: 0}, {From: 4, Next: 1}}},
				{Kind: shape.Activity, Target: "a", Args: []int{0}, Next: []int{3}},
				{Kind: shape.Await, Args: []int{3}, Next: []int{4}},
				{Kind: shape.Branch, Args: []int{4}, Next: []int{5, 1}},
				{Kind: shape.Return},
			},
		}
	}
	o, n := lockOf(f(`"again"`)), lockOf(f(`"once more"`))
	x := newPair(programOf(o), programOf(n))
	defer x.close()
	if missing := x.missing(); len(missing) == 0 {
		t.Error("nothing is missing before anything was run")
	}
	if x.rehearse() == "" {
		t.Error("scenarios do not show another argument")
	}
}

// programOf is the orchestrator of a lock that has one.
func programOf(l *shape.Lock) shape.Program {
	return shape.Program{Lock: l, Orchestrator: &l.Orchestrators[0], Flow: &l.Orchestrators[0].Flow}
}
