package durableotel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	durable "github.com/durablegen/durablegen/runtime"
	durableotel "github.com/durablegen/durablegen/runtime/otel"
)

var (
	fulfil   = &durable.Orchestrator{Name: "shop.Fulfil", Group: "shop", Source: "example.com/shop.Fulfil"}
	pack     = &durable.Orchestrator{Name: "shop.Pack", Group: "shop", Source: "example.com/shop.Pack"}
	count    = &durable.Orchestrator{Name: "shop.Count", Group: "shop", Source: "example.com/shop.Count"}
	reserve  = &durable.Activity{Name: "shop.Reserve", Source: "example.com/shop.Reserve", Retry: durable.RetryPolicy{Attempts: 3, First: time.Second}}
	errShelf = errors.New("shop: the shelf is empty")
)

// shop fulfils an order: reserve (the first attempt fails), pack as a child, and wait for the courier.
func shop(t *testing.T) []durable.Binding {
	t.Helper()
	return []durable.Binding{
		durable.BindActivity(reserve, func(ctx context.Context, _ string) (bool, error) {
			if info, _ := durable.InfoOf(ctx); info.Attempt == 1 {
				return false, errShelf
			}
			return true, nil
		}),
		durable.BindOrchestrator(pack, func(ctx durable.Context, item string) (bool, error) {
			return durable.StartActivity[bool](ctx, reserve, item).Get(ctx)
		}),
		durable.BindOrchestrator(fulfil, func(ctx durable.Context, item string) (bool, error) {
			if ok, err := durable.StartActivity[bool](ctx, reserve, item).Get(ctx); !ok || err != nil {
				return ok, err
			}
			if ok, err := durable.StartChild[bool](ctx, pack, item).Get(ctx); !ok || err != nil {
				return ok, err
			}
			ctx.SetStatus("packed")
			return durable.ReceiveEvent[bool](ctx, "Courier").Get(ctx)
		}),
		durable.BindOrchestrator(count, func(ctx durable.Context, n int) (int, error) {
			if _, err := durable.StartActivity[bool](ctx, reserve, "").Get(ctx); err != nil {
				return 0, err
			}
			if n < 2 {
				return 0, durable.ContinueWith(ctx, n+1)
			}
			return n, nil
		}),
	}
}

// spans collects what a provider exports.
type spans struct {
	*tracetest.InMemoryExporter
	*durableotel.Tracing
}

func newSpans(t *testing.T, options ...trace.TracerProviderOption) *spans {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(append(options, trace.WithSyncer(exporter), trace.WithIDGenerator(durableotel.IDs{}))...)
	tracing, err := durableotel.New(durableotel.Config{TracerProvider: provider})
	if err != nil {
		t.Fatal(err)
	}
	return &spans{exporter, tracing}
}

// tree writes the spans as a tree: name, attempt or status, and what they are linked to, below their parents.
func (s *spans) tree() string {
	all := s.GetSpans()
	slices.SortStableFunc(all, func(a, b tracetest.SpanStub) int { return strings.Compare(a.Name, b.Name) }) // else as they ended
	names := map[string]string{}
	for _, span := range all {
		names[span.SpanContext.SpanID().String()] = span.Name
	}
	var b strings.Builder
	var below func(parent, indent string)
	below = func(parent, indent string) {
		for _, span := range all {
			if span.Parent.SpanID().String() != parent {
				continue
			}
			fmt.Fprintf(&b, "%s%s", indent, span.Name)
			for _, a := range span.Attributes {
				if a.Key == "durable.attempt" || a.Key == "durabletask.task.status" {
					fmt.Fprintf(&b, " %s", a.Value.String())
				}
			}
			if span.Status.Code != 0 {
				fmt.Fprintf(&b, " %s", span.Status.Code)
			}
			for _, l := range span.Links {
				fmt.Fprintf(&b, " → %s", names[l.SpanContext.SpanID().String()])
			}
			b.WriteByte('\n')
			below(span.SpanContext.SpanID().String(), indent+"  ")
		}
	}
	const none = "0000000000000000"
	below(none, "")
	return b.String()
}
