package mend

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// clock is DET101: the time is that of the orchestration.
func (s *site) clock() bool {
	ctx := s.context()
	sel, fn := s.selector()
	if ctx == "" || fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "time" {
		return false
	}
	call, callee := s.call()
	if fn.Name() == "Now" {
		s.drop(sel)
		return s.replace(sel, "Use "+ctx+".Now", "%s.Now", ctx)
	}
	if callee != fn || len(call.Args) != 1 {
		return false
	}
	s.drop(sel)
	arg := s.text(call.Args[0])
	switch fn.Name() {
	case "Since":
		return s.replace(call, "Use "+ctx+".Now", "%s.Now().Sub(%s)", ctx, arg)
	case "Until":
		switch call.Args[0].(type) {
		case *ast.Ident, *ast.SelectorExpr, *ast.CallExpr, *ast.IndexExpr:
			return s.replace(call, "Use "+ctx+".Now", "%s.Sub(%s.Now())", arg, ctx)
		}
	}
	return false
}

// sleep is DET102. The error of a durable sleep is returned where the function returns one.
func (s *site) sleep() bool {
	ctx := s.context()
	call, fn := s.call()
	if ctx == "" || fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "time" || len(call.Args) != 1 {
		return false
	}
	var statement *ast.ExprStmt
	for _, n := range s.path {
		if e, ok := n.(*ast.ExprStmt); ok && e.X == call {
			statement = e
		}
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if statement == nil || !ok {
		return false
	}
	s.drop(sel)
	durable, arg := s.runtimeName(), s.text(call.Args[0])
	if zeros, ok := s.zeros(); ok {
		return s.replace(statement, "Use durable.Sleep", "if err := %s.Sleep(%s, %s); err != nil {\nreturn %serr\n}", durable, ctx, arg, zeros)
	}
	return s.replace(statement, "Use durable.Sleep", "_ = %s.Sleep(%s, %s)", durable, ctx, arg)
}

// zeros are the zero values of the results before a last one that is an error, each with a comma behind it.
func (s *site) zeros() (string, bool) {
	var sig *types.Signature
	for _, n := range s.path {
		switch n := n.(type) {
		case *ast.FuncLit:
			sig, _ = s.pass.TypesInfo.TypeOf(n).(*types.Signature)
		case *ast.FuncDecl:
			sig, _ = s.pass.TypesInfo.Defs[n.Name].Type().(*types.Signature)
		}
		if sig != nil {
			break
		}
	}
	if sig == nil || sig.Results().Len() == 0 {
		return "", false
	}
	last := sig.Results().At(sig.Results().Len() - 1)
	if !types.Identical(last.Type(), types.Universe.Lookup("error").Type()) {
		return "", false
	}
	var b strings.Builder
	for i := range sig.Results().Len() - 1 {
		zero := s.zero(sig.Results().At(i).Type())
		if zero == "" {
			return "", false
		}
		b.WriteString(zero + ", ")
	}
	return b.String(), true
}

func (s *site) zero(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsBoolean != 0:
			return "false"
		case u.Info()&types.IsNumeric != 0:
			return "0"
		}
	case *types.Pointer, *types.Slice, *types.Map, *types.Signature, *types.Chan:
		return "nil"
	case *types.Interface:
		if _, param := types.Unalias(t).(*types.TypeParam); !param {
			return "nil"
		}
	case *types.Struct:
		if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() == s.pass.Pkg && named.TypeArgs().Len() == 0 {
			return named.Obj().Name() + "{}"
		}
	}
	return ""
}

// local is DET105 of a method call.
func (s *site) local() bool {
	sel, fn := s.selector()
	if fn == nil || fn.FullName() != "(time.Time).Local" {
		return false
	}
	return s.replace(sel.Sel, "Use UTC", "UTC")
}

// renamed are the functions of math/rand that the newer package calls otherwise.
var renamed = map[string]string{
	"Intn": "IntN", "Int31": "Int32", "Int31n": "Int32N", "Int63": "Int64", "Int63n": "Int64N",
	"Int": "Int", "IntN": "IntN", "Int32": "Int32", "Int32N": "Int32N", "Int64": "Int64", "Int64N": "Int64N", "Uint32": "Uint32", "Uint32N": "Uint32N",
	"Uint64": "Uint64", "Uint64N": "Uint64N", "UintN": "UintN", "Uint": "Uint", "Float32": "Float32", "Float64": "Float64", "NormFloat64": "NormFloat64",
	"ExpFloat64": "ExpFloat64", "Perm": "Perm", "Shuffle": "Shuffle",
}

// random is DET111.
func (s *site) random() bool {
	ctx := s.context()
	sel, fn := s.selector()
	if ctx == "" || fn == nil || fn.Pkg() == nil || fn.Signature().Recv() != nil || fn.Pkg().Path() != "math/rand" && fn.Pkg().Path() != "math/rand/v2" {
		return false
	}
	name := renamed[fn.Name()]
	if name == "" {
		return false
	}
	s.drop(sel)
	return s.replace(sel, "Use "+ctx+".Rand", "%s.Rand().%s", ctx, name)
}

// identifier is DET113 of the module that most people use.
func (s *site) identifier() bool {
	ctx := s.context()
	sel, fn := s.selector()
	call, callee := s.call()
	if ctx == "" || fn == nil || callee != fn || fn.Pkg() == nil || fn.Pkg().Path() != "github.com/google/uuid" {
		return false
	}
	switch fn.Name() {
	case "NewString":
		s.drop(sel)
		return s.replace(call, "Use "+ctx+".NewUUID", "%s.NewUUID()", ctx)
	case "New":
		return s.replace(call, "Use "+ctx+".NewUUID", "%s.MustParse(%s.NewUUID())", s.text(sel.X), ctx)
	case "NewRandom", "NewV7", "NewUUID":
		return s.replace(call, "Use "+ctx+".NewUUID", "%s.Parse(%s.NewUUID())", s.text(sel.X), ctx)
	}
	return false
}

// goroutine is DET201 of a function literal without parameters.
func (s *site) goroutine() bool {
	ctx := s.context()
	var stmt *ast.GoStmt
	for _, n := range s.path {
		if g, ok := n.(*ast.GoStmt); ok {
			stmt = g
			break
		}
	}
	if ctx == "" || stmt == nil || len(stmt.Call.Args) > 0 {
		return false
	}
	lit, ok := stmt.Call.Fun.(*ast.FuncLit)
	if !ok || lit.Type.Params.NumFields() > 0 || lit.Type.Results.NumFields() > 0 {
		return false
	}
	durable := s.runtimeName()
	at := func(from, to token.Pos, text string) {
		s.edits = append(s.edits, analysis.TextEdit{Pos: from, End: to, NewText: []byte(text)})
	}
	s.message = "Use durable.Go"
	at(stmt.Pos(), lit.Body.Lbrace, durable+".Go("+ctx+", func("+ctx+" "+durable+".Context) ("+durable+".None, error) ")
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			at(n.Pos(), n.End(), "return "+durable+".None{}, nil")
		}
		return true
	})
	if !endsInReturn(lit.Body) {
		at(lit.Body.Rbrace, lit.Body.Rbrace, "\nreturn "+durable+".None{}, nil\n")
	}
	at(lit.Body.Rbrace+1, stmt.End(), ")")
	return true
}

func endsInReturn(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	_, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	return ok
}

// log is DET306 of the standard library's log and log/slog.
func (s *site) log() bool {
	ctx := s.context()
	sel, fn := s.selector()
	call, callee := s.call()
	if ctx == "" || fn == nil || callee != fn || fn.Pkg() == nil || fn.Signature().Recv() != nil || call.Ellipsis.IsValid() {
		return false
	}
	message := "Use " + ctx + ".Logger"
	switch path := fn.Pkg().Path(); {
	case path == "log/slog":
		switch fn.Name() {
		case "Debug", "Info", "Warn", "Error":
			s.drop(sel)
			return s.replace(sel, message, "%s.Logger().%s", ctx, fn.Name())
		case "Default":
			s.drop(sel)
			return s.replace(call, message, "%s.Logger()", ctx)
		}
	case path == "log" && len(call.Args) > 0:
		if tv := s.pass.TypesInfo.Types[call.Args[0]]; len(call.Args) == 1 && tv.Value != nil && tv.Value.Kind() == constant.String && fn.Name() != "Printf" {
			s.drop(sel)
			return s.replace(sel, message, "%s.Logger().Info", ctx)
		}
		print := map[string]string{"Print": "Sprint", "Printf": "Sprintf"}[fn.Name()]
		if fn.Name() == "Println" && len(call.Args) == 1 {
			print = "Sprint"
		}
		if print == "" {
			return false
		}
		s.drop(sel)
		s.replace(sel, message, "%s.Logger().Info(%s.%s", ctx, s.name("fmt", "fmt"), print)
		s.edits = append(s.edits, analysis.TextEdit{Pos: call.Rparen, End: call.Rparen, NewText: []byte(")")})
		return true
	}
	return false
}
