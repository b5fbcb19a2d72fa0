package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/durablegen/durablegen/bench/workload"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

const selfSettings = "default settings: 8 partitions, 200 slots for each activity"

// Self gives this module's own system: with the server in the process of worker and client, and as a process of its own
// that they reach over TCP, as the servers of others are reached.
func Self() []System {
	system := System{
		Name:     "durablegen",
		Modes:    []Mode{Queued, Local},
		Relaxed:  "embedded.Relaxed: acknowledged when written, fsync every two minutes",
		Strict:   "embedded.Strict: acknowledged after an fsync",
		Settings: selfSettings,
	}
	inside, outside := system, system
	inside.ID, inside.Store = "durablegen", "JetStream, in the process"
	inside.Open = func(ctx context.Context, s Setup) (Runner, error) {
		srv, err := embedded.Start(ctx, embedded.Config{Dir: s.Dir, Durability: durabilityOf(s.Durability)})
		if err != nil {
			return nil, err
		}
		return openSelf(ctx, s, srv.Close, func() (durable.Backend, error) { return srv.Backend(ctx, natsbackend.Config{}) })
	}
	outside.ID, outside.Store = "durablegen-tcp", "JetStream, over TCP"
	outside.Open = func(ctx context.Context, s Setup) (Runner, error) {
		url, stop, err := startServer(ctx, s)
		if err != nil {
			return nil, err
		}
		return openSelf(ctx, s, stop, func() (durable.Backend, error) {
			return natsbackend.Connect(ctx, natsbackend.Config{URL: url, Provision: true})
		})
	}
	return []System{inside, outside}
}

func durabilityOf(d Durability) embedded.Durability {
	if d == Strict {
		return embedded.Strict
	}
	return embedded.Relaxed
}

// self runs the orchestrations of package workload.
type self struct {
	client *durable.Client
	local  bool
	dir    string
	undo   []func() error // what Close has to do, last first
}

// openSelf makes a worker and a client, with a connection each. Whatever happens, stop is called in the end.
func openSelf(ctx context.Context, s Setup, stop func() error, connect func() (durable.Backend, error)) (_ Runner, err error) {
	r := &self{local: s.Mode == Local, dir: s.Dir, undo: []func() error{stop}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	var code durable.Registry
	if err := workload.RegisterDurable(&code, workload.DurableReceivers{Gate: &workload.Gate{}}); err != nil {
		return nil, err
	}
	backend, err := connect()
	if err != nil {
		return nil, err
	}
	r.undo = append(r.undo, backend.Close)
	worker := durable.NewWorker(backend, &code, durable.WorkerConfig{})
	if err := worker.Start(ctx); err != nil {
		return nil, err
	}
	r.undo = append(r.undo, func() error { return worker.Stop(context.Background()) })
	if backend, err = connect(); err != nil {
		return nil, err
	}
	r.undo = append(r.undo, backend.Close)
	r.client = durable.NewClient(backend, durable.ClientConfig{})
	r.undo = append(r.undo, r.client.Close)
	return r, nil
}

func (r *self) Hello(ctx context.Context, cities [3]string) ([3]string, error) {
	start := workload.HelloOrchestrator.Start
	if r.local {
		start = workload.HelloLocalOrchestrator.Start
	}
	return result(start(ctx, r.client, cities))(ctx)
}

func (r *self) FanOut(ctx context.Context, width int) (int, error) {
	start := workload.FanOutOrchestrator.Start
	if r.local {
		start = workload.FanOutLocalOrchestrator.Start
	}
	return result(start(ctx, r.client, width))(ctx)
}

func (r *self) Chain(ctx context.Context, length int) (int, error) {
	if r.local {
		return result(workload.ChainLocalOrchestrator.Start(ctx, r.client, length))(ctx)
	}
	chain, err := result(workload.ChainOrchestrator.Start(ctx, r.client, length))(ctx)
	return chain.Value, err
}

// result gives a function that waits for the result of what Start gave.
func result[R any](h durable.Handle[R], err error) func(context.Context) (R, error) {
	if err != nil {
		return func(context.Context) (r R, _ error) { return r, err }
	}
	return h.Wait
}

// Bytes gives the size of the store's files: log, archive and projection.
func (r *self) Bytes(context.Context) (int64, error) { return folderSize(r.dir) }

func (r *self) Close() error {
	var errs []error
	for len(r.undo) > 0 {
		last := len(r.undo) - 1
		undo := r.undo[last]
		r.undo = r.undo[:last]
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

func folderSize(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				sum += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) { // the server removes files while we look
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("peer: size of the store: %w", err)
	}
	return sum, nil
}

// serve is the first argument of this program when it is to be a server: it tells its URL and ends with its input.
const serve = "serve-jetstream"

// startServer runs this program as a server and gives its URL.
func startServer(ctx context.Context, s Setup) (url string, stop func() error, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", nil, fmt.Errorf("peer: find this program to run it as a server: %w", err)
	}
	server := exec.CommandContext(ctx, program, serve, s.Dir, string(s.Durability))
	server.Stderr = os.Stderr
	in, err := server.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, fmt.Errorf("peer: start the server: %w", err)
	}
	stop = func() error { return errors.Join(in.Close(), server.Wait()) }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("peer: read the server's URL: %w", err), stop())
	}
	return strings.TrimSpace(line), stop, nil
}

func runServer(ctx context.Context, dir string, d Durability, in io.Reader, out io.Writer) error {
	srv, err := embedded.Start(ctx, embedded.Config{Dir: dir, Durability: durabilityOf(d), Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, srv.URL()); err != nil {
		return errors.Join(err, srv.Close())
	}
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, srv.Close())
}
