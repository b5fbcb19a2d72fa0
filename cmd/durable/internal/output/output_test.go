package output_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
)

type thing struct {
	ID  string          `json:"id"`
	Raw json.RawMessage `json:"raw,omitempty"`
}

func id(t thing) string { return t.ID }

var columns = []output.Column[thing]{
	{Head: "ID", Cell: id, Style: func(thing) output.Style { return output.Red }},
	{Head: "RAW", Cell: func(t thing) string { return string(t.Raw) }},
}

// TestFormats: wide characters are aligned, what would move the cursor is not printed, nothing is cut, and numbers and texts
// of payloads come out as they are.
func TestFormats(t *testing.T) {
	t.Parallel()
	things := []thing{
		{"größe", json.RawMessage(`{"b": 1.0, "a": 123456789012345678901, "t": "\ud83d\ude42 no", "yes": "yes", "l": []}`)},
		{"日本\x1b[2J\n", nil},
	}
	for _, c := range []struct {
		format output.Format
		color  bool
		want   string
	}{
		{output.Table, false, "ID         RAW\ngröße      " + string(things[0].Raw) + "\n日本�[2J   -\n"},
		{output.Table, true, "\x1b[1mID\x1b[0m         \x1b[1mRAW\x1b[0m\n\x1b[31mgröße\x1b[0m      " + string(things[0].Raw) + "\n\x1b[31m日本�[2J \x1b[0m  -\n"},
		{output.Name, false, "größe\n日本\x1b[2J\n\n"},
		{output.JSONL, true, `{"id":"größe","raw":{"b":1.0,"a":123456789012345678901,"t":"\ud83d\ude42 no","yes":"yes","l":[]}}` + "\n" + `{"id":"日本\u001b[2J\n"}` + "\n"},
		{output.YAML, false, `- id: größe
  raw:
    b: 1.0
    a: 123456789012345678901
    t: "\U0001F642 no"
    "yes": "yes"
    l: []
- id: "日本\e[2J\n"
`},
	} {
		var b strings.Builder
		if err := output.List(output.Printer{W: &b, Format: c.format, Color: c.color}, things, id, columns...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.format, diff)
		}
	}
}

func TestNoneIsAList(t *testing.T) {
	t.Parallel()
	for format, want := range map[output.Format]string{output.JSON: "[]\n", output.YAML: "[]\n", output.JSONL: "", output.Name: "", output.Table: "ID  RAW\n"} {
		var b strings.Builder
		if err := output.List(output.Printer{W: &b, Format: format}, nil, id, columns...); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v, want %q", format, b.String(), err, want)
		}
	}
}

func TestOne(t *testing.T) {
	t.Parallel()
	people := func(w io.Writer) { io.WriteString(w, "hello\n") }
	for format, want := range map[output.Format]string{
		output.Table: "hello\n", output.Name: "x\n", output.JSONL: `{"id":"x"}` + "\n", output.JSON: "{\n  \"id\": \"x\"\n}\n", output.YAML: "id: x\n",
	} {
		var b strings.Builder
		if err := (output.Printer{W: &b, Format: format}).One(thing{ID: "x"}, "x", people); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v, want %q", format, b.String(), err, want)
		}
	}
}

// TestFind: an error of the command line is told in the format that it asks for.
func TestFind(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]output.Format{
		"list -o json": output.JSON, "--output=yaml list": output.YAML, "list --output jsonl": output.JSONL, "list -ojson": output.JSON,
		"list -o": output.Table, "list -o xml": output.Table, "list": output.Table,
	} {
		f := output.Table
		if f.Find(strings.Fields(line)); f != want {
			t.Errorf("%s: %s, want %s", line, f, want)
		}
	}
}
