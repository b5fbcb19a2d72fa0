// Package natsbackend keeps durable orchestrations in NATS JetStream: the log, the queues, the timers and the state of
// a task hub are one stream and its neighbours on a NATS server (2.14 or newer) or cluster, and nothing else.
//
//	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: "nats://127.0.0.1:4222", Provision: true})
//
// runtime/natsbackend/embedded starts such a server in the process.
//
// # What a hub consists of
//
//	DURABLE_<hub>              the log: subjects durable.<hub>.>, see below
//	DURABLE_<hub>_ARCHIVE      ended runs: durable-archive.<hub>.<instance>, one message each, with a time to live
//	KV durable_<hub>_instances state of each instance, for people and clients
//	KV durable_<hub>_meta      names, parked instances, workers
//	durable_<hub>_payloads     objects that are too big for a message
//
// Every instance has a handful of subjects below durable.<hub>.<group>.<partition>.<instance>: .in.start, .in.done,
// .in.fired, .in.event.<Name> and .in.ctl.<verb> are its inbox, one subject per verb so that NATS permissions are the
// access control; .turn holds its decisions, .task.<Activity> its tasks, and .timer.<run>-<execution>-<slot> message
// schedules. Signals that may get lost travel below durable-signal.<hub>.
//
// The methods of [Backend] serve the runtime and change whenever the protocol does: construct one, hand it to a worker
// or client, and close it.
package natsbackend
