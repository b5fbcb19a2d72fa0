// Package output writes what the command has to tell: as a table for people, as JSON or YAML for programs, as names for
// other commands.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// Format is a form of output.
type Format string

// The formats. In JSON one thing is an object and several are an array; JSONL is an object a line.
const (
	Table Format = "table"
	JSON  Format = "json"
	JSONL Format = "jsonl"
	YAML  Format = "yaml"
	Name  Format = "name"
)

// Formats are all of them.
var Formats = []string{string(Table), string(JSON), string(JSONL), string(YAML), string(Name)}

// Set implements pflag.Value.
func (f *Format) Set(text string) error {
	if !slices.Contains(Formats, text) {
		return fmt.Errorf("want one of %s", strings.Join(Formats, ", "))
	}
	*f = Format(text)
	return nil
}

// Find sets the format that a command line asks for with -o or --output, if there is one.
func (f *Format) Find(args []string) {
	for n, arg := range args {
		for _, flag := range []string{"-o", "--output"} {
			text, ok := strings.CutPrefix(arg, flag)
			if !ok || flag == "--output" && text != "" && text[0] != '=' {
				continue
			}
			if text == "" && n+1 < len(args) {
				text = args[n+1]
			}
			_ = f.Set(strings.TrimPrefix(text, "=")) // whoever parses it tells
		}
	}
}

// String implements pflag.Value.
func (f *Format) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *Format) Type() string { return "format" }

// ForPrograms reports whether the format is read by programs, which want everything as data, errors too.
func (f Format) ForPrograms() bool { return f == JSON || f == JSONL || f == YAML }

// Printer writes in one format.
type Printer struct {
	W      io.Writer
	Format Format
	Color  bool // for people only
}

// Terminal reports whether people see what is written to w, or type what is read from it.
func Terminal(file any) bool {
	f, ok := file.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// One writes one thing: v as JSON or YAML, its name, or for people what they makes of it.
func (p Printer) One(v any, name string, people func(w io.Writer)) error {
	switch p.Format {
	case JSON:
		return p.json(v, "  ")
	case JSONL:
		return p.json(v, "")
	case YAML:
		return p.yaml(v)
	case Name:
		return p.text(name + "\n")
	}
	var b strings.Builder
	people(&b)
	return p.text(b.String())
}

// List writes several things, for people as a table with these columns. name names a thing for -o name.
func List[T any](p Printer, all []T, name func(T) string, columns ...Column[T]) error {
	switch p.Format {
	case JSON:
		return p.json(append([]T{}, all...), "  ") // none are [], not null
	case YAML:
		return p.yaml(append([]T{}, all...))
	case JSONL:
		for _, v := range all {
			if err := p.json(v, ""); err != nil {
				return err
			}
		}
		return nil
	case Name:
		for _, v := range all {
			if err := p.text(name(v) + "\n"); err != nil {
				return err
			}
		}
		return nil
	}
	return p.text(tabulate(all, columns, p.Color))
}

// json writes v and a new line. Characters of HTML stay as they are.
func (p Printer) json(v any, indent string) error {
	enc := json.NewEncoder(p.W)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	return written(enc.Encode(v))
}

func (p Printer) text(s string) error {
	_, err := io.WriteString(p.W, s)
	return written(err)
}

func written(err error) error {
	if err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}
