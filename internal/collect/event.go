package collect

import (
	"go/ast"
	"go/types"

	"github.com/durablegen/durablegen/annotations"
)

func (c *collector) event(d *annotations.Directive, node *ast.TypeSpec) *Decl {
	t := c.definedType(d, node)
	if t == nil {
		return nil
	}
	if culprit := Unserialisable(t, node.Name.Name); culprit.Text != "" {
		c.problem(culprit.Rule, node.Name.Pos(), "event %s cannot be stored as JSON: %s", node.Name.Name, culprit.Text)
		return nil
	}
	decl := c.newDecl(d, node.Name)
	decl.Event = &Event{Type: t}
	return decl
}

func (c *collector) errorType(d *annotations.Directive, node *ast.TypeSpec) *Decl {
	t := c.definedType(d, node)
	if t == nil {
		return nil
	}
	iface := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	decl := c.newDecl(d, node.Name)
	decl.Error = &Error{Type: t}
	switch {
	case types.IsInterface(t):
		c.errorf(node.Name.Pos(), "%s is an interface: what arrives must be made of a concrete type; annotate the types that implement it", node.Name.Name)
		return nil
	case types.Implements(t, iface):
	case types.Implements(types.NewPointer(t), iface):
		decl.Error.Pointer = true
	default:
		c.errorf(node.Name.Pos(), "%s is no error: neither it nor *%s has a method Error() string; add the method, or use //durable:event for data", node.Name.Name, node.Name.Name)
		return nil
	}
	if culprit := Unserialisable(t, node.Name.Name); culprit.Text != "" {
		c.problem(culprit.Rule, node.Name.Pos(), "error type %s cannot be stored as JSON: %s", node.Name.Name, culprit.Text)
		return nil
	}
	return decl
}

// definedType gives the type that a spec declares, nil when it cannot be used; a reason is reported.
func (c *collector) definedType(d *annotations.Directive, node *ast.TypeSpec) types.Type {
	obj, ok := c.src.Defs[node.Name].(*types.TypeName)
	switch {
	case node.Name.Name == "_":
		c.errorf(node.Name.Pos(), "a blank type cannot be used: give it a name")
		return nil
	case node.TypeParams != nil:
		c.errorf(node.TypeParams.Pos(), "%s has type parameters: a stored name stands for one type; annotate a type without them, such as type %s%s %s[…]",
			node.Name.Name, node.Name.Name, "Of", node.Name.Name)
		return nil
	case !ok || invalid(obj.Type()):
		return nil // the type checker says why
	}
	return obj.Type()
}

func (c *collector) errorVar(d *annotations.Directive, node *ast.ValueSpec) *Decl {
	name := node.Names[0]
	obj, ok := c.src.Defs[name].(*types.Var)
	switch {
	case name.Name == "_":
		c.errorf(name.Pos(), "a blank variable cannot be compared with: give the error a name")
		return nil
	case !ok || invalid(obj.Type()):
		return nil // the type checker says why
	case !types.Implements(obj.Type(), types.Universe.Lookup("error").Type().Underlying().(*types.Interface)):
		c.errorf(name.Pos(), "%s is no error but %s; write var %s = errors.New(…), or annotate an error type", name.Name, types.TypeString(obj.Type(), byName), name.Name)
		return nil
	case len(node.Values) == 0:
		c.errorf(name.Pos(), "%s has no value when the program starts, and a nil error has no identity; write var %s = errors.New(…)", name.Name, name.Name)
		return nil
	}
	decl := c.newDecl(d, name)
	decl.Error = &Error{}
	return decl
}
