package rehearsal

import (
	"slices"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// doubled has a loop that doubles what begins as one of two numbers, up to a limit, and a fine that is 25 of it but not more than
// most.
func doubled(limit, most string) shape.Flow {
	f := rounds(limit)
	f.Values[1] = shape.Value{Op: "if", Args: []int{10, 11, 12}}
	f.Values[2] = shape.Value{Op: "*", Args: []int{0, 13}}
	f.Values[7] = shape.Value{Op: "<", Args: []int{2, 8}}
	f.Values = append(f.Values,
		shape.Value{Op: "param", What: "express"},
		shape.Value{Op: "const", What: "4"},
		shape.Value{Op: "const", What: "24"},
		shape.Value{Op: "const", What: "2"},
		shape.Value{Op: "call", What: "min", Args: []int{15, 17}}, // 14
		shape.Value{Op: "*", Args: []int{2, 16}},
		shape.Value{Op: "const", What: "25"},
		shape.Value{Op: "const", What: most},
	)
	f.Nodes[3].Args = []int{14}
	return f
}

// It is known which of few numbers are next to a limit, and whether one is at it.
func TestFewNumbers(t *testing.T) {
	p := made(t, doubled("97", "2400"))
	p.findPossible()
	if want := []int64{4, 8, 16, 24, 32, 48, 64, 96}; !slices.Equal(p.numbers[0], want) {
		t.Errorf("what is doubled up to 96 is %v, want %v", p.numbers[0], want)
	}
	if want := (beside{1, 31}); p.beside[7] != want {
		t.Errorf("next to the limit of 97 is %v, want %v", p.beside[7], want)
	}
	for limit, want := range map[string]beside{"96": {}, "64": {}, "65": {1, 31}, "30": {14, 2}} {
		p := made(t, doubled(limit, "2400"))
		if p.findPossible(); p.beside[7] != want {
			t.Errorf("next to the limit of %s is %v, want %v", limit, p.beside[7], want)
		}
	}
}

// What is never more than a limit has only to be less, and what may be more has to be both.
func TestOrdersOfNumbers(t *testing.T) {
	for most, want := range map[string]uint8{"2400": sawLess, "2401": sawLess, "2399": sawLess | sawMore, "200": sawMore, "199": sawMore} {
		p := made(t, doubled("97", most))
		if p.findPossible(); p.needs[14] != want {
			t.Errorf("25 of what is doubled is compared with %s in ways %b, want %b", most, p.needs[14], want)
		}
	}
	p := made(t, doubled("1000000000000000000", "200"))
	if p.findPossible(); p.needs[14] != sawLess|sawMore {
		t.Error("numbers that are too large to be counted are known")
	}
}

// A number that only grows where something is known of it may be any where that is not.
func TestNumbersThatAreNotFew(t *testing.T) {
	f := doubled("97", "2400")
	f.Values[7] = shape.Value{Op: "<", Args: []int{18, 8}}
	f.Values = append(f.Values, shape.Value{Op: "param", What: "n"})
	p := made(t, f, shape.Param{Name: "n"})
	p.findPossible()
	if all, known := p.numbers[0]; known {
		t.Errorf("what is doubled for ever is one of %v", all)
	}
	if want := uint8(sawLess | sawMore); p.needs[14] != want {
		t.Errorf("what is doubled for ever is compared in ways %b, want %b", p.needs[14], want)
	}
}
