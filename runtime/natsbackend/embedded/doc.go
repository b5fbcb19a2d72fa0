// Package embedded runs a NATS server with JetStream inside the process, so that a program with durable
// orchestrations needs nothing else installed.
//
//	srv, err := embedded.Start(ctx, embedded.Config{Dir: "data"})
//	if err != nil { … }
//	defer srv.Close()
//	b, err := srv.Backend(ctx, natsbackend.Config{})
//
// The same directory may be served later by a nats-server of its own: it is an ordinary JetStream store.
package embedded
