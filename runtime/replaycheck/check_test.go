package replaycheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

var (
	step  = &durable.Activity{Name: "club.Step"}
	other = &durable.Activity{Name: "club.Other"}
)

func flow(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "club." + name, Group: "club"}
}

type member struct{ Name string }

// steps takes a step, and waits for an event.
func steps[T any](a *durable.Activity, args any) durable.Binding {
	return durable.BindOrchestrator(flow("Steps"), func(ctx durable.Context, _ T) (string, error) {
		if err := durable.StartActivity[durable.None](ctx, a, args).Err(ctx); err != nil {
			return "", err
		}
		return durable.ReceiveEvent[string](ctx, "go").Get(ctx)
	})
}

func leaver() durable.Binding {
	return durable.BindOrchestrator(flow("Leave"), func(ctx durable.Context, _ durable.None) (string, error) {
		return durable.ReceiveEvent[string](ctx, "go").Get(ctx)
	})
}

func stepping(a *durable.Activity) durable.Binding {
	return durable.BindActivity(a, func(context.Context, int) (durable.None, error) { return durable.None{}, nil })
}

// hub is a server whose only user beside its owner is a viewer, with instances that a worker has left.
type hub struct {
	t   testing.TB
	url string
}

func openHub(t testing.TB) hub {
	t.Helper()
	p, err := natsbackend.PermissionsOf(natsbackend.RoleViewer, natsbackend.Scope{Hub: "default", Inbox: "_INBOX_viewer"})
	must(t, err)
	conf := fmt.Sprintf("jetstream {}\naccounts { CLUB { jetstream: enabled, users: [\n{ user: root, password: p }\n{ user: viewer, password: p\n%s} ] } }\n", p)
	path := filepath.Join(t.TempDir(), "nats.conf")
	must(t, os.WriteFile(path, []byte(conf), 0o600))
	opts, err := server.ProcessConfigFile(path)
	must(t, err)
	opts.Host, opts.Port, opts.StoreDir, opts.NoLog, opts.NoSigs = "127.0.0.1", server.RANDOM_PORT, t.TempDir(), true, true
	s, err := server.NewServer(opts)
	must(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not come up")
	}
	return hub{t, s.ClientURL()}
}

// refusals fails a test whose connection was refused something.
type refusals struct{ t testing.TB }

func (r refusals) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "permitted") {
		r.t.Errorf("refused: %s", line)
	}
	return len(line), nil
}

func (h hub) as(user string, provision bool) *natsbackend.Backend {
	h.t.Helper()
	b, err := natsbackend.Connect(h.t.Context(), natsbackend.Config{
		URL: h.url, Provision: provision, Options: []nats.Option{nats.UserInfo(user, "p"), nats.CustomInboxPrefix("_INBOX_" + user)},
		Logger: slog.New(slog.NewTextHandler(refusals{h.t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	must(h.t, err)
	h.t.Cleanup(func() { must(h.t, b.Close()) })
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func registry(t testing.TB, bindings ...durable.Binding) *durable.Registry {
	t.Helper()
	var r durable.Registry
	must(t, r.Add(bindings...))
	return &r
}

// leave has a worker begin n instances that wait, one that has ended, one that is scheduled for later, and one of club.Leave.
func (h hub) leave(n int) {
	t, b := h.t, h.as("root", true)
	t.Helper()
	client := durable.NewClient(b, durable.ClientConfig{})
	w := durable.NewWorker(b, registry(t, steps[member](step, 1), leaver(), stepping(step)), durable.WorkerConfig{})
	must(t, w.Start(t.Context()))
	in := member{"Ann"}
	for i := range n {
		start(t, client, flow("Steps"), in, durable.InstanceID(fmt.Sprint("live-", i)))
	}
	start(t, client, flow("Steps"), in, durable.InstanceID("later"), durable.StartAfter(time.Hour))
	start(t, client, flow("Leave"), nil, durable.InstanceID("leaves"))
	start(t, client, flow("Steps"), in, durable.InstanceID("ended"))
	must(t, client.Raise(t.Context(), "ended", "go", "done"))
	_, err := client.Wait(t.Context(), "ended")
	must(t, err)
	for i := range n {
		waits(t, client, fmt.Sprint("live-", i))
	}
	waits(t, client, "leaves")
	must(t, w.Stop(context.Background()))
	must(t, client.Close())
}

func start(t testing.TB, c *durable.Client, o *durable.Orchestrator, in any, opts ...durable.StartOption) {
	t.Helper()
	_, err := durable.StartInstance[string](t.Context(), c, o, in, opts...)
	must(t, err)
}

// waits returns when an instance waits for the event.
func waits(t testing.TB, c *durable.Client, id string) {
	t.Helper()
	for inst, err := range c.Watch(t.Context(), id) {
		must(t, err)
		if inst.Waiting == "event go" {
			return
		}
	}
}

// TestCheck: a viewer may replay, and the report tells what does not fit.
func TestCheck(t *testing.T) {
	t.Parallel()
	h := openHub(t)
	h.leave(5)
	viewer := h.as("viewer", false)
	for _, c := range []struct {
		name string
		code []durable.Binding
		cfg  Config
		want Report
		says []string // of the text
	}{
		{"the same", []durable.Binding{steps[member](step, 1), leaver()}, Config{}, Report{Histories: 8, Live: 7, OK: 8}, nil},
		{"a sample", []durable.Binding{steps[member](step, 1), leaver()}, Config{Sample: 2, Parallel: 1}, Report{Histories: 4, Live: 3, OK: 4}, nil},
		{"one name", []durable.Binding{steps[member](step, 1), leaver()}, Config{Name: "Leave"}, Report{Histories: 1, Live: 1, OK: 1}, nil},
		{"another activity", []durable.Binding{steps[member](other, 1), leaver()}, Config{}, Report{Histories: 8, Live: 7, OK: 2, Mismatch: 6},
			[]string{"mismatch live-1 (club.Steps, Running)", "slot 1-0-0", "recorded: activity club.Step with 1 at check_test.go:", "now:      activity club.Other with 1 at check_test.go:", "and 3 more like it"}},
		{"other arguments", []durable.Binding{steps[member](step, 2), leaver()}, Config{Name: "club.Steps"}, Report{Histories: 7, Live: 6, OK: 1, Mismatch: 6}, []string{"club.Step with 2"}},
		{"another input", []durable.Binding{steps[struct{ Name int }](step, 1), leaver()}, Config{}, Report{Histories: 8, Live: 7, OK: 1, Undecodable: 7},
			[]string{"undecodable", "input of orchestrator club.Steps", "is a JSON string"}},
		{"one is gone", []durable.Binding{steps[member](step, 1)}, Config{}, Report{Histories: 8, Live: 7, OK: 7, WithoutCode: 1},
			[]string{"without code leaves (club.Leave, Running)", "orchestrator club.Leave, version 1: no code for it"}},
		{"its version is gone", []durable.Binding{steps[member](step, 1), durable.BindOrchestrator(&durable.Orchestrator{Name: "club.Leave", Group: "club", Version: "2"}, func(durable.Context, durable.None) (string, error) { return "", nil })}, Config{},
			Report{Histories: 8, Live: 7, OK: 7, WithoutCode: 1}, []string{"without code leaves (club.Leave, Running)"}},
		{"moved to another group", []durable.Binding{durable.BindOrchestrator(&durable.Orchestrator{Name: "club.Leave", Group: "elsewhere"}, func(durable.Context, durable.None) (string, error) { return "", nil })}, Config{},
			Report{Histories: 1, Live: 1, WithoutCode: 1}, []string{"group elsewhere", "group club"}},
		{"it ends", []durable.Binding{steps[member](step, 1), durable.BindOrchestrator(flow("Leave"), func(durable.Context, durable.None) (string, error) { return "", errors.New("no more") })}, Config{},
			Report{Histories: 8, Live: 7, OK: 8}, []string{"note leaves", "ends it as Failed: no more"}},
		{"it panics", []durable.Binding{steps[member](step, 1), durable.BindOrchestrator(flow("Leave"), func(durable.Context, durable.None) (string, error) { panic("lost") })}, Config{},
			Report{Histories: 8, Live: 7, OK: 7, Mismatch: 1}, []string{"panics where it did not: panic: lost"}},
		{"others' code", []durable.Binding{durable.BindOrchestrator(&durable.Orchestrator{Name: "shop.Sell", Group: "shop"}, func(durable.Context, durable.None) (string, error) { return "", nil })}, Config{}, Report{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Check(t.Context(), viewer, registry(t, c.code...), c.cfg)
			must(t, err)
			var text bytes.Buffer
			must(t, got.Write(&text, "text"))
			for _, want := range c.says {
				if !strings.Contains(text.String(), want) {
					t.Errorf("the report does not say %q:\n%s", want, text.String())
				}
			}
			findings := got.Findings
			c.want.Hub, got.Findings = "default", nil
			if fmt.Sprint(c.want) != fmt.Sprint(got) {
				t.Errorf("the report is %+v, want %+v\n%s", got, c.want, text.String())
			}
			got.Findings = findings
			checkJSON(t, got)
		})
	}
}

// checkJSON: every line is an object; the findings, then the sums.
func checkJSON(t *testing.T, r Report) {
	t.Helper()
	var out bytes.Buffer
	must(t, r.Write(&out, "json"))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for n, line := range lines {
		var f struct{ Verdict, Reason string }
		must(t, json.Unmarshal([]byte(line), &f))
		if last := n == len(lines)-1; last != (f.Verdict == "") || last != (f.Reason == "") {
			t.Errorf("line %d of %d is %s", n+1, len(lines), line)
		}
	}
	if len(lines) != len(r.Findings)+1 {
		t.Errorf("%d lines for %d findings", len(lines), len(r.Findings))
	}
}

// TestExport: what is saved is what the test kit replays, without payloads if so wanted.
func TestExport(t *testing.T) {
	t.Parallel()
	h := openHub(t)
	h.leave(2)
	viewer, code := h.as("viewer", false), registry(t, steps[member](step, 1), leaver())
	for _, redact := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "histories")
		got, err := Check(t.Context(), viewer, code, Config{Dir: dir, Redact: redact})
		must(t, err)
		if !got.Fits() || got.Histories != 5 {
			t.Errorf("redacted %v: %+v", redact, got)
		}
		files, err := os.ReadDir(dir)
		must(t, err)
		if len(files) != 5 {
			t.Errorf("%d files, want 5", len(files))
		}
		text, err := os.ReadFile(filepath.Join(dir, "live-1.json"))
		must(t, err)
		if strings.Contains(string(text), "Ann") == redact {
			t.Errorf("redacted %v: %s", redact, text)
		}
		durabletest.ReplayDir(t, dir, code)
	}
}

// TestRun: the program that the command builds says 0, 1 or 2.
func TestRun(t *testing.T) {
	t.Parallel()
	h := openHub(t)
	h.leave(1)
	env := map[string]string{"NATS_USER": "viewer", "NATS_PASSWORD": "p"}
	registers := func(bindings ...durable.Binding) func(*durable.Registry) error {
		return func(r *durable.Registry) error { return r.Add(bindings...) }
	}
	same, changed := registers(steps[member](step, 1), leaver()), registers(steps[member](other, 1), leaver())
	for _, c := range []struct {
		name     string
		args     []string
		register func(*durable.Registry) error
		want     int
		says     string
	}{
		{"fits", nil, same, 0, "hub default: 4 histories replayed, 3 of live instances: 4 ok, 0 mismatch, 0 undecodable, 0 without code\n"},
		{"does not", []string{"-format=markdown"}, changed, 1, "- **mismatch** `ended` (club.Steps, Completed)"},
		{"no such hub", []string{"-hub=none"}, same, 2, "none"},
		{"no server", []string{"-against=nats://127.0.0.1:1"}, same, 2, "127.0.0.1:1"},
		{"no such format", []string{"-format=xml"}, same, 2, "xml"},
		{"a registry that is full", nil, func(r *durable.Registry) error { return errors.Join(same(r), same(r)) }, 2, "taken twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			args := append([]string{"-against=" + h.url, "-inbox-prefix=_INBOX_viewer"}, c.args...)
			got := run(t.Context(), args, func(name string) string { return env[name] }, &out, &out, []func(*durable.Registry) error{c.register})
			if got != c.want || !strings.Contains(out.String(), c.says) {
				t.Errorf("it exits %d, want %d and %q:\n%s", got, c.want, c.says, out.String())
			}
		})
	}
}

// TestReceivers: pointers point to something, whatever else there is.
func TestReceivers(t *testing.T) {
	t.Parallel()
	got := Receivers[struct {
		Pointer *member
		Value   member
		Number  int
	}]()
	if got.Pointer == nil || *got.Pointer != (member{}) {
		t.Errorf("it makes %+v", got)
	}
}

// BenchmarkCheck replays the histories of 1,000 live instances.
func BenchmarkCheck(b *testing.B) {
	h := openHub(b)
	h.leave(1000)
	viewer, code := h.as("viewer", false), registry(b, steps[member](step, 1), leaver())
	for b.Loop() {
		got, err := Check(b.Context(), viewer, code, Config{})
		must(b, err)
		if got.OK != 1003 {
			b.Fatalf("%+v", got)
		}
	}
}
