package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/durablegen/durablegen/gen/internal/names"
)

func (e *emitter) event(d *names.Decl) {
	own := d.Own
	e.handle(d, d.Handle+" delivers "+link(d)+" to instances, which receive it; it is raised from outside or sent from another one:",
		own.Event+", err := "+d.Handle+".Receive("+own.Context+").Get("+own.Context+")",
		"err := "+d.Handle+".Raise("+join(own.Context, own.Client, own.ID, own.Event)+")",
		d.Handle+".Send("+join(own.Context, own.ID, own.Event)+")",
		"err := "+d.Handle+".Deliver("+join(own.Context, own.ID, own.Event)+") // waits until it is stored, or refused")
	event := typeOf(d.Event.Type)
	ctx, id, value, name := jen.Id(own.Context), jen.Id(own.ID), jen.Id(own.Event), jen.Lit(d.Wire)

	e.method(d, "Receive", []jen.Code{durableContext(d)}, []jen.Code{generic("Future", event)},
		generic("ReceiveEvent", event).Call(ctx, name))
	e.method(d, "Raise", []jen.Code{
		jen.Id(own.Context).Qual("context", "Context"), jen.Id(own.Client).Op("*").Add(durable("Client")),
		jen.Id(own.ID).String(), jen.Id(own.Event).Add(event),
	}, []jen.Code{jen.Error()}, durable("RaiseEvent").Call(ctx, jen.Id(own.Client), id, name, value))
	e.method(d, "Send", []jen.Code{durableContext(d), jen.Id(own.ID).String(), jen.Id(own.Event).Add(event)}, nil,
		durable("SendEvent").Call(ctx, id, name, value))
	e.method(d, "Deliver", []jen.Code{durableContext(d), jen.Id(own.ID).String(), jen.Id(own.Event).Add(event)}, []jen.Code{jen.Error()},
		durable("DeliverEvent").Call(ctx, id, name, value))
}
