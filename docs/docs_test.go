// Package docs_test keeps the documents true: their Go code is code that is compiled, their links lead somewhere, and
// the tutorial works.
package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const root = ".."

// TestCodeBlocks: every Go block of a document stands in a file that is compiled: a Go file, or a file of a testscript
// or golden; every conf block in a configuration that a test starts a server with. A line that is only "// …" leaves
// something out.
func TestCodeBlocks(t *testing.T) {
	t.Parallel()
	var compiled []string
	for _, text := range files(t, ".go", ".txtar", ".conf") {
		compiled = append(compiled, unindent(text))
	}
	for path, text := range files(t, ".md") {
		for _, b := range codeBlocks(text) {
			for part := range strings.SplitSeq(b.text, "// …\n") {
				if !contained(compiled, unindent(part)) {
					t.Errorf("%s:%d: no compiled file has this code as it stands here:\n%s", path, b.line, part)
				}
			}
		}
	}
}

// TestLinks: every relative link of a document leads to a file, and one that is named as a test to a file with that test.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\[([^\[\]]*)\]\(([^)\s]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```")
	for path, text := range files(t, ".md") {
		text = code.ReplaceAllString(text, "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[2], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := filepath.Join(root, filepath.Dir(path), target)
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s: %v", path, m[2], err)
			}
			if code, err := os.ReadFile(file); strings.HasPrefix(m[1], "Test") && !strings.Contains(string(code), "func "+m[1]+"(") {
				t.Errorf("%s: %s has no test %s (%v)", path, m[2], m[1], err)
			}
		}
	}
}

// TestTutorial runs testdata/*.txtar, each in a module of its own that uses this checkout.
func TestTutorial(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPO", repo)
			for _, name := range []string{"GOMODCACHE", "GOCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"} {
				value, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return fmt.Errorf("go env %s: %w", name, err)
				}
				env.Setenv(name, strings.TrimSpace(string(value)))
			}
			return nil
		},
	})
}

type block struct {
	line int // of its first line of code
	text string
}

// codeBlocks gives the blocks fenced by ```go and ```conf.
func codeBlocks(text string) []block {
	var blocks []block
	var inside *block
	for i, line := range strings.SplitAfter(text, "\n") {
		fence := strings.TrimSpace(line)
		switch {
		case inside == nil && (fence == "```go" || fence == "```conf"):
			inside = &block{line: i + 2}
		case inside != nil && fence == "```":
			blocks = append(blocks, *inside)
			inside = nil
		case inside != nil:
			inside.text += line
		}
	}
	return blocks
}

// unindent makes code comparable that is indented differently or ends with empty lines.
func unindent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		b.WriteString(strings.TrimSpace(line))
		b.WriteByte('\n')
	}
	return b.String()
}

func contained(texts []string, part string) bool {
	for _, text := range texts {
		if strings.Contains("\n"+text, "\n"+part) {
			return true
		}
	}
	return false
}

// files reads the files of the module with one of these endings, by their path below its root.
func files(t *testing.T, endings ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path == ".git" {
			return fs.SkipDir
		}
		for _, end := range endings {
			if d.Type().IsRegular() && strings.HasSuffix(path, end) {
				text, err := os.ReadFile(filepath.Join(root, path))
				if err != nil {
					return err
				}
				found[path] = string(text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("no file ends with %v: nothing was checked", endings)
	}
	return found
}
