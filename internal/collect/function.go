package collect

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/durablegen/durablegen/annotations"
)

// The accepted forms, as diagnostics say them.
const (
	activityForm     = "write func([ctx context.Context,] params…) (T, error), or error alone"
	orchestratorForm = "write func(ctx durable.Context, params…) (T, error), or error alone"
)

func form(w annotations.Word) string {
	if w == annotations.Orchestrator {
		return orchestratorForm
	}
	return activityForm
}

// function checks an orchestrator or activity. All of its problems are reported, not only the first.
func (c *collector) function(d *annotations.Directive, node *ast.FuncDecl) *Decl {
	before := len(c.problems)
	decl := c.newDecl(d, node.Name)
	decl.Func = &Func{}
	obj, _ := c.src.Defs[node.Name].(*types.Func)
	switch {
	case node.Name.Name == "_":
		c.errorf(node.Name.Pos(), "a blank %s cannot be called: give the function a name", d.Word)
	case node.Name.Name == "init" && node.Recv == nil, node.Name.Name == "main" && node.Recv == nil && c.src.Name == "main":
		c.errorf(node.Name.Pos(), "%s is called by Go itself and cannot be an %s: move its body to a function of its own", node.Name.Name, d.Word)
	case obj == nil:
		return nil // the type checker says why
	default:
		sig := obj.Signature()
		c.receiver(decl, node, sig)
		c.typeParams(d, node)
		c.parameters(decl, node, sig)
		c.results(decl, node, sig)
	}
	if len(c.problems) > before || invalid(obj.Type()) {
		return nil
	}
	return decl
}

func (c *collector) receiver(decl *Decl, node *ast.FuncDecl, sig *types.Signature) {
	recv := sig.Recv()
	if recv == nil {
		return
	}
	pos := node.Recv.Pos()
	if decl.Word == annotations.Orchestrator {
		c.errorf(pos, "an orchestrator is a method: replay on another worker would see other fields, so an orchestrator has no dependencies; "+
			"make it a function and pass what it needs as parameters, dependencies belong to activities")
		return
	}
	t := types.Unalias(recv.Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok {
		return // the type checker says why
	}
	if named.TypeParams().Len() > 0 {
		c.errorf(pos, "the receiver %s has type parameters: a stored name stands for one type; "+
			"annotate a method of a type without type parameters that holds the generic one", named.Obj().Name())
		return
	}
	decl.Func.Receiver = named.Obj().Name()
}

func (c *collector) typeParams(d *annotations.Directive, node *ast.FuncDecl) {
	if list := node.Type.TypeParams; list != nil {
		c.errorf(list.Pos(), "an %s has type parameters: a stored name stands for one type; annotate a function with concrete types that calls the generic one", d.Word)
	}
}

// parameters reads what is on the wire, after the context.
func (c *collector) parameters(decl *Decl, node *ast.FuncDecl, sig *types.Signature) {
	fields := paramIdents(node.Type.Params)
	skip := c.context(decl, node, sig, fields)
	taken := map[string]bool{}
	for i := skip; i < sig.Params().Len(); i++ {
		taken[sig.Params().At(i).Name()] = true
	}
	for i := skip; i < sig.Params().Len(); i++ {
		v, pos := sig.Params().At(i), fields[i].Pos()
		name := v.Name()
		if name == "" || name == "_" {
			name = positional(i-skip+1, taken)
		}
		if sig.Variadic() && i == sig.Params().Len()-1 {
			c.errorf(pos, "%s is variadic: arguments are stored one by one under their names; take a slice instead", name)
			continue
		}
		if c.strayContext(decl, v.Type(), pos) {
			continue
		}
		if culprit := Unserialisable(v.Type(), name); culprit.Text != "" {
			c.problem(culprit.Rule, pos, "parameter %s cannot be stored as JSON: %s", name, culprit.Text)
		}
		decl.Func.Params = append(decl.Func.Params, Param{name, v.Type()})
	}
}

// context checks the first parameter and gives the number of parameters that are no arguments.
func (c *collector) context(decl *Decl, node *ast.FuncDecl, sig *types.Signature, fields []ast.Node) int {
	var first types.Type
	pos := node.Name.Pos()
	if sig.Params().Len() > 0 {
		first, pos = sig.Params().At(0).Type(), fields[0].Pos()
	}
	switch {
	case decl.Word == annotations.Orchestrator && isDurable(first, "Context"):
		return 1
	case decl.Word == annotations.Orchestrator && isContext(first):
		c.errorf(pos, "an orchestrator takes a context.Context: it is replayed and must not wait for anything but durable operations; %s", orchestratorForm)
		return 1
	case decl.Word == annotations.Orchestrator && isPointerTo(first, "Context"):
		c.errorf(pos, "an orchestrator takes a pointer to a durable.Context: a context is passed by value; %s", orchestratorForm)
		return 1
	case decl.Word == annotations.Orchestrator:
		if first == nil || !invalid(first) {
			c.errorf(pos, "an orchestrator without a durable.Context cannot do anything durable; %s", orchestratorForm)
		}
		return 0
	case isDurable(first, "Context"):
		c.errorf(pos, "an activity takes a durable.Context: it runs once, outside of the replay, and takes the standard one; %s", activityForm)
		return 1
	case isContext(first):
		decl.Func.Context = true
		return 1
	}
	return 0
}

// strayContext reports a context that is not the first parameter.
func (c *collector) strayContext(decl *Decl, t types.Type, pos token.Pos) bool {
	switch {
	case isContext(t):
		c.errorf(pos, "a context.Context is not an argument and cannot be stored; it may only be the first parameter of an activity: %s", form(decl.Word))
	case isDurable(t, "Context"):
		c.errorf(pos, "a durable.Context is not an argument and cannot be stored; it may only be the first parameter of an orchestrator: %s", form(decl.Word))
	default:
		return false
	}
	return true
}

func (c *collector) results(decl *Decl, node *ast.FuncDecl, sig *types.Signature) {
	list := sig.Results()
	for v := range list.Variables() {
		if invalid(v.Type()) {
			return // the type checker says why
		}
	}
	n := list.Len()
	if n == 0 || n > 2 || !isError(list.At(n-1).Type()) || n == 2 && isError(list.At(0).Type()) {
		pos := node.Name.Pos()
		if node.Type.Results != nil {
			pos = node.Type.Results.Pos()
		}
		c.errorf(pos, "an %s returns %s: the last result is an error, with at most one value before it (use a struct for more); %s",
			decl.Word, describeResults(list), form(decl.Word))
		return
	}
	if n == 1 {
		return
	}
	value := list.At(0)
	if culprit := Unserialisable(value.Type(), "it"); culprit.Text != "" {
		c.problem(culprit.Rule, node.Type.Results.Pos(), "the result cannot be stored as JSON: %s", culprit.Text)
	}
	decl.Func.Result = value.Type()
	if value.Name() != "_" {
		decl.Func.ReturnAs = value.Name()
	}
}

func describeResults(list *types.Tuple) string {
	if list.Len() == 0 {
		return "nothing"
	}
	return types.TypeString(list, func(p *types.Package) string { return p.Name() })
}

// paramIdents gives the node that stands for each parameter: its name, or its type when it has none.
func paramIdents(list *ast.FieldList) []ast.Node {
	var nodes []ast.Node
	for _, field := range list.List {
		for _, name := range field.Names {
			nodes = append(nodes, name)
		}
		if len(field.Names) == 0 {
			nodes = append(nodes, field.Type)
		}
	}
	return nodes
}

// positional names the i-th argument when the user did not.
func positional(i int, taken map[string]bool) string {
	name := fmt.Sprintf("p%d", i)
	for taken[name] {
		name += "x"
	}
	taken[name] = true
	return name
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

func isContext(t types.Type) bool { return isNamed(t, "context", "Context") }

func isDurable(t types.Type, name string) bool { return isNamed(t, RuntimePath, name) }

func isPointerTo(t types.Type, name string) bool {
	if t == nil {
		return false
	}
	ptr, ok := types.Unalias(t).(*types.Pointer)
	return ok && isDurable(ptr.Elem(), name)
}

func isNamed(t types.Type, path, name string) bool {
	if t == nil {
		return false
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	return named.Obj().Name() == name && named.Obj().Pkg().Path() == path
}
