// Package httpapi serves the HTTP management API of a task hub: start, look at, list, steer and purge instances. It is the
// API of Durable Functions, so that clients made for that work unchanged; docs/http-api.md says what differs and why.
//
//	http.ListenAndServe("127.0.0.1:7071", httpapi.New(client, httpapi.Config{Keys: []string{key}}))
//
// No worker has to run, and the program needs no orchestrator's code: see [durable.Client.StartByName].
package httpapi
