// Command worker is a worker as it runs in production: on a NATS server by URL, with probes and metrics on a port, logs in
// JSON, and a drain when it is told to stop. It runs the orchestrations of the benchmark; put your packages in their place.
// It exits with 0 when it was stopped, with 1 when something went wrong, so that whatever looks after it starts it anew.
//
// Its settings are environment variables:
//
//	NATS_URL      servers, separated by commas; default nats://127.0.0.1:4222
//	NATS_CREDS    credentials file; default none
//	DURABLE_HUB   task hub; default "default"
//	LISTEN        address of /livez, /readyz and /metrics; default :8081
//	DRAIN         how long running activities may take when it stops; default 30s
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/health"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	durableprom "github.com/durablegen/durablegen/runtime/prometheus"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(ctx, os.Getenv, log); err != nil {
		log.Error("the worker ends", "error", err)
		os.Exit(1)
	}
}

// run is a worker until ctx ends.
func run(ctx context.Context, env func(string) string, log *slog.Logger) (err error) {
	drain, err := time.ParseDuration(cmp.Or(env("DRAIN"), "30s"))
	if err != nil {
		return fmt.Errorf("DRAIN: %w", err)
	}
	hub, err := natsbackend.Connect(ctx, natsbackend.Config{
		URL: env("NATS_URL"), Creds: env("NATS_CREDS"), Hub: env("DURABLE_HUB"), Name: "worker", Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	var code durable.Registry
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: &workload.Gate{}}); err != nil {
		return err
	}
	metrics := durableprom.New(durableprom.Config{})
	worker := durable.NewWorker(hub, &code, metrics.Worker(durable.WorkerConfig{DrainTimeout: drain, Logger: log}))
	metrics.Watch("", worker)
	stop, err := serve(ctx, cmp.Or(env("LISTEN"), ":8081"), worker, metrics)
	if err != nil {
		return err
	}
	defer stop()
	return worker.Run(ctx)
}

// serve answers probes and Prometheus until stop is called.
func serve(ctx context.Context, addr string, worker *durable.Worker, metrics *durableprom.Metrics) (stop func(), err error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("/", health.Handler(worker))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("LISTEN: %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with stop; its error is only that it was closed
	}()
	return func() {
		_ = server.Close()
		<-served
	}, nil
}
