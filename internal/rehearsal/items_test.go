package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// The error of a Map has those of its items, in their order.
func TestItemsIn(t *testing.T) {
	bad := failure([]failed{{2, fault{id: "E2"}}, {0, fault{id: "E0"}}})
	wrapped := fault{id: "errorf", cause: []any{fault{id: "E"}, bad}}
	for _, err := range []any{bad, wrapped} {
		found, known := itemsIn(err, itemErrors)
		all, _ := found.(list)
		if !known || len(all) != 2 {
			t.Fatalf("in %s are %v, known: %t", text(err), found, known)
		}
		r := &run{}
		for i, want := range []string{"0 error(E0;;)", "2 error(E2;;)"} {
			if got := text(r.field("Index", all[i])) + " " + text(r.field("Err", all[i])); got != want {
				t.Errorf("item %d is %s, want %s", i, got, want)
			}
		}
		if first, known := itemsIn(err, itemError); !known || text(first) != text(all[0]) {
			t.Errorf("the first of %s is %v, known: %t", text(err), first, known)
		}
	}
	if got, _ := (&run{}).errorsOf("errors.Unwrap", []any{failure([]failed{{0, fault{id: "E0"}}})}); got != nil {
		t.Errorf("one that wraps several errors wraps %s alone", text(got))
	}
	for _, c := range []struct {
		err   any
		known bool
	}{{nil, true}, {fault{id: "E"}, true}, {unknown{1}, false}, {boxed{"a.T", zero{}}, false}} {
		if found, known := itemsIn(c.err, itemErrors); found != nil || known != c.known {
			t.Errorf("in %s are %v, known: %t, want %t", text(c.err), found, known, c.known)
		}
	}
}

// partly does one thing more, for the second of them, if just two items of a list have failed.
func partly(more string) shape.Flow {
	body := shape.Flow{
		Values: []shape.Value{
			{Op: "param", What: "0"},
			{Op: "future", Node: 1},
			{Op: "error", Args: []int{1}},
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Activity, Target: "a", Args: []int{0}, Next: []int{2}, Type: shape.NoType},
			{Kind: shape.Await, Args: []int{1}, Next: []int{3}},
			{Kind: shape.Return, Args: []int{2}},
		},
	}
	return shape.Flow{
		Values: []shape.Value{
			{Op: "param", What: "items"},
			{Op: "const", What: "2"},
			{Op: "future", Node: 1},
			{Op: "error", Args: []int{2}},
			{Op: "const", What: "nil"},
			{Op: "global", What: "error"},
			{Op: "global", What: itemErrors},
			{Op: "call", What: "errors.As", Args: []int{3, 4, 5, 6}},
			{Op: "changed", What: "1", Args: []int{7}},
			{Op: "len", Args: []int{8}},
			{Op: "==", Args: []int{9, 1}},
			{Op: "index", Args: []int{8, 12}},
			{Op: "const", What: "1"},
			{Op: "field", What: "Index", Args: []int{11}},
			{Op: "const", What: more},
			{Op: "index", Args: []int{0, 13}},
			{Op: "+", Args: []int{15, 14}}, // 16
			{Op: "index", Args: []int{8, 18}},
			{Op: "const", What: "0"},
			{Op: "field", What: "Index", Args: []int{17}},
			{Op: "<", Args: []int{19, 13}},
			{Op: "if", Args: []int{20, 16, 18}}, // that too, if the first of them is in front of the second
		},
		Nodes: []shape.Node{
			{Kind: shape.Join, Next: []int{1}},
			{Kind: shape.Go, Target: "foreach", Args: []int{0, 1}, Bodies: []shape.Flow{body}, Next: []int{2}},
			{Kind: shape.Branch, Args: []int{10}, Next: []int{3, 4}},
			{Kind: shape.Activity, Target: "b", Args: []int{16}, Next: []int{4}},
			{Kind: shape.Return},
		},
	}
}

func TestSomeItemsFail(t *testing.T) {
	items := shape.Param{Name: "items", Type: 1}
	if wrong, missing, runs := rehearsed(partly("3"), partly("3"), items); wrong != "" || len(missing) > 0 {
		t.Errorf("after %d scenarios: %s, %q", runs, wrong, missing)
	}
	if wrong, _, runs := rehearsed(partly("3"), partly("4"), items); wrong == "" {
		t.Errorf("what is done of items that failed is another, and %d scenarios do not show it", runs)
	}
}

// The first of the items that failed is in front of the second.
func TestItemsInOrder(t *testing.T) {
	now := partly("3")
	now.Nodes[3].Args = []int{21}
	if wrong, _, runs := rehearsed(partly("3"), now, shape.Param{Name: "items", Type: 1}); wrong != "" {
		t.Errorf("after %d scenarios: %s", runs, wrong)
	}
}
