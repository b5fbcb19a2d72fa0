package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestWorker: it runs an orchestration, answers probes and Prometheus, and ends without an error when it is told to.
func TestWorker(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	hub, err := server.Backend(ctx, natsbackend.Config{Provision: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	addr := free(t)
	running, stop := context.WithCancel(ctx)
	end := make(chan error, 1)
	go func() {
		end <- run(running, settings{"NATS_URL": server.URL(), "LISTEN": addr, "DRAIN": "1s"}.env, slog.New(slog.DiscardHandler))
	}()
	client := durable.NewClient(hub, durable.ClientConfig{})
	t.Cleanup(func() { _ = client.Close() })
	handle, err := workload.HelloOrchestrator.Start(ctx, client, [3]string{"Tokyo", "Seattle", "London"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handle.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/livez": "ok", "/readyz": "ok",
		"/metrics": `durable_orchestrations_ended_total{group="workload",orchestrator="workload.Hello",outcome="completed"} 1`,
	} {
		if got := get(ctx, t, "http://"+addr+path); !strings.Contains(got, want) {
			t.Errorf("%s does not say %q:\n%s", path, want, got)
		}
	}
	page, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`grep -c \^durable_ +# (\d+), or more`).FindSubmatch(page)
	if said == nil {
		t.Fatal("docs/production.md does not say how many metrics there are")
	}
	least, _ := strconv.Atoi(string(said[1])) // of digits
	if got := strings.Count("\n"+get(ctx, t, "http://"+addr+"/metrics"), "\ndurable_"); got < least {
		t.Errorf("there are %d lines of metrics, docs/production.md says %d or more", got, least)
	}
	stop()
	if err := <-end; err != nil {
		t.Error(err)
	}
}

// TestWorkerCannotStart: what is wrong is said, and with which setting.
func TestWorkerCannotStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings settings
		word     string
	}{
		"no server":  {settings{"NATS_URL": "nats://" + free(t)}, "is a NATS server (2.14 or newer) running there?"},
		"wrong time": {settings{"DRAIN": "soon"}, "DRAIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), c.settings.env, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.word) {
				t.Errorf("%v, want %q", err, c.word)
			}
		})
	}
}

type settings map[string]string

func (s settings) env(key string) string { return s[key] }

// free gives an address of this machine that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return errorless(t, l.Addr().String(), l.Close())
}

func errorless(t *testing.T, s string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	return errorless(t, string(body), errors.Join(err, resp.Body.Close()))
}
