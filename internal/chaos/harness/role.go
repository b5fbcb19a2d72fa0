package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// envRole tells a process that it is not what it seems.
const envRole = "DURABLE_CHAOS_ROLE"

// Role is what a process is that a program of this package starts: one of its fields is set.
type Role struct {
	Worker *WorkerRole `json:",omitempty"`
	Server *ServerRole `json:",omitempty"` // one server, alone
	Member *MemberRole `json:",omitempty"` // one server of a cluster
}

// WorkerRole is a worker process. It knows no servers but those of URL, and begins with the first.
type WorkerRole struct {
	Name, URL, Ledger string
	Heartbeat, Dead   time.Duration // 0: the defaults of a worker
	Slots             int           // 0: the default of a worker
	Wait              time.Duration // how long an effect takes, beside what the ledger takes
}

// ServerRole is an embedded server, as a process.
type ServerRole struct{ Dir, Listen string }

// Main plays the role of this process, if it has one; then it does not return. Programs and TestMain call it first.
func Main() {
	text := os.Getenv(envRole)
	if text == "" {
		return
	}
	if err := play(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// play works until the process is told to end, or its parent is gone.
func play(text string) error {
	var as Role
	if err := json.Unmarshal([]byte(text), &as); err != nil {
		return fmt.Errorf("harness: %s: %w", envRole, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it
		stop()
	}()
	switch {
	case as.Worker != nil:
		return as.Worker.play(ctx)
	case as.Server != nil:
		return as.Server.play(ctx)
	case as.Member != nil:
		return as.Member.play(ctx)
	}
	return fmt.Errorf("harness: %s names no role: %s", envRole, text)
}

func (r *WorkerRole) play(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: r.URL, Logger: log, Options: InOrder()})
	if err != nil {
		return err
	}
	do := remote(r.Ledger, r.Name)
	if r.Wait > 0 {
		do = lasting(r.Wait, do)
	}
	code := Registry(do)
	if err := addWhose(code, r.Name); err != nil {
		return err
	}
	w := durable.NewWorker(b, code, durable.WorkerConfig{
		Name: r.Name, Heartbeat: r.Heartbeat, Dead: r.Dead, Slots: r.Slots, Logger: log,
		KeepLog: -1, // Audit reads the log
	})
	if err := w.Start(ctx); err != nil {
		return err
	}
	fmt.Println(ready)
	<-ctx.Done()
	const drain = 30 * time.Second
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := w.Stop(draining); err != nil {
		return err
	}
	return b.Close()
}

// InOrder has a connection try its URLs in their order, and no others.
func InOrder() []nats.Option {
	return []nats.Option{nats.DontRandomize(), nats.IgnoreDiscoveredServers()}
}

func (r *ServerRole) play(ctx context.Context) error {
	s, err := embedded.Start(ctx, embedded.Config{Dir: r.Dir, Listen: r.Listen})
	if err != nil {
		return err
	}
	fmt.Println(ready, s.URL())
	<-ctx.Done()
	return s.Close()
}
