package durableotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

// operation makes the span of what a client does, and hands its context on.
func (t *Tracing) operation(ctx context.Context, op *durable.Operation, next func(context.Context) error) error {
	var name, kind string
	switch op.Verb {
	case "start":
		name, kind = "create_orchestration:"+op.Name, "orchestration"
	case "raise":
		name, kind = "orchestration_event:"+op.Name, "event"
	default:
		return next(ctx)
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("durabletask.type", kind), attribute.String("durabletask.task.name", op.Name)))
	defer span.End()
	op.TraceParent, op.TraceState = format(span.SpanContext())
	op.Baggage = baggage.FromContext(ctx).String()
	err := next(ctx)
	if op.Instance != "" {
		span.SetAttributes(attribute.String("durabletask.task.instance_id", op.Instance))
	}
	t.fail(span, err)
	return err
}

// attempt makes the span of an attempt of an activity.
func (t *Tracing) attempt(ctx context.Context, info durable.ActivityInfo, next func(context.Context) error) error {
	if parent := parse(info.TraceParent, info.TraceState); parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	if b, err := baggage.Parse(info.Baggage); err == nil && b.Len() > 0 { // what is none is left out, as by the propagator
		ctx = baggage.ContextWithBaggage(ctx, b)
	}
	ctx, span := t.tracer.Start(ctx, "activity:"+info.Activity, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("durabletask.type", "activity"),
		attribute.String("durabletask.task.name", info.Activity),
		attribute.String("durabletask.task.instance_id", info.Instance),
		attribute.Int("durable.attempt", info.Attempt),
	))
	defer span.End() // a panic passes through
	err := next(ctx)
	if errors.Is(err, durable.ErrCompleteLater) {
		span.SetAttributes(attribute.Bool("durable.completed_later", true))
		return err
	}
	t.fail(span, err)
	return err
}

func (t *Tracing) fail(span trace.Span, err error) {
	switch {
	case err == nil:
	case t.texts:
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	default:
		span.SetStatus(codes.Error, "")
	}
}

// ended makes the span of an execution.
func (t *Tracing) ended(e observe.End) {
	ctx, root := t.place(e.Execution)
	attributes := []attribute.KeyValue{
		attribute.String("durabletask.type", "orchestration"),
		attribute.String("durabletask.task.name", e.Orchestrator),
		attribute.String("durabletask.task.instance_id", e.Instance),
		attribute.String("durabletask.task.status", e.Status),
		attribute.Int64("durable.run", int64(e.Run)),
		attribute.Int64("durable.execution", int64(e.Number)),
	}
	if e.Version != "" {
		attributes = append(attributes, attribute.String("durabletask.task.version", e.Version))
	}
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(e.Began), trace.WithAttributes(attributes...), trace.WithLinks(t.links(e)...),
	}
	if root {
		options = append(options, trace.WithNewRoot())
	}
	_, span := t.tracer.Start(ctx, nameOf(e.Execution), options...)
	if e.Status == string(durable.Failed) {
		span.SetStatus(codes.Error, e.Kind)
	}
	ended := e.Ended
	if ended.Before(e.Began) {
		ended = e.Began
	}
	span.End(trace.WithTimestamp(ended))
}

// links are to the execution before, and to who sent events.
func (t *Tracing) links(e observe.End) []trace.Link {
	var links []trace.Link
	if e.Number > 0 {
		before := e.Execution
		before.Number--
		links = append(links, trace.Link{
			SpanContext: t.contextOf(before), Attributes: []attribute.KeyValue{attribute.String("durable.link", "continued_from")},
		})
	}
	for _, event := range e.Events {
		if sender := parse(event, ""); sender.IsValid() {
			links = append(links, trace.Link{SpanContext: sender, Attributes: []attribute.KeyValue{attribute.String("durable.link", "event")}})
		}
	}
	return links
}

// traceParent is the context that an execution hands on.
func (t *Tracing) traceParent(e observe.Execution) string {
	parent, _ := format(t.contextOf(e))
	return parent
}

// traceState is the tracestate beside it.
func (t *Tracing) traceState(e observe.Execution) string {
	_, state := format(t.contextOf(e))
	return state
}

// contextOf is the context of the span that an execution will have.
func (t *Tracing) contextOf(e observe.Execution) trace.SpanContext {
	want := idsOf(e)
	if parent := parentOf(e); parent.IsValid() {
		return parent.WithSpanID(want.span).WithRemote(true)
	}
	return t.probe(want, nameOf(e)).WithRemote(true)
}

// place is the context that the span of an execution is started in; root: it begins a trace.
func (t *Tracing) place(e observe.Execution) (ctx context.Context, root bool) {
	ctx = withIDs(context.Background(), idsOf(e))
	parent := parentOf(e)
	if !parent.IsValid() {
		return ctx, true
	}
	return trace.ContextWithRemoteSpanContext(ctx, parent), false
}

// parentOf is the context that a run was started in, which only its first execution belongs to.
func parentOf(e observe.Execution) trace.SpanContext {
	if e.Number > 0 {
		return trace.SpanContext{}
	}
	return parse(e.TraceParent, e.TraceState)
}

func nameOf(e observe.Execution) string {
	if e.Version == "" {
		return "orchestration:" + e.Orchestrator
	}
	return "orchestration:" + e.Orchestrator + "@" + e.Version
}

const header, stateHeader = "traceparent", "tracestate"

func parse(traceParent, traceState string) trace.SpanContext {
	if traceParent == "" {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{header: traceParent, stateHeader: traceState})
	return trace.SpanContextFromContext(ctx)
}

func format(sc trace.SpanContext) (traceParent, traceState string) {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), sc), carrier)
	return carrier[header], carrier[stateHeader]
}
