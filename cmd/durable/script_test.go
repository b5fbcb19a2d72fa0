package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

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
//	work             starts a worker of kit_test.go; the end of the session stops it
//	idle             stops the workers
//	shows ID STATUS  waits until the hub shows an instance with this status
//	exits N CMD...   runs a command that must exit with N
//	norm FILE        writes what the last command printed to stdout into FILE: times, random ids and paddings made equal
//	normerr FILE     the same of stderr
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
		return nil
	}
	p.Cmds = map[string]func(*testscript.TestScript, bool, []string){
		"serve":   onSite(func(s *site, ts *testscript.TestScript, _ []string) error { return s.serve(ts) }),
		"stop":    onSite(func(s *site, _ *testscript.TestScript, _ []string) error { return s.stop() }),
		"work":    onSite(func(s *site, _ *testscript.TestScript, _ []string) error { return s.work() }),
		"idle":    onSite(func(s *site, _ *testscript.TestScript, _ []string) error { return s.idle() }),
		"shows":   onSite(func(s *site, _ *testscript.TestScript, args []string) error { return s.shows(args[0], args[1]) }),
		"exits":   exits,
		"norm":    func(ts *testscript.TestScript, _ bool, args []string) { norm(ts, "stdout", args) },
		"normerr": func(ts *testscript.TestScript, _ bool, args []string) { norm(ts, "stderr", args) },
	}
	testscript.Run(t, p)
}

// patience bounds every wait of a session. It is never a measure: a session that reaches it has failed.
const patience = 30 * time.Second

type siteKey struct{}

// site is what a session has in the process of the test.
type site struct {
	env    *testscript.Env
	server *embedded.Server
	listen string
	stops  []func() error
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

// work starts a worker.
func (s *site) work() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: s.server.URL()})
	if err != nil {
		return err
	}
	r := &durable.Registry{}
	if err := r.Add(bindings()...); err != nil {
		return errors.Join(err, b.Close())
	}
	w := durable.NewWorker(b, r, durable.WorkerConfig{})
	if err := w.Start(ctx); err != nil {
		return errors.Join(err, b.Close())
	}
	s.stops = append(s.stops, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return errors.Join(w.Stop(ctx), b.Close())
	})
	return nil
}

// shows waits until the hub shows an instance with a status.
func (s *site) shows(id, status string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	b, err := natsbackend.Connect(ctx, natsbackend.Config{URL: s.server.URL()})
	if err != nil {
		return err
	}
	defer b.Close()
	c := durable.NewClient(b, durable.ClientConfig{})
	defer c.Close()
	for inst, err := range c.Watch(ctx, id) {
		if err != nil || inst.Status == durable.Status(status) {
			return err
		}
	}
	return fmt.Errorf("%s has ended, and was not %s", id, status)
}

// idle stops the workers.
func (s *site) idle() (err error) {
	for _, stop := range s.stops {
		err = errors.Join(err, stop())
	}
	s.stops = nil
	return err
}

func (s *site) close() {
	if err := s.idle(); err != nil {
		s.env.T().Log(err)
	}
	if s.server != nil {
		s.server.Close()
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
	{regexp.MustCompile(`\b[a-z2-7]{20}\b`), "RANDOM"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "SERVER"},
	{regexp.MustCompile(`(\S)  +`), "$1  "},
	{regexp.MustCompile(`(?m) +$`), ""},
}

func norm(ts *testscript.TestScript, what string, args []string) {
	text := ts.ReadFile(what)
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
