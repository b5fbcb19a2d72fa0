// Package observe is how a worker tells what it does: a struct of functions that are called with plain data, for metrics,
// traces and lifecycle events. Packages runtime/otel, runtime/prometheus and runtime/cloudevents are made of it; an
// adapter of your own is a few lines, see the example of [Hooks].
//
// No payload, argument, result or error text is ever handed over.
package observe

// Keys of the attributes that everything here logs with. What is not in the list has no fixed name.
const (
	KeyHub          = "hub"
	KeyGroup        = "group"        // of orchestrators
	KeyPartition    = "partition"    // number
	KeyWorker       = "worker"       // name, unique
	KeyInstance     = "instance"     // id
	KeyRun          = "run"          // number, from 1
	KeyOrchestrator = "orchestrator" // wire name
	KeyActivity     = "activity"     // wire name
	KeyAttempt      = "attempt"      // number, from 1
	KeyError        = "error"
)
