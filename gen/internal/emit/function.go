package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/durablegen/durablegen/annotations"
	"github.com/durablegen/durablegen/gen/internal/names"
)

// function emits an activity or orchestrator: handle, arguments, what names it to the hub, verbs.
func (e *emitter) function(d *names.Decl) {
	if d.Word == annotations.Activity {
		e.handle(d, d.Handle+" calls "+link(d)+" as a durable activity:", sample(d, "Call", d.Own.Context))
	} else {
		e.handle(d, d.Handle+" runs "+link(d)+" as a durable orchestration, from outside and from another one:",
			"handle, err := "+d.Handle+".Start("+join(d.Own.Context, d.Own.Client, vars(d)...)+")",
			sample(d, "Call", d.Own.Context))
	}
	e.arguments(d)
	e.info(d)
	if d.Word == annotations.Activity {
		e.activityVerbs(d)
	} else {
		e.orchestratorVerbs(d)
	}
	e.bind(d)
}

// arguments declares the wire form of several arguments, an object keyed by parameter name.
func (e *emitter) arguments(d *names.Decl) {
	if d.Args == "" {
		return
	}
	e.file.Line()
	e.file.Type().Id(d.Args).StructFunc(func(g *jen.Group) {
		for _, p := range d.Params {
			g.Id(p.Field).Add(typeOf(p.Type)).Add(tagOf(`json:"` + p.Key + `"`))
		}
	})
}

// info declares the variable that names the function to the hub.
func (e *emitter) info(d *names.Decl) {
	kind := "Activity"
	if d.Word == annotations.Orchestrator {
		kind = "Orchestrator"
	}
	fields := fieldList{}
	fields.add("Name", true, jen.Lit(d.Wire))
	fields.add("Aliases", len(d.Aliases) > 0, stringSlice(d.Aliases))
	if d.Word == annotations.Orchestrator {
		fields.add("Group", true, jen.Lit(d.Group))
		fields.add("Version", d.Version != "", jen.Lit(d.Version))
	}
	fields.add("Source", true, jen.Lit(d.Source))
	fields.add("Pinned", d.Name != "", jen.True())
	if d.Word == annotations.Activity {
		fields.add("Timeout", d.Timeout > 0, durable("Timeout").Call(duration(d.Timeout)))
		fields.add("Heartbeat", d.Heartbeat > 0, durable("HeartbeatTimeout").Call(duration(d.Heartbeat)))
		fields.add("Retry", d.Attempts > 0 || d.Deadline > 0, retry(d))
		fields.add("Concurrency", d.Concurrency > 0, jen.Lit(d.Concurrency))
		fields.add("Local", d.Directive.Local, jen.True())
	}
	e.file.Line()
	e.file.Var().Id(d.Info).Op("=").Add(durable(kind)).Custom(multiline, fields...)
}

// multiline is a composite literal with one element a line.
var multiline = jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}

type fieldList []jen.Code

func (l *fieldList) add(name string, present bool, value jen.Code) {
	if present {
		*l = append(*l, jen.Id(name).Op(":").Add(value))
	}
}

func stringSlice(list []string) *jen.Statement {
	return jen.Index().String().ValuesFunc(func(g *jen.Group) {
		for _, s := range list {
			g.Lit(s)
		}
	})
}

func retry(d *names.Decl) *jen.Statement {
	fields := fieldList{}
	fields.add("Attempts", d.Attempts > 0, jen.Lit(d.Attempts))
	fields.add("First", d.First > 0, duration(d.First))
	fields.add("Backoff", d.Backoff > 0, factor(d.Backoff))
	fields.add("MaxInterval", d.Max > 0, duration(d.Max))
	fields.add("Jitter", d.Jitter > 0, factor(d.Jitter))
	fields.add("Deadline", d.Deadline > 0, duration(d.Deadline))
	return durable("RetryPolicy").Values(fields...)
}

func (e *emitter) activityVerbs(d *names.Decl) {
	params := signature(d, []jen.Code{durableContext(d)}, variadic(d, "CallOption"))
	start := generic("StartActivity", result(d)).Call(jen.Id(d.Own.Context), jen.Op("&").Id(d.Info), value(d), jen.Id(d.Own.Options).Op("..."))
	e.method(d, "Call", params, returns(d), get(d, start.Clone()))
	e.method(d, "Start", params, []jen.Code{generic("Future", result(d))}, start)
}

func (e *emitter) orchestratorVerbs(d *names.Decl) {
	handle := generic("Handle", result(d))
	client := jen.Id(d.Own.Client).Op("*").Add(durable("Client"))
	info := jen.Op("&").Id(d.Info)
	options := jen.Id(d.Own.Options).Op("...")
	ctx := jen.Id(d.Own.Context)

	outside := []jen.Code{jen.Id(d.Own.Context).Qual("context", "Context"), client}
	e.method(d, "Start", signature(d, outside, variadic(d, "StartOption")), []jen.Code{handle, jen.Error()},
		generic("StartInstance", result(d)).Call(ctx, jen.Id(d.Own.Client), info, value(d), options))
	e.method(d, "Attach", []jen.Code{client, jen.Id(d.Own.ID).String()}, []jen.Code{handle},
		generic("AttachInstance", result(d)).Call(jen.Id(d.Own.Client), info, jen.Id(d.Own.ID)))

	scheduling := append(outside[:2:2], jen.Id(d.Own.Schedule).Add(durable("Schedule")))
	e.method(d, "Schedule", signature(d, scheduling, variadic(d, "ScheduleOption")), []jen.Code{jen.Error()},
		durable("CreateSchedule").Call(ctx, jen.Id(d.Own.Client), info, jen.Id(d.Own.Schedule), value(d), options))

	inside := []jen.Code{durableContext(d)}
	child := generic("StartChild", result(d)).Call(ctx, info, value(d), options)
	e.method(d, "Call", signature(d, inside, variadic(d, "ChildOption")), returns(d), get(d, child.Clone()))
	e.method(d, "StartChild", signature(d, inside, variadic(d, "ChildOption")), []jen.Code{generic("Future", result(d))}, child)
	again := durable("ContinueWith").Call(ctx, value(d))
	if d.Versioned {
		again = durable("ContinueAs").Call(ctx, info, value(d))
	}
	e.method(d, "ContinueAsNew", signature(d, inside), []jen.Code{jen.Error()}, again)
}

// get waits for a future, the way the function returns.
func get(d *names.Decl, future *jen.Statement) *jen.Statement {
	if d.Func.Result == nil {
		return future.Dot("Err").Call(jen.Id(d.Own.Context))
	}
	return future.Dot("Get").Call(jen.Id(d.Own.Context))
}

// signature lists parameters: what goes before, the user's, what goes after.
func signature(d *names.Decl, before []jen.Code, after ...jen.Code) []jen.Code {
	list := append([]jen.Code{}, before...)
	for _, p := range d.Params {
		list = append(list, jen.Id(p.Var).Add(typeOf(p.Type)))
	}
	return append(list, after...)
}

func durableContext(d *names.Decl) *jen.Statement {
	return jen.Id(d.Own.Context).Add(durable("Context"))
}

func variadic(d *names.Decl, option string) *jen.Statement {
	return jen.Id(d.Own.Options).Op("...").Add(durable(option))
}

// result is the type argument of the runtime's generics.
func result(d *names.Decl) *jen.Statement {
	if d.Func.Result == nil {
		return durable("None")
	}
	return typeOf(d.Func.Result)
}

func returns(d *names.Decl) []jen.Code {
	if d.Func.Result == nil {
		return []jen.Code{jen.Error()}
	}
	return []jen.Code{typeOf(d.Func.Result), jen.Error()}
}

// value is the arguments in their wire form: nothing, the value itself, or an object.
func value(d *names.Decl) *jen.Statement {
	switch len(d.Params) {
	case 0:
		return durable("None").Values()
	case 1:
		return jen.Id(d.Params[0].Var)
	}
	return jen.Id(d.Args).ValuesFunc(func(g *jen.Group) {
		for _, p := range d.Params {
			g.Id(p.Var)
		}
	})
}

func vars(d *names.Decl) []string {
	var list []string
	for _, p := range d.Params {
		list = append(list, p.Var)
	}
	return list
}
