package replaycheck

import (
	"context"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestInterceptors: one that only watches is not missed; what one has decided is, unless it runs.
func TestInterceptors(t *testing.T) {
	t.Parallel()
	watches := func(ctx durable.Context, next func(durable.Context) error) error { return next(ctx) }
	decides := func(ctx durable.Context, next func(durable.Context) error) error {
		if err := durable.StartActivity[durable.None](ctx, other, 7).Err(ctx); err != nil {
			return err
		}
		return next(ctx)
	}
	for name, c := range map[string]struct {
		worker, check []durable.OrchestratorInterceptor
		want          Verdict
	}{
		"watches":           {[]durable.OrchestratorInterceptor{watches}, nil, OK},
		"decides":           {[]durable.OrchestratorInterceptor{decides}, nil, Mismatch},
		"decides, is given": {[]durable.OrchestratorInterceptor{decides}, []durable.OrchestratorInterceptor{watches, decides}, OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHub(t)
			b := h.as("root", true)
			code := registry(t, steps[member](step, 1), stepping(step), stepping(other))
			client := durable.NewClient(b, durable.ClientConfig{})
			w := durable.NewWorker(b, code, durable.WorkerConfig{Interceptors: durable.WorkerInterceptors{Orchestrators: c.worker}})
			must(t, w.Start(t.Context()))
			start(t, client, flow("Steps"), member{"Ann"}, durable.InstanceID("x"))
			waits(t, client, "x")
			must(t, w.Stop(context.Background()))
			must(t, client.Close())

			report, err := Check(t.Context(), h.as("viewer", false), code, Config{Interceptors: c.check})
			must(t, err)
			got := OK
			for _, f := range report.Findings {
				got = f.Verdict
			}
			if got != c.want || report.Histories != 1 {
				t.Errorf("of %d histories: %s, want %s: %+v", report.Histories, got, c.want, report.Findings)
			}
		})
	}
}
