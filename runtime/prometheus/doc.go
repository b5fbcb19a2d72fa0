// Package durableprom counts what workers do, for Prometheus.
//
//	metrics := durableprom.New(durableprom.Config{})
//	prometheus.MustRegister(metrics)
//	worker := durable.NewWorker(hub, &code, metrics.Worker(durable.WorkerConfig{}))
//	metrics.Watch("", worker)
//
// All metrics begin with durable_ and are in base units: seconds, messages. Labels name groups, orchestrators, activities
// and outcomes, never instances, so there are as many series as there is code. docs/observability.md lists them, deploy/
// has a dashboard and alerts.
//
// Counters count what this process has done. What a crash undoes and another worker does again is counted there; what a
// replay repeats is counted nowhere.
package durableprom
