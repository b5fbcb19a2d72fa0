package against

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/gen"
)

// unit is a package with annotations, as the program that replays its orchestrators sees it.
type unit struct {
	path      string // import path
	dir       string
	name      string // of the package
	receivers bool   // RegisterDurable wants some
}

// unitOf reads what a generated file declares; ok is false when there is nothing to register.
func unitOf(f gen.File) (u unit, ok bool, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.New, parser.SkipObjectResolution)
	if err != nil {
		return u, false, err
	}
	for _, d := range file.Decls {
		if fn, is := d.(*ast.FuncDecl); is && fn.Recv == nil && fn.Name.Name == "RegisterDurable" {
			return unit{path: f.Package, dir: filepath.Dir(f.Path), name: file.Name.Name, receivers: fn.Type.Params.NumFields() > 1}, true, nil
		}
	}
	return u, false, nil
}

// program is what is built: the packages that can be imported together, or a main package, whose init does the work.
type program struct {
	dir   string // of its main package
	file  string // that the overlay adds to it
	units []unit
	main  bool // units is the main package itself
}

const (
	fileName   = "durablegen_check_against.go"
	folderName = "durablegen_check_against" // of a main package that only the overlay has
	checkPath  = "github.com/durablegen/durablegen/runtime/replaycheck"
	durable    = "github.com/durablegen/durablegen/runtime"
)

// programsOf divides packages into programs. An internal package can only be imported from below the folder that holds
// internal, so packages share a program when they share that folder.
func programsOf(units []unit, moduleDir func(unit) string) (all []program) {
	byFolder := map[string]int{}
	for _, u := range units {
		if u.name == "main" {
			all = append(all, program{dir: u.dir, file: filepath.Join(u.dir, fileName), units: []unit{u}, main: true})
			continue
		}
		dir := filepath.Join(importer(u.dir, moduleDir(u)), folderName)
		n, ok := byFolder[dir]
		if !ok {
			n = len(all)
			byFolder[dir] = n
			all = append(all, program{dir: dir, file: filepath.Join(dir, fileName)})
		}
		all[n].units = append(all[n].units, u)
	}
	return all
}

// importer is the folder below which a package may be imported: its module's, or the one that holds the innermost internal.
func importer(dir, module string) string {
	sep := string(filepath.Separator)
	rel, err := filepath.Rel(module, dir)
	if err != nil {
		return module
	}
	parts := strings.Split(rel, sep)
	for n := len(parts) - 1; n >= 0; n-- {
		if parts[n] == "internal" {
			return filepath.Join(append([]string{module}, parts[:n]...)...)
		}
	}
	return module
}

// source writes the program.
func (p program) source() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "package main\n\nimport (\n\tdurablegenRuntime %q\n\tdurablegenCheck %q\n", durable, checkPath)
	entry := "main"
	if p.main {
		entry = "init"
	} else {
		for n, u := range p.units {
			fmt.Fprintf(&b, "\tunit%d %q\n", n, u.path)
		}
	}
	fmt.Fprintf(&b, ")\n\nfunc %s() {\n\tdurablegenCheck.Main(\n", entry)
	for n, u := range p.units {
		from := "unit" + strconv.Itoa(n) + "."
		if p.main {
			from = ""
		}
		receivers := ""
		if u.receivers {
			receivers = fmt.Sprintf(", durablegenCheck.Receivers[%sDurableReceivers]()", from)
		}
		fmt.Fprintf(&b, "func(r *durablegenRuntime.Registry) error { return %sRegisterDurable(r%s) },\n", from, receivers)
	}
	b.WriteString(")\n}\n")
	return format.Source(b.Bytes())
}

// builder makes programs of files that are nowhere in the user's folders.
type builder struct {
	dir     string // where the go command works
	tmp     string
	replace map[string]string
	stderr  io.Writer
}

func (b *builder) add(path string, text []byte) error {
	at := filepath.Join(b.tmp, strconv.Itoa(len(b.replace))+".go")
	b.replace[path] = at
	return os.WriteFile(at, text, 0o600)
}

// build gives the path of the executable.
func (b *builder) build(ctx context.Context, p program, n int) (string, error) {
	text, err := p.source()
	if err != nil {
		return "", err
	}
	if err := b.add(p.file, text); err != nil {
		return "", err
	}
	overlay := filepath.Join(b.tmp, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": b.replace})
	if err == nil {
		err = os.WriteFile(overlay, data, 0o600)
	}
	if err != nil {
		return "", err
	}
	out := filepath.Join(b.tmp, "check"+strconv.Itoa(n)+executable())
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", out, p.dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, b.stderr, b.stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("the program that replays histories does not build: %w", err)
	}
	return out, nil
}

// modules asks the go command in which modules packages are.
func modules(ctx context.Context, dir string, units []unit) (func(unit) string, error) {
	dirs := map[string]string{}
	args := []string{"list", "-e", "-find", "-json=ImportPath,Module"}
	for _, u := range units {
		args = append(args, u.path)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Module     *struct{ Dir string }
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Module != nil {
			dirs[p.ImportPath] = p.Module.Dir
		}
	}
	for _, u := range units {
		if dirs[u.path] == "" {
			return nil, fmt.Errorf("package %s is in no module", u.path)
		}
	}
	return func(u unit) string { return dirs[u.path] }, nil
}
