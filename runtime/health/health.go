// Package health answers the probes of whatever looks after a worker: Kubernetes, systemd, a load balancer.
package health

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Worker is a [durable.Worker].
type Worker interface {
	Live() error
	Ready(ctx context.Context) error
}

// patience is how long the server may take to answer a readiness probe; probes give up at about that time too.
const patience = 5 * time.Second

// Handler answers GET /livez and GET /readyz: 200 and "ok", or 503 and what is wrong, a line each.
//
// /livez fails when only a new process helps: the worker's loops stand still, or its connection is closed for good. It
// does not fail while NATS is away. /readyz fails while the worker does not do its work. Neither needs a login, and what
// they tell names groups, subjects and functions: serve them on a port of the machine's own network.
func Handler(w Worker) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, w.Live()) })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		answer(rw, w.Ready(ctx))
	})
	return mux
}

func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintln(w, "ok")
}
