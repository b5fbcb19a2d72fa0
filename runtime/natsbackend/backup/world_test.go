package backup_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// The orchestrations of the tests: each result is a function of the id, so that whoever ends an instance, before the copy,
// after it or elsewhere, ends it alike.
var (
	step  = &durable.Activity{Name: "w.Step", Source: "example.com/w.Step"}
	local = &durable.Activity{Name: "w.Local", Source: "example.com/w.Local", Local: true}
	whole = &durable.Orchestrator{Name: "w.Whole", Group: "w", Source: "example.com/w.Whole"}
	child = &durable.Orchestrator{Name: "w.Child", Group: "w", Source: "example.com/w.Child"}
)

type stepArgs struct {
	ID     string
	Number int
	Size   int // of the result
}

// input says what an instance does.
type input struct {
	ID    string
	Event bool          // wait for one
	Timer time.Duration // wait for it
	Child bool          // have one that does the same, without a child and an event
	Size  int           // of results; large ones are in the object store
}

func (in input) want() string {
	w := fmt.Sprintf("%s:%d", in.ID, 3*in.Size)
	if in.Child {
		w += "+" + in.child().want()
	}
	return w
}

func (in input) child() input {
	in.ID, in.Child, in.Event = in.ID+"-child", false, false
	return in
}

func orchestrate(ctx durable.Context, in input) (string, error) {
	size := 0
	do := func(a *durable.Activity, n int) error {
		text, err := durable.StartActivity[string](ctx, a, stepArgs{in.ID, n, in.Size}).Get(ctx)
		size += len(text)
		return err
	}
	if err := do(step, 0); err != nil {
		return "", err
	}
	var of durable.Future[string]
	if in.Child {
		of = durable.StartChild[string](ctx, child, in.child(), durable.InstanceID(in.child().ID))
	}
	if in.Timer > 0 {
		if err := durable.Sleep(ctx, in.Timer); err != nil {
			return "", err
		}
	}
	if err := do(local, 1); err != nil {
		return "", err
	}
	if in.Event {
		if _, err := durable.ReceiveEvent[int](ctx, "go").Get(ctx); err != nil {
			return "", err
		}
	}
	if err := do(step, 2); err != nil {
		return "", err
	}
	result := fmt.Sprintf("%s:%d", in.ID, size)
	if in.Child {
		got, err := of.Get(ctx)
		if err != nil {
			return "", err
		}
		result += "+" + got
	}
	return result, nil
}

// site is a server with a worker and a client.
type site struct {
	t      *testing.T
	server *embedded.Server
	be     *natsbackend.Backend
	client *durable.Client

	mu    sync.Mutex
	ran   map[string]int // by instance and number
	stuck chan string    // ids of activities that have begun, and do not return before the worker ends
}

// stuckID begins the ids of instances whose first activity never returns on a site with stuck set.
const stuckID = "stuck"

func (s *site) step(ctx context.Context, a stepArgs) (string, error) {
	s.mu.Lock()
	s.ran[fmt.Sprint(a.ID, a.Number)]++
	s.mu.Unlock()
	if s.stuck != nil && strings.HasPrefix(a.ID, stuckID) {
		s.stuck <- a.ID
		<-ctx.Done()
		return "", ctx.Err()
	}
	return strings.Repeat(fmt.Sprint(a.ID, a.Number), a.Size)[:a.Size], nil
}

func (s *site) count(id string, number int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ran[fmt.Sprint(id, number)]
}

// serve starts a server without a hub.
func serve(t *testing.T) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

func config(s *embedded.Server) natsbackend.Config {
	return natsbackend.Config{URL: s.URL(), Hub: "ward", InlinePayload: 2 << 10}
}

// open connects to the hub of a server.
func open(t *testing.T, server *embedded.Server, cfg natsbackend.Config) *site {
	t.Helper()
	be, err := natsbackend.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { be.Close() })
	s := &site{t: t, server: server, be: be, client: durable.NewClient(be, durable.ClientConfig{}), ran: map[string]int{}}
	t.Cleanup(func() { s.client.Close() })
	return s
}

// work starts a worker; stop ends it.
func (s *site) work() (stop func()) {
	s.t.Helper()
	code := &durable.Registry{}
	err := code.Add(durable.BindActivity(step, s.step), durable.BindActivity(local, s.step),
		durable.BindOrchestrator(whole, orchestrate), durable.BindOrchestrator(child, orchestrate))
	if err != nil {
		s.t.Fatal(err)
	}
	w := durable.NewWorker(s.be, code, durable.WorkerConfig{})
	if err := w.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what runs is given back
		_ = w.Stop(ctx)
	})
	s.t.Cleanup(stop)
	return stop
}

func (s *site) start(in input) {
	s.t.Helper()
	if _, err := durable.StartInstance[string](s.t.Context(), s.client, whole, in, durable.InstanceID(in.ID)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) raise(id string) {
	s.t.Helper()
	if err := s.client.Raise(s.t.Context(), id, "go", 1); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for an instance, and checks what came of it.
func (s *site) ends(in input) {
	s.t.Helper()
	got, err := s.client.Wait(s.t.Context(), in.ID)
	if err != nil {
		s.t.Fatalf("%s: %v", in.ID, err)
	}
	if want := fmt.Sprintf("%q", in.want()); string(got.Result) != want {
		s.t.Errorf("%s came to %s %s, want %s: %s", in.ID, got.Status, got.Result, want, got.Failure)
	}
}

// shows waits until the hub's projection has an instance as completed.
func (s *site) shows(id string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		completed := make(chan bool, 1)
		s.be.GetState(id, func(state backend.State, _ uint64, err error) {
			completed <- err == nil && state.Status == history.Completed
		})
		if <-completed {
			return
		}
	}
	s.t.Fatalf("the hub does not show %s as completed", id)
}
