package shape_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/shape"
)

// calls is a flow that calls one activity.
func calls(activity string) shape.Flow {
	return shape.Flow{Nodes: []shape.Node{
		{Kind: shape.Join, Type: shape.NoType, Next: []int{1}},
		{Kind: shape.Activity, Target: activity, Type: shape.NoType, Next: []int{2}},
		{Kind: shape.Return, Type: shape.NoType},
	}}
}

func orchestrator(name, version, activity string, input shape.TypeRef) shape.Orchestrator {
	return shape.Orchestrator{Name: name, Version: version, Group: "g", Params: []shape.Param{{Type: input}}, Result: shape.NoType, Flow: calls(activity)}
}

func takes(name string, input shape.TypeRef) shape.Endpoint {
	return shape.Endpoint{Name: name, Params: []shape.Param{{Type: input}}, Result: shape.NoType}
}

// TestKeep: what is kept comes with the activities it calls, as they were, and its types are those of before.
func TestKeep(t *testing.T) {
	t.Parallel()
	old := &shape.Lock{
		Format: shape.Format, Package: "p", Types: []shape.Type{{Kind: "string"}, {Kind: "list", Elem: 0}},
		Orchestrators: []shape.Orchestrator{
			orchestrator("A", "", "x", 1), orchestrator("B", "", "y", 1), orchestrator("B", "2", "y", 1), orchestrator("Gone", "", "z", 1),
		},
		Activities: []shape.Endpoint{takes("x", 1), takes("y", 1), takes("z", 1), takes("unused", 1)},
		Accepted:   []shape.Accepted{{Orchestrator: "C", Change: "c", Reason: "r"}},
	}
	now := &shape.Lock{
		Format: shape.Format, Package: "p", Types: []shape.Type{{Kind: "bool"}},
		Orchestrators: []shape.Orchestrator{orchestrator("A", "", "x", 0), orchestrator("B", "", "y", 0), orchestrator("B", "2", "y", 0), orchestrator("New", "", "n", 0)},
		Activities:    []shape.Endpoint{takes("x", 0), takes("y", 0), takes("n", 0)},
	}
	kept := map[string]bool{"A": true, "B 2": true, "Gone": true}
	got := shape.Keep(old, now, func(name, version string) bool { return kept[strings.TrimSpace(name+" "+version)] })
	want := `{
  "format": 1,
  "package": "p",
  "orchestrators": [
    {"name":"A","group":"g","params":[{"type":"[]string"}],"flow":FLOW(x)},
    {"name":"B","group":"g","params":[{"type":"bool"}],"flow":FLOW(y)},
    {"name":"B","version":"2","group":"g","params":[{"type":"[]string"}],"flow":FLOW(y)},
    {"name":"Gone","group":"g","params":[{"type":"[]string"}],"flow":FLOW(z)},
    {"name":"New","group":"g","params":[{"type":"bool"}],"flow":FLOW(n)}
  ],
  "activities": [
    {"name":"n","params":[{"type":"bool"}]},
    {"name":"x","params":[{"type":"[]string"}]},
    {"name":"y","params":[{"type":"[]string"}]},
    {"name":"z","params":[{"type":"[]string"}]}
  ],
  "accepted": [
    {"orchestrator":"C","change":"c","reason":"r"}
  ]
}
`
	for _, activity := range []string{"x", "y", "z", "n"} {
		want = strings.ReplaceAll(want, "FLOW("+activity+")", `{"nodes":[
      {"kind":"join","next":[1]},
      {"kind":"activity","target":"`+activity+`","next":[2]},
      {"kind":"return"}]}`)
	}
	if diff := cmp.Diff(want, string(got.Text())); diff != "" {
		t.Errorf("the lock (-want +got):\n%s", diff)
	}
}

// TestUnchanged: an orchestrator is unchanged when neither its own lines nor those of what it calls differ.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	make := func(activityOfB shape.TypeRef) *shape.Lock {
		return &shape.Lock{
			Format: shape.Format, Package: "p", Types: []shape.Type{{Kind: "string"}, {Kind: "bool"}},
			Orchestrators: []shape.Orchestrator{orchestrator("A", "", "x", 0), orchestrator("B", "", "y", 0), orchestrator("C", "2", "x", 0)},
			Activities:    []shape.Endpoint{takes("x", 0), takes("y", activityOfB)},
		}
	}
	now := make(1)
	now.Orchestrators[2].Version = "3"
	if diff := cmp.Diff(map[[2]string]bool{{"A", ""}: true}, shape.Unchanged(make(0), now)); diff != "" {
		t.Errorf("unchanged (-want +got):\n%s", diff)
	}
}

// TestPayloads: each change of a type that an activity or event carries is told once, where it stands.
func TestPayloads(t *testing.T) {
	t.Parallel()
	old := &shape.Lock{Types: []shape.Type{{Kind: "string"}}, Events: []shape.Endpoint{takes("e", 0)}, Activities: []shape.Endpoint{takes("x", 0)}}
	now := &shape.Lock{Types: []shape.Type{{Kind: "string"}, {Kind: "bool"}}, Events: []shape.Endpoint{takes("e", 1)}, Activities: []shape.Endpoint{takes("x", 0)}}
	var got []string
	for _, f := range shape.Payloads(old, now) {
		got = append(got, f.Change)
	}
	if diff := cmp.Diff([]string{"event e: the value was string and is bool"}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// TestCompareParams: one parameter is the value, several are an object of their names.
func TestCompareParams(t *testing.T) {
	t.Parallel()
	l := &shape.Lock{Types: []shape.Type{{Kind: "string"}, {Kind: "bool"}, {Kind: "object", Fields: []shape.Field{{Name: "a", Type: 0}, {Name: "b", Type: 1}}}}}
	one := []shape.Param{{Type: 2}}
	a, b, c := shape.Param{Name: "a", Type: 0}, shape.Param{Name: "b", Type: 1}, shape.Param{Name: "c", Type: 1}
	for _, test := range []struct {
		name     string
		from, to []shape.Param
		want     []string
	}{
		{"as they were", []shape.Param{a, b}, []shape.Param{b, a}, nil},
		{"one object, then its fields", one, []shape.Param{a, b}, nil},
		{"renamed", []shape.Param{a, b}, []shape.Param{a, c}, []string{"the field b is gone and looks renamed to c"}},
		{"added", []shape.Param{a}, []shape.Param{a, b}, []string{"the value was string and is an object"}},
		{"removed", []shape.Param{a, b, c}, []shape.Param{a, b}, []string{"the field c is gone"}},
		{"none any more", []shape.Param{a}, nil, []string{"the value was string and is gone"}},
		{"none before", nil, []shape.Param{a}, []string{"there was no value and is string"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, c := range shape.CompareParams(l, test.from, l, test.to) {
				got = append(got, c.Change)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}
