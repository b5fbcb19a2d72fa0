package change_test

import (
	"bytes"
	"errors"
	"go/token"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/change"
	"github.com/durablegen/durablegen/gen"
)

var findings = []gen.Finding{
	{Orchestrator: "shop.New", Safe: true, Pos: token.Position{Filename: "a.go", Line: 1, Column: 2}, Change: "it is new", Reason: "nobody runs it"},
	{
		Orchestrator: "shop.Order", Version: "2", Pos: token.Position{Filename: "b.go", Line: 3, Column: 4}, Change: `"a|b" became <c>`,
		Reason: "arguments", Breaks: "those that wait", WaysOut: []string{"one way", "another way"},
	},
	{Orchestrator: "shop.Gone", Version: "1", Change: "it is gone"},
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		print    func(io.Writer, []gen.Finding) error
		findings []gen.Finding
		want     string
	}{
		{"text", change.Text, findings, `b.go:3:4: orchestrator shop.Order version 2: unsafe: "a|b" became <c>
	why: arguments
	breaks: those that wait
	ways out: one way
	or: another way
orchestrator shop.Gone: unsafe: it is gone
1 change breaks no running instance
`},
		{"text of nothing", change.Text, nil, ""},
		{"JSON", change.JSON, findings, `{"file":"a.go","line":1,"column":2,"orchestrator":"shop.New","verdict":"safe","change":"it is new","reason":"nobody runs it","breaks":"","ways_out":[]}
{"file":"b.go","line":3,"column":4,"orchestrator":"shop.Order","version":"2","verdict":"unsafe","change":"\"a|b\" became <c>","reason":"arguments","breaks":"those that wait","ways_out":["one way","another way"]}
{"file":"","line":0,"column":0,"orchestrator":"shop.Gone","version":"1","verdict":"unsafe","change":"it is gone","reason":"","breaks":"","ways_out":[]}
`},
		{"JSON of nothing", change.JSON, nil, ""},
		{"markdown", change.Markdown, findings, `**durablegen check**: unsafe, 2 of 3 changes would break running instances.

| verdict | where | orchestrator | change | why | breaks | ways out |
| --- | --- | --- | --- | --- | --- | --- |
| **unsafe** | ` + "`b.go:3`" + ` | shop.Order version 2 | "a\|b" became &lt;c&gt; | arguments | those that wait | one way<br>another way |
| **unsafe** |  | shop.Gone | it is gone |  |  |  |
| safe | ` + "`a.go:1`" + ` | shop.New | it is new | nobody runs it |  |  |
`},
		{"markdown of what is safe", change.Markdown, findings[:1], `**durablegen check**: safe, 1 change breaks no running instance.

| verdict | where | orchestrator | change | why | breaks | ways out |
| --- | --- | --- | --- | --- | --- | --- |
| safe | ` + "`a.go:1`" + ` | shop.New | it is new | nobody runs it |  |  |
`},
		{"markdown of nothing", change.Markdown, nil, "**durablegen check**: nothing has changed that running instances would notice.\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := test.print(&b, test.findings); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(test.want, "\n"), strings.Split(b.String(), "\n")); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
			full := errors.New("no space left")
			if err := test.print(broken{full}, findings); !errors.Is(err, full) {
				t.Errorf("error %v, want %v", err, full)
			}
		})
	}
}

// broken is a writer that fails.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
