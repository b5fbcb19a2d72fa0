package shape

import "testing"

// TestUnborn reads fields of an input: those that the old type does not have are zero in what instances began with.
func TestUnborn(t *testing.T) {
	t.Parallel()
	const text, list, inner, order, table = 0, 1, 2, 3, 4
	types := func(innerFields, orderFields []Field) []Type {
		return []Type{
			{Kind: "string"}, {Kind: "list", Elem: text}, {Kind: "object", Fields: innerFields},
			{Kind: "object", Fields: orderFields}, {Kind: "map", Key: text, Elem: text},
		}
	}
	had := []Field{{Name: "id", Type: text}, {Name: "Owner", Type: inner}, {Name: "tags", Type: table}}
	old := &Lock{Types: types([]Field{{Name: "name", Type: text}}, had)}
	now := &Lock{Types: types(
		[]Field{{Name: "name", Type: text}, {Name: "mail", Type: text}},
		append([]Field{{Name: "note", Type: text}, {Name: "lines", Type: list}}, had...),
	)}
	for _, c := range []struct {
		path []string
		want string // "" is what stays as it is
	}{
		{[]string{"note"}, `""`}, {[]string{"lines"}, "nil"}, {[]string{"id"}, ""},
		{[]string{"owner", "mail"}, `""`}, {[]string{"owner", "name"}, ""}, {[]string{"tags", "any"}, ""},
	} {
		flow := Flow{Values: []Value{{Op: "param"}}}
		for i, name := range c.path {
			flow.Values = append(flow.Values, Value{Op: "field", What: name, Args: []int{i}})
		}
		o := &Orchestrator{Params: []Param{{Type: order}}, Flow: flow}
		j := &judgement{old: old, new: now, from: o, to: o}
		last := j.unborn(&flow).Values[len(c.path)]
		if got := last.Op == opConst; got != (c.want != "") || got && last.What != c.want {
			t.Errorf("%q is %s %s, want the constant %q", c.path, last.Op, last.What, c.want)
		}
	}
}
