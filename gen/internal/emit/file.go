// Package emit writes the generated file of a package. It decides nothing: shapes come from collect, names from names.
// The weight is in the runtime's generics; what is emitted is names, types and one call a method.
package emit

import (
	"bytes"
	"fmt"

	"github.com/dave/jennifer/jen"
	"golang.org/x/tools/imports"

	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/names"
)

// File gives the bytes of the generated file.
func File(plan *names.Plan) ([]byte, error) {
	e := &emitter{plan: plan, file: jen.NewFilePathName(plan.Path, plan.Name)}
	e.header()
	e.handshake()
	for _, d := range plan.Decls {
		e.declaration(d)
	}
	e.errors()
	e.receivers()
	e.register()
	return e.render()
}

type emitter struct {
	plan *names.Plan
	file *jen.File
}

func (e *emitter) header() {
	e.file.HeaderComment(load.Header)
	for path, name := range e.plan.Imports.All() {
		if names.Implied(path, name) {
			e.file.ImportName(path, name)
		} else {
			e.file.ImportAlias(path, name)
		}
	}
}

func (e *emitter) handshake() {
	e.file.Add(doc(wrap("The build stops here when this file and the runtime in go.mod are of different formats: run go " +
		"generate with the durablegen of the runtime's version.")...))
	e.file.Const().Id("_").Op("=").Add(durable("GeneratedCodeV1"))
}

func (e *emitter) declaration(d *names.Decl) {
	switch {
	case d.Event != nil:
		e.event(d)
	case d.Func == nil: // errors are registered together
	default:
		e.function(d)
	}
}

// handle declares the variable that users call and its type. go doc hides the methods of an unexported type, so the
// comment shows how they are called.
func (e *emitter) handle(d *names.Decl, sentence string, samples ...string) {
	intro := append(wrap(sentence), "")
	for _, s := range samples {
		intro = append(intro, "\t"+s)
	}
	e.file.Line()
	e.file.Add(doc(withUserDoc(intro, d.Doc)...))
	e.file.Var().Id(d.Handle).Id(d.Type)
	e.file.Line()
	e.file.Type().Id(d.Type).Struct()
}

// method declares one verb of a handle, whose body is one return.
func (e *emitter) method(d *names.Decl, verb string, params []jen.Code, results []jen.Code, body *jen.Statement) {
	e.file.Line()
	fn := e.file.Func().Params(jen.Id(d.Type)).Id(verb).Params(params...)
	switch len(results) {
	case 0:
		fn.Block(body)
		return
	case 1:
		fn.Add(results[0])
	default:
		fn.Params(results...)
	}
	fn.Block(jen.Return(body))
}

// render prints the file and groups its imports as goimports does, so that saving it in an editor changes nothing.
func (e *emitter) render() ([]byte, error) {
	var raw bytes.Buffer
	e.file.NoFormat = true // once is enough
	if err := e.file.Render(&raw); err != nil {
		return nil, fmt.Errorf("durablegen: print generated code of %s, please report this: %w", e.plan.Path, err)
	}
	out, err := imports.Process(load.FileName, raw.Bytes(), &imports.Options{FormatOnly: true, Comments: true, TabIndent: true, TabWidth: 8})
	if err != nil {
		return nil, fmt.Errorf("durablegen: format generated code of %s, please report this: %w", e.plan.Path, err)
	}
	return out, nil
}

// durable refers to a name of the runtime.
func durable(name string) *jen.Statement { return jen.Qual(load.RuntimePath, name) }

// generic instantiates a generic of the runtime.
func generic(name string, args ...jen.Code) *jen.Statement { return durable(name).Types(args...) }
