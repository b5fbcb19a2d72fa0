package report_test

import (
	"bytes"
	"encoding/json"
	"go/token"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/durablegen/durablegen/cmd/durablegen/internal/report"
	"github.com/durablegen/durablegen/lint"
)

// sample is a result with everything in it, over a file that it writes.
func sample(t *testing.T) (result *lint.Result, root string) {
	t.Helper()
	root = t.TempDir()
	file := filepath.Join(root, "größe", "a b.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("package p\n\nvar größe = time.Now()\n\nvar x = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	at := func(line, column int) token.Position {
		return token.Position{Filename: file, Line: line, Column: column}
	}
	rule := func(id string) lint.Rule {
		r, ok := lint.RuleOf(id)
		if !ok {
			t.Fatalf("no rule %s", id)
		}
		return r
	}
	return &lint.Result{
		Findings: []lint.Finding{
			{
				Rule: rule("DET101"), Package: "example.com/p", Func: "F", Pos: at(3, 15), End: at(3, 25), Line: "var größe = time.Now()",
				Message: "time.Now in orchestrator F via p.g: … (DET101)",
				Chain:   []lint.Step{{Pos: at(5, 1), Text: "calls p.g"}, {Text: "calls q.h, which is at example.com/q/q.go:1:1"}},
				Fixes: []lint.Fix{{Text: "Use ctx.Now()", Edits: []lint.Edit{
					{File: file, Start: 25, End: 33, New: "ctx.Now"}, {File: file, Start: 10, End: 10, New: "\n"},
				}}},
			},
			{Rule: rule("DET306"), Package: "example.com/p", Pos: at(5, 1), Message: "output, allowed: as people read it (DET306)", Allowed: "as people read it"},
			{Rule: rule("DET101"), Package: "example.com/p", Pos: token.Position{Filename: "/elsewhere/mod/q.go", Line: 1, Column: 1}, Message: "again (DET101)"},
		},
		Unseen: []lint.Unseen{
			{What: "example.com/broken", Why: []string{"b.go:1:1: undefined: x", "b.go:2:1: undefined: y"}, Broken: true},
			{What: filepath.Join(root, "c_windows.go"), Why: []string{"left out"}},
		},
	}, root
}

// TestSARIFSchema validates a log against the schema of OASIS, as npm's node-sarif-builder has it.
func TestSARIFSchema(t *testing.T) {
	t.Parallel()
	result, root := sample(t)
	var out bytes.Buffer
	if err := report.SARIF(&out, result, root); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	log, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(log); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	empty := bytes.Buffer{}
	if err := report.SARIF(&empty, &lint.Result{}, root); err != nil {
		t.Fatal(err)
	}
	log, err = jsonschema.UnmarshalJSON(&empty)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(log); err != nil {
		t.Errorf("nothing found: %v", err)
	}
	broken := bytes.Replace(out.Bytes(), []byte(`"executionSuccessful"`), []byte(`"executionSuccesful"`), 1)
	log, err = jsonschema.UnmarshalJSON(bytes.NewReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(log) == nil {
		t.Error("the schema takes a log that lacks what it requires: nothing was validated")
	}
}

// TestSARIF looks at what a schema cannot know.
func TestSARIF(t *testing.T) {
	t.Parallel()
	result, root := sample(t)
	var out bytes.Buffer
	if err := report.SARIF(&out, result, root); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []map[string]any
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	var ids []string
	for _, r := range run.Tool.Driver.Rules {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"DET101", "DET306"}, ids); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	physical := run.Results[0]["locations"].([]any)[0].(map[string]any)["physicalLocation"]
	want := map[string]any{
		"artifactLocation": map[string]any{"uri": "gr%C3%B6%C3%9Fe/a%20b.go", "uriBaseId": "SRCROOT"},
		"region":           map[string]any{"startLine": 3.0, "startColumn": 13.0, "endLine": 3.0, "endColumn": 23.0}, // in characters
	}
	if diff := cmp.Diff(want, physical); diff != "" {
		t.Errorf("place (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{map[string]any{"kind": "inSource", "justification": "as people read it"}}, run.Results[1]["suppressions"]); diff != "" {
		t.Errorf("suppressions (-want +got):\n%s", diff)
	}
	for i, index := range []float64{0, 1, 0} {
		if run.Results[i]["ruleIndex"] != index {
			t.Errorf("result %d has the rule %v, want %v", i, run.Results[i]["ruleIndex"], index)
		}
	}
	if bytes.Contains(out.Bytes(), []byte("/elsewhere")) || bytes.Contains(out.Bytes(), []byte(root)) {
		t.Errorf("the log names a folder of this machine:\n%s", &out)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	result, _ := sample(t)
	for i := range result.Findings { // relative to nothing
		result.Findings[i].Pos.Filename = "p.go"
	}
	result.Findings[0].Chain[0].Pos.Filename = "p.go"
	var out bytes.Buffer
	report.Text(&out, result.Findings)
	want := "p.go:3:15: time.Now in orchestrator F via p.g: … (DET101)\n\tp.go:5:1: calls p.g\n\tcalls q.h, which is at example.com/q/q.go:1:1\n" +
		"p.go:1:1: again (DET101)\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	result, root := sample(t)
	result.Findings, result.Unseen = result.Findings[:1], result.Unseen[:1]
	var out bytes.Buffer
	if err := report.JSON(&out, result); err != nil {
		t.Fatal(err)
	}
	want := `{
  "findings": [
    {
      "rule": "DET101",
      "severity": "error",
      "package": "example.com/p",
      "function": "F",
      "file": "ROOT/größe/a b.go",
      "line": 3,
      "column": 15,
      "endLine": 3,
      "endColumn": 25,
      "message": "time.Now in orchestrator F via p.g: … (DET101)",
      "chain": [
        {
          "file": "ROOT/größe/a b.go",
          "line": 5,
          "column": 1,
          "text": "calls p.g"
        },
        {
          "text": "calls q.h, which is at example.com/q/q.go:1:1"
        }
      ],
      "fixes": [
        {
          "text": "Use ctx.Now()",
          "edits": [
            {
              "file": "ROOT/größe/a b.go",
              "start": 25,
              "end": 33,
              "new": "ctx.Now"
            },
            {
              "file": "ROOT/größe/a b.go",
              "start": 10,
              "end": 10,
              "new": "\n"
            }
          ]
        }
      ]
    }
  ],
  "unseen": [
    {
      "what": "example.com/broken",
      "why": [
        "b.go:1:1: undefined: x",
        "b.go:2:1: undefined: y"
      ],
      "broken": true
    }
  ]
}
`
	got := bytes.ReplaceAll(out.Bytes(), []byte(report.Short(root)), []byte("ROOT"))
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}
