package shape

import "testing"

// TestAgree: what two computations come to is tried, and where they differ for some values that is found.
func TestAgree(t *testing.T) {
	t.Parallel()
	ts := newTerms()
	x, y := ts.symbol("x"), ts.symbol("y")
	c := ts.constant
	op := func(name string, args ...term) term { return ts.keep(name, "", "", args) }
	call := func(name string, args ...term) term { return ts.keep("call", name, "", args) }
	field := func(of term, name string) term { return ts.keep("field", name, "", []term{of}) }
	again := ts.keep("again", "1", "", nil)
	loop := func(next term) term { return op("eta", op("<", again, y), op("mu", c("0"), next)) }
	ceil := op("/", op("+", x, c("499")), c("500"))
	steps := op("if", op("==", op("%", x, c("500")), c("0")), op("/", x, c("500")), op("+", op("/", x, c("500")), c("1")))
	for _, test := range []struct {
		name string
		a, b term
		want bool
	}{
		{"itself", x, x, true},
		{"two symbols", x, y, false},
		{"a sum the other way round", op("+", x, op("+", y, c("2"))), op("+", op("+", c("1"), y), op("+", x, c("1"))), true},
		{"one less", op("+", x, c("2")), op("+", x, c("3")), false},
		{"a factor", op("*", op("+", x, c("1")), c("3")), op("+", op("*", x, c("3")), c("3")), true},
		{"less or equal of what may have a fraction", op("<", x, c("3")), op("<=", x, c("2")), false},
		{"less or equal of an integer", op("<", op("+", x, y), c("3")), op("<=", op("+", x, y), c("2")), true},
		{"a bound that is met once", op("<", x, c("100000")), op("<=", x, c("100000")), false},
		{"a sum of a loop at its limit", op("<", c("500"), ts.keep("eta", "", "", []term{x, y})), op("not", op("<", ts.keep("eta", "", "", []term{x, y}), c("500"))), false},
		{"loops over the same in other words", loop(op("if", x, op("+", again, c("1")), again)), loop(op("+", again, op("if", x, c("1"), c("0")))), true},
		{"loops over something else", loop(op("if", x, op("+", again, c("1")), again)), loop(op("+", again, op("if", x, c("2"), c("0")))), false},
		{"what is computed at its limit", op("<", op("+", x, op("/", op("*", x, c("7")), c("100"))), c("50001")), op("<", op("+", x, op("/", op("*", x, c("7")), c("100"))), c("50000")), false},
		{"the product of two limits", op("<", op("*", c("2500"), c("4")), op("*", x, y)), op("not", op("<", op("*", x, y), op("*", c("2500"), c("4")))), false},
		{"added in both branches", op("if", x, op("+", y, c("9")), op("+", y, c("12"))), op("+", op("if", x, c("9"), c("12")), y), true},
		{"branches exchanged", op("if", x, c("1"), c("2")), op("if", op("not", x), c("2"), c("1")), true},
		{"branches exchanged by mistake", op("if", x, c("1"), c("2")), op("if", x, c("2"), c("1")), false},
		{"or", op("if", op("==", x, c(`""`)), c(`"none"`), x), call("cmp.Or", x, c(`"none"`)), true},
		{"or another", op("if", op("==", x, c(`""`)), c(`"none"`), x), call("cmp.Or", x, c(`"no"`)), false},
		{"a table", op("if", op("==", x, c(`"a"`)), c("1"), op("if", op("==", x, c(`"b"`)), c("2"), c("0"))),
			op("if", op("has", op("map", c(`"b"`), c("2"), c(`"a"`), c("1")), x), op("index", op("map", c(`"b"`), c("2"), c(`"a"`), c("1")), x), c("0")), true},
		{"a table with a slip", op("if", op("==", x, c(`"a"`)), c("1"), op("if", op("==", x, c(`"b"`)), c("2"), c("0"))),
			op("if", op("has", op("map", c(`"b"`), c("2"), c(`"a"`), c("3")), x), op("index", op("map", c(`"b"`), c("2"), c(`"a"`), c("3")), x), c("0")), false},
		{"what functions give", call("price", op("+", x, c("1"))), call("price", op("+", c("1"), x)), true},
		{"two functions", call("price", x), call("cost", x), false},
		{"fields", op("<", op("+", field(x, "a"), c("1")), field(x, "b")), op("<", field(x, "a"), op("+", field(x, "b"), c("-1"))), true},
		{"equal to another", op("==", field(x, "a"), field(x, "b")), op("==", field(x, "a"), field(x, "c")), false},
		{"equal the other way round", op("==", field(x, "a"), field(x, "b")), op("not", op("not", op("==", field(x, "b"), field(x, "a")))), true},
		{"one of two functions of the same", call("f", field(x, "a")), call("f", field(x, "b")), false},
		{"nil, and something else", op("==", field(x, "a"), c("nil")), op("==", field(x, "b"), c("nil")), false},
		{"fields exchanged", op("<", field(x, "a"), field(x, "b")), op("<", field(x, "b"), field(x, "a")), false},
		{"a text in pieces", op("cat", op("cat", c(`"a"`), x), c(`"b"`)), op("cat", c(`"a"`), op("cat", x, c(`"b"`))), true},
		{"another separator", op("cat", x, c(`"-"`), y), op("cat", x, c(`"_"`), y), false},
		{"round up with a remainder, of negative numbers too", ceil, steps, false},
		{"nil and something", op("if", op("==", x, c("nil")), c("1"), c("2")), op("if", op("not", op("==", c("nil"), x)), c("2"), c("1")), true},
	} {
		if got := ts.agree(test.a, test.b); got != test.want {
			t.Errorf("%s: agree %t, want %t", test.name, got, test.want)
		}
	}
}
