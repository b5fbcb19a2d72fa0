package lock_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// drawnTypes are what fields of drawn structs are.
var drawnTypes = []reflect.Type{
	reflect.TypeFor[int](), reflect.TypeFor[int16](), reflect.TypeFor[string](), reflect.TypeFor[bool](), reflect.TypeFor[float64](),
	reflect.TypeFor[[]int](), reflect.TypeFor[[3]int](), reflect.TypeFor[map[string]int](), reflect.TypeFor[*int](), reflect.TypeFor[any](),
	reflect.TypeFor[Base](), reflect.TypeFor[*Base](), reflect.TypeFor[Wider](), reflect.TypeFor[Reorder](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[[]byte](), reflect.TypeFor[Cents](), reflect.TypeFor[Few](), reflect.TypeFor[[]Base](), reflect.TypeFor[map[string]Base](),
}

var drawnTags = []reflect.StructTag{
	"", "", `json:"a"`, `json:"b"`, `json:"A"`, `json:",omitempty"`, `json:",omitzero"`, `json:"a,omitempty"`, `json:"-"`, `json:",string"`,
	`json:",omitempty,omitzero"`,
}

// TestDrawnTypesAgreeWithJSON changes drawn structs in one place: what encoding/json then does to values has to have been
// foretold.
func TestDrawnTypesAgreeWithJSON(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	pkg := checkPayloads(t)
	for range 80 {
		fields := drawFields(r)
		edited := editFields(r, fields)
		if annihilates(fields) || annihilates(edited) {
			continue // what code puts into such fields does not travel, and is looked at in the code
		}
		before, after := reflect.StructOf(fields), reflect.StructOf(edited)
		foretold, seen := pkg.foretell(t, before, after), observe(t, r, before, after)
		ok := foretold.Fails || !seen.Fails && (!seen.Rewrites || foretold.Rewrites) && (!seen.Loses || foretold.Loses || foretold.Rewrites) &&
			(!seen.bytes || foretold.bytes)
		if !ok {
			t.Errorf("seed %d: %s\nbecame %s:\nfails %t (%s), rewrites %t, loses %t, other bytes %t (%s); foretold were %+v", seed, before, after,
				seen.Fails, seen.failing, seen.Rewrites, seen.Loses, seen.bytes, seen.rewritten, foretold.changes)
		}
	}
}

// annihilates reports whether two fields have one name.
func annihilates(fields []reflect.StructField) bool {
	seen := map[string]bool{}
	return slices.ContainsFunc(fields, func(f reflect.StructField) bool {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		twice := seen[name]
		seen[name] = true
		return twice && name != "-"
	})
}

func drawFields(r *rand.Rand) []reflect.StructField {
	var fields []reflect.StructField
	for _, name := range []string{"A", "B", "C"}[:1+r.IntN(3)] {
		fields = append(fields, reflect.StructField{Name: name, Type: pick(r, drawnTypes...), Tag: pick(r, drawnTags...)})
	}
	if r.IntN(3) == 0 {
		base := pick(r, reflect.TypeFor[Base](), reflect.TypeFor[Wider]())
		fields = append(fields, reflect.StructField{Name: base.Name(), Type: base, Anonymous: true, Tag: pick[reflect.StructTag](r, "", `json:"base"`, `json:"-"`)})
	}
	return fields
}

// editFields changes one thing.
func editFields(r *rand.Rand, fields []reflect.StructField) []reflect.StructField {
	fields = slices.Clone(fields)
	i := r.IntN(len(fields))
	switch r.IntN(5) {
	case 0:
		fields[i].Tag = pick(r, drawnTags...)
	case 1:
		if !fields[i].Anonymous {
			fields[i].Type = pick(r, drawnTypes...)
		}
	case 2:
		fields = slices.Delete(fields, i, i+1)
	case 3:
		fields = slices.Insert(fields, i, reflect.StructField{Name: "D", Type: pick(r, drawnTypes...), Tag: pick(r, drawnTags...)})
	case 4:
		slices.Reverse(fields)
	}
	return fields
}
