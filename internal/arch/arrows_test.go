// Package arch_test keeps the house in order: who may import whom, what the pure packages may touch, and what every
// file has to look like. It has no code of its own, only tests that read the tree.
package arch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/durablegen/durablegen"

// Modules, or packages of them, that some folders may import.
const (
	natsClient = "github.com/nats-io/nats.go"
	natsIDs    = "github.com/nats-io/nuid"
	natsServer = "github.com/nats-io/nats-server/v2"
	xtools     = "golang.org/x/tools"
	jennifer   = "github.com/dave/jennifer"
	bbolt      = "go.etcd.io/bbolt"
	progress   = "github.com/schollz/progressbar/v3"
	diffs      = "github.com/rogpeppe/go-internal/diff"
	goCmp      = "github.com/google/go-cmp"
	yaml       = "go.yaml.in/yaml/v3"
	xtime      = "golang.org/x/time"
	cobra      = "github.com/spf13/cobra"
	compress   = "github.com/klauspost/compress"
	pflag      = "github.com/spf13/pflag"
	uniseg     = "github.com/rivo/uniseg"
	xterm      = "golang.org/x/term"
	xsync      = "golang.org/x/sync"
)

// arrow is what the packages of one folder may import beside the standard library, test files left out.
type arrow struct {
	folder  string   // "x" is the package x, "x/..." also everything below it
	house   []string // folders of this module, in the same form
	outside []string // modules, with all their packages
	std     func(path string) bool
}

// arrows is the picture of the house: imports point down this list's own order, from the last row to the first. The
// first row that fits a package counts. A package that no row fits is an error: put it where it belongs.
var arrows = []arrow{
	{folder: "internal/history", std: pure},
	{folder: "runtime/observe", std: pure}, // what is told of everything below, in plain data
	{folder: "internal/engine", house: []string{"runtime/observe", "internal/history"}, std: pureOrSlog},
	{folder: "internal/cron", std: pure},
	{folder: "internal/steps", house: []string{"internal/history"}, std: pure},
	{folder: "internal/backend", house: []string{"runtime/observe", "internal/history"}},
	{folder: "internal/backend/...", house: []string{"runtime/observe", "internal/backend", "internal/history"}, outside: []string{goCmp}}, // the conformance suite
	{folder: "internal/membackend/...", house: []string{"internal/backend", "internal/history"}},
	{folder: "internal/owner", house: []string{"runtime/observe", "internal/engine", "internal/backend", "internal/history"}},
	{folder: "internal/activity", house: []string{"runtime/observe", "internal/engine", "internal/backend", "internal/history"}},
	{folder: "internal/codec", house: []string{"internal/backend", "internal/history"}},
	{folder: "internal/sim", house: whole},   // tests of all of the above together
	{folder: "internal/holes", house: whole}, // the same

	{folder: "internal/inside", house: []string{"internal/owner", "internal/history"}},
	{folder: "runtime", house: []string{"runtime/observe", "internal/inside", "internal/owner", "internal/activity", "internal/codec", "internal/cron", "internal/engine", "internal/backend", "internal/steps", "internal/history"}},
	{folder: "runtime/durabletest", house: []string{"runtime", "internal/inside", "internal/membackend/...", "internal/owner", "internal/backend", "internal/history"}},
	{folder: "internal/changes", house: []string{"runtime", "runtime/durabletest", "runtime/observe", "internal/inside", "internal/owner", "internal/history"}}, // tests only
	{folder: "runtime/doctor", house: []string{"runtime", "internal/owner", "internal/backend", "internal/history"}},
	{folder: "runtime/health"},
	{folder: "runtime/cloudevents", house: []string{"runtime", "runtime/observe", "internal/history"}},
	{folder: "runtime/httpapi", house: []string{"runtime", "internal/history"}, outside: []string{xtime}},
	{folder: "internal/natscontext", outside: []string{natsClient}},
	{folder: "runtime/natsbackend", house: []string{"runtime/observe", "runtime", "internal/natscontext", "internal/backend", "internal/history"}, outside: []string{natsClient, natsIDs}},
	{folder: "runtime/natsbackend/embedded", house: []string{"runtime/observe", "runtime/natsbackend", "runtime"}, outside: []string{natsClient, natsServer}},
	{folder: "runtime/natsbackend/backup", house: []string{"runtime/natsbackend"}, outside: []string{natsClient, compress}},
	{folder: "runtime/natsbackend/...", house: []string{"runtime/observe", "runtime/natsbackend", "internal/backend", "internal/history"}, outside: []string{natsClient, natsIDs}},

	{folder: "runtime/replaycheck", house: []string{"runtime", "runtime/natsbackend", "internal/natscontext", "internal/inside", "internal/owner", "internal/engine", "internal/backend", "internal/history"}, outside: []string{natsClient}},

	// The generator knows the runtime as one import path and a list of names; goldens compile against it.
	{folder: "annotations"},
	{folder: "internal/collect", house: []string{"annotations"}},
	{folder: "internal/shape", std: pure},
	{folder: "internal/rehearsal", house: []string{"internal/engine", "internal/history", "internal/shape"}},
	{folder: "gen/...", house: []string{"annotations", "internal/collect", "internal/rehearsal", "internal/shape", "gen/..."}, outside: []string{xtools, jennifer}},
	{folder: "lint/internal/effects"},
	{folder: "lint/internal/form", outside: []string{xtools}},
	{folder: "lint/internal/whole", outside: []string{xtools}},
	{folder: "lint/internal/mend", outside: []string{xtools}},
	{folder: "lint/internal/policy", house: []string{"annotations"}, outside: []string{xtools, yaml}},
	{folder: "lint/internal/summary", house: []string{"annotations", "lint/internal/effects", "lint/internal/form", "lint/internal/policy", "lint/internal/whole"}, outside: []string{xtools}},
	{folder: "lint/internal/code", house: []string{"annotations", "internal/collect", "lint/internal/form"}, outside: []string{xtools}},
	{folder: "lint/internal/contract", house: []string{"internal/collect", "lint/internal/code", "lint/internal/form"}, outside: []string{xtools}},
	{folder: "lint/internal/growth", house: []string{"lint/internal/code", "lint/internal/form"}, outside: []string{xtools}},
	{folder: "lint/internal/payload", house: []string{"annotations", "internal/collect", "lint/internal/code", "lint/internal/form", "lint/internal/summary"}, outside: []string{xtools}},
	{folder: "lint/internal/driver", outside: []string{xtools}},
	{folder: "lint", house: []string{"annotations", "lint/internal/summary", "lint/internal/code", "lint/internal/contract", "lint/internal/growth", "lint/internal/payload", "lint/internal/mend", "lint/internal/policy", "lint/internal/whole", "lint/internal/driver"}, outside: []string{xtools}},
	{folder: "lint/internal/ruledocs", house: []string{"lint"}},
	{folder: "cmd/durablegen/...", house: []string{"annotations", "internal/shape", "gen/...", "lint", "cmd/durablegen/..."}, outside: []string{diffs, xtools}},
	{folder: "internal/natscluster", outside: []string{natsServer}}, // servers for tests
	{folder: "internal/chaos/harness", house: []string{"runtime", "runtime/natsbackend/...", "internal/backend", "internal/history"}, outside: []string{natsClient, natsServer}},

	// Programs see the public packages only, as any user does; but for the one that breaks things.
	{folder: "cmd/durable/...", house: append(public, "runtime/doctor", "runtime/natsbackend/backup", "internal/natscontext", "cmd/durable/..."), outside: []string{cobra, pflag, natsClient, yaml, progress, uniseg, xsync, xterm}},
	{folder: "bench/workload", house: public},
	{folder: "bench/lint"},
	{folder: "bench/chaos", house: append(public, "internal/chaos/harness", "bench/workload")},
	{folder: "examples/...", house: append(public, "examples/..."), outside: []string{bbolt, progress, natsClient}},
	{folder: "bench/...", house: append(public, "bench/..."), outside: []string{natsClient}}, // its flows do without the engine
}

var whole = []string{"runtime/observe", "internal/activity", "internal/owner", "internal/membackend/...", "internal/engine", "internal/backend", "internal/history"}

var public = slices.Clip([]string{"runtime", "runtime/natsbackend", "runtime/natsbackend/embedded", "runtime/httpapi", "runtime/observe", "runtime/health", "runtime/cloudevents"})

// pure is the part of the standard library that has no I/O, no randomness and no log.
func pure(path string) bool {
	return !below(path, "net") && !below(path, "os") && !below(path, "log") && path != "math/rand" &&
		path != "crypto/rand" && path != "syscall"
}

// pureOrSlog adds log/slog: the engine wraps the user's logger, it never writes to one of its own.
func pureOrSlog(path string) bool { return path == "log/slog" || pure(path) }

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Name       string
	Dir        string
	Standard   bool
	Module     *struct{ Path string }
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// house lists the packages of the module that have code beside tests.
var house = sync.OnceValues(func() ([]listed, error) {
	all, err := list(module + "/...")
	return slices.DeleteFunc(all, func(p listed) bool { return len(p.GoFiles) == 0 }), err
})

func list(args ...string) ([]listed, error) {
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Dir,Standard,Module,GoFiles,Imports,Deps"}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list %v: %w", args, err)
	}
	var ps []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case err == io.EOF:
			return ps, nil
		case err != nil:
			return nil, fmt.Errorf("go list %v: %w", args, err)
		}
		ps = append(ps, p)
	}
}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		a, ok := arrowOf(folder(p.ImportPath))
		if !ok {
			t.Errorf("%s stands in no row of arrows: say what it may import", p.ImportPath)
			continue
		}
		for _, path := range p.Imports {
			if why := a.refuses(path); why != "" {
				t.Errorf("%s imports %s: %s", folder(p.ImportPath), path, why)
			}
		}
	}
}

// TestArrowsPointDown keeps the table itself honest: a row may only name folders of rows above it.
func TestArrowsPointDown(t *testing.T) {
	t.Parallel()
	for i, a := range arrows {
		for _, h := range a.house {
			if h == a.folder {
				continue
			}
			if !slices.ContainsFunc(arrows[:i], func(above arrow) bool { return above.folder == h }) {
				t.Errorf("row %q may import %q, which is no row above it", a.folder, h)
			}
		}
	}
}

// TestRuntimeIsLight: what users link without a backend reaches nothing but this module and the standard library.
func TestRuntimeIsLight(t *testing.T) {
	t.Parallel()
	deps, err := list("-deps", module+"/runtime")
	if err != nil {
		t.Fatal(err)
	}
	var heavy []string
	for _, p := range deps {
		if !p.Standard && folder(p.ImportPath) == p.ImportPath {
			heavy = append(heavy, p.ImportPath)
		}
	}
	if diff := cmp.Diff([]string(nil), heavy); diff != "" {
		t.Errorf("modules that the runtime reaches (-want +got):\n%s", diff)
	}
}

// TestServerStaysOutside: only programs, natsbackend/embedded, and what breaks or measures them link nats-server.
func TestServerStaysOutside(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if p.Name == "main" || slices.Contains([]string{"runtime/natsbackend/embedded", "internal/natscluster", "internal/chaos/harness", "bench/peer"}, folder(p.ImportPath)) {
			continue
		}
		for _, path := range p.Deps {
			if below(path, natsServer) {
				t.Errorf("%s reaches %s", p.ImportPath, path)
				break
			}
		}
	}
}

func packages(t *testing.T) []listed {
	t.Helper()
	ps, err := house()
	if err != nil {
		t.Fatal(err)
	}
	if len(ps) < 5 {
		t.Fatalf("go list sees %d packages: too few to judge", len(ps))
	}
	return ps
}

func arrowOf(folder string) (arrow, bool) {
	for _, a := range arrows {
		if fits(folder, a.folder) {
			return a, true
		}
	}
	return arrow{}, false
}

// refuses says why a package with this arrow may not import path; "" if it may.
func (a arrow) refuses(path string) string {
	first, _, _ := strings.Cut(path, "/")
	to := folder(path)
	switch {
	case to != path: // of this module
		if slices.ContainsFunc(a.house, func(h string) bool { return fits(to, h) }) {
			return ""
		}
		return fmt.Sprintf("of this module it may import %v", a.house)
	case strings.Contains(first, "."):
		if slices.ContainsFunc(a.outside, func(m string) bool { return below(path, m) }) {
			return ""
		}
		return fmt.Sprintf("of other modules it may import %v", a.outside)
	case a.std != nil && !a.std(path):
		return "it is to stay pure: no net, os, log, math/rand or crypto/rand"
	}
	return ""
}

// folder gives the path of a package below the module's root; a package of another module keeps its path.
func folder(path string) string { return strings.TrimPrefix(path, module+"/") }

func fits(folder, pattern string) bool {
	if root, all := strings.CutSuffix(pattern, "/..."); all {
		return below(folder, root)
	}
	return folder == pattern
}

func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
