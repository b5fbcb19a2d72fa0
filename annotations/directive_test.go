package annotations_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/durablegen/durablegen/annotations"
)

// parse reads one comment line as if it were the third line of a file.
func parse(t *testing.T, line string) (*annotations.Directive, []string) {
	t.Helper()
	fset := token.NewFileSet()
	src := "package p\n\n" + line + "\n"
	file, err := parser.ParseFile(fset, "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	d, errs := annotations.Parse(fset, file.Comments[0].List[0])
	var texts []string
	for _, e := range errs {
		texts = append(texts, e.Error())
	}
	return d, texts
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, line string
		want       *annotations.Directive
	}{
		{"no directive", "// a comment", nil},
		{"another tool's", "//go:noinline", nil},
		{"prose about one", "// durable:activity is a directive, says this sentence.", nil},
		{"an unknown word in prose", "// durable:detached", nil},
		{"bare", "//durable:orchestrator", &annotations.Directive{Word: annotations.Orchestrator}},
		{
			"orchestrator", "//durable:orchestrator name=billing.Renew alias=a,b alias=c handle=Renewal version=2024-1 group=billing",
			&annotations.Directive{
				Word: annotations.Orchestrator, Name: "billing.Renew", Aliases: []string{"a", "b", "c"}, Handle: "Renewal", Version: "2024-1", Group: "billing",
			},
		},
		{
			"activity", "//durable:activity timeout=1m30s attempts=5 first=500ms backoff=1.5 max=1h concurrency=20",
			&annotations.Directive{
				Word: annotations.Activity, Timeout: 90 * time.Second, Attempts: 5, First: 500 * time.Millisecond, Backoff: 1.5, Max: time.Hour, Concurrency: 20,
			},
		},
		{"spaces and tabs", "//durable:event\t name=x.Y \t handle=Z  ", &annotations.Directive{Word: annotations.Event, Name: "x.Y", Handle: "Z"}},
		{
			"allow", `//durable:allow DET101, DET102 DUR201 -- it "is" -- fine`,
			&annotations.Directive{Word: annotations.Allow, Rules: []string{"DET101", "DET102", "DUR201"}, Reason: `it "is" -- fine`},
		},
		{"pure", "//durable:pure", &annotations.Directive{Word: annotations.Pure}},
		{"readonly", "//durable:readonly", &annotations.Directive{Word: annotations.ReadOnly}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, errs := parse(t, test.line)
			if len(errs) > 0 {
				t.Fatalf("errors: %q", errs)
			}
			ignore := []cmp.Option{cmpopts.IgnoreFields(annotations.Directive{}, "Pos", "End"), cmpopts.IgnoreUnexported(annotations.Directive{})}
			if diff := cmp.Diff(test.want, got, ignore...); diff != "" {
				t.Errorf("Parse(%s) (-want +got):\n%s", test.line, diff)
			}
		})
	}
}

func TestParsePositions(t *testing.T) {
	t.Parallel()
	const line = "//durable:activity  timeout=1s alias=a alias=b"
	d, errs := parse(t, line)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	column := func(pos token.Pos) int { return int(pos-d.Pos) + 1 }
	got := map[string]int{
		"timeout": column(d.At(annotations.Timeout)),
		"alias":   column(d.At(annotations.Alias)),
		"absent":  column(d.At(annotations.Name)),
		"end":     column(d.End),
	}
	want := map[string]int{
		"timeout": strings.Index(line, "timeout") + 1,
		"alias":   strings.Index(line, "alias") + 1,
		"absent":  1,
		"end":     len(line) + 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if !d.Has(annotations.Alias) || d.Has(annotations.Name) {
		t.Errorf("Has(alias) = %t, Has(name) = %t", d.Has(annotations.Alias), d.Has(annotations.Name))
	}
}

// Diagnostics are covered in full by the error_ cases of testdata/golden; here are those whose text depends on distance.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, line, want string }{
		{"a letter missing", "//durable:activty", "p.go:3:11: unknown directive //durable:activty; did you mean //durable:activity?"},
		{"letters swapped", "//durable:evnet", "p.go:3:11: unknown directive //durable:evnet; did you mean //durable:event?"},
		{"letters swapped twice", "//durable:acitvtiy", "p.go:3:11: unknown directive //durable:acitvtiy; did you mean //durable:activity?"},
		{"case", "//durable:readOnly", "p.go:3:11: unknown directive //durable:readOnly; did you mean //durable:readonly?"},
		{"nothing near", "//durable:saga", "p.go:3:11: unknown directive //durable:saga; the words are orchestrator, activity, event, error, allow, pure, readonly, detached"},
		{"a key", "//durable:activity attempt=3", `p.go:3:20: //durable:activity takes no "attempt"; did you mean attempts=?`},
		{"a key of another word is not guessed at", "//durable:event timeout=3s", `p.go:3:17: //durable:event takes no "timeout"; its keys are name=, handle=`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, errs := parse(t, test.line)
			if diff := cmp.Diff([]string{test.want}, errs); diff != "" {
				t.Errorf("errors of %s (-want +got):\n%s", test.line, diff)
			}
		})
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		in   string
		want bool
	}{
		{"usual", "membership.VerifyPhone", true},
		{"all characters", "aZ09_.-", true},
		{"the longest", "a" + strings.Repeat("x", annotations.MaxName-1), true},
		{"too long", "a" + strings.Repeat("x", annotations.MaxName), false},
		{"empty", "", false},
		{"digit first", "1a", false},
		{"dot first", ".a", false},
		{"space", "a b", false},
		{"not ASCII", "größe", false},
		{"a NATS wildcard", "a.*", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := annotations.ValidName(test.in); got != test.want {
				t.Errorf("ValidName(%q) = %t, want %t", test.in, got, test.want)
			}
		})
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	const src = `package p

import "time"

// Run runs.
//
//durable:orchestrator
func Run() {}

type (
	// E happens.
	//
	//durable:event
	E struct{}
)

//durable:readonly
var table = map[string]int{}

type I interface {
	//durable:pure
	M()
}

//durable:allow DET101 -- whole function
//durable:pure
func f() {
	_ = time.Now() //durable:allow DET101 -- this line
}
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	directives, errs := annotations.File(fset, file)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	type found struct {
		Line int
		Word annotations.Word
		Node string
	}
	var got []found
	for _, d := range directives {
		got = append(got, found{fset.Position(d.Pos).Line, d.Word, nodeName(d.Node)})
	}
	want := []found{
		{7, annotations.Orchestrator, "func Run"},
		{13, annotations.Event, "type E"},
		{17, annotations.ReadOnly, "var table"},
		{21, annotations.Pure, "field M"},
		{25, annotations.Allow, "func f"},
		{26, annotations.Pure, "func f"},
		{28, annotations.Allow, "none"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("directives (-want +got):\n%s", diff)
	}
}

func nodeName(n ast.Node) string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return "func " + n.Name.Name
	case *ast.TypeSpec:
		return "type " + n.Name.Name
	case *ast.ValueSpec:
		return "var " + n.Names[0].Name
	case *ast.Field:
		return "field " + n.Names[0].Name
	}
	return "none"
}
