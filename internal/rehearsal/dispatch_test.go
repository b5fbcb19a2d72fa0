package rehearsal

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// behindInterface is a flow of an activity with what a method gives of one of two types: one gives a field, the other a constant.
func behindInterface(what string) shape.Flow {
	flow := steps([]shape.Node{{Kind: shape.Join, Next: []int{1}, Type: shape.NoType}}, []shape.Value{
		{Op: "param", What: "o"},                                    // 0
		{Op: "==", Args: []int{0, 2}},                               // 1
		{Op: "const", What: "5"},                                    // 2
		{Op: "struct", What: "n", Args: []int{2}},                   // 3
		{Op: "box", What: "p.A", Args: []int{3}},                    // 4
		{Op: "box", What: "*p.B", Args: []int{3}},                   // 5
		{Op: "if", Args: []int{1, 4, 5}},                            // 6
		{Op: "func", Args: []int{8}},                                // 7
		{Op: "field", What: "n", Args: []int{9}},                    // 8
		{Op: "arg", What: "0"},                                      // 9
		{Op: "method", What: "p.A", Args: []int{7}},                 // 10
		{Op: "func", Sum: "f"},                                      // 11
		{Op: "method", What: "*p.B", Args: []int{11}},               // 12
		{Op: "dispatch", What: "(p.I).Get", Args: []int{6, 10, 12}}, // 13
		{Op: "is", What: "p.A", Args: []int{6}},                     // 14
		{Op: "assert", What: "p.A", Args: []int{6}},                 // 15
		{Op: "field", What: "n", Args: []int{15}},                   // 16
		{Op: "const", What: what},                                   // 17
		{Op: "if", Args: []int{14, 16, 17}},                         // 18
	}, "0")
	flow.Nodes[1].Args = []int{13}
	flow.Functions = []shape.Function{{Sum: "f", Flow: shape.Flow{
		Nodes:  []shape.Node{{Kind: shape.Join, Next: []int{1}, Type: shape.NoType}, {Kind: shape.Return, Args: []int{0}, Type: shape.NoType}},
		Values: []shape.Value{{Op: "const", What: what}},
	}}}
	return flow
}

// TestDispatch compares calls of a method of an interface with a choice by the type.
func TestDispatch(t *testing.T) {
	t.Parallel()
	byType := func(what string) shape.Flow {
		flow := behindInterface(what)
		flow.Nodes[1].Args = []int{18}
		return flow
	}
	for _, c := range []struct {
		name     string
		old, now shape.Flow
		same     bool
	}{
		{"chosen by its type", behindInterface("1"), byType("1"), true},
		{"another function", behindInterface("1"), behindInterface("2"), false},
		{"another choice", behindInterface("1"), byType("2"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lock, o := &shape.Lock{Types: []shape.Type{{Kind: "int", Bits: 64}}}, &shape.Orchestrator{Params: []shape.Param{{Name: "o"}}}
			x := newPair(shape.Program{Lock: lock, Orchestrator: o, Flow: &c.old}, shape.Program{Lock: lock, Orchestrator: o, Flow: &c.now})
			defer x.close()
			wrong := ""
			for seed := range uint64(200) {
				if wrong == "" {
					wrong = x.once(seed)
				}
			}
			if (wrong == "") != c.same {
				t.Errorf("found %q, want that they are the same: %t", wrong, c.same)
			}
		})
	}
}

// TestErrorAs looks for errors by their types.
func TestErrorAs(t *testing.T) {
	t.Parallel()
	own := boxed{"*p.E", record{"n": int64(1)}}
	for _, c := range []struct {
		name  string
		err   any
		found any
		known bool
	}{
		{"none", nil, nil, true},
		{"itself", own, own.value, true},
		{"another type", boxed{"p.E", own.value}, nil, true},
		{"wrapped", fault{id: "errorf", cause: []any{fault{id: "a"}, fault{id: "joined", cause: []any{own}}}}, own.value, true},
		{"a plain one", fault{id: "a"}, nil, true},
		{"one that is not known", unknown{3}, nil, false},
		{"behind one that is not known", fault{id: "joined", cause: []any{unknown{3}, own}}, nil, false},
	} {
		if found, known := errorOfType(c.err, "*p.E"); known != c.known || (found == nil) != (c.found == nil) || found != nil && text(found) != text(c.found) {
			t.Errorf("%s: %v, %t", c.name, found, known)
		}
	}
}
