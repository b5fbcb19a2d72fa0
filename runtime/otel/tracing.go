package durableotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/observe"
)

const scope = "github.com/durablegen/durablegen/runtime/otel"

// Config configures New. The zero value is ready.
type Config struct {
	TracerProvider trace.TracerProvider // nil: the global one of package otel
	ErrorTexts     bool                 // spans hold the texts of the errors of activities and clients, which may tell payloads
}

// Tracing makes spans. It may be used by many goroutines, clients and workers at once.
type Tracing struct {
	tracer trace.Tracer
	texts  bool
}

var errIDs = errors.New("durableotel: the tracer provider does not take the ids that it is given, so the spans of a trace would not find each other: make it with sdktrace.WithIDGenerator(durableotel.IDs{})")

// New checks that the tracer provider has [IDs]. A provider that makes no spans at all is as good.
func New(cfg Config) (*Tracing, error) {
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	t := &Tracing{tracer: cfg.TracerProvider.Tracer(scope), texts: cfg.ErrorTexts}
	want := idsOf(observe.Execution{Instance: "probe"})
	if got := t.probe(want, "probe"); got.IsValid() && got.SpanID() != want.span {
		return nil, errIDs
	}
	return t, nil
}

// Client gives a config whose clients make spans of starts and events.
func (t *Tracing) Client(cfg durable.ClientConfig) durable.ClientConfig {
	cfg.Interceptors = append(cfg.Interceptors[:len(cfg.Interceptors):len(cfg.Interceptors)], t.operation)
	return cfg
}

// Worker gives a config whose workers make spans of orchestrations and activities. The context of an activity has its
// span, so that what it calls joins the trace.
func (t *Tracing) Worker(cfg durable.WorkerConfig) durable.WorkerConfig {
	cfg.Hooks = observe.Join(cfg.Hooks, observe.Hooks{Ended: t.ended, TraceParent: t.traceParent, TraceState: t.traceState})
	had := cfg.Interceptors.Activities
	cfg.Interceptors.Activities = append(had[:len(had):len(had)], t.attempt)
	return cfg
}

// probe asks what context a span would have that begins a trace: the sampler's mind depends on it. The span is never
// ended, so nobody sees it.
func (t *Tracing) probe(want ids, name string) trace.SpanContext {
	_, span := t.tracer.Start(withIDs(context.Background(), want), name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
	return span.SpanContext()
}
