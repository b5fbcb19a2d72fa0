// Package durable runs durable orchestrations: ordinary Go functions whose progress survives every crash.
//
// An orchestrator is a function marked //durable:orchestrator. It calls activities (//durable:activity), waits for
// timers, events (//durable:event) and child orchestrations, and may do so for years. Its inbox is stored; after a crash
// it is run again from the start with the same inbox until it stands where it stood. It must therefore be
// deterministic: time, randomness, goroutines and I/O come from its [Context] and from activities, never from outside.
// An activity is any function; it runs at least once and may do what it likes.
//
// The command durablegen writes a typed handle for each marked function, type and error into durable_gen.go. Start with
// these handles:
//
//	ok, err := VerifyPhoneOrchestrator.Start(ctx, client, "+41 79 555 01 01") // from outside: a [Handle]
//	code, err := SendChallengeActivity.Call(ctx, phone, 4)                   // inside: waits for the result
//	answer := ChallengeAnswerEvent.Receive(ctx)                              // inside: a [Future]
//
// A [Schedule] starts an orchestrator again and again.
//
// A [Worker] runs what a [Registry] holds, a [Client] starts and steers instances; both share a [Backend], which is made
// by the packages natsbackend and natsbackend/embedded.
package durable
