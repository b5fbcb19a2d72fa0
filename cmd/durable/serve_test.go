package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// underway is a command that runs until it is stopped.
type underway struct {
	api, nats string
	stop      func() (code int, stderr string)
}

// begin runs the command and waits until it serves.
func begin(t *testing.T, env map[string]string, args ...string) underway {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	said, stderr := io.Pipe()
	var stdout bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, args, surroundings{stdin: strings.NewReader(""), stdout: &stdout, stderr: stderr, getenv: func(k string) string { return env[k] }})
		stderr.Close()
		ended <- code
	}()
	var all strings.Builder
	lines := bufio.NewScanner(said)
	s := underway{stop: func() (int, string) {
		cancel()
		for lines.Scan() {
			all.WriteString(lines.Text() + "\n")
		}
		return <-ended, all.String()
	}}
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if _, at, ok := strings.Cut(lines.Text(), " on http://"); ok {
			s.api = "http://" + at
			_, s.nats, _ = strings.Cut(strings.TrimSpace(stdout.String()), "=")
			return s
		}
	}
	cancel()
	t.Fatalf("durable %v ended with %d: %s", args, <-ended, all.String())
	return s
}

func get(t *testing.T, url, header string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key, value, ok := strings.Cut(header, ": "); ok {
		req.Header.Set(key, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

const instancesPath = "/runtime/webhooks/durabletask/instances"

// TestDevAndServe is not parallel: a process that another test starts holds the lock of the folder for a moment, between fork
// and exec.
func TestDevAndServe(t *testing.T) {
	none := map[string]string{"XDG_CONFIG_HOME": t.TempDir()}
	dir := filepath.Join(t.TempDir(), "data")
	dev := begin(t, none, "dev", "--no-context", "--dir", dir, "--nats", "127.0.0.1:0", "--listen", "127.0.0.1:0")
	for _, path := range []string{"/livez", "/readyz", instancesPath, "/", "/page.js", "/page.css"} {
		if status, body := get(t, dev.api+path, ""); status != http.StatusOK {
			t.Errorf("dev: %s: %d %s", path, status, body)
		}
	}
	keys, tokens := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "tokens")
	for path, text := range map[string]string{keys: "# of the desk\nk1\n", tokens: "t1\nt2\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"NATS_URL": dev.nats}
	api := begin(t, env, "serve", "--no-context", "--listen", "127.0.0.1:0", "--keys", keys, "--tokens", tokens)
	for header, want := range map[string]int{
		"": 401, "x-functions-key: k1": 200, "x-functions-key: # of the desk": 401,
		"Authorization: Bearer t2": 200, "Authorization: Bearer t3": 401,
	} {
		if status, body := get(t, api.api+instancesPath, header); status != want {
			t.Errorf("serve: %q: %d, want %d: %s", header, status, want, body)
		}
	}
	if status, _ := get(t, api.api+"/", "x-functions-key: k1"); status != http.StatusNotFound {
		t.Errorf("serve: the page of dev: %d", status)
	}
	if status, _ := get(t, api.api+"/readyz", ""); status != http.StatusOK {
		t.Errorf("serve: readyz needs no key, and says %d", status)
	}
	if code, said := api.stop(); code != 0 {
		t.Errorf("serve ended with %d: %s", code, said)
	}
	for name, args := range map[string][]string{
		"served by another": {"dev", "--no-context", "--dir", dir, "--nats", "127.0.0.1:0"},
		"and to be removed": {"dev", "--no-context", "--dir", dir, "--nats", "127.0.0.1:0", "--fresh"},
	} {
		if code, said := once(t, none, args...); code != 7 {
			t.Errorf("%s: %d: %s", name, code, said)
		}
	}
	if code, said := dev.stop(); code != 0 {
		t.Errorf("dev ended with %d: %s", code, said)
	}
	again := begin(t, none, "dev", "--no-context", "--dir", dir, "--nats", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--fresh")
	if code, said := again.stop(); code != 0 {
		t.Errorf("dev anew ended with %d: %s", code, said)
	}
}

// once runs the command to its end.
func once(t *testing.T, env map[string]string, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	code = run(t.Context(), args, surroundings{stdin: strings.NewReader(""), stdout: &out, stderr: &out, getenv: func(k string) string { return env[k] }})
	return code, out.String()
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "empty"), []byte("# none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		"is not host:port": {"--listen", "80"},
		"say --open":       {"--listen", ":0"},
		"leave it away":    {"--open", "--keys", "x"},
		"has none":         {"--keys", filepath.Join(dir, "empty")},
		"no such file":     {"--tokens", filepath.Join(dir, "nothing")},
		"go together":      {"--cert", "x"},
		"--cert and --key": {"--cert", "x", "--key", "y"},
		"--origin":         {"--origin", "nowhere"},
		"not negative":     {"--rate", "-1"},
		"other files":      {"--fresh", "--dir", dir},
	} {
		verb := "serve"
		if args[0] == "--fresh" {
			verb = "dev"
		}
		code, said := once(t, nil, append([]string{verb, "--no-context"}, args...)...)
		if code != 2 || !strings.Contains(said, says) {
			t.Errorf("%v: exit code %d, want 2 and %q: %s", args, code, says, said)
		}
	}
}
