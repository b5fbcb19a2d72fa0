package lock_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/shape"
)

// pair are two programs; F is looked at.
type pair struct{ name, a, b string }

func TestRefactoringsAreNotSeen(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	for i, p := range append(computations, decisions...) {
		programs[fmt.Sprintf("p%02da", i)], programs[fmt.Sprintf("p%02db", i)] = p.a, p.b
	}
	all := flows(t, programs)
	for i, p := range append(computations, decisions...) {
		a, b := all[fmt.Sprintf("p%02da", i)], all[fmt.Sprintf("p%02db", i)]
		if encoded(t, bare(a)) != encoded(t, bare(b)) {
			t.Errorf("%s: %s", p.name, cmp.Diff(text(a), text(b)))
		}
	}
}

// bare leaves out what is for positions only: what constants are made of, and how code is written; and what only rehearsals ask for.
func bare(flow shape.Flow) shape.Flow {
	flow.Written = nil
	flow.Nodes = slices.Clone(flow.Nodes)
	for i := range flow.Nodes {
		flow.Nodes[i].Shielded = false
	}
	flow.Values = slices.Clone(flow.Values)
	for i := range flow.Values {
		if flow.Values[i].Op == "const" {
			flow.Values[i].Args = nil
		}
	}
	return flow
}
