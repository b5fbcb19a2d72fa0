package lock_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/gen/internal/lock"
	"github.com/durablegen/durablegen/internal/shape"
)

// TestTypesAgreeWithJSON lets encoding/json write values of the old type, read them as the new one and write them again.
// What happens must be what the comparison of the two types foretold: no value fails that was said to decode, none is
// written otherwise that was said to be the same, and each warning has a value that bears it out.
func TestTypesAgreeWithJSON(t *testing.T) {
	t.Parallel()
	pkg := checkPayloads(t)
	for _, pair := range pairs {
		t.Run(pair.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			before, after := reflect.TypeOf(pair.old), reflect.TypeOf(pair.now)
			foretold := pkg.foretell(t, before, after)
			if foretold.Loses != pair.loses {
				t.Errorf("loses = %t, want %t: %+v", foretold.Loses, pair.loses, foretold.changes)
			}
			if (len(foretold.changes) == 0) != pair.same {
				t.Errorf("the same = %t, want %t: %+v", !pair.same, pair.same, foretold.changes)
			}
			if strings.HasPrefix(pair.name, "opaque: ") {
				return // what a type writes by itself cannot be foretold, so the worst is
			}
			t.Logf("seed %d", seed)
			seen := observe(t, rand.New(rand.NewPCG(seed, 0)), before, after)
			if seen.bytes && !foretold.bytes && !foretold.Fails {
				t.Errorf("seed %d: the bytes differ (%s), and that was not foretold: %+v", seed, seen.rewritten, foretold.changes)
			}
			if strings.HasPrefix(pair.name, "read otherwise: ") {
				if !foretold.Fails || !seen.Rewrites && !seen.Fails {
					t.Errorf("seed %d: reads otherwise: seen %t, foretold %t", seed, seen.Rewrites || seen.Fails, foretold.Fails)
				}
				return // of all that is read as something else it is said that it cannot be read
			}
			if seen.Fails != foretold.Fails {
				t.Errorf("seed %d: fails = %t (%s), foretold %t: %+v", seed, seen.Fails, seen.failing, foretold.Fails, foretold.changes)
			}
			if seen.Rewrites != foretold.Rewrites && (seen.Rewrites || !seen.Fails) {
				t.Errorf("seed %d: rewrites = %t (%s), foretold %t: %+v", seed, seen.Rewrites, seen.rewritten, foretold.Rewrites, foretold.changes)
			}
			if seen.Loses && !foretold.Loses && !foretold.Rewrites {
				t.Errorf("seed %d: %s comes back as something else: %+v", seed, seen.rewritten, foretold.changes)
			}
		})
	}
}

type verdict struct {
	Fails, Loses, Rewrites bool
	bytes                  bool // it is written as other bytes
	changes                []shape.TypeChange
	failing, rewritten     string
}

type payloads struct {
	fset   *token.FileSet
	file   *ast.File
	pkg    *types.Package
	source *lock.Source
}

// checkPayloads reads the file with the pairs as the generator reads a user's.
func checkPayloads(t *testing.T) payloads {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "payloads_test.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	cfg := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Implicits: map[ast.Node]types.Object{}, Instances: map[*ast.Ident]types.Instance{},
	}
	pkg, err := cfg.Check("payloads", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatal(err)
	}
	return payloads{fset, file, pkg, &lock.Source{Path: "payloads", Files: []*ast.File{file}, Types: pkg, Info: info}}
}

func (p payloads) foretell(t *testing.T, before, after reflect.Type) verdict {
	t.Helper()
	table := lock.NewTypes(p.fset, p.file)
	table.Look([]*lock.Source{p.source})
	from, to := table.Ref(p.typeOf(t, before)), table.Ref(p.typeOf(t, after))
	l := &shape.Lock{Format: shape.Format, Types: table.List(), Events: []shape.Endpoint{{Name: "e", Params: []shape.Param{{Type: from}}, Result: shape.NoType}}}
	old, err := shape.Read(l.Text()) // as it is read from the file
	if err != nil {
		t.Fatalf("%v\n%s", err, l.Text())
	}
	v := verdict{changes: shape.CompareTypes(&old, old.Events[0].Params[0].Type, l, to)}
	for _, c := range shape.CompareBytes(&old, old.Events[0].Params, l, []shape.Param{{Type: to}}) {
		v.bytes = v.bytes || c.Rewrites
	}
	for _, c := range v.changes {
		v.Fails, v.Loses, v.Rewrites = v.Fails || c.Fails, v.Loses || c.Loses, v.Rewrites || c.Rewrites
		if !c.Pos.IsValid() && after.Name() != "" {
			t.Errorf("no position: %+v", c)
		}
	}
	return v
}

var own = regexp.MustCompile(`[\w./-]*lock_test\.`)

// typeOf gives the type of a Go value as the file has it.
func (p payloads) typeOf(t *testing.T, r reflect.Type) types.Type {
	t.Helper()
	v, err := types.Eval(p.fset, p.pkg, p.pkg.Scope().Lookup("pairs").Pos(), "*new("+own.ReplaceAllString(r.String(), "")+")")
	if err != nil {
		t.Fatal(err)
	}
	return v.Type
}

// huge finds a whole number that a float64 may not hold.
var huge = regexp.MustCompile(`[^.\d]\d{16,}([^.\de]|$)`)

// float reports whether numbers of a type, or of a part of it, are float64.
func float(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Float64, reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return float(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if float(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

// observe tries many values.
func observe(t *testing.T, r *rand.Rand, before, after reflect.Type) verdict {
	t.Helper()
	var seen verdict
	for range 400 {
		value := reflect.New(before).Elem()
		fill(r, value, 0)
		written, err := json.Marshal(value.Interface())
		if err != nil {
			t.Fatal(err)
		}
		if huge.Match(written) && float(after, map[reflect.Type]bool{}) {
			continue // beyond 2^53: it is taken that there are no such numbers
		}
		if moved, ok := carried(value, after); ok {
			now := must(json.Marshal(moved.Interface()))
			seen.bytes = seen.bytes || !bytes.Equal(written, now)
			if !cmp.Equal(plain(t, written), plain(t, now)) {
				seen.Rewrites, seen.rewritten = true, string(written)+", put together by the code: "+string(now)
			}
		}
		read := reflect.New(after)
		if err := json.Unmarshal(written, read.Interface()); err != nil {
			seen.Fails, seen.failing = true, string(written)
			continue
		}
		again, err := json.Marshal(read.Elem().Interface())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, again) {
			seen.bytes, seen.rewritten = true, string(written)+" → "+string(again)
		}
		if !cmp.Equal(plain(t, written), plain(t, again)) {
			seen.Rewrites, seen.rewritten = true, string(written)+" → "+string(again)
		}
		back := reflect.New(before)
		if json.Unmarshal(again, back.Interface()) != nil || !cmp.Equal(plain(t, written), plain(t, must(json.Marshal(back.Elem().Interface())))) {
			seen.Loses, seen.rewritten = true, string(written)+" → "+string(again)
		}
	}
	return seen
}

// carried gives what code that puts an old value together makes with the new type, if it has all fields under their Go names.
func carried(value reflect.Value, after reflect.Type) (reflect.Value, bool) {
	moved := reflect.New(after).Elem()
	if value.Kind() != reflect.Struct || after.Kind() != reflect.Struct {
		return moved, false
	}
	for i := range value.NumField() {
		from := value.Type().Field(i)
		to, ok := after.FieldByName(from.Name)
		if !ok || to.Type.Kind() != from.Type.Kind() || !from.Type.ConvertibleTo(to.Type) || len(to.Index) != 1 || !from.IsExported() && !from.Anonymous {
			return moved, false
		}
		if from.Tag.Get("json") != "-" && moved.FieldByIndex(to.Index).CanSet() {
			moved.FieldByIndex(to.Index).Set(value.Field(i).Convert(to.Type))
		}
	}
	return moved, true
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func plain(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return numbers(v)
}

// numbers makes 1, 1.0 and 1e0 equal, as the comparison of arguments does.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = numbers(e)
		}
	case json.Number:
		f, err := v.Float64()
		if err == nil && (math.Abs(f) < 1<<53 || strings.ContainsAny(v.String(), ".eE")) {
			return f
		}
	}
	return v
}

// fill makes a value, with what is on the edge more often than chance would.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if r.IntN(4) == 0 {
		return // zero
	}
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(r.Int64N(1<<32), r.Int64N(1e9)).UTC()
		return
	case *json.RawMessage:
		*x = json.RawMessage(pick(r, `1`, `"x"`, `{"a":[true]}`, `null`, `12345678901234567890`))
		return
	case *OwnJSON:
		x.v = pick(r, "a", "b")
		return
	case *AsText:
		x.v = pick(r, "a", "b")
		return
	case interface{ draw(*rand.Rand) }:
		x.draw(r)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(pick(r, "a", "", "12", "!%", "long text"))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		top := int64(1)<<(v.Type().Bits()-1) - 1
		v.SetInt(pick(r, 1, -1, 100, top, -top, top-1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		top := ^uint64(0) >> (64 - v.Type().Bits())
		v.SetUint(pick(r, 1, 100, top, top-1))
	case reflect.Float32:
		v.SetFloat(pick(r, 1, 0.1, math.MaxFloat32, -2.5))
	case reflect.Float64:
		v.SetFloat(pick(r, 1, 0.1, math.MaxFloat64, -2.5, 0.123456789012345))
	default:
		compound(r, v, depth+1)
	}
}

func compound(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 6 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth)
		}
	case reflect.Slice:
		if depth < 6 {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		}
		for i := range v.Len() {
			fill(r, v.Index(i), depth)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth)
			fill(r, elem, depth)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(r, v.Field(i), depth)
			}
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(pick[any](r, "x", 1.5, true, []any{"y"}, map[string]any{"a": "b"})))
	}
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }
