package code

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/durablegen/durablegen/annotations"
)

// Role is the fact of a function with a directive that decides what it is.
type Role struct{ Word string } // "orchestrator", "activity"

func (*Role) AFact()           {}
func (r *Role) String() string { return r.Word }

// Names is the fact of a package with orchestrators or activities: what each stored name stands for.
type Names struct{ Stored []StoredName }

// StoredName is a name in histories, and the function that it stands for: "example.com/club.Join".
type StoredName struct{ Name, Of string }

func (*Names) AFact()           {}
func (n *Names) String() string { return fmt.Sprintf("%d names", len(n.Stored)) }

// roles are the directives of a package's functions.
type roles struct {
	pass *analysis.Pass
	own  map[*types.Func]*annotations.Directive
}

func readRoles(pass *analysis.Pass) *roles {
	r := &roles{pass, map[*types.Func]*annotations.Directive{}}
	var names Names
	for _, file := range pass.Files {
		if !mentions(file) {
			continue
		}
		directives, _ := annotations.File(pass.Fset, file) // its mistakes are another rule's
		for _, d := range directives {
			fn, ok := d.Node.(*ast.FuncDecl)
			if !ok || d.Word != annotations.Orchestrator && d.Word != annotations.Activity {
				continue
			}
			if obj, ok := pass.TypesInfo.Defs[fn.Name].(*types.Func); ok {
				r.own[obj] = d
				pass.ExportObjectFact(obj, &Role{string(d.Word)})
				name := cmp.Or(d.Name, pass.Pkg.Name()+"."+obj.Name())
				names.Stored = append(names.Stored, StoredName{name, obj.FullName()})
			}
		}
	}
	if names.Stored != nil {
		pass.ExportPackageFact(&names)
	}
	return r
}

func mentions(file *ast.File) bool {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//durable:") {
				return true
			}
		}
	}
	return false
}

// of is the role of a function, here or in another package; "" is none.
func (r *roles) of(obj *types.Func) string {
	if obj == nil || obj.Pkg() == nil {
		return ""
	}
	if d := r.own[obj]; d != nil {
		return string(d.Word)
	}
	var f Role
	if obj.Pkg() != r.pass.Pkg && r.pass.ImportObjectFact(obj, &f) {
		return f.Word
	}
	return ""
}
