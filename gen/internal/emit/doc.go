package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/durablegen/durablegen/gen/internal/names"
)

// doc makes one comment of lines. Lines may have their slashes already; an empty line separates paragraphs.
func doc(lines ...string) *jen.Statement {
	out := make([]string, len(lines))
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "//"):
			out[i] = line
		case line == "" || line[0] == '\t':
			out[i] = "//" + line
		default:
			out[i] = "// " + line
		}
	}
	return jen.Comment(strings.Join(out, "\n"))
}

// wrap breaks a sentence of ours into comment lines.
func wrap(text string) []string {
	const width = 100
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// withUserDoc carries the user's own comment over, below ours.
func withUserDoc(intro, user []string) []string {
	if len(user) == 0 {
		return intro
	}
	return append(append(intro, ""), user...)
}

// link refers to the user's declaration in a doc comment.
func link(d *names.Decl) string { return "[" + d.Local() + "]" }

// sample is a call as a line of example code: "code, err := XActivity.Call(ctx, phone)".
func sample(d *names.Decl, verb string, before ...string) string {
	args := before
	for _, p := range d.Params {
		args = append(args, p.Var)
	}
	results := "err"
	if d.Func.Result != nil {
		results = resultName(d) + ", err"
	}
	return results + " := " + d.Handle + "." + verb + "(" + strings.Join(args, ", ") + ")"
}

func resultName(d *names.Decl) string {
	name := d.Func.ReturnAs
	if name == "err" || name == d.Own.Context {
		name = ""
	}
	for _, p := range d.Params {
		if p.Var == name {
			name = ""
		}
	}
	if name == "" {
		return "result"
	}
	return name
}
