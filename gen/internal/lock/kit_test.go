package lock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/gen/internal/emit"
	"github.com/durablegen/durablegen/gen/internal/load"
	"github.com/durablegen/durablegen/gen/internal/lock"
	"github.com/durablegen/durablegen/gen/internal/names"
	"github.com/durablegen/durablegen/internal/collect"
	"github.com/durablegen/durablegen/internal/shape"
)

// preamble is what the programs of the tests share; every one is a package of its own.
const preamble = `package shop

import (
	"context"
	"errors"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type Line struct {
	SKU   string ` + "`json:\"sku\"`" + `
	Count int    ` + "`json:\"count\"`" + `
	Price int    ` + "`json:\"price,omitempty\"`" + `
}

type Order struct {
	ID    string
	Buyer string
	Total int
	Gift  bool
	Lines []Line
	Tags  map[string]string
}

//durable:event
type Approved struct{ By string }

//durable:event
type Paid struct{ Amount int }

//durable:error
var ErrDeclined = errors.New("declined")

//durable:activity
func Charge(ctx context.Context, id string, amount int) (string, error) { return "", nil }

//durable:activity
func Ship(ctx context.Context, o Order) error { return nil }

//durable:activity
func Pack(ctx context.Context, line Line) (int, error) { return 0, nil }

//durable:activity
func Mail(ctx context.Context, to, text string) error { return nil }

//durable:orchestrator
func Child(ctx durable.Context, id string) (int, error) { return 0, nil }

var _ = time.Second
`

// module loads packages by the files that they have beside the preamble's, and gives the sources of a lock.
func module(t testing.TB, packages map[string]string) (*load.Program, []*lock.Source) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sums))
	write("go.mod", fmt.Sprintf("module example.com\n\ngo 1.26.0\n\nrequire github.com/durablegen/durablegen v0.0.0\n\nreplace github.com/durablegen/durablegen => %q\n", root))
	for name, text := range packages {
		write(name+"/preamble.go", preamble)
		write(name+"/program.go", text)
	}
	return sources(t, load.Config{Dir: dir, Patterns: []string{"./..."}})
}

// sources does what a run of the generator does. A package with mistakes is left out, if there may be some.
func sources(t testing.TB, cfg load.Config, mistakes ...bool) (*load.Program, []*lock.Source) {
	t.Helper()
	lenient := len(mistakes) > 0
	program, problems, err := load.Load(context.Background(), cfg)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	generated := map[*load.Package][]byte{}
	plans := map[*load.Package]*names.Plan{}
	for _, pkg := range program.Packages {
		model, problems := collect.Collect(program.Fset, &collect.Source{Path: pkg.Path, Name: pkg.Name, Files: pkg.Files, Types: pkg.Types, Defs: pkg.Defs})
		if len(problems) > 0 && !lenient {
			t.Fatalf("%s: %v", pkg.Path, problems)
		}
		if len(model.Decls) == 0 {
			continue
		}
		plan, clashes := names.Assign(model)
		if len(clashes) > 0 {
			if lenient {
				continue
			}
			t.Fatal(clashes)
		}
		plans[pkg] = plan
		if generated[pkg], err = emit.File(plan); err != nil {
			t.Fatal(err)
		}
	}
	found, err := program.Verify(generated)
	if err != nil {
		t.Fatal(err)
	}
	var list []*lock.Source
	for _, pkg := range program.Packages {
		if len(found[pkg]) > 0 && lenient {
			continue
		}
		if len(found[pkg]) > 0 {
			t.Errorf("%s: %v", pkg.Path, found[pkg])
		}
		c := pkg.Checked
		list = append(list, &lock.Source{Path: pkg.Path, Files: c.Files, Types: c.Types, Info: c.Info, Plan: plans[pkg]})
	}
	if t.Failed() {
		t.FailNow()
	}
	return program, list
}

// flows reads the function F of every program, without its package clause and imports.
func flows(t testing.TB, programs map[string]string) map[string]shape.Flow {
	t.Helper()
	packages := map[string]string{}
	for name, text := range programs {
		packages[name] = complete(text)
	}
	program, list := module(t, packages)
	out := map[string]shape.Flow{}
	for d, flow := range lock.Flows(program.Fset, list, nil, func(types.Type) shape.TypeRef { return shape.NoType }) {
		if d.Ident == "F" {
			out[filepath.Base(strings.TrimSuffix(d.Source, ".F"))] = flow
		}
	}
	return out
}

// complete makes a file of functions: imports are those that the text needs.
func complete(text string) string {
	imports := []string{}
	for _, path := range []string{"context", "encoding/json", "errors", "fmt", "slices", "sort", "strings", "maps", "time", "cmp", "strconv", "regexp"} {
		if strings.Contains(text, filepath.Base(path)+".") {
			imports = append(imports, fmt.Sprintf("%q", path))
		}
	}
	imports = append(imports, `durable "github.com/durablegen/durablegen/runtime"`)
	if !strings.Contains(text, "//durable:orchestrator") {
		text = strings.Replace(text, "func F(", "//durable:orchestrator\nfunc F(", 1)
	}
	return "package shop\n\nimport (\n\t" + strings.Join(imports, "\n\t") + "\n)\n\n" + text + "\n\nvar _ durable.Context\n"
}

// text is a flow for people, one node a line.
func text(flow shape.Flow) string {
	var b strings.Builder
	printFlow(&b, flow, "")
	return b.String()
}

func printFlow(b *strings.Builder, flow shape.Flow, indent string) {
	for i, n := range flow.Nodes {
		fmt.Fprintf(b, "%s%d %s", indent, i, n.Kind)
		if n.Target != "" {
			fmt.Fprintf(b, " %s", n.Target)
		}
		if len(n.Args) > 0 {
			var args []string
			for _, a := range n.Args {
				args = append(args, valueText(flow, a, map[int]bool{}))
			}
			fmt.Fprintf(b, "(%s)", strings.Join(args, ", "))
		}
		if len(n.In) > 0 {
			fmt.Fprintf(b, " from %v", n.In)
		}
		if len(n.Next) > 0 {
			fmt.Fprintf(b, " -> %v", n.Next)
		}
		b.WriteByte('\n')
		for _, body := range n.Bodies {
			printFlow(b, body, indent+"    ")
		}
	}
}

func valueText(flow shape.Flow, i int, in map[int]bool) string {
	v := flow.Values[i]
	var args []string
	if in[i] {
		return fmt.Sprintf("#%d", i)
	}
	in[i] = true
	defer delete(in, i)
	if v.Op == "const" {
		return v.What
	}
	for _, a := range v.Args {
		args = append(args, valueText(flow, a, in))
	}
	s := v.Op
	if v.Op == "phi" || v.Op == "mu" {
		s += fmt.Sprintf("#%d", i)
	}
	if v.What != "" {
		s += " " + v.What
	}
	if v.Node != 0 || v.Op == "phi" || v.Op == "after" {
		s += fmt.Sprintf("@%d", v.Node)
	}
	if v.Sum != "" {
		s += "~" + v.Sum
	}
	if len(args) > 0 {
		s += "(" + strings.Join(args, ", ") + ")"
	}
	return s
}

func encoded(t testing.TB, flow shape.Flow) string {
	t.Helper()
	text, err := json.Marshal(shape.Canonical(flow))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
