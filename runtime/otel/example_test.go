package durableotel_test

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	durable "github.com/durablegen/durablegen/runtime"
	durableotel "github.com/durablegen/durablegen/runtime/otel"
)

func Example() {
	var (
		ctx      = context.Background()
		exporter sdktrace.SpanExporter // such as otlptracehttp.New
		hub      durable.Backend       // natsbackend.Connect
		code     durable.Registry
	)
	run := func() error {
		provider := sdktrace.NewTracerProvider(
			sdktrace.WithIDGenerator(durableotel.IDs{}),
			sdktrace.WithBatcher(exporter),
		)
		defer provider.Shutdown(ctx)
		tracing, err := durableotel.New(durableotel.Config{TracerProvider: provider})
		if err != nil {
			return err
		}
		client := durable.NewClient(hub, tracing.Client(durable.ClientConfig{}))
		defer client.Close()
		worker := durable.NewWorker(hub, &code, tracing.Worker(durable.WorkerConfig{}))
		return worker.Run(ctx)
	}
	_ = run
}
