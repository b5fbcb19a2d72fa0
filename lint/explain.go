package lint

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/tools/txtar"
)

// An example is a txtar file: what there is to say beyond the rule's row, then wrong.go and right.go. Each is a file of the
// package in testdata/shop; [TestExamples] lints them.
//
//go:embed examples/*.txtar
var exampleFiles embed.FS

// example is what a rule's document has beside its row.
type example struct {
	text         string
	wrong, right string // Go files
}

var examples = sync.OnceValue(func() map[string]example {
	found := map[string]example{}
	for _, r := range rules {
		if data, err := exampleFiles.ReadFile("examples/" + r.ID + ".txtar"); err == nil {
			a := txtar.Parse(data)
			e := example{text: strings.TrimSpace(string(a.Comment))}
			for _, f := range a.Files {
				switch f.Name {
				case "wrong.go":
					e.wrong = string(f.Data)
				case "right.go":
					e.right = string(f.Data)
				}
			}
			found[r.ID] = e
		}
	}
	return found
})

// Explain gives what there is to know about a rule, as Markdown; "" when there is no such rule. docs/lint has the same.
func Explain(id string) string {
	r, ok := RuleOf(id)
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n**%s**, since %s. ", r.ID, r.Title, sentence(string(r.Severity)), r.Since)
	if r.Why != "" {
		fmt.Fprintf(&b, "%s; %s.\n", sentence(r.Why), r.Do)
	} else {
		fmt.Fprintf(&b, "%s.\n", sentence(r.Do))
	}
	e := examples()[id]
	if e.text != "" {
		fmt.Fprintf(&b, "\n%s\n", e.text)
	}
	for _, part := range []struct{ name, code string }{{"Wrong", e.wrong}, {"Right", e.right}} {
		if part.code != "" {
			fmt.Fprintf(&b, "\n%s:\n\n```go\n%s```\n", part.name, declarations(part.code))
		}
	}
	if !strings.HasPrefix(id, "DET95") {
		fmt.Fprintf(&b, "\nTo permit it at one place: `//durable:allow %s -- reason`.\n", id)
	}
	return b.String()
}

// declarations is a Go file without its package clause and imports.
func declarations(code string) string {
	_, code, _ = strings.Cut(code, "\n\n")
	switch {
	case strings.HasPrefix(code, "import ("):
		_, code, _ = strings.Cut(code, "\n)\n\n")
	case strings.HasPrefix(code, "import "):
		_, code, _ = strings.Cut(code, "\n\n")
	}
	return code
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// Index lists all rules as a Markdown table, with links to their documents.
func Index() string {
	var b strings.Builder
	b.WriteString("| rule | severity | about | what to do |\n| --- | --- | --- | --- |\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", r.ID, r.ID, r.Severity, r.Title, r.Do)
	}
	return b.String()
}

// Documents gives the files of docs/lint by name.
func Documents() map[string]string {
	files := map[string]string{"README.md": "# Rules\n\nWritten by `go generate ./lint`; `durablegen lint -explain DET101` prints the same.\n" +
		"[linter.md](../linter.md) tells how to run the linter.\n\n" + Index()}
	for _, r := range rules {
		files[r.ID+".md"] = Explain(r.ID)
	}
	return files
}
