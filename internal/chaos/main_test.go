// Package chaos_test kills, freezes, cuts off and locks out the parts of a running hub, on real processes and real
// servers, and counts afterwards: every effect, every record, every end.
//
// The tests of package sim try many more orders of events, with a clock of their own; these show that the parts are
// wired to what really happens. Times are logged, never judged.
package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

var seed = flag.Uint64("seed", 1, "decides who is killed and when")

// patience bounds every wait of a test. Reaching it is a failure, never a measure.
const patience = 100 * time.Second

// What a process that the tests start is told by its environment.
const (
	envRole   = "CHAOS_ROLE" // "worker", "server"; else the tests run
	envURL    = "CHAOS_URL"
	envLedger = "CHAOS_LEDGER"
	envDir    = "CHAOS_DIR"
	envListen = "CHAOS_LISTEN"
)

// ready is what a started process says when it works.
const ready = "ready"

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(envRole); role {
	case "worker":
		err = workerProcess(context.Background())
	case "server":
		err = serverProcess(context.Background())
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// quick makes a worker whose death is noticed fast.
var quick = durable.WorkerConfig{Heartbeat: 100 * time.Millisecond, Dead: 500 * time.Millisecond}

// workerProcess works until its parent is gone.
func workerProcess(ctx context.Context) error {
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: os.Getenv(envURL), Logger: stderrLog()})
	if err != nil {
		return err
	}
	cfg := quick
	cfg.Logger = stderrLog()
	w := durable.NewWorker(b, registry(remote(os.Getenv(envLedger))), cfg)
	if err := w.Start(ctx); err != nil {
		return err
	}
	fmt.Println(ready)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// serverProcess serves until its parent is gone.
func serverProcess(ctx context.Context) error {
	s, err := embedded.Start(ctx, embedded.Config{Dir: os.Getenv(envDir), Listen: os.Getenv(envListen)})
	if err != nil {
		return err
	}
	fmt.Println(ready, s.URL())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
