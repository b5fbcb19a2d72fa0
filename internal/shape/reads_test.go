package shape

import "testing"

// TestReadsInput asks whether a flow reads a field of its input, which it gives to functions and coroutines as a whole.
func TestReadsInput(t *testing.T) {
	t.Parallel()
	body := func(field string) Flow {
		return Flow{
			Nodes:  []Node{{Kind: Join, Next: []int{1}}, {Kind: Activity, Args: []int{1}, Next: []int{2}}, {Kind: Return}},
			Values: []Value{{Op: opOuter, What: "0"}, {Op: "field", What: field, Args: []int{0}}},
		}
	}
	input := []Value{{Op: opParam}}
	for _, c := range []struct {
		name string
		flow Flow
		want bool
	}{
		{"a coroutine that reads it", Flow{Values: input, Nodes: []Node{{Kind: Go, Target: "go", Args: []int{0}, Bodies: []Flow{body("phone")}}}}, true},
		{"a coroutine that reads another", Flow{Values: input, Nodes: []Node{{Kind: Go, Target: "go", Args: []int{0}, Bodies: []Flow{body("name")}}}}, false},
		{"a coroutine that is not known", Flow{Values: input, Nodes: []Node{{Kind: Go, Target: "go", Args: []int{0}}}}, true},
		{"the items of a Map", Flow{Values: input, Nodes: []Node{{Kind: Go, Target: "map", Args: []int{0}, Bodies: []Flow{body("name")}}}}, true},
		{
			"a function that reads it",
			Flow{Values: append(input[:1:1], Value{Op: opFunc, Sum: "f", Args: []int{0}}), Functions: []Function{{"f", body("phone")}}}, true,
		},
		{
			"a function that reads another",
			Flow{Values: append(input[:1:1], Value{Op: opFunc, Sum: "f", Args: []int{0}}), Functions: []Function{{"f", body("name")}}}, false,
		},
		{"a function that is a hash", Flow{Values: append(input[:1:1], Value{Op: opFunc, Sum: "g", Args: []int{0}})}, true},
		{"an activity", Flow{Values: input, Nodes: []Node{{Kind: Activity, Args: []int{0}}}}, true},
		{"what the next execution begins with", Flow{Values: input, Nodes: []Node{{Kind: Continue, Args: []int{0}}}}, false},
		{"its length", Flow{Values: append(input[:1:1], Value{Op: opLen, Args: []int{0}})}, false},
	} {
		if got := readsInput(&c.flow, "phone"); got != c.want {
			t.Errorf("%s: the field is read: %t, want %t", c.name, got, c.want)
		}
	}
}
