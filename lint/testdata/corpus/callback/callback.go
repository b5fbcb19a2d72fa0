// Package callback gives funcs to the standard library.
package callback

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing/fstest"
	"text/template"
	"time"
	"unicode"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Pure(ctx durable.Context, in []string) (string, error) {
	slices.SortFunc(in, strings.Compare)
	i, _ := slices.BinarySearchFunc(in, "a", strings.Compare)
	in = slices.DeleteFunc(in, func(s string) bool { return s == "" })
	n := sort.Search(len(in), func(i int) bool { return in[i] > "m" })
	s := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.Join(in, " "))
	fields := strings.FieldsFunc(s, unicode.IsDigit)
	return strings.Repeat(s, i+n) + fields[0], nil
}

//durable:orchestrator
func Mapped(ctx durable.Context, in string) (string, error) {
	return strings.Map(func(r rune) rune {
		return r + rune(time.Now().Second()) // want DET101
	}, in), nil
}

func noisy(r rune) bool {
	return os.Getpid()%2 == 0 // want DET304
}

//durable:orchestrator
func Named(ctx durable.Context, in string) ([]string, error) {
	return strings.FieldsFunc(in, noisy), nil
}

var digits = regexp.MustCompile(`\d+`)

//durable:orchestrator
func Replaced(ctx durable.Context, in string) (string, error) {
	return digits.ReplaceAllStringFunc(in, func(s string) string {
		return s + time.Now().String() // want DET101
	}), nil
}

//durable:orchestrator
func Funcs(ctx durable.Context, in string) (string, error) {
	t, err := template.New("t").Funcs(template.FuncMap{
		"upper": strings.ToUpper,
		"now":   time.Now, // want DET101
	}).Parse("{{now}}")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, in)
	return b.String(), err
}

type money int

func (m money) MarshalJSON() ([]byte, error) { return json.Marshal(int(m) * 100) }

type dated struct{ N int }

func (d dated) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Now()) // want DET101
}

//durable:orchestrator
func Marshals(ctx durable.Context, in int) (string, error) {
	b, err := json.Marshal(map[string]any{"m": money(in), "l": []money{1}})
	return string(b), err
}

type report struct{ When dated }

//durable:orchestrator
func MarshalsDated(ctx durable.Context, in int) (string, error) {
	b, err := json.Marshal(report{dated{in}})
	return string(b), err
}

//durable:orchestrator
func WalksMemory(ctx durable.Context, in string) (int, error) {
	n := 0
	err := fs.WalkDir(fstest.MapFS{"a": {}}, ".", func(path string, d fs.DirEntry, err error) error {
		n++
		return err
	})
	return n, err
}

//durable:orchestrator
func WalksDisk(ctx durable.Context, in string) (int, error) {
	n := 0
	err := filepath.WalkDir(in, func(path string, d fs.DirEntry, err error) error { // want DET301
		n++
		return err
	})
	return n, err
}

type upper struct{ w io.Writer }

func (u upper) Write(p []byte) (int, error) { return u.w.Write(bytes.ToUpper(p)) }

//durable:orchestrator
func Wraps(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	_, err := io.Copy(upper{&b}, strings.NewReader(in))
	return b.String(), err
}

type slow struct{}

func (slow) Write(p []byte) (int, error) {
	time.Sleep(time.Second) // want DET102
	return len(p), nil
}

//durable:orchestrator
func WrapsSlow(ctx durable.Context, in string) (int, error) {
	n, err := io.WriteString(upper{slow{}}, in)
	return n, err
}
