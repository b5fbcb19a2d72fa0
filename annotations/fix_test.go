package annotations_test

import (
	"go/parser"
	"go/token"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/annotations"
)

// TestFixes: a mistake that can have meant only one thing comes with the edit that mends it.
func TestFixes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, src, want string }{
		{"a space", "// durable:activity timeout=1s\nfunc F() {}\n", "//durable:activity timeout=1s\nfunc F() {}\n"},
		{"upper case", "//Durable:Pure\nfunc F() {}\n", "//durable:pure\nfunc F() {}\n"},
		{"a block", "/* durable:pure */\nfunc F() {}\n", "//durable:pure\nfunc F() {}\n"},
		{"a block of two lines", "/* durable:pure\n*/\nfunc F() {}\n", ""},
		{"a word", "//durable:purre\nfunc F() {}\n", "//durable:pure\nfunc F() {}\n"},
		{"no such word", "//durable:saga\nfunc F() {}\n", ""},
		{"a key", "//durable:activity attempt=3\nfunc F() {}\n", "//durable:activity attempts=3\nfunc F() {}\n"},
		{"a value", "//durable:activity attempts=x\nfunc F() {}\n", ""},
		{"a blank line", "//durable:pure\n\nfunc F() {}\n", "//durable:pure\nfunc F() {}\n"},
		{"a blank line above a comment", "//durable:pure\n\n\n// F is.\nfunc F() {}\n", "//durable:pure\n// F is.\nfunc F() {}\n"},
		{"a blank line above a type", "//durable:event\n\ntype E struct{}\n", "//durable:event\ntype E struct{}\n"},
		{"a blank line above what it does not mark", "//durable:event\n\nfunc F() {}\n", ""},
		{"a blank line and a comment between", "//durable:pure\n\n// Between.\n\nfunc F() {}\n", ""},
		{"the end of the file", "func F() {}\n\n//durable:pure\n", ""},
		{"no reason", "//durable:allow DET101\nfunc F() {}\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const clause = "package p\n\n"
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, "p.go", clause+test.src, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			_, errs := annotations.File(fset, file)
			if len(errs) != 1 {
				t.Fatalf("mistakes: %v", errs)
			}
			got := ""
			if fix := errs[0].Fix; fix != nil {
				tf := fset.File(file.FileStart)
				src := clause + test.src
				got = src[len(clause):tf.Offset(fix.Pos)] + fix.New + src[tf.Offset(fix.End):]
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("fixed (-want +got):\n%s", diff)
			}
		})
	}
}
