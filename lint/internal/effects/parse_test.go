package effects

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNotation(t *testing.T) {
	t.Parallel()
	parsed, err := parse(map[string]string{
		"a.txt": `
# a comment
go 1.99
readers Len
package x pure # sets may stand in any file
  A B   = DET101 0() 1[].Write,Close
  T.M   = 1[]*.@text 2!
  T.*   = recv- # a pattern
  C     = recv*.@text,Read
package y/z mixed reads optional
  I.M   = dispatch benign
  F     = order localtime zoned
`,
		"b.txt": "methods text benign = String Error\npackage y DET302\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	text := []string{"String", "Error"}
	x, yz := parsed.packages["x"], parsed.packages["y/z"]
	type row struct {
		name      string
		got, want any
	}
	for _, r := range []row{
		{"release", parsed.release, "1.99"},
		{"A", x.exact["A"].effect, Effect{Rule: "DET101", Calls: []Call{{Arg: 0}, {Arg: 1, Elem: true, Methods: []string{"Write", "Close"}}}}},
		{"B is as A", x.exact["B"].effect, x.exact["A"].effect},
		{"T.M", x.exact["T.M"].effect, Effect{Calls: []Call{{Arg: 1, Elem: true, Deep: true, Methods: text, Benign: true}}, Writes: []int{2}}},
		{"one method outside a benign set is enough", x.exact["C"].effect, Effect{Calls: []Call{{Arg: Receiver, Deep: true, Methods: append(text[:2:2], "Read")}}}},
		{"pattern", x.patterns[0].symbol, "T.*"},
		{"pattern keeps the receiver", x.patterns[0].receiver, keeps},
		{"place", x.exact["C"].where, "a.txt:9"},
		{"flags of a package", []bool{yz.reads, yz.optional, yz.base == nil}, []bool{true, true, true}},
		{"I.M", []bool{yz.exact["I.M"].dispatch, yz.exact["I.M"].benign}, []bool{true, true}},
		{"F", yz.exact["F"].effect, Effect{Order: true, Local: true, Zoned: true}},
		{"a rule as default", parsed.packages["y"].base.effect.Rule, "DET302"},
		{"readers", parsed.readers, map[string]bool{"Len": true}},
	} {
		if diff := cmp.Diff(r.want, r.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.name, diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no release":            {"package x pure", `no file has a line "go 1.26"`},
		"two releases":          {"go 1.26\ngo 1.27", "t.txt:2: a second release: 1.26 was said before"},
		"unknown line":          {"go 1.26\npakage x pure", `t.txt:2: "pakage" begins no line`},
		"no readers":            {"go 1.26\nreaders", `t.txt:2: "readers" begins no line`},
		"set without name":      {"go 1.26\nmethods = A", "t.txt:2: a set of methods is written"},
		"set without methods":   {"go 1.26\nmethods x =", "t.txt:2: a set of methods is written"},
		"set with a wrong word": {"go 1.26\nmethods x benin = A", "t.txt:2: a set of methods is written"},
		"set twice":             {"go 1.26\nmethods x = A\nmethods x = B", "t.txt:3: a second set named x"},
		"no package":            {"go 1.26\n  A = pure", "t.txt:2: A stands in no package"},
		"no default":            {"go 1.26\npackage x", "t.txt:2: a package is written"},
		"wrong default":         {"go 1.26\npackage x puer", "t.txt:2: puer is no default"},
		"wrong flag":            {"go 1.26\npackage x pure read", "t.txt:2: read says nothing about a package"},
		"package twice":         {"go 1.26\npackage x pure\npackage x pure", "t.txt:3: package x has a place already"},
		"no words":              {"go 1.26\npackage x pure\n  A =", "t.txt:3: symbols are written"},
		"no symbol":             {"go 1.26\npackage x pure\n  = pure", "t.txt:3: symbols are written"},
		"no equals sign":        {"go 1.26\npackage x pure\n  A DET101", "t.txt:3: symbols are written"},
		"no such form":          {"go 1.26\npackage x pure\n  (*T).M = pure", "t.txt:3: (*T).M is no symbol"},
		"symbol twice":          {"go 1.26\npackage x pure\n  A = DET101\n  B A = DET102", "t.txt:4: A stands in t.txt:3 already"},
		"pattern twice":         {"go 1.26\npackage x pure\n  A* = DET101\n  A* = DET102", "t.txt:4: the pattern A* has a line already"},
		"unknown word":          {"go 1.26\npackage x pure\n  A = DET1O1", "t.txt:3: DET1O1 is no word of the notation"},
		"two rules":             {"go 1.26\npackage x pure\n  A = DET101 DET102", "t.txt:3: two rules, DET101 and DET102"},
		"pure and a rule":       {"go 1.26\npackage x pure\n  A = pure DET101", "t.txt:3: pure stands alone"},
		"dispatch and a call":   {"go 1.26\npackage x pure\n  T.M = dispatch 0()", "t.txt:3: dispatch says all"},
		"benign nothing":        {"go 1.26\npackage x pure\n  A = benign", "t.txt:3: benign needs dispatch or a call"},
		"no such set":           {"go 1.26\npackage x pure\n  A = 0.@fmt", "t.txt:3: no set is named fmt"},
		"empty method":          {"go 1.26\npackage x pure\n  A = 0.Read,,Write", "t.txt:3: an empty name among the methods"},
		"elements changed":      {"go 1.26\npackage x pure\n  A = 0[]!", "t.txt:3: 0[]!: what is changed is the argument, written 0!"},
		"a deep func":           {"go 1.26\npackage x pure\n  A = 0*()", "t.txt:3: 0*(): a func has nothing behind it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(map[string]string{"t.txt": c.text})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("error %v, want one that begins with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("one mistake, several errors: %v", err)
			}
		})
	}
}

func TestParseReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := parse(map[string]string{"a.txt": "package x puer\n  A = what", "b.txt": "go 1.26\npackage x pure"})
	want := "a.txt:1: puer is no default: expected pure, mixed or the id of a rule\n" +
		"a.txt:2: what is no word of the notation\n" +
		"b.txt:2: package x has a place already"
	if err == nil || err.Error() != want {
		t.Errorf("errors:\n%v\nwant:\n%s", err, want)
	}
}

func TestParseKnown(t *testing.T) {
	t.Parallel()
	known, err := parseKnown("# generated\na/b: F G\na/b T: M\n")
	if diff := cmp.Diff(map[string]bool{"a/b F": true, "a/b G": true, "a/b T.M": true}, known); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if _, err := parseKnown("a/b F G\n"); err == nil || !strings.Contains(err.Error(), `"a/b F G" has no colon`) {
		t.Errorf("error %v, want one about the colon", err)
	}
}
