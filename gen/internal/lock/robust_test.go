package lock_test

import (
	"fmt"
	"go/types"
	"slices"
	"testing"

	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/lock"
	"github.com/durablegen/durablegen/internal/shape"
)

// TestExamples reads what there is in this repository, twice: the flows are sound and the same.
func TestExamples(t *testing.T) {
	t.Parallel()
	program, list := sources(t, load.Config{Dir: "../../..", Patterns: []string{"./examples/..."}})
	ref := func(types.Type) shape.TypeRef { return shape.NoType }
	first := lock.Flows(program.Fset, list, nil, ref)
	again := lock.Flows(program.Fset, list, nil, ref)
	if len(first) < 4 {
		t.Errorf("%d orchestrators in the examples, want more", len(first))
	}
	for d, flow := range first {
		sound(t, d.Wire, flow)
		if encoded(t, flow) != encoded(t, again[d]) {
			t.Errorf("%s: read twice, two flows", d.Wire)
		}
		t.Logf("%s: %d nodes, %d values", d.Wire, len(flow.Nodes), len(flow.Values))
	}
}

// TestHazards reads what the linter is tested with: code that nobody should write, and that must not stop a run.
func TestHazards(t *testing.T) {
	t.Parallel()
	program, list := sources(t, load.Config{Dir: "../../../lint/testdata/corpus", Patterns: []string{"./..."}}, true)
	all := lock.Flows(program.Fset, list, nil, nil)
	for d, flow := range all {
		sound(t, d.Wire, flow)
	}
	if len(all) < 100 {
		t.Errorf("%d orchestrators, want those of the corpus", len(all))
	}
}

// bound checks that arguments of functions are looked at in these only.
func bound(t *testing.T, name string, flow shape.Flow) {
	t.Helper()
	seen := map[string]bool{}
	var walk func(v int, in []int)
	walk = func(v int, in []int) {
		key := fmt.Sprint(v, in)
		if seen[key] {
			return
		}
		seen[key] = true
		val := &flow.Values[v]
		switch {
		case val.Op == "arg" && !slices.Contains(in, val.Func):
			t.Errorf("%s: value %d is an argument of no function around it", name, v)
		case val.Op == "func" && val.Sum == "" && !slices.Contains(in, val.Func):
			in = append(slices.Clip(in), val.Func)
		}
		for _, a := range val.Args {
			walk(a, in)
		}
	}
	for _, n := range flow.Nodes {
		for _, a := range n.Args {
			walk(a, nil)
		}
	}
}

// sound checks what every flow promises.
func sound(t *testing.T, name string, flow shape.Flow) {
	t.Helper()
	in := make([]map[shape.Edge]bool, len(flow.Nodes))
	for i := range in {
		in[i] = map[shape.Edge]bool{}
	}
	for i, n := range flow.Nodes {
		for k, next := range n.Next {
			if next <= 0 || next >= len(flow.Nodes) {
				t.Fatalf("%s: node %d goes to %d of %d", name, i, next, len(flow.Nodes))
			}
			in[next][shape.Edge{From: i, Next: k}] = true
		}
		ways := map[shape.NodeKind]int{shape.Branch: 2, shape.Return: 0, shape.Panic: 0}
		if want, special := ways[n.Kind]; special && len(n.Next) != want || !special && len(n.Next) != 1 {
			t.Errorf("%s: node %d, %s, goes to %v", name, i, n.Kind, n.Next)
		}
		if i > 0 && n.Kind != shape.Join && !n.Pos.IsValid() {
			t.Errorf("%s: node %d, %s, has no position", name, i, n.Kind)
		}
		for _, a := range n.Args {
			if a < 0 || a >= len(flow.Values) {
				t.Fatalf("%s: node %d has argument %d of %d", name, i, a, len(flow.Values))
			}
		}
		for _, body := range n.Bodies {
			sound(t, name, body)
			for _, v := range body.Values {
				if v.Op == "outer" && v.What == "" {
					t.Errorf("%s: a value from outside without a number", name)
				}
			}
		}
	}
	for i, n := range flow.Nodes {
		switch {
		case n.Kind != shape.Join && len(in[i]) > 1:
			t.Errorf("%s: %d ways lead to node %d, which is a %s", name, len(in[i]), i, n.Kind)
		case n.Kind == shape.Join && len(n.In) != len(in[i]):
			t.Errorf("%s: node %d names %v as its ways in, which are %v", name, i, n.In, in[i])
		}
		for _, e := range n.In {
			if !in[i][e] {
				t.Errorf("%s: node %d has no way in from %v", name, i, e)
			}
		}
	}
	bound(t, name, flow)
	for _, fn := range flow.Functions {
		sound(t, name+" "+fn.Sum, fn.Flow)
	}
	for i, v := range flow.Values {
		if v.Op == "phi" && len(v.Args) != len(flow.Nodes[v.Node].In) {
			t.Errorf("%s: value %d, a phi of node %d, has %d arguments for %d ways", name, i, v.Node, len(v.Args), len(flow.Nodes[v.Node].In))
		}
		for _, op := range []string{"ref", "tuple", "saga", "case", "cancel", "lambda"} {
			if v.Op == op {
				t.Logf("%s: value %d is a %s at %s", name, i, op, v.Pos)
			}
		}
	}
}
