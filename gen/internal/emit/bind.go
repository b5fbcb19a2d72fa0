package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/gen/internal/names"
)

// bind emits the typed binding: it takes a function of the user's own signature, so that a signature that has drifted
// from the generated code stops the build.
func (e *emitter) bind(d *names.Decl) {
	bind := "BindActivity"
	if d.Word == annotations.Orchestrator {
		bind = "BindOrchestrator"
	}
	fn := jen.Id(d.Own.Func).Func().Params(signature(d, ownContext(d))...).Add(results(d))
	e.method(d, "Bind", []jen.Code{fn}, []jen.Code{durable("Binding")},
		durable(bind).Call(jen.Op("&").Id(d.Info), adapter(d)))
}

// ownContext is the context parameter of the user's function, if it has one.
func ownContext(d *names.Decl) []jen.Code {
	switch {
	case d.Word == annotations.Orchestrator:
		return []jen.Code{durableContext(d)}
	case d.Func.Context:
		return []jen.Code{jen.Id(d.Own.Context).Qual("context", "Context")}
	}
	return nil
}

// adapter turns the user's function into the one shape the runtime takes: (context, arguments) → (result, error).
func adapter(d *names.Decl) *jen.Statement {
	if len(ownContext(d)) > 0 && len(d.Params) == 1 && d.Func.Result != nil {
		return jen.Id(d.Own.Func)
	}
	ctx, call := jen.Id("_"), []jen.Code{}
	if len(ownContext(d)) > 0 {
		ctx, call = jen.Id("ctx"), []jen.Code{jen.Id("ctx")}
	}
	if d.Word == annotations.Orchestrator {
		ctx.Add(durable("Context"))
	} else {
		ctx.Qual("context", "Context")
	}
	var args *jen.Statement
	switch len(d.Params) {
	case 0:
		args = jen.Id("_").Add(durable("None"))
	case 1:
		args = jen.Id("a").Add(typeOf(d.Params[0].Type))
		call = append(call, jen.Id("a"))
	default:
		args = jen.Id("a").Id(d.Args)
		for _, p := range d.Params {
			call = append(call, jen.Id("a").Dot(p.Field))
		}
	}
	body := jen.Return(jen.Id(d.Own.Func).Call(call...))
	if d.Func.Result == nil {
		body = jen.Return(durable("None").Values(), jen.Id(d.Own.Func).Call(call...))
	}
	return jen.Func().Params(ctx, args).Params(result(d), jen.Error()).Block(body)
}

func results(d *names.Decl) *jen.Statement {
	if d.Func.Result == nil {
		return jen.Error()
	}
	return jen.Params(returns(d)...)
}

func join(first, second string, rest ...string) string {
	return strings.Join(append([]string{first, second}, rest...), ", ")
}
