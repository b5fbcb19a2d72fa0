package shape

import (
	"math"
	"strconv"
	"strings"
)

// operate does what an op does with values, if it is one that is understood and they are known well enough.
func operate(m *meaning, args []any) (any, bool) {
	switch m.op {
	case opEqual:
		return write(args[0]) == write(args[1]), len(args) == 2
	case opLess, "<=":
		order, ok := compareValues(args[0], args[1])
		return order < 0 || m.op == "<=" && order == 0, ok
	case "+", "-", "*", "/", "%", "neg":
		if m.what == "" {
			return calculate(m.op, args)
		}
	case "cat":
		return concatenate(args), true
	case opList:
		return several{"list", args}, m.what == ""
	case "map":
		return several{"map", args}, true
	case "struct":
		return several{"struct " + m.what, args}, true
	case opAppend:
		if args[0] == nil {
			return several{"list", args[1:]}, true
		}
		if list, ok := args[0].(several); ok && list.sort == "list" {
			return several{"list", append(list.parts[:len(list.parts):len(list.parts)], args[1:]...)}, true
		}
	case opLen:
		switch v := args[0].(type) {
		case nil:
			return 0.0, true
		case several:
			if v.sort == "list" {
				return float64(len(v.parts)), true
			}
		case string:
			return float64(len(v)), true
		}
	case opIndex:
		return element(args)
	case "has":
		if table, ok := args[0].(several); ok && table.sort == "map" && known(table.parts) && known(args[1:]) {
			_, found := lookUp(table, args[1])
			return found, true
		}
	case "field":
		return member(m.what, args[0])
	case "call":
		if f, ok := understood[m.what]; ok {
			return f.do(args)
		}
	}
	return nil, false
}

// calculate is arithmetic on integers.
func calculate(op string, args []any) (any, bool) {
	numbers := make([]float64, len(args))
	for i, a := range args {
		n, ok := a.(float64)
		if !ok || n != math.Trunc(n) || math.Abs(n) > 1<<40 {
			return nil, false
		}
		numbers[i] = n
	}
	if op == "neg" {
		return -numbers[0], len(numbers) == 1
	}
	if len(numbers) != 2 {
		return nil, false
	}
	a, b := numbers[0], numbers[1]
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "/":
		if b != 0 {
			return math.Trunc(a / b), true
		}
	case "%":
		if b != 0 {
			return math.Mod(a, b), true
		}
	}
	return nil, false
}

// concatenate joins texts. What is not known is a piece by itself.
func concatenate(args []any) any {
	var b strings.Builder
	for _, a := range args {
		if s, ok := a.(string); ok {
			b.WriteString(s)
		} else {
			b.WriteString("\x00" + write(a) + "\x00")
		}
	}
	return b.String()
}

// element gives that of a list or map.
func element(args []any) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	v, ok := args[0].(several)
	if !ok {
		return nil, false
	}
	switch n, isNumber := args[1].(float64); {
	case v.sort == "list" && isNumber && n == math.Trunc(n) && n >= 0 && n < float64(len(v.parts)):
		return v.parts[int(n)], true
	case v.sort == "map" && known(v.parts) && known(args[1:]):
		return lookUp(v, args[1])
	}
	return nil, false
}

func lookUp(table several, key any) (any, bool) {
	for i := len(table.parts) - 2; i >= 0; i -= 2 {
		if write(table.parts[i]) == write(key) {
			return table.parts[i+1], true
		}
	}
	return nil, false
}

// known reports whether values can be told from each other.
func known(values []any) bool {
	for _, v := range values {
		switch v.(type) {
		case bool, float64, string:
		default:
			return false
		}
	}
	return true
}

// member gives a field of a struct whose fields are known.
func member(name string, of any) (any, bool) {
	v, ok := of.(several)
	names, isStruct := strings.CutPrefix(v.sort, "struct ")
	if !ok || !isStruct {
		return nil, false
	}
	for i, n := range strings.Split(names, " ") {
		if n == name && i < len(v.parts) {
			return v.parts[i], true
		}
	}
	return nil, false
}

// function is one of the standard library that is understood.
type function struct {
	takes kind
	do    func(args []any) (any, bool)
}

var understood = map[string]function{
	"strconv.Itoa": {integer, func(args []any) (any, bool) {
		n, ok := args[0].(float64)
		return strconv.FormatInt(int64(n), 10), ok && n == math.Trunc(n)
	}},
	"strings.ToUpper":    texts1(strings.ToUpper),
	"strings.ToLower":    texts1(strings.ToLower),
	"strings.TrimSpace":  texts1(strings.TrimSpace),
	"strings.HasPrefix":  texts2(strings.HasPrefix),
	"strings.HasSuffix":  texts2(strings.HasSuffix),
	"strings.Contains":   texts2(strings.Contains),
	"strings.EqualFold":  texts2(strings.EqualFold),
	"strings.TrimPrefix": texts2(strings.TrimPrefix),
	"strings.TrimSuffix": texts2(strings.TrimSuffix),
	"cmp.Or": {anything, func(args []any) (any, bool) {
		for _, a := range args {
			if a != "" && a != 0.0 && a != false {
				return a, known(args)
			}
		}
		return args[len(args)-1], known(args)
	}},
	"max": ofNumbers(math.Max),
	"min": ofNumbers(math.Min),
}

func texts1(f func(string) string) function {
	return function{text, func(args []any) (any, bool) {
		s, ok := args[0].(string)
		if !ok || len(args) != 1 {
			return nil, false
		}
		return f(s), true
	}}
}

func texts2[T any](f func(a, b string) T) function {
	return function{text, func(args []any) (any, bool) {
		if len(args) != 2 {
			return nil, false
		}
		a, ok := args[0].(string)
		b, ok2 := args[1].(string)
		if !ok || !ok2 {
			return nil, false
		}
		return f(a, b), true
	}}
}

func ofNumbers(f func(a, b float64) float64) function {
	return function{number, func(args []any) (any, bool) {
		var most float64
		for i, a := range args {
			n, ok := a.(float64)
			if !ok {
				return nil, false
			}
			if most = f(most, n); i == 0 {
				most = n
			}
		}
		return most, len(args) > 0
	}}
}
