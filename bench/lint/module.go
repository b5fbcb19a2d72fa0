package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// module is one that is made: a chain of packages, each with activities, orchestrators that call them, helpers, and calls into
// the package before.
type module struct {
	dir                        string
	packages, functions, lines int
}

const house = "github.com/durablegen/durablegen"

// prepare writes go.mod, builds the tool, and generates.
func (m *module) prepare(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", house).Output()
	if err != nil {
		return fmt.Errorf("find %s: %w", house, err)
	}
	checkout := strings.TrimSpace(string(root))
	sums, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		return err
	}
	mod := fmt.Sprintf("module example.com/large\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %[1]s => %[2]q\n", house, checkout)
	for name, text := range map[string][]byte{"go.mod": []byte(mod), "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(m.dir, name), text, 0o644); err != nil {
			return err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(m.dir, "durablegen"), house+"/cmd/durablegen")
	build.Dir = checkout
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build durablegen: %w\n%s", err, out)
	}
	if err := m.write("generate"); err != nil {
		return err
	}
	if out, err := m.command(ctx, filepath.Join(m.dir, "durablegen"), "./...").CombinedOutput(); err != nil {
		return fmt.Errorf("generate: %w\n%s", err, out)
	}
	return nil
}

func (m *module) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd
}

// write writes the packages; the remark makes them new to every cache.
func (m *module) write(remark string) error {
	m.lines = 0
	for i := range m.packages {
		n := m.functions*(i+1)/m.packages - m.functions*i/m.packages
		text := m.source(i, n, remark)
		m.lines += strings.Count(text, "\n")
		dir := filepath.Join(m.dir, fmt.Sprintf("p%03d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// source is package i with n annotated functions, a half of them activities.
func (m *module) source(i, n int, remark string) string {
	var b strings.Builder
	before := ""
	if i > 0 {
		before = fmt.Sprintf("\t\"example.com/large/p%03d\"\n", i-1)
	}
	fmt.Fprintf(&b, header, i, remark, before)
	for f := range n {
		if f%2 == 0 {
			fmt.Fprintf(&b, activity, f)
			continue
		}
		weigh := "weigh(order)"
		if i > 0 {
			weigh = fmt.Sprintf("p%03d.Weigh(order.Names())", i-1)
		}
		fmt.Fprintf(&b, orchestrator, f, f-1, weigh)
	}
	return b.String()
}

const header = `// Package p%03[1]d is made: %[2]s.
package p%03[1]d

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"

%[3]s)

// ErrEmpty reports an order of nothing.
//
//durable:error
var ErrEmpty = errors.New("empty")

type Order struct {
	ID    string
	Lines map[string]int
	Until time.Time
}

func (o Order) Names() []string { return slices.Sorted(maps.Keys(o.Lines)) }

type weigher interface{ Weight(name string) int }

type scales map[string]int

func (s scales) Weight(name string) int { return s[name] + len(name) }

func Weigh(names []string) int { return sum(scales{"crate": 3}, names) }

func sum(w weigher, names []string) (n int) {
	for _, name := range names {
		n += w.Weight(name)
	}
	return n
}

func weigh(o Order) int { return Weigh(o.Names()) }

`

const activity = `//durable:activity timeout=10s attempts=3
func Step%[1]d(ctx context.Context, id string, n int) (string, error) {
	if n < 0 {
		return "", fmt.Errorf("step %[1]d of %%s: %%w", id, ErrEmpty)
	}
	return strings.Repeat(id, n%%3), ctx.Err()
}

`

const orchestrator = `//durable:orchestrator
func Run%[1]d(ctx durable.Context, order Order) (string, error) {
	var parts []string
	for _, name := range order.Names() {
		part, err := Step%[2]dActivity.Call(ctx, name, order.Lines[name])
		switch {
		case errors.Is(err, ErrEmpty):
			continue
		case err != nil:
			return "", err
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, strings.Compare)
	if ctx.Now().After(order.Until) || %[3]s > 100 {
		if err := durable.Sleep(ctx, time.Minute); err != nil {
			return "", err
		}
	}
	return strings.Join(parts, ","), nil
}

`
