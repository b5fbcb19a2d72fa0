package lock

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// formats are functions that write values as text, by where their format is; -1: there is none.
var formats = map[string]int{"fmt.Sprintf": 0, "fmt.Errorf": 0, "fmt.Fprintf": 1, "fmt.Sprintln": -1, "fmt.Sprint": -1}

// sayer gives the method String by which a function of package fmt writes an argument, so that it may be read as a call of that;
// nil: it writes it in another way, or that is not certain. fmt catches what a method panics with, so one that may panic is none.
func (m *machine) sayer(e *ast.CallExpr, i int) *function {
	x, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
	if !ok || e.Ellipsis.IsValid() {
		return nil
	}
	fn, ok := m.frame.info.Uses[x.Sel].(*types.Func)
	if !ok {
		return nil
	}
	at, ok := formats[fn.FullName()]
	switch {
	case !ok || i <= at || fn.Name() == "Sprint" && len(e.Args) != 1: // it puts spaces between some
		return nil
	case at >= 0 && !m.writesText(e.Args[at], i-at-1):
		return nil
	}
	named, ok := types.Unalias(m.exprType(e.Args[i])).(*types.Named)
	if !ok || types.IsInterface(named) || isPointer(named) || named.TypeArgs().Len() > 0 {
		return nil
	}
	methods := types.NewMethodSet(named)
	for _, name := range []string{"Error", "Format"} {
		if methods.Lookup(fn.Pkg(), name) != nil {
			return nil
		}
	}
	sel := methods.Lookup(fn.Pkg(), "String")
	if sel == nil || len(sel.Index()) != 1 {
		return nil
	}
	own := m.funcs[sel.Obj().(*types.Func)]
	if own == nil || types.TypeString(own.obj.Signature().Results(), nil) != "(string)" || own.obj.Signature().Params().Len() > 0 || !own.calm() {
		return nil
	}
	return own
}

// writesText reports whether a format, if it is a constant, has a verb for one of its arguments that asks for its text.
func (m *machine) writesText(format ast.Expr, arg int) bool {
	c := m.frame.info.Types[format].Value
	if c == nil || c.Kind() != constant.String {
		return false
	}
	runes := []rune(constant.StringVal(c))
	for i := 0; i < len(runes); i++ {
		if runes[i] != '%' {
			continue
		}
		begin := i
		for i++; i < len(runes) && strings.ContainsRune("+- 0123456789.", runes[i]); i++ {
		}
		if i == len(runes) || strings.ContainsRune("*[#", runes[i]) {
			return false
		}
		if runes[i] == '%' && i == begin+1 {
			continue
		}
		if arg == 0 {
			return strings.ContainsRune("svqxX", runes[i])
		}
		arg--
	}
	return false
}

// calm reports whether a function cannot panic, as far as its own code tells.
func (fn *function) calm() bool {
	is := true
	ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SliceExpr, *ast.StarExpr, *ast.TypeAssertExpr, *ast.GoStmt, *ast.DeferStmt, *ast.FuncLit, *ast.SendStmt:
			is = false
		case *ast.IndexExpr:
			_, isMap := fn.info.TypeOf(n.X).Underlying().(*types.Map)
			is = is && isMap
		case *ast.BinaryExpr:
			by := fn.info.Types[n.Y].Value
			is = is && (n.Op != token.QUO && n.Op != token.REM || by != nil && constant.Sign(by) != 0)
		case *ast.SelectorExpr:
			sel := fn.info.Selections[n]
			is = is && (sel == nil || !sel.Indirect())
		case *ast.CallExpr:
			is = is && (fn.info.Types[n.Fun].IsType() || calmly(fn.info, n))
		}
		return is
	})
	return is
}

// calmly reports whether a call is of a function of which it is known that it does not panic.
func calmly(info *types.Info, e *ast.CallExpr) bool {
	switch f := ast.Unparen(e.Fun).(type) {
	case *ast.Ident:
		return info.Types[f].IsBuiltin() && slices.Contains([]string{"len", "min", "max"}, f.Name)
	case *ast.SelectorExpr:
		fn, ok := info.Uses[f.Sel].(*types.Func)
		if !ok || fn.Pkg() == nil || fn.Signature().Recv() != nil {
			return false
		}
		switch fn.Pkg().Path() {
		case "fmt", "strings":
			return slices.Contains([]string{"Sprint", "Sprintf", "ToUpper", "ToLower", "TrimSpace", "Join", "ReplaceAll"}, fn.Name())
		case "strconv":
			return fn.Name() == "Itoa" || fn.Name() == "Quote" || fn.Name() == "FormatBool"
		}
	}
	return false
}

// said is the type of an argument for a function that writes it as text, if it is a plain one or written by its method String.
func (m *machine) said(e *ast.CallExpr, i int) *types.Basic {
	if m.sayer(e, i) != nil {
		return types.Typ[types.String]
	}
	basic, _ := m.frame.info.TypeOf(e.Args[i]).(*types.Basic)
	return basic
}
