package shape_test

import (
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// Types of the tests below, by name.
const (
	words shape.TypeRef = iota
	wide
	narrow
	list
	array
	object
	turned
	less
	promoted
	behind
	anything
)

func storedTypes() []shape.Type {
	a, b := shape.Field{Name: "a", Type: words}, shape.Field{Name: "b", Type: wide}
	from := func(f shape.Field, embedded string) shape.Field { f.From = embedded; return f }
	return []shape.Type{
		words: {Kind: "string"}, wide: {Kind: "int", Bits: 64}, narrow: {Kind: "int", Bits: 32},
		list: {Kind: "list", Elem: wide}, array: {Kind: "array", Bits: 2, Elem: wide},
		object: {Kind: "object", Fields: []shape.Field{a, b}}, turned: {Kind: "object", Fields: []shape.Field{b, a}},
		less:     {Kind: "object", Fields: []shape.Field{a}},
		promoted: {Kind: "object", Fields: []shape.Field{from(a, "Base."), from(b, "Base.")}},
		behind:   {Kind: "object", Fields: []shape.Field{from(a, "*Base."), from(b, "*Base.")}},
		anything: {Kind: "any"},
	}
}

// program is a flow, and what its event E, the result of its activity Get and the argument of its activity Put are.
type program struct {
	code               string
	event, result, put shape.TypeRef
	bytes              bool
	fields             string // of what make(…) makes
}

func (p program) lock() *shape.Lock {
	l := lock(parse(p.code))
	l.Format, l.Types = shape.Format, storedTypes()
	get, put, event := takes("Get", words), takes("Put", p.put), takes("E", p.event)
	get.Result = p.result
	l.Activities, l.Events = []shape.Endpoint{get, put}, []shape.Endpoint{event}
	flow := &l.Orchestrators[0].Flow
	for i := range flow.Nodes {
		n := &flow.Nodes[i]
		switch {
		case n.Kind == shape.Activity && n.Target == "Get":
			n.Type = p.result
		case n.Kind == shape.Activity:
			n.Bytes = p.bytes
		}
	}
	for i := range flow.Values {
		if v := &flow.Values[i]; v.What == "make" {
			v.Op, v.What = "struct", p.fields
		}
	}
	return l
}

// TestStored: what is recorded has to be read, and be seen where it counts; what is recorded of arguments is what travels.
func TestStored(t *testing.T) {
	t.Parallel()
	const (
		event     = "e = receive E\nawait e\nx = activity Put(f(result(e)))\nawait x"
		unread    = "e = receive E\nawait e\nx = activity Put(1)\nawait x"
		result    = "g = activity Get(in)\nawait g\nx = activity Put(f(result(g)))\nawait x"
		dropped   = "g = activity Get(in)\nawait g\nx = activity Put(1)\nawait x"
		made      = "x = activity Put(make(1, in))\nawait x"
		other     = "x = activity Put(make(2, in))\nawait x"
		one       = "x = activity Put(make(in))\nawait x"
		taken     = "x = activity Put(make(in.a, in.b))\nawait x"
		corouting = "map(in.list) {\ne = receive E\nawait e\nreturn f(result(e))\n}"
	)
	for _, test := range []struct {
		name     string
		old, now program
		unsafe   bool
	}{
		{"an event that does not fit", program{code: unread, event: wide}, program{code: unread, event: narrow}, true},
		{"an event that does not fit, in a coroutine", program{code: corouting, event: wide}, program{code: corouting, event: narrow}, true},
		{"an event that fits", program{code: event, event: narrow}, program{code: event, event: wide}, false},
		{"of an event something is lost", program{code: event, event: list}, program{code: event, event: array}, true},
		{"of an event something is lost that nobody reads", program{code: unread, event: list}, program{code: unread, event: array}, false},
		{"of a result something is lost", program{code: result, result: object}, program{code: result, result: less}, true},
		{"of a result something is lost that nobody reads", program{code: dropped, result: object}, program{code: dropped, result: less}, false},
		{"an argument in another order", program{code: one, put: object, fields: "a"}, program{code: one, put: turned, fields: "a"}, false},
		{"a local argument in another order", program{code: one, put: object, fields: "a", bytes: true}, program{code: one, put: turned, fields: "a"}, true},
		{"a field that does not travel", program{code: made, put: less, fields: "-memo a"}, program{code: other, put: less, fields: "-memo a"}, false},
		{"the same, where anything is taken", program{code: made, put: anything, fields: "-memo a"}, program{code: other, put: anything, fields: "-memo a"}, true},
		{"a field that is not there any more, and did not travel", program{code: made, put: less, fields: "-memo a"}, program{code: one, put: less, fields: "a"}, false},
		{"a field that travels", program{code: made, put: object, fields: "b a"}, program{code: other, put: object, fields: "b a"}, true},
		{"embedded, then written out", program{code: one, put: promoted, fields: "Base"}, program{code: taken, put: object, fields: "a b"}, false},
		{"the same, behind a pointer that may be nil", program{code: one, put: behind, fields: "Base"}, program{code: taken, put: object, fields: "a b"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			old, err := shape.Read(test.old.lock().Text())
			if err != nil {
				t.Fatal(err)
			}
			unsafe := false
			findings := shape.Compare(&old, test.now.lock(), nil)
			for _, f := range findings {
				unsafe = unsafe || !f.Safe
			}
			if unsafe != test.unsafe {
				t.Errorf("unsafe = %t, want %t: %+v", unsafe, test.unsafe, findings)
			}
		})
	}
}
