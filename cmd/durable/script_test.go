package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"durable": main})
}

var update = flag.Bool("update", false, "write what the command says into the scripts")

// TestScripts runs the sessions of testdata. Each has a folder of its own; beside the commands of testscript there are:
//
//	serve            starts a server with the hub "default", and sets NATS_URL
//	stop             stops it
//	guard            starts one with the users admin and viewer, whose passwords are pw, and an instance: kept; viewer may write nothing
//	work [changed]   starts a worker of kit_test.go, or one whose code has changed; the end of the session stops it
//	rest             stops it
//	bank             opens the bank: Pay succeeds from now on
//	plan ID          creates a schedule of orders.Echo, for each night
//	triggered ID     waits until the hub shows that a schedule was triggered, and its run has ended
//	shows ID STATUS  waits until the hub shows an instance with this status, or as parked
//	context FILE URL USER  makes a context of the nats command, for this user with the password pw; FILE is its name
//	select CONTEXT   selects it
//	exits N CMD...   runs a command that must exit with N
//	norm FILE        writes what the last command printed to stdout into FILE: times, random ids and paddings made equal
//	normerr FILE     the same of stderr
//	said FILE        the same of stderr, then stdout
//	agree GOT WANT   compares two files so
//	fits GOT WANT    the same, and "…" in WANT is anything in a line, as a line any lines
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts(t, testscript.Params{Dir: "testdata"})
}

func scripts(t *testing.T, p testscript.Params) {
	p.UpdateScripts = *update
	p.RequireExplicitExec = true
	p.Setup = func(e *testscript.Env) error {
		site := &site{env: e}
		e.Values[siteKey{}] = site
		e.Defer(site.close)
		e.Setenv("XDG_CONFIG_HOME", e.WorkDir)
		e.Setenv("NO_COLOR", "1")
		e.Setenv("NATS_TIMEOUT", patience.String())
		return nil
	}
	p.Cmds = map[string]func(*testscript.TestScript, bool, []string){
		"serve":     onSite(func(s *site, ts *testscript.TestScript, _ []string) error { return s.serve(ts) }),
		"stop":      onSite(func(s *site, _ *testscript.TestScript, _ []string) error { return s.stop() }),
		"guard":     onSite(func(s *site, ts *testscript.TestScript, _ []string) error { return s.guard(ts) }),
		"work":      onSite(func(s *site, _ *testscript.TestScript, args []string) error { return s.work(len(args) > 0) }),
		"rest":      onSite(func(s *site, _ *testscript.TestScript, _ []string) error { return s.rest() }),
		"bank":      onSite(func(s *site, _ *testscript.TestScript, _ []string) error { s.bankOpen.Store(true); return nil }),
		"plan":      onSite(func(s *site, _ *testscript.TestScript, args []string) error { return s.plan(args[0]) }),
		"triggered": onSite(func(s *site, _ *testscript.TestScript, args []string) error { return s.triggered(args[0]) }),
		"shows":     onSite(func(s *site, _ *testscript.TestScript, args []string) error { return s.shows(args[0], args[1]) }),
		"context": onSite(func(s *site, _ *testscript.TestScript, args []string) error {
			return s.context(args[0], args[1], args[2])
		}),
		"select": onSite(func(s *site, _ *testscript.TestScript, args []string) error {
			return s.write("nats/context.txt", args[0])
		}),
		"exits":   exits,
		"norm":    func(ts *testscript.TestScript, _ bool, args []string) { norm(ts, args[0], "stdout") },
		"normerr": func(ts *testscript.TestScript, _ bool, args []string) { norm(ts, args[0], "stderr") },
		"said":    func(ts *testscript.TestScript, _ bool, args []string) { norm(ts, args[0], "stderr", "stdout") },
		"agree":   agree,
		"fits":    fits,
	}
	testscript.Run(t, p)
}

// patience bounds every wait of a session. It is never a measure: a session that reaches it has failed.
const patience = 30 * time.Second

type siteKey struct{}

// site is what a session has in the process of the test.
type site struct {
	env      *testscript.Env
	server   *embedded.Server
	listen   string
	guarded  *server.Server
	worker   func() error // stops it; nil: none runs
	bankOpen atomic.Bool
}

func onSite(do func(*site, *testscript.TestScript, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(do(ts.Value(siteKey{}).(*site), ts, args))
	}
}

// serve starts the server, on the port that it had before if it was stopped.
func (s *site) serve(ts *testscript.TestScript) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.listen == "" {
		s.listen = "127.0.0.1:0"
	}
	server, err := embedded.Start(ctx, embedded.Config{Dir: s.env.WorkDir + "/store", Listen: s.listen})
	if err != nil {
		return err
	}
	s.server = server
	s.listen = strings.TrimPrefix(server.URL(), "nats://")
	ts.Setenv("NATS_URL", server.URL())
	b, err := server.Backend(ctx, natsbackend.Config{})
	if err != nil {
		return err
	}
	return b.Close()
}

func (s *site) stop() error {
	s.server.Close()
	s.server = nil
	return nil
}

// guard starts a server with users.
func (s *site) guard(ts *testscript.TestScript) error {
	viewer := &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"durable.>", "$KV.>"}}}
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: s.env.WorkDir + "/store", NoSigs: true,
		Users: []*server.User{{Username: "admin", Password: "pw"}, {Username: "viewer", Password: "pw", Permissions: viewer}},
	})
	if err != nil {
		return err
	}
	ns.Start()
	s.guarded = ns
	if !ns.ReadyForConnections(patience) {
		return errors.New("the server is not ready")
	}
	ts.Setenv("NATS_URL", ns.ClientURL())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: strings.Replace(ns.ClientURL(), "//", "//admin:pw@", 1), Provision: true})
	if err != nil {
		return err
	}
	defer b.Close()
	c := durable.NewClient(b, durable.ClientConfig{})
	defer c.Close()
	_, err = durable.StartInstance[string](ctx, c, flow("Wait"), nil, durable.InstanceID("kept"))
	return err
}

// context makes a context of the nats command, in its folder and here.
func (s *site) context(file, url, user string) error {
	text := fmt.Sprintf(`{"url": %q, "user": %q, "password": "pw"}`, url, user)
	return errors.Join(s.write(file, text), s.write("nats/context/"+file, text))
}

func (s *site) write(file, text string) error {
	path := filepath.Join(s.env.WorkDir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// work starts a worker.
func (s *site) work(changed bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: s.server.URL()})
	if err != nil {
		return err
	}
	r := &durable.Registry{}
	if err := r.Add(bindings(changed, s.bankOpen.Load)...); err != nil {
		return errors.Join(err, b.Close())
	}
	w := durable.NewWorker(b, r, durable.WorkerConfig{})
	if err := w.Start(ctx); err != nil {
		return errors.Join(err, b.Close())
	}
	s.worker = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return errors.Join(w.Stop(ctx), b.Close())
	}
	return nil
}

// rest stops the worker, if one runs.
func (s *site) rest() error {
	if s.worker == nil {
		return nil
	}
	err := s.worker()
	s.worker = nil
	return err
}

// client runs do with a client of the hub of a session.
func (s *site) client(do func(ctx context.Context, c *durable.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: s.server.URL()})
	if err != nil {
		return err
	}
	defer b.Close()
	c := durable.NewClient(b, durable.ClientConfig{})
	defer c.Close()
	return do(ctx, c)
}

// shows waits until the hub shows an instance with a status.
func (s *site) shows(id, status string) error {
	return s.client(func(ctx context.Context, c *durable.Client) error {
		for { // one that is rewound is shown as ended before it goes on
			for inst, err := range c.Watch(ctx, id) {
				if err != nil || inst.Status == durable.Status(status) || status == "parked" && inst.Parked != "" {
					return err
				}
			}
		}
	})
}

func (s *site) close() {
	if err := s.rest(); err != nil {
		s.env.T().Log(err)
	}
	if s.server != nil {
		s.server.Close()
	}
	if s.guarded != nil {
		s.guarded.Shutdown()
		s.guarded.WaitForShutdown()
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// volatile is what differs from run to run.
var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`\b\d+[smhd] ago\b`), "AGO"},
	{regexp.MustCompile(`\bin \d+[smhd]\b`), "AHEAD"},
	{regexp.MustCompile(`\b(\d+ (s|min|h)|less than 1 s)\b`), "SPAN"},
	{regexp.MustCompile(`\b(\d+ms|0s)\b`), "TOOK"},
	{regexp.MustCompile(`\b[a-z2-7]{20}\b`), "RANDOM"},
	{regexp.MustCompile(`_test\.go:\d+`), "_test.go:LINE"},
	{regexp.MustCompile(`"seq":\d+`), `"seq":N`},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "SERVER"},
	{regexp.MustCompile(`(\S)  +`), "$1  "},
	{regexp.MustCompile(`(?m) +$`), ""},
}

// norm writes what the last command printed into a file.
func norm(ts *testscript.TestScript, file string, streams ...string) {
	text := ""
	for _, stream := range streams {
		text += ts.ReadFile(stream)
	}
	ts.Check(os.WriteFile(ts.MkAbs(file), []byte(equal(text)), 0o600))
}

// equal makes equal what differs from run to run.
func equal(text string) string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	return text
}

func fits(ts *testscript.TestScript, _ bool, args []string) {
	want := equal(ts.ReadFile(args[1]))
	pattern := strings.ReplaceAll("\n"+regexp.QuoteMeta(want), "\n…\n", "\n(?:.*\n)*")
	pattern = "^" + strings.ReplaceAll(strings.TrimPrefix(pattern, "\n"), "…", ".*") + "$"
	if got := equal(ts.ReadFile(args[0])); !regexp.MustCompile(pattern).MatchString(got) {
		ts.Fatalf("it says something else (-want +got):\n%s", cmp.Diff(want, got))
	}
}

func agree(ts *testscript.TestScript, _ bool, args []string) {
	if diff := cmp.Diff(equal(ts.ReadFile(args[1])), equal(ts.ReadFile(args[0]))); diff != "" {
		ts.Fatalf("it says something else (-want +got):\n%s", diff)
	}
}
