package arch_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// most lines of a file; a bigger one is two ideas.
const mostLines = 600

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for path, text := range tree(t, ".go") {
		if ast.IsGenerated(parse(t, path, text)) {
			continue
		}
		if n := bytes.Count(text, []byte("\n")); n > mostLines {
			t.Errorf("%s has %d lines, more than %d: split it by nouns", path, n, mostLines)
		}
	}
}

// TestTestsWait: a test that sleeps is slow or flaky, one that skips proves nothing.
func TestTestsWait(t *testing.T) {
	t.Parallel()
	for path, text := range tree(t, "_test.go") {
		each(parse(t, path, text), func(pkg, name, where string) {
			if pkg == "time" && name == "Sleep" {
				t.Errorf("%s:%s sleeps: wait for a signal, or use virtual time", path, where)
			}
			if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) && slices.Contains([]string{"t", "b", "f", "tb"}, pkg) {
				t.Errorf("%s:%s skips: make it run everywhere, or delete it", path, where)
			}
		})
	}
}

// clock holds the functions that read a clock or wait for one (I8: the log's time stamps are the only clock).
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// TestPureCore: history and engine decide from what they are given, on the caller's goroutine (I1).
func TestPureCore(t *testing.T) {
	t.Parallel()
	for path, text := range tree(t, ".go") {
		dir := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") || dir != "internal/history" && dir != "internal/engine" {
			continue
		}
		file := parse(t, path, text)
		each(file, func(pkg, name, where string) {
			if pkg == "time" && slices.Contains(clock, name) {
				t.Errorf("%s:%s uses time.%s: time comes with the message", path, where, name)
			}
			if pkg == "rand" && !slices.Contains([]string{"New", "NewPCG", "NewChaCha8", "Rand", "Source", "PCG", "ChaCha8"}, name) {
				t.Errorf("%s:%s uses rand.%s, which is seeded by the process", path, where, name)
			}
		})
		ast.Inspect(file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s:%d starts a goroutine: coroutines are iter.Pull", path, positions.Position(g.Pos()).Line)
			}
			return true
		})
	}
}

// TestPublicPackagesSayWhatTheyAre: every package that users import has a package comment.
func TestPublicPackagesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if strings.Contains(p.ImportPath, "/internal/") {
			continue
		}
		said := slices.ContainsFunc(p.GoFiles, func(name string) bool {
			path := filepath.Join(p.Dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return parse(t, path, text).Doc != nil
		})
		if !said {
			t.Errorf("%s has no package comment", folder(p.ImportPath))
		}
	}
}

// home matches an absolute path below somebody's home, which means nothing on another machine.
var home = regexp.MustCompile(`(^|[^\w.~-])(/home/[a-z]|/root/|/Users/[A-Za-z]|[A-Z]:\\+Users\\)`)

func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	for path, text := range tree(t, "") {
		for i, line := range strings.Split(string(text), "\n") {
			if path != "internal/arch/tree_test.go" && home.MatchString(line) {
				t.Errorf("%s:%d names a folder of one machine: %s", path, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// texts are the endings of what people write in this tree; everything else is data.
var texts = []string{".go", ".md", ".mod", ".txt", ".txtar", ".html", ".css", ".yml", ".conf", ".csv", "Makefile", ".ci/run", ".ci/fuzz", ".ci/regenerate", ".ci/golangci"}

// tree reads the files of the module whose name ends with suffix, by their path below its root.
func tree(t *testing.T, suffix string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path == ".git" || path == "bin" || strings.HasSuffix(path, "-data") {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, suffix) || !slices.ContainsFunc(texts, func(end string) bool { return strings.HasSuffix(path, end) }):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		files[path] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no file ends with %q: nothing was judged", suffix)
	}
	return files
}

var positions = token.NewFileSet()

func parse(t *testing.T, path string, text []byte) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(positions, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// each calls fn for every x.Name in file; imported packages are named by the last element of their path.
func each(file *ast.File, fn func(x, name, where string)) {
	renamed := map[string]string{}
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name != nil {
			renamed[spec.Name.Name] = lastElement(path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok {
			name := x.Name
			if real, ok := renamed[name]; ok {
				name = real
			}
			pos := positions.Position(sel.Pos())
			fn(name, sel.Sel.Name, fmt.Sprintf("%d:%d", pos.Line, pos.Column))
		}
		return true
	})
}

// version matches the last element of a path that is not a package's name, as in math/rand/v2.
var version = regexp.MustCompile(`/v\d+$`)

func lastElement(path string) string {
	path = version.ReplaceAllString(path, "")
	return path[strings.LastIndex(path, "/")+1:]
}
