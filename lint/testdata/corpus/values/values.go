// Package values has values that differ from process to process, and computes with values that do not.
package values

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"text/template"
	"unicode"
	"unsafe"

	durable "github.com/durablegen/durablegen/runtime"
)

type node struct {
	Name string
	Next *node
}

type named struct{ n *int }

func (n named) String() string { return "named" }

//durable:orchestrator
func Pointer(ctx durable.Context, in node) (string, error) {
	return fmt.Sprintf("%p", &in), nil // want DET411
}

//durable:orchestrator
func PointerToNumber(ctx durable.Context, in int) (string, error) {
	return fmt.Sprint(&in), nil // want DET411
}

//durable:orchestrator
func PointerInside(ctx durable.Context, in node) (string, error) {
	return fmt.Sprintf("%s: %+v", in.Name, in), nil // want DET411
}

//durable:orchestrator
func PointerKeys(ctx durable.Context, in node) (string, error) {
	m := map[*node]int{&in: 1}
	return fmt.Sprint(m), nil // want DET411
}

//durable:orchestrator
func Number(ctx durable.Context, in node) (uint64, error) {
	return uint64(uintptr(unsafe.Pointer(&in))), nil // want DET411
}

//durable:orchestrator
func ByReflection(ctx durable.Context, in node) (uint64, error) {
	return uint64(reflect.ValueOf(&in).Pointer()), nil // want DET411
}

//durable:orchestrator
func Func(ctx durable.Context, in node) (string, error) {
	return fmt.Sprintf("%v", func() {}), nil // want DET411
}

//durable:orchestrator
func Gob(ctx durable.Context, in map[string]int) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(in) // want DET412
	return b.Bytes(), err
}

//durable:orchestrator
func Stack(ctx durable.Context, in string) (string, error) {
	return string(debug.Stack()), nil // want DET413
}

//durable:orchestrator
func Caller(ctx durable.Context, in string) (string, error) { return where(), nil }

func where() string {
	_, file, line, _ := runtime.Caller(1) // want DET413
	return fmt.Sprint(file, line)
}

//durable:orchestrator
func Fused(ctx durable.Context, in []float64) (bool, error) {
	if in[0]*in[1]+in[2] > 10 { // want DET414
		return true, nil
	}
	return false, nil
}

//durable:orchestrator
func Rounded(ctx durable.Context, in []float64) (bool, error) {
	return float64(in[0]*in[1])+in[2] > 10 && math.Round(in[0]) > 2 && in[1]*2 > 7 && in[0]+in[1] > 3, nil
}

//durable:orchestrator
func Prints(ctx durable.Context, in node) (string, error) {
	type flat struct {
		A int
		B []string
	}
	m := map[string]int{"b": 1, "a": 2}
	err := fmt.Errorf("values: %w", errors.New("x"))
	return fmt.Sprintf("%v %v %+v %s %T %v %v", m, &flat{1, nil}, flat{}, in.Name, &in, err, named{}), nil
}

//durable:orchestrator
func Encodes(ctx durable.Context, in map[string][]int) (string, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	var back map[string][]int
	if err := json.Unmarshal(b, &back); err != nil {
		return "", err
	}
	if !reflect.DeepEqual(in, back) {
		return "", errors.New("values: not the same")
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", " ")
	return out.String(), enc.Encode(in)
}

var greeting = template.Must(template.New("g").Parse("{{range $k, $v := .}}{{$k}}{{$v}}{{end}}"))

//durable:orchestrator
func Template(ctx durable.Context, in map[string]int) (string, error) {
	var b strings.Builder
	err := greeting.Execute(&b, in)
	return b.String(), err
}

var (
	word      = regexp.MustCompile(`^\w+$`)
	errAbsent = errors.New("values: absent")
	limit     = big.NewInt(1_000_000)
	replacer  = strings.NewReplacer("a", "b")
)

//durable:orchestrator
func Globals(ctx durable.Context, in string) (string, error) {
	if !word.MatchString(in) {
		return "", errAbsent
	}
	n, ok := new(big.Int).SetString(in, 10)
	if ok && n.Cmp(limit) > 0 {
		return "", fmt.Errorf("values: %s is more than %s", n, limit)
	}
	return replacer.Replace(strings.Map(unicode.ToUpper, in)), nil
}

//durable:orchestrator
func Sorts(ctx durable.Context, in []node) ([]node, error) {
	sort.Slice(in, func(i, j int) bool { return in[i].Name < in[j].Name })
	return in, nil
}

//durable:orchestrator
func Reflects(ctx durable.Context, in node) (string, error) {
	t := reflect.TypeOf(in)
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Name)
	}
	return strings.Join(names, ","), nil
}

//durable:orchestrator
func CallsByReflection(ctx durable.Context, in string) (int, error) {
	v := reflect.ValueOf(strings.Count).Call([]reflect.Value{reflect.ValueOf(in), reflect.ValueOf("a")}) // want DET903
	return int(v[0].Int()), nil
}

//durable:orchestrator
func Size(ctx durable.Context, in node) (uintptr, error) { return unsafe.Sizeof(in.Name), nil } // want DUR201

type list struct {
	head *node
	n    int
}

func (l *list) push(name string) {
	l.head = &node{name, l.head}
	l.n++
}

//durable:orchestrator
func Lists(ctx durable.Context, in []string) (string, error) {
	var l list
	for _, s := range in {
		l.push(s)
	}
	var names []string
	for n := l.head; n != nil; n = n.Next {
		names = append(names, n.Name)
	}
	return strings.Join(names, " "), nil
}
