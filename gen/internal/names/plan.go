// Package names decides every identifier and every stored name of a generated file, in one table, so that what is emitted
// meets nothing: no declaration of the package, no import of its files, no predeclared name.
package names

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/gen/internal/diag"
	"github.com/durablegen/durablegen/internal/collect"
)

// Plan is a package with all names decided.
type Plan struct {
	*collect.Package
	Decls     []*Decl
	Imports   *Imports
	Receivers []Receiver
}

// Decl is a declaration with its names.
type Decl struct {
	*collect.Decl
	Wire   string // the stored name
	Source string // import path and declaration
	Group  string // of an orchestrator

	Versioned bool // there are, or will be, other versions of the orchestrator

	Handle string // the variable users call
	Type   string // its type
	Info   string // what names it to the hub; functions only
	Args   string // the type of several arguments; "" for none or one
	Params []Param
	Own    Own
}

// Param is one argument with its names.
type Param struct {
	Key   string // on the wire
	Field string // in the arguments struct
	Var   string // in generated signatures
	Type  types.Type
}

// Own names what generated methods add to the user's parameters; the user's names win.
type Own struct{ Context, Client, Options, ID, Event, Func, Schedule string }

// Receiver is one field of DurableReceivers: always a pointer, so that a forgotten one is seen.
type Receiver struct{ Field, Type string }

// Assign decides the names of a package.
func Assign(pkg *collect.Package) (*Plan, []diag.Diagnostic) {
	a := &assigner{pkg: pkg, taken: map[string]bool{}, imported: map[string]bool{}, owner: map[string]string{}}
	a.reserve()
	plan := &Plan{Package: pkg}
	for _, decl := range pkg.Decls {
		plan.Decls = append(plan.Decls, a.public(decl))
	}
	for _, p := range collect.StoredClashes(pkg) {
		a.problems = append(a.problems, diag.Diagnostic{Pos: p.At, Message: p.Message})
	}
	for _, d := range plan.Decls {
		a.private(d)
	}
	plan.Imports = newImports(func(s string) bool { return a.taken[s] })
	a.importTypes(plan)
	for _, d := range plan.Decls {
		a.params(d, plan.Imports)
	}
	plan.Receivers = receivers(plan.Decls)
	return plan, a.problems
}

type assigner struct {
	pkg      *collect.Package
	taken    map[string]bool   // package scope with what we add
	imported map[string]bool   // names that files of the package import by, which no declaration may have
	owner    map[string]string // handle → declaration that has it
	problems []diag.Diagnostic
}

func (a *assigner) errorf(pos token.Position, format string, args ...any) {
	a.problems = append(a.problems, diag.At(pos, format, args...))
}

// reserve marks what the package declares, and refuses what generated code cannot do without.
func (a *assigner) reserve() {
	for _, name := range a.pkg.Types.Scope().Names() {
		a.taken[name] = true
	}
	for _, name := range a.pkg.Imports {
		a.imported[name] = true
	}
	if len(a.pkg.Decls) == 0 {
		return
	}
	for _, name := range []string{"error", "string", "nil", "true"} {
		if a.pkg.Types.Scope().Lookup(name) != nil {
			a.errorf(a.declared(name), "the package declares its own %s, which generated code could not tell from Go's; rename it", name)
		}
	}
	for _, name := range []string{"DurableReceivers", "RegisterDurable"} {
		if !a.free(name) {
			a.errorf(a.declared(name), "%s is a name that generated code declares in every annotated package; rename this one", name)
		}
		a.taken[name] = true
	}
}

// declared gives the position of a package-level name; for an import's name that of the first annotation.
func (a *assigner) declared(name string) token.Position {
	if obj := a.pkg.Types.Scope().Lookup(name); obj != nil {
		return a.pkg.Fset.Position(obj.Pos())
	}
	return a.pkg.Decls[0].Pos
}

// public decides what users see: the handle and the stored name.
func (a *assigner) public(decl *collect.Decl) *Decl {
	d := &Decl{Decl: decl, Source: a.pkg.Path + "." + decl.Local(), Group: decl.Directive.Group, Wire: decl.StoredName(a.pkg.Name)}
	if d.Group == "" {
		d.Group = a.pkg.Name
	}
	d.Versioned = slices.ContainsFunc(a.pkg.Decls, func(o *collect.Decl) bool {
		return o.Word == annotations.Orchestrator && o.Version != "" && o.StoredName(a.pkg.Name) == d.Wire
	})
	if !annotations.ValidName(d.Wire) {
		a.errorf(decl.Pos, "%q cannot be a stored name, which is plain ASCII of at most %d bytes; choose one with name=", d.Wire, annotations.MaxName)
	}
	if decl.Word == annotations.Orchestrator && !annotations.ValidName(d.Group) {
		a.errorf(decl.Pos, "%q cannot be the name of a group, which is plain ASCII; choose one with group=", d.Group)
	}
	if decl.Error == nil {
		d.Handle = a.handle(decl)
	}
	return d
}

// free reports whether the package may declare name.
func (a *assigner) free(name string) bool {
	return !a.taken[name] && !a.imported[name] && !predeclared(name)
}

func (a *assigner) handle(decl *collect.Decl) string {
	name := decl.Handle
	if name == "" {
		name = decl.Ident + collect.Suffix(decl.Word)
	}
	local := decl.Local()
	switch {
	case a.owner[name] != "":
		a.errorf(decl.Pos, "the handle %s of %s is already the handle of %s; choose another with handle=%s", name, local, a.owner[name], a.otherHandle(decl))
	case predeclared(name):
		a.errorf(decl.Pos, "the handle %s of %s is a name of Go itself; choose another with handle=%s", name, local, a.otherHandle(decl))
	case !a.free(name):
		a.errorf(decl.Pos, "the handle %s of %s is already declared or imported in this package; choose another with handle=%s", name, local, a.otherHandle(decl))
	}
	a.taken[name] = true
	if a.owner[name] == "" {
		a.owner[name] = local
	}
	return name
}

// otherHandle proposes a handle that is free.
func (a *assigner) otherHandle(decl *collect.Decl) string {
	suffix := collect.Suffix(decl.Word)
	candidates := []string{"Durable" + Upper(decl.Ident) + suffix}
	if decl.Func != nil && decl.Func.Receiver != "" {
		candidates = []string{decl.Func.Receiver + Upper(decl.Ident) + suffix, candidates[0]}
	}
	return collect.Fresh(func(s string) bool { return !a.free(s) }, candidates...)
}

// private decides the identifiers that only generated code uses. All handles are decided before, so they win.
func (a *assigner) private(d *Decl) {
	if d.Handle == "" {
		return
	}
	take := func(candidates ...string) string {
		name := collect.Fresh(func(s string) bool { return !a.free(s) }, candidates...)
		a.taken[name] = true
		return name
	}
	lower := Lower(d.Handle)
	d.Type = take(lower, lower+"Handle")
	if d.Func == nil {
		return
	}
	base := Lower(d.Handle)
	if trimmed, ok := strings.CutSuffix(d.Handle, collect.Suffix(d.Word)); ok && trimmed != "" {
		base = Lower(trimmed)
	}
	d.Info = take(base+"Info", base+"Durable")
	if len(d.Func.Params) > 1 {
		d.Args = take(base+"Args", base+"Arguments")
	}
}

func (a *assigner) importTypes(plan *Plan) {
	for _, d := range plan.Decls {
		if d.Func == nil {
			continue
		}
		for _, p := range d.Func.Params {
			plan.Imports.addType(p.Type, a.pkg.Types)
		}
		if d.Func.Result != nil {
			plan.Imports.addType(d.Func.Result, a.pkg.Types)
		}
	}
}

// params names the arguments. In generated signatures the user's names stay as they are, unless they would hide something
// that the body needs.
func (a *assigner) params(d *Decl, imports *Imports) {
	hidden := func(s string) bool {
		return imports.used[s] || predeclared(s) || s == d.Info || s == d.Args || a.pkg.Types.Scope().Lookup(s) != nil
	}
	var list []collect.Param
	if d.Func != nil {
		list = d.Func.Params
	}
	fields, vars := map[string]bool{}, map[string]bool{}
	for _, p := range list {
		vars[p.Name] = true
	}
	for _, p := range list {
		out := Param{Key: p.Name, Type: p.Type, Var: p.Name}
		out.Field = collect.Fresh(func(s string) bool { return fields[s] }, Upper(strings.TrimLeft(p.Name, "_")+trailer(p.Name)))
		fields[out.Field] = true
		if hidden(p.Name) {
			out.Var = collect.Fresh(func(s string) bool { return vars[s] || hidden(s) }, p.Name+"Arg")
			vars[out.Var] = true
		}
		d.Params = append(d.Params, out)
	}
	free := func(candidates ...string) string {
		return collect.Fresh(func(s string) bool { return vars[s] || hidden(s) }, candidates...)
	}
	d.Own = Own{
		Context: free("ctx", "dctx"),
		Client:  free("c", "client"),
		Options: free("opts", "options"),
		ID:      free("id", "instance"),
		Event:   free("e", "event"),
		Func:    free("fn", "f"),

		Schedule: free("s", "schedule"),
	}
}

// trailer keeps a name of nothing but underscores a name.
func trailer(name string) string {
	if strings.Trim(name, "_") == "" {
		return "X"
	}
	return ""
}

func receivers(decls []*Decl) []Receiver {
	var list []Receiver
	seen, fields := map[string]bool{}, map[string]bool{}
	for _, d := range decls {
		if d.Func == nil || d.Func.Receiver == "" || seen[d.Func.Receiver] {
			continue
		}
		seen[d.Func.Receiver] = true
		field := collect.Fresh(func(s string) bool { return fields[s] }, Upper(d.Func.Receiver))
		fields[field] = true
		list = append(list, Receiver{field, d.Func.Receiver})
	}
	return list
}

// Field gives the field of DurableReceivers that holds a receiver type.
func (p *Plan) Field(receiver string) string {
	for _, r := range p.Receivers {
		if r.Type == receiver {
			return r.Field
		}
	}
	return ""
}
