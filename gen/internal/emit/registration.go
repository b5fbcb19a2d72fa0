package emit

import (
	"github.com/dave/jennifer/jen"
)

// errors registers the errors that keep their identity across the wire.
func (e *emitter) errors() {
	var list []jen.Code
	for _, d := range e.plan.Decls {
		switch {
		case d.Error == nil:
		case d.Error.Type == nil:
			list = append(list, jen.Id("_").Op("=").Add(durable("RegisterError")).Call(jen.Lit(d.Wire), jen.Id(d.Ident)))
		default:
			t := jen.Id(d.Ident)
			if d.Error.Pointer {
				t = jen.Op("*").Add(t)
			}
			list = append(list, jen.Id("_").Op("=").Add(generic("RegisterErrorType", t)).Call(jen.Lit(d.Wire)))
		}
	}
	if len(list) == 0 {
		return
	}
	e.file.Line()
	e.file.Add(doc("Errors that errors.Is and errors.As recognise after they have crossed the wire."))
	if len(list) == 1 {
		e.file.Var().Add(list[0])
		return
	}
	e.file.Var().Defs(list...)
}

func (e *emitter) receivers() {
	e.file.Line()
	if len(e.plan.Receivers) == 0 {
		e.file.Add(doc("DurableReceivers is empty: no activity of this package is a method."))
	} else {
		e.file.Add(doc("DurableReceivers holds the dependencies of the activities that are methods. Every field must be set."))
	}
	e.file.Type().Id("DurableReceivers").StructFunc(func(g *jen.Group) {
		for _, r := range e.plan.Receivers {
			g.Id(r.Field).Op("*").Id(r.Type)
		}
	})
}

// register emits the function that a worker's program calls.
func (e *emitter) register() {
	var body []jen.Code
	for _, r := range e.plan.Receivers {
		body = append(body, jen.If(jen.Id("recv").Dot(r.Field).Op("==").Nil()).Block(
			jen.Return(durable("MissingReceiver").Call(jen.Lit(e.plan.Name), jen.Lit(r.Field))),
		))
	}
	body = append(body, jen.Return(jen.Id("r").Dot("Add").Custom(addCall(len(e.bindings())), e.bindings()...)))
	e.file.Line()
	e.file.Add(doc(wrap("RegisterDurable adds the orchestrators and activities of this package to r. The error names a field of " +
		"recv that is nil, or a stored name that r has already.")...))
	e.file.Func().Id("RegisterDurable").Params(
		jen.Id("r").Op("*").Add(durable("Registry")), jen.Id("recv").Id("DurableReceivers"),
	).Error().Block(body...)
}

// bindings gives the arguments of Registry.Add, in source order.
func (e *emitter) bindings() []jen.Code {
	var list []jen.Code
	for _, d := range e.plan.Decls {
		if d.Func == nil {
			continue
		}
		fn := jen.Id(d.Ident)
		if d.Func.Receiver != "" {
			fn = jen.Id("recv").Dot(e.plan.Field(d.Func.Receiver)).Dot(d.Ident)
		}
		list = append(list, jen.Id(d.Handle).Dot("Bind").Call(fn))
	}
	return list
}

func addCall(bindings int) jen.Options {
	return jen.Options{Open: "(", Close: ")", Separator: ",", Multi: bindings > 0}
}
