package durableotel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"

	"github.com/durablegen/durablegen/runtime/observe"
)

// IDs generates the ids of spans: random ones, but for orchestrations those that they have. Give it to the tracer provider:
//
//	sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(durableotel.IDs{}), ...)
//
// It may be used by many goroutines at once.
type IDs struct{}

// ids are what the span that is about to be started is to have.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

type idsKey struct{}

func withIDs(ctx context.Context, want ids) context.Context {
	return context.WithValue(ctx, idsKey{}, want)
}

// NewIDs implements the SDK's IDGenerator.
func (IDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if want, ok := ctx.Value(idsKey{}).(ids); ok {
		return want.trace, want.span
	}
	var t trace.TraceID
	binary.BigEndian.PutUint64(t[:8], rand.Uint64())
	binary.BigEndian.PutUint64(t[8:], rand.Uint64()|1) // never zero
	return t, randomSpan()
}

// NewSpanID implements the SDK's IDGenerator.
func (IDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if want, ok := ctx.Value(idsKey{}).(ids); ok {
		return want.span
	}
	return randomSpan()
}

func randomSpan() (s trace.SpanID) {
	binary.BigEndian.PutUint64(s[:], rand.Uint64()|1)
	return s
}

// idsOf computes the ids of an execution: of its span, and of the trace that it begins if it is in none.
func idsOf(e observe.Execution) ids {
	sum := sha256.Sum256(fmt.Appendf(nil, "durable\x00%s\x00%s\x00%d\x00%d", e.Group, e.Instance, e.Run, e.Number))
	return ids{trace.TraceID(sum[:16]), trace.SpanID(sum[16:24])}
}
