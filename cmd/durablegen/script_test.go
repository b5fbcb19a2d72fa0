package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"durablegen": main})
}

// TestScripts runs the command in modules of its own that use this checkout as their dependency and as their tool. No
// network: the module cache of the machine has what the tool needs, since this test was built from it.
func TestScripts(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	env := goEnv(t)
	tool, err := exec.LookPath("durablegen")
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, "DURABLEGEN="+tool, "ROOT="+root)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			return writeModule(root, e.WorkDir)
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"hub": hub},
		RequireExplicitExec: true,
	})
}

// goEnv keeps the caches of the machine, which testscript would hide, and shuts the network out.
func goEnv(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]string
	if err := json.Unmarshal(out, &values); err != nil {
		t.Fatal(err)
	}
	env := []string{"GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off"}
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	return env
}

// writeModule makes dir a module example.com that requires what this repository requires, and this repository itself.
func writeModule(root, dir string) error {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	var text strings.Builder
	tools := false
	for line := range strings.Lines(string(mod)) {
		switch {
		case strings.HasPrefix(line, "module "):
			text.WriteString("module example.com\n")
		case strings.HasPrefix(line, "tool ("):
			tools = true
		case tools:
			tools = !strings.HasPrefix(line, ")")
		default:
			text.WriteString(line)
		}
	}
	fmt.Fprintf(&text, "\nrequire github.com/durablegen/durablegen v0.0.0\n\nreplace github.com/durablegen/durablegen => %q\n\n"+
		"tool github.com/durablegen/durablegen/cmd/durablegen\n", root)
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text.String()), 0o644)
}
