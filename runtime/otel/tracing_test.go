package durableotel_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
	"github.com/durablegen/durablegen/runtime/observe"
	durableotel "github.com/durablegen/durablegen/runtime/otel"
)

const fulfilled = `create_orchestration:shop.Fulfil
  orchestration:shop.Fulfil Completed → orchestration_event:courier
    activity:shop.Reserve 1 Error
    activity:shop.Reserve 2
    orchestration:shop.Pack Completed
      activity:shop.Reserve 1 Error
      activity:shop.Reserve 2
orchestration_event:courier
`

// TestTrace: one trace from the client to the last activity, whether its worker dies on the way or not.
func TestTrace(t *testing.T) {
	t.Parallel()
	for name, crashes := range map[string][]time.Duration{
		"quiet":   nil,
		"crashes": {500 * time.Millisecond, 1500 * time.Millisecond, 20 * time.Second, 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpans(t)
			env := durabletest.New(t, durabletest.Configure(s.Worker, s.Client))
			env.Register(shop(t)...)
			handle, err := durable.StartInstance[bool](t.Context(), env.Client(), fulfil, "lamp")
			if err != nil {
				t.Fatal(err)
			}
			for _, after := range crashes {
				env.Advance(after - min(after, env.Now().Sub(began)))
				env.Crash()
			}
			env.Advance(time.Minute)
			if err := env.Client().Raise(t.Context(), handle.ID(), "Courier", true); err != nil {
				t.Fatal(err)
			}
			if ok, err := handle.Wait(t.Context()); !ok || err != nil {
				t.Fatal(ok, err)
			}
			if diff := cmp.Diff(fulfilled, s.tree()); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // of the test kit

// TestTraceOfContinueAsNew: each execution begins a trace, linked to the one before.
func TestTraceOfContinueAsNew(t *testing.T) {
	t.Parallel()
	s := newSpans(t)
	env := durabletest.New(t, durabletest.Configure(s.Worker, s.Client))
	env.Register(shop(t)...)
	if n, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), count, 0)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	const want = `create_orchestration:shop.Count
  orchestration:shop.Count ContinuedAsNew
    activity:shop.Reserve 1 Error
    activity:shop.Reserve 2
orchestration:shop.Count ContinuedAsNew → orchestration:shop.Count
  activity:shop.Reserve 1 Error
  activity:shop.Reserve 2
orchestration:shop.Count Completed → orchestration:shop.Count
  activity:shop.Reserve 1 Error
  activity:shop.Reserve 2
`
	if diff := cmp.Diff(want, s.tree()); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	traces := map[trace.TraceID]bool{}
	for _, span := range s.GetSpans() {
		traces[span.SpanContext.TraceID()] = true
	}
	if len(traces) != 3 {
		t.Errorf("%d traces, want 3", len(traces))
	}
}

// TestSampling: of an instance that nobody traced when it was started all spans are sampled, or none.
func TestSampling(t *testing.T) {
	t.Parallel()
	s := newSpans(t, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.5))))
	env := durabletest.New(t, durabletest.Configure(s.Worker, nil))
	env.Register(shop(t)...)
	const instances = 40
	for n := range instances {
		if _, err := durabletest.Run(durable.StartInstance[bool](t.Context(), env.Client(), pack, "", durable.InstanceID(fmt.Sprint("order ", n)))); err != nil {
			t.Fatal(err)
		}
	}
	perTrace := map[trace.TraceID]int{}
	for _, span := range s.GetSpans() {
		perTrace[span.SpanContext.TraceID()]++
	}
	if len(perTrace) == 0 || len(perTrace) == instances {
		t.Fatalf("%d of %d traces are sampled, want about half", len(perTrace), instances)
	}
	for id, n := range perTrace {
		if n != 3 { // the orchestration and two attempts
			t.Errorf("trace %s has %d spans, want 3", id, n)
		}
	}
}

// TestSameSpanTwice: an end that is told of again is the same span with the same times.
func TestSameSpanTwice(t *testing.T) {
	t.Parallel()
	s := newSpans(t)
	ended := s.Worker(durable.WorkerConfig{}).Hooks.Ended
	for _, parent := range []string{"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"} {
		s.Reset()
		e := observe.End{Status: "Completed", Ended: began.Add(time.Hour)}
		e.Execution = observe.Execution{Group: "g", Instance: "i", Orchestrator: "o", Run: 1, Began: began, TraceParent: parent}
		ended(e)
		e.Again = true
		ended(e)
		e.Run = 2
		ended(e)
		spans := s.GetSpans()
		if !spans[0].SpanContext.Equal(spans[1].SpanContext) || !spans[0].EndTime.Equal(spans[1].EndTime) {
			t.Errorf("parent %q: told again, %v is %v", parent, spans[0].SpanContext, spans[1].SpanContext)
		}
		if spans[2].SpanContext.SpanID() == spans[0].SpanContext.SpanID() {
			t.Errorf("parent %q: another run has the same span", parent)
		}
		if spans[0].StartTime != began || spans[0].EndTime != began.Add(time.Hour) {
			t.Errorf("from %v to %v", spans[0].StartTime, spans[0].EndTime)
		}
	}
}

// TestActivityContext: what an activity calls joins the trace.
func TestActivityContext(t *testing.T) {
	t.Parallel()
	s := newSpans(t)
	env := durabletest.New(t, durabletest.Configure(s.Worker, s.Client))
	env.Register(append(shop(t), durable.BindActivity(reserve, func(ctx context.Context, _ string) (bool, error) {
		_, span := trace.SpanFromContext(ctx).TracerProvider().Tracer("shop").Start(ctx, "ask the shelf")
		defer span.End()
		return true, nil
	}))...)
	if _, err := durabletest.Run(durable.StartInstance[bool](t.Context(), env.Client(), pack, "")); err != nil {
		t.Fatal(err)
	}
	const want = `create_orchestration:shop.Pack
  orchestration:shop.Pack Completed
    activity:shop.Reserve 1
      ask the shelf
`
	if diff := cmp.Diff(want, s.tree()); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// TestBaggage: a client's baggage is in the context of the activities of its instance, of its children, and behind a
// continue-as-new; its tracestate in the first execution and its children, until another trace begins. Whoever dies on the way.
func TestBaggage(t *testing.T) {
	t.Parallel()
	s := newSpans(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	again := &durable.Orchestrator{Name: "shop.Again", Group: "shop", Source: "example.com/shop.Again"}
	env := durabletest.New(t, durabletest.Configure(s.Worker, s.Client))
	env.Register(append(shop(t), durable.BindActivity(reserve, func(ctx context.Context, who string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[fmt.Sprintf("%s: %s; %s", who, baggage.FromContext(ctx), trace.SpanContextFromContext(ctx).TraceState())] = true
		return true, nil
	}), durable.BindOrchestrator(again, func(ctx durable.Context, n int) (int, error) {
		if _, err := durable.StartActivity[bool](ctx, reserve, fmt.Sprint("execution ", n)).Get(ctx); err != nil || n == 1 {
			return n, err
		}
		if err := durable.Sleep(ctx, time.Minute); err != nil {
			return 0, err
		}
		if _, err := durable.StartChild[bool](ctx, pack, "child").Get(ctx); err != nil {
			return 0, err
		}
		return 0, durable.ContinueWith(ctx, n+1)
	}))...)
	b, err := baggage.Parse("user=anna")
	if err != nil {
		t.Fatal(err)
	}
	state, err := trace.ParseTraceState("rojo=1,congo=t6")
	if err != nil {
		t.Fatal(err)
	}
	ctx := baggage.ContextWithBaggage(trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state,
	})), b)
	handle, err := durable.StartInstance[int](ctx, env.Client(), again, 0)
	if err != nil {
		t.Fatal(err)
	}
	env.Advance(10 * time.Second)
	env.Crash()
	env.Advance(2 * time.Minute)
	if _, err := handle.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		"execution 0: user=anna; rojo=1,congo=t6": true, "child: user=anna; rojo=1,congo=t6": true, "execution 1: user=anna; ": true,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("activities (-want +got):\n%s", diff)
	}
	for _, span := range s.GetSpans() {
		if first := span.SpanContext.TraceID() == (trace.TraceID{1}); first != (span.SpanContext.TraceState().String() == "rojo=1,congo=t6") {
			t.Errorf("span %s of trace %s has tracestate %q", span.Name, span.SpanContext.TraceID(), span.SpanContext.TraceState())
		}
	}
}

// TestErrorTexts: only who asks for them gets the texts of errors.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for _, texts := range []bool{false, true} {
		s := newSpans(t)
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(s.InMemoryExporter), sdktrace.WithIDGenerator(durableotel.IDs{}))
		tracing, err := durableotel.New(durableotel.Config{TracerProvider: provider, ErrorTexts: texts})
		if err != nil {
			t.Fatal(err)
		}
		env := durabletest.New(t, durabletest.Configure(tracing.Worker, tracing.Client))
		env.Register(shop(t)...)
		if _, err := durabletest.Run(durable.StartInstance[bool](t.Context(), env.Client(), pack, "")); err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, span := range s.GetSpans() {
			if span.Status.Description == errShelf.Error() {
				told++
			}
		}
		if (told == 1) != texts {
			t.Errorf("ErrorTexts %t: %d spans tell", texts, told)
		}
	}
}

// TestNew: a provider without IDs is refused, with what to do; one that makes no spans is not.
func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := durableotel.New(durableotel.Config{TracerProvider: sdktrace.NewTracerProvider()}); err == nil {
		t.Error("a provider with its own ids is taken")
	}
	if _, err := durableotel.New(durableotel.Config{TracerProvider: noop.NewTracerProvider()}); err != nil {
		t.Error(err)
	}
	if _, err := durableotel.New(durableotel.Config{}); err != nil {
		t.Error("the global provider, which makes no spans:", err)
	}
}
