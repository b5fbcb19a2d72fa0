package shape_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/shape"
)

// sample has every part that a lock can have.
func sample() *shape.Lock {
	return &shape.Lock{
		Format: shape.Format, Package: "example.com/shop",
		Types: []shape.Type{
			0: {Kind: "string"},
			1: {Kind: "object", Fields: []shape.Field{{Name: "id", Type: 0}, {Name: "items", Type: 2, Optional: true}, {Name: "n", Type: 3, Quoted: true}}},
			2: {Kind: "list", Elem: 4},
			3: {Kind: "int", Bits: 64},
			4: {Kind: "object", Fields: []shape.Field{{Name: "sku", Type: 0}, {Name: "parts", Type: 5}}},
			5: {Kind: "map", Key: 0, Elem: 6},
			6: {Kind: "pointer", Elem: 4}, // which contains itself
			7: {Kind: "list", Elem: 7},    // and so does this
			8: {Kind: "array", Bits: 3, Elem: 9},
			9: {Kind: "own", Name: "example.com/money.Amount[int]"},
		},
		Orchestrators: []shape.Orchestrator{
			{Name: "shop.Ship", Group: "shop", Result: shape.NoType, Flow: shape.Flow{Nodes: []shape.Node{{Kind: shape.Return, Type: shape.NoType}}}},
			{
				Name: "shop.Order", Aliases: []string{"shop.Buy"}, Version: "2", Group: "shop", Params: []shape.Param{{Type: 1}}, Result: 8,
				Flow: shape.Flow{
					Nodes: []shape.Node{
						{Kind: shape.Activity, Target: "shop.Charge", Args: []int{1}, Loose: true, Type: 9, Next: []int{1}},
						{Kind: shape.Branch, Args: []int{0}, Next: []int{2, 3}, Type: shape.NoType},
						{Kind: shape.Go, Target: "go", Args: []int{1}, Type: shape.NoType, Next: []int{3}, Bodies: []shape.Flow{
							{Nodes: []shape.Node{{Kind: shape.Timer, Type: shape.NoType}}},
							{Nodes: []shape.Node{{Kind: shape.Return, Type: shape.NoType}}, Values: []shape.Value{{Op: "const", What: `"<&>"`}}},
						}},
						{Kind: shape.Join, In: []shape.Edge{{From: 1, Next: 1}, {From: 2}}, Type: shape.NoType, Next: []int{4}},
						{Kind: shape.Return, Type: shape.NoType},
					},
					Values: []shape.Value{{Op: "param", What: ""}, {Op: "phi", Args: []int{0, 1}, Node: 3}, {Op: "call", Sum: "ab12"}},
					Functions: []shape.Function{
						{Sum: "cd34", Flow: shape.Flow{Nodes: []shape.Node{{Kind: shape.Return, Args: []int{0}, Type: shape.NoType}}, Values: []shape.Value{{Op: "param", What: "0"}}}},
						{Sum: "ef56", Flow: shape.Flow{Nodes: []shape.Node{{Kind: shape.Activity, Target: "shop.Charge", Type: 9, Next: []int{1}}, {Kind: shape.Return, Type: shape.NoType}}}},
					},
				},
			},
		},
		Activities: []shape.Endpoint{{Name: "shop.Charge", Params: []shape.Param{{Name: "a", Type: 1}, {Name: "b", Type: 7}}, Result: 9}},
		Events:     []shape.Endpoint{{Name: "shop.Paid", Params: []shape.Param{{Type: 4}}, Result: shape.NoType}},
		Accepted:   []shape.Accepted{{Orchestrator: "shop.Order", Change: "x", Reason: "none runs"}},
	}
}

// TestText compares the file with the one that is committed, which is read as a pull request shows it.
func TestText(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("testdata", "sample.lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := sample().Text()
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
	l, err := shape.Read(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(l.Text())); diff != "" {
		t.Errorf("read and written again (-first +again):\n%s", diff)
	}
	if diff := cmp.Diff(sample().Orchestrators[1].Flow, l.Orchestrators[0].Flow, cmp.Comparer(func(a, b shape.TypeRef) bool { return true })); diff != "" {
		t.Errorf("a flow that was written and read (-want +got):\n%s", diff)
	}
}

// TestTextDoesNotCount: a type keeps its id when others come and go, and how many entries the table has says nothing.
func TestTextDoesNotCount(t *testing.T) {
	t.Parallel()
	l := sample()
	l.Types = append([]shape.Type{{Kind: "bool"}, {Kind: "object"}}, l.Types...)
	shift := func(refs ...*shape.TypeRef) {
		for _, r := range refs {
			if *r != shape.NoType {
				*r += 2
			}
		}
	}
	for i := range l.Types[2:] {
		ty := &l.Types[i+2]
		shift(&ty.Key, &ty.Elem)
		for j := range ty.Fields {
			shift(&ty.Fields[j].Type)
		}
	}
	for i := range l.Orchestrators {
		o := &l.Orchestrators[i]
		shift(&o.Result)
		for j := range o.Params {
			shift(&o.Params[j].Type)
		}
		for j := range o.Flow.Nodes {
			shift(&o.Flow.Nodes[j].Type)
		}
		for j := range o.Flow.Functions {
			for k := range o.Flow.Functions[j].Flow.Nodes {
				shift(&o.Flow.Functions[j].Flow.Nodes[k].Type)
			}
		}
	}
	for _, e := range [][]shape.Endpoint{l.Activities, l.Events} {
		for i := range e {
			shift(&e[i].Result)
			for j := range e[i].Params {
				shift(&e[i].Params[j].Type)
			}
		}
	}
	if diff := cmp.Diff(string(sample().Text()), string(l.Text())); diff != "" {
		t.Errorf("with two more types (-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	good := string(sample().Text())
	change := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "not JSON"},
		{"other JSON", `{"a": 1}`, "is no lock"},
		{"newer", change(`"format": 1`, `"format": 2`), "a newer durablegen; update the tool"},
		{"merge conflict", change(`  "package"`, "<<<<<<< HEAD\n  \"package\""), "merge conflict"},
		{"unknown key", change(`"package"`, `"Pakage"`), "unknown field"},
		{"more behind", good + "{}", "not JSON"},
		{"next", change(`"next":[2,3]`, `"next":[2,9]`), "points to what is not there"},
		{"args", change(`"args":[1],"loose"`, `"args":[7],"loose"`), "points to what is not there"},
		{"in", change(`"in":[{"from":1,"next":1}`, `"in":[{"from":1,"next":2}`), "reached from what is not there"},
		{"value", change(`"args":[0,1],"node":3`, `"args":[0,1],"node":5`), "value 1 points"},
		{"type", change(`"type":"int64"`, `"type":"int65"`), `"int65" is no type`},
		{"no type", change(`"type":"int64"`, `"type":""`), "has no type"},
		{"unknown id", change(`"type":"int64"`, `"type":"[]#00"`), `"#00" is no type`},
		{"array", change(`"result":"[3]own`, `"result":"[-3]own`), "is no type"},
		{"deep", change(`"type":"int64"`, `"type":"`+strings.Repeat("*", 100)+`int64"`), "too deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := shape.Read([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	if _, err := shape.Read([]byte(change(`"format": 1`, `"format": 2`))); !errors.Is(err, shape.ErrNewer) {
		t.Errorf("error %v, want %v", err, shape.ErrNewer)
	}
}

// FuzzRead: what is read can be written, and reads the same again; nothing makes it panic.
func FuzzRead(f *testing.F) {
	f.Add(sample().Text())
	f.Add([]byte(`{"format": 1, "package": "p", "orchestrators": [], "types": [{"id": "#a", "is": "[]#a"}, {"id": "#b", "fields": [{"name": "x", "type": "map[string]#b"}]}]}`))
	f.Add([]byte(`{"format": 1, "package": "p", "orchestrators": [], "events": [{"name": "e", "params": [{"type": "#a"}]}], "types": [` +
		`{"id": "#a", "fields": [{"name": "x", "type": "*#b"}]}, {"id": "#b", "fields": [{"name": "x", "type": "*#a"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := shape.Read(text)
		if err != nil {
			return
		}
		first := l.Text()
		again, err := shape.Read(first)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		if second := again.Text(); !bytes.Equal(first, second) {
			t.Errorf("written twice (-first +second):\n%s", cmp.Diff(string(first), string(second)))
		}
		if f := shape.Compare(&l, &again, nil); len(f) > 0 && len(l.Orchestrators) == 0 {
			t.Errorf("the same lock has changed: %+v", f)
		}
	})
}
