//go:build npm

package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/durablegen/durablegen/runtime/httpapi"
)

// TestNpmClient drives the API of a hub on an embedded server with the npm package durable-functions, through every call
// that it has. It needs Node.js 18 and npm, and a registry from which npm takes what testdata/npm/package-lock.json
// lists; so it has a build tag, and a command: make npm.
func TestNpmClient(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: install Node.js 18 or newer, with npm", err)
		}
	}
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "npm"))))
	command(t, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

	var bankOpen atomic.Bool
	client := realHub(t, bindings(&bankOpen))
	webhooks := serve(t, httpapi.New(client, httpapi.Config{Keys: []string{"a key&more"}}))
	rpc := serve(t, httpapi.New(client, httpapi.Config{}))
	bank := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { bankOpen.Store(r.Method == http.MethodPost) }))
	out := command(t, dir, []string{
		"WEBHOOK=" + webhooks + "/runtime/webhooks/durabletask/", "RPC=" + rpc + "/durabletask/", "KEY=a%20key%26more", "BANK=" + bank, "HUB=" + client.Hub(),
	}, "node", "drive.cjs")
	t.Log(out)
	if !strings.Contains(out, "every call works") {
		t.Error("the driver ended early")
	}
}

// command runs a program, and fails with what it printed.
func command(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
