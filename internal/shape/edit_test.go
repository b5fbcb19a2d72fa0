package shape_test

import (
	"go/token"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/shape"
)

// written is a declaration whose pieces are the words of a text, one in each line from the first on.
func written(name string, first int, text string) shape.Written {
	w := shape.Written{Name: name, Pieces: text}
	for n := range strings.Fields(text) {
		w.Places = append(w.Places, token.Position{Filename: "shop.go", Line: first + n, Column: 1})
	}
	return w
}

// TestEdits: a finding points to what was edited, wherever that is felt.
func TestEdits(t *testing.T) {
	t.Parallel()
	const felt, column = 15, 9 // where the argument is that is another one
	old := func(names ...shape.Written) *shape.Lock {
		l := lock(parse("x = activity A(1)\nawait x"))
		l.Written = names
		return l
	}
	now := func(names ...shape.Written) *shape.Lock {
		flow := parse("x = activity A(2)\nawait x")
		for i := range flow.Values {
			flow.Values[i].Pos = token.Position{Filename: "shop.go", Line: felt, Column: column}
		}
		flow.Written = names
		return lock(flow)
	}
	order := "a b c d e f }" // lines 10 to 16
	for _, test := range []struct {
		name     string
		old, now []shape.Written
		want     int
	}{
		{"nothing is known", nil, []shape.Written{written("shop.Order", 10, order)}, felt},
		{"nothing was edited", []shape.Written{written("shop.Order", 0, order)}, []shape.Written{written("shop.Order", 10, order)}, felt},
		{"the line itself", []shape.Written{written("shop.Order", 0, order)}, []shape.Written{written("shop.Order", 10, "a b c d e F }")}, 15},
		{"a line before", []shape.Written{written("shop.Order", 0, order)}, []shape.Written{written("shop.Order", 10, "a B c d e f }")}, 11},
		{"the nearer of two", []shape.Written{written("shop.Order", 0, order)}, []shape.Written{written("shop.Order", 10, "A b c D e f }")}, 13},
		{"a line came", []shape.Written{written("shop.Order", 0, order)}, []shape.Written{written("shop.Order", 10, "a new b c d e f }")}, 11},
		{"a line is gone", []shape.Written{written("shop.Order", 0, "a b gone c d e f }")}, []shape.Written{written("shop.Order", 10, order)}, 12},
		{"lines became fewer", []shape.Written{written("shop.Order", 0, "a b x y c d e f }")}, []shape.Written{written("shop.Order", 10, "a b z c d e f }")}, 12},
		{"another declaration", []shape.Written{written("shop.Order", 0, order), written("shop.price", 0, "p q }")},
			[]shape.Written{written("shop.Order", 10, order), written("shop.price", 30, "p Q }")}, 31},
		{"here rather than there", []shape.Written{written("shop.Order", 0, order), written("shop.price", 0, "p q }")},
			[]shape.Written{written("shop.Order", 10, "A b c d e f }"), written("shop.price", 17, "P q }")}, 10},
		{"a declaration with another name", []shape.Written{written("shop.Order", 0, order), written("shop.price", 0, "p q r s }")},
			[]shape.Written{written("shop.Order", 10, order), written("shop.cost", 30, "p q R s }")}, 32},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			findings := shape.Compare(old(test.old...), now(test.now...), nil)
			if len(findings) != 1 || findings[0].Pos.Line != test.want || test.want == felt && findings[0].Pos.Column != column {
				t.Errorf("got %+v, want one in line %d", findings, test.want)
			}
		})
	}
}

// TestRewritten: how code is written is taken over with a change of what it does, and at no other time.
func TestRewritten(t *testing.T) {
	t.Parallel()
	with := func(activity string, pieces string) *shape.Lock {
		return &shape.Lock{Format: shape.Format, Orchestrators: []shape.Orchestrator{orchestrator("A", "", activity, shape.NoType)},
			Written: []shape.Written{{Name: "p.A", Pieces: pieces}}}
	}
	bare := with("x", "")
	bare.Written = nil
	for _, test := range []struct {
		name     string
		old, now *shape.Lock
		kept     bool
		want     string
	}{
		{"only rewritten", with("x", "a b"), with("x", "a c"), false, "a b"},
		{"changed", with("x", "a b"), with("y", "a c"), false, "a c"},
		{"changed, and not accepted", with("x", "a b"), with("y", "a c"), true, "a b"},
		{"of a lock that does not say it", bare, with("x", "a c"), false, "a c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := []shape.Written{{Name: "p.A", Pieces: test.want}}
			if diff := cmp.Diff(want, shape.Rewritten(test.old, test.now, test.kept)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
