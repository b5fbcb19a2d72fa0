package arch_test

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// spellings of what has a constant in runtime/observe.
var spellings = []string{
	"hub", "group", "partition", "worker", "instance", "id", "run", "orchestrator", "activity", "attempt", "error", "err",
}

// TestLogKeysAreFixed: whoever searches logs finds an attribute under one name.
func TestLogKeysAreFixed(t *testing.T) {
	t.Parallel()
	calls := 0
	for path, text := range tree(t, ".go") {
		if strings.HasSuffix(path, "_test.go") || !strings.HasPrefix(path, "runtime/") && !strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "internal/chaos/") {
			continue
		}
		ast.Inspect(parse(t, path, text), func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !logs(call) {
				return true
			}
			calls++
			for _, arg := range call.Args {
				lit, ok := arg.(*ast.BasicLit)
				if !ok {
					continue
				}
				if key, err := strconv.Unquote(lit.Value); err == nil && slices.Contains(spellings, key) {
					t.Errorf("%s:%d logs %q: take the constant of runtime/observe", path, positions.Position(lit.Pos()).Line, key)
				}
			}
			return true
		})
	}
	if calls < 30 {
		t.Errorf("%d calls of a logger are seen: too few to judge", calls)
	}
}

// logs reports whether a call is of a method that logs, of something called a logger.
func logs(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Log", "With"}, sel.Sel.Name) {
		return false
	}
	var name string
	switch x := sel.X.(type) {
	case *ast.SelectorExpr:
		name = x.Sel.Name
	case *ast.Ident:
		name = x.Name
	}
	return slices.Contains([]string{"logger", "log"}, strings.ToLower(name))
}
