// Package durableotel traces orchestrations with OpenTelemetry.
//
//	tracing, err := durableotel.New(durableotel.Config{})
//	...
//	client := durable.NewClient(hub, tracing.Client(durable.ClientConfig{}))
//	worker := durable.NewWorker(hub, &code, tracing.Worker(durable.WorkerConfig{}))
//
// The names and attributes are those that the Durable Task SDKs have agreed on:
//
//	create_orchestration:club.Join     of the client that starts, producer
//	└ orchestration:club.Join          one for each execution, server
//	  ├ activity:club.SendCard         one for each attempt, server
//	  └ orchestration:club.Fee         a child
//	orchestration_event:club.answer    of who raises an event, producer; linked from the orchestration that has got it
//
// An orchestration has no process of its own and may take a year, so its span is made when it has ended, with the times of
// the log. Its ids are computed from instance, run and execution: whoever continues it after a crash knows the same ones,
// and if its end is told of twice it is the same span twice. The tracer provider has to take them: give it IDs.
//
// An execution that follows a continue-as-new begins a trace of its own, linked to the one before: a trace of an
// orchestration that never ends would never end either. An instance that nobody traced when it was started begins one too.
// Whether such traces are sampled is asked of the provider's sampler, which must say the same on every worker for the
// same trace id; those of the OpenTelemetry SDK do.
//
// Spans hold ids and names, no payloads, and no texts of errors unless [Config.ErrorTexts] asks for them.
package durableotel
