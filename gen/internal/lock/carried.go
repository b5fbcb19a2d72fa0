package lock

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// called are the methods that functions of the standard library call of what they are given, by package. Packages that
// are not here may call any of all these.
var called = map[string][]string{
	"fmt":            {"String", "Error", "Format", "GoString", "Write"},
	"log":            {"String", "Error", "Format", "GoString", "LogValue"},
	"log/slog":       {"String", "Error", "Format", "GoString", "LogValue", "MarshalText", "MarshalJSON"},
	"encoding/json":  {"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "IsZero"},
	"encoding/xml":   {"MarshalXML", "UnmarshalXML", "MarshalText", "UnmarshalText"},
	"errors":         {"Is", "As", "Unwrap", "Error"},
	"sort":           {"Len", "Less", "Swap"},
	"container/heap": {"Len", "Less", "Swap", "Push", "Pop"},
	"io":             {"Read", "Write", "WriteString", "ReadByte", "ReadFrom", "WriteTo", "Seek", "ReadAt"},
	"bufio":          {"Read", "Write", "WriteString", "ReadByte", "ReadFrom", "WriteTo"},
	"text/template":  nil, // any method
	"html/template":  nil,
	"reflect":        nil,
	"cmp":            {},
	"strings":        {"Read"},
	"bytes":          {"Read", "Write", "ReadFrom", "WriteTo"},
	"strconv":        {},
	"slices":         {},
	"maps":           {},
	"math":           {},
	"math/bits":      {},
	"math/big":       {},
	"time":           {},
	"unicode":        {},
	"unicode/utf8":   {},
	"regexp":         {},
	"path":           {},
	"iter":           {},
	"sync":           {},
}

// calls reports whether a function of a package may call a method of what it is given.
func calls(pkg, method string) bool {
	if names, known := called[pkg]; known {
		return names == nil || slices.Contains(names, method)
	}
	for _, names := range called {
		if slices.Contains(names, method) {
			return true
		}
	}
	return false
}

// packageOf is the path in the full name of a function or method.
func packageOf(name string) string {
	name = strings.TrimLeft(name, "(*")
	slash := strings.LastIndex(name, "/") + 1
	pkg, _, _ := strings.Cut(name[slash:], ".")
	return name[:slash] + pkg
}

// carried is the code of methods that a function of another module may call of what it is given: a String method, say, of
// what is printed.
func (m *machine) carried(e *ast.CallExpr, name string) []*value {
	pkg := packageOf(name)
	if names, known := called[pkg]; known && names != nil && len(names) == 0 {
		return nil
	}
	w := carrier{m.program, pkg, nil, map[types.Type]bool{}}
	for _, a := range e.Args {
		w.add(m.exprType(a))
	}
	if x, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok && m.frame.info.Selections[x] != nil && pkg != "" {
		w.add(m.exprType(x.X))
	}
	return m.code(w.found)
}

// carrier gathers the methods of what values of some types hold.
type carrier struct {
	*program
	pkg   string
	found []*function
	seen  map[types.Type]bool
}

func (w *carrier) add(t types.Type) {
	if t == nil || w.seen[t] {
		return
	}
	w.seen[t] = true
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			w.add(v.Type())
		}
		return
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		w.methods(named)
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		w.add(u.Elem())
	case *types.Slice:
		w.add(u.Elem())
	case *types.Array:
		w.add(u.Elem())
	case *types.Map:
		w.add(u.Key())
		w.add(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			w.add(f.Type())
		}
	case *types.Interface:
		for _, named := range w.named {
			if !w.within[named.Obj().Pkg()] {
				continue
			}
			if named.TypeParams().Len() > 0 || types.Implements(named, u) || types.Implements(types.NewPointer(named), u) {
				w.methods(named)
			}
		}
	}
}

// methods adds those of a type of the module that may be called.
func (w *carrier) methods(t *types.Named) {
	if types.IsInterface(t) {
		return
	}
	set := types.NewMethodSet(types.NewPointer(t))
	for sel := range set.Methods() {
		fn, ok := sel.Obj().(*types.Func)
		if !ok || !fn.Exported() || !calls(w.pkg, fn.Name()) {
			continue
		}
		if own := w.funcs[fn.Origin()]; own != nil && !slices.Contains(w.found, own) {
			w.found = append(w.found, own)
		}
	}
}
