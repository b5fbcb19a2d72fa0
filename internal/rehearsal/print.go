package rehearsal

import (
	"fmt"
	"slices"
	"strings"
)

// code splits off what stands behind the arguments of a function of another module: the methods that it may call on them,
// and what errors in them say, as the flow has them. What it prints depends on those.
func (r *run) code(ops []string, args []any) (plain []any, code string) {
	n := len(args)
	for n > 0 && n <= len(ops) && isCode(ops[n-1]) {
		n--
	}
	if n < len(args) {
		code = "‹" + texts(args[n:]) + "›"
	}
	return args[:n], code
}

// isCode reports whether an argument with an op stands for code.
func isCode(op string) bool {
	return slices.Contains([]string{"func", "source", "type", "recursion", "method", "kind"}, op)
}

// printing calls a function that writes its arguments as text. ok: it is one.
func (r *run) printing(name string, ops []string, args []any) (x any, ok bool) {
	switch name {
	case "fmt.Sprint", "fmt.Sprintln", "fmt.Sprintf", "fmt.Errorf", "(error).Error", "errors.Join":
	default:
		return nil, false
	}
	args, code := r.code(ops, args)
	if len(args) == 0 {
		return nil, false
	}
	switch name {
	case "fmt.Sprint":
		return fmt.Sprint(r.printed(args, code)...) + code, true
	case "fmt.Sprintln":
		return fmt.Sprintln(r.printed(args, code)...) + code, true
	case "fmt.Sprintf":
		return r.sprintf(r.text(args[0]), args[1:], code), true
	case "fmt.Errorf":
		format := r.text(args[0])
		f := fault{id: "errorf", says: r.sprintf(format, args[1:], code)}
		for i, verb := range verbs(format) {
			if verb == 'w' && i+1 < len(args) && !isZero(args[i+1]) {
				f.cause = append(f.cause, args[i+1])
			}
		}
		return f, true
	case "errors.Join":
		if len(args) == 1 {
			if l, ok := args[0].(list); ok { // no list is an error
				args = l
			}
		}
		args = slices.DeleteFunc(slices.Clone(args), isZero)
		if len(args) == 0 {
			return nil, true
		}
		lines := make([]string, len(args))
		for i, a := range args {
			lines[i] = said(a, code)
		}
		return fault{"joined", strings.Join(lines, "\n"), args}, true
	}
	if isZero(args[0]) {
		return broken{}, true
	}
	return said(args[0], code), true
}

// said is the text of an error. One that is known by its name, or has a method of its own, says what it says by its code.
func said(err any, code string) string {
	f, ok := err.(fault)
	switch {
	case !ok:
		return "<" + text(unboxed(err)) + code + ">"
	case f.says != "":
		return f.says
	}
	return f.id
}

// verbs gives those of a format, by the argument that they take; a width is the verb '*'.
func verbs(format string) (found []rune) {
	runes := []rune(format)
	for i := 0; i < len(runes); i++ {
		if runes[i] != '%' {
			continue
		}
		for i++; i < len(runes) && strings.ContainsRune("+-# 0123456789.*[]", runes[i]); i++ {
			if runes[i] == '*' {
				found = append(found, '*')
			}
		}
		if i < len(runes) && runes[i] != '%' {
			found = append(found, runes[i])
		}
	}
	return found
}

// sprintf is fmt.Sprintf: a verb says what its argument is where the flow does not.
func (r *run) sprintf(format string, args []any, code string) string {
	out := r.printed(args, code)
	for i, verb := range verbs(format) {
		if i >= len(args) {
			break
		}
		a := args[i]
		a = pointee(a)
		_, unset := a.(zero)
		_, odd := a.(unknown)
		switch verb {
		case '*':
			out[i] = int(r.integer(a))
		case 'd', 'c', 'b', 'o', 'U':
			if unset || odd {
				out[i] = r.integer(a)
			}
		case 's', 'q':
			if unset || odd {
				out[i] = r.text(a)
			}
		case 'f', 'e', 'g', 'F', 'E', 'G':
			if _, whole := a.(int64); whole || unset || odd {
				out[i] = r.number(a)
			}
		case 't':
			if unset || odd {
				out[i] = r.truth(a)
			}
		}
	}
	return fmt.Sprintf(strings.ReplaceAll(format, "%w", "%v"), out...) + code
}

// printed are arguments as fmt prints them.
func (r *run) printed(args []any, code string) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := unboxed(a).(type) {
		case bool, int64, float64, string:
			out[i] = a
		case nil:
			out[i] = nil
		case zero:
			out[i] = 0
		case fault:
			out[i] = said(a, code)
		default:
			out[i] = text(a)
		}
	}
	return out
}
