// Package probeworld has cases that were written before anybody knew what the linter says of them: the world outside, values.
package probeworld

import (
	"bytes"
	"context"
	"embed"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"text/template"
	"unsafe"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func Environment(ctx durable.Context, in string) (string, error) {
	if v, ok := os.LookupEnv("MODE"); ok { // want DET304
		return v, nil
	}
	return in, nil
}

//durable:orchestrator
func Expands(ctx durable.Context, in string) (string, error) {
	return os.ExpandEnv(in), nil // want DET304
}

//durable:orchestrator
func ExpandsFromMap(ctx durable.Context, in map[string]string) (string, error) {
	return os.Expand("$A/$B", func(k string) string { return in[k] }), nil
}

//durable:orchestrator
func ExpandsWithGetenv(ctx durable.Context, in string) (string, error) {
	return os.Expand(in, os.Getenv), nil // want DET304
}

//durable:orchestrator
func Arguments(ctx durable.Context, in string) (string, error) {
	return os.Args[0], nil // want DET304
}

var verbose = flag.Bool("verbose", false, "say more")

//durable:orchestrator
func Flag(ctx durable.Context, in string) (string, error) {
	if *verbose { // want DET304
		return in + in, nil
	}
	return in, nil
}

//durable:orchestrator
func Host(ctx durable.Context, in string) (string, error) {
	return os.Hostname() // want DET304
}

//durable:orchestrator
func Who(ctx durable.Context, in string) (string, error) {
	u, err := user.Current() // want DET304
	if err != nil {
		return "", err
	}
	return u.Username, nil
}

//durable:orchestrator
func WorkingFolder(ctx durable.Context, in string) (string, error) {
	return filepath.Abs(in) // want DET304
}

//durable:orchestrator
func PathsOnly(ctx durable.Context, in string) (string, error) {
	return filepath.ToSlash(filepath.Join("a", filepath.Base(in))), nil
}

//durable:orchestrator
func Globs(ctx durable.Context, in string) (int, error) {
	names, err := filepath.Glob(in) // want DET301
	return len(names), err
}

//durable:orchestrator
func Stats(ctx durable.Context, in string) (bool, error) {
	_, err := os.Stat(in) // want DET301
	return errors.Is(err, fs.ErrNotExist), nil
}

//durable:orchestrator
func DirFS(ctx durable.Context, in string) (string, error) {
	b, err := fs.ReadFile(os.DirFS("."), in) // want DET301
	return string(b), err
}

//go:embed probeworld.go
var files embed.FS

//go:embed probeworld.go
var text string

//durable:orchestrator
func Embedded(ctx durable.Context, in string) (int, error) {
	b, err := files.ReadFile("probeworld.go")
	return len(b) + len(text), err
}

//durable:orchestrator
func WalksEmbedded(ctx durable.Context, in string) (int, error) {
	n := 0
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		n++
		return err
	})
	return n, err
}

//durable:orchestrator
func Closes(ctx durable.Context, in string) (string, error) {
	f, err := os.CreateTemp("", in) // want DET301
	if err != nil {
		return "", err
	}
	defer f.Close()
	return f.Name(), nil
}

//durable:orchestrator
func Runs(ctx durable.Context, in string) (string, error) {
	out, err := exec.Command("date").Output() // want DET303
	return string(out), err
}

//durable:orchestrator
func Exits(ctx durable.Context, in string) (string, error) {
	if in == "" {
		os.Exit(1) // want DET303
	}
	return in, nil
}

//durable:orchestrator
func Fatal(ctx durable.Context, in string) (string, error) {
	if in == "" {
		log.Fatalf("no input") // want DET303
	}
	return in, nil
}

//durable:orchestrator
func Client(ctx durable.Context, in string) (int, error) {
	c := &http.Client{}
	resp, err := c.Get(in) // want DET302
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

//durable:orchestrator
func Lookup(ctx durable.Context, in string) (int, error) {
	hosts, err := net.LookupHost(in) // want DET302
	return len(hosts), err
}

//durable:orchestrator
func ParsesAddresses(ctx durable.Context, in string) (string, error) {
	host, port, err := net.SplitHostPort(in)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return "", errors.New("loopback")
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "https", Host: net.JoinHostPort(a.String(), port)}
	return u.String(), nil
}

//durable:orchestrator
func BuildsRequest(ctx durable.Context, in string) (string, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, in, strings.NewReader("x"))
	if err != nil {
		return "", err
	}
	r.Header.Set("accept", "text/plain")
	return r.URL.Host + r.Header.Get("Accept"), nil
}

//durable:orchestrator
func Processors(ctx durable.Context, in []int) (int, error) {
	return len(in) / runtime.NumCPU(), nil // want DET305
}

//durable:orchestrator
func System(ctx durable.Context, in string) (string, error) {
	if runtime.GOOS == "windows" { // want DET305
		return strings.ToUpper(in), nil
	}
	return in, nil
}

//durable:orchestrator
func BuildInfo(ctx durable.Context, in string) (string, error) {
	info, ok := debug.ReadBuildInfo() // want DET305
	if !ok {
		return in, nil
	}
	return info.Main.Version, nil
}

//durable:orchestrator
func Prints(ctx durable.Context, in string) (string, error) {
	fmt.Printf("got %s\n", in) // want DET306
	return in, nil
}

//durable:orchestrator
func PrintsToBuffer(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "got %-8s|%03d", in, len(in))
	return b.String(), nil
}

//durable:orchestrator
func PrintsToStderr(ctx durable.Context, in string) (string, error) {
	fmt.Fprintln(os.Stderr, in) // want DET306
	return in, nil
}

//durable:orchestrator
func Structured(ctx durable.Context, in string) (string, error) {
	slog.With("in", in).Info("got it") // want DET306
	return in, nil
}

//durable:orchestrator
func LoggerOfContext(ctx durable.Context, in string) (string, error) {
	log := ctx.Logger().With("in", in)
	log.Info("got it", "n", len(in))
	return in, nil
}

//durable:orchestrator
func DiscardLogger(ctx durable.Context, in string) (string, error) {
	l := log.New(io.Discard, "", 0)
	l.Print(in)
	return in, nil
}

//durable:orchestrator
func PrintlnBuiltin(ctx durable.Context, in string) (string, error) {
	println(in) // want DET306
	return in, nil
}

//durable:orchestrator
func AddressOfLocal(ctx durable.Context, n int) (string, error) {
	return fmt.Sprintf("%p", &n), nil // want DET411
}

type item struct {
	ID   string
	Next *item
}

//durable:orchestrator
func PointerField(ctx durable.Context, in string) (string, error) {
	return fmt.Sprintf("%v", item{in, &item{}}), nil // want DET411
}

//durable:orchestrator
func PointerToStruct(ctx durable.Context, in string) (string, error) {
	return fmt.Sprintf("%+v", &struct{ ID string }{in}), nil
}

type money struct{ cents *int }

func (m money) String() string { return strconv.Itoa(*m.cents) }

//durable:orchestrator
func StringerWithPointer(ctx durable.Context, n int) (string, error) {
	return fmt.Sprintf("%v and %s", money{&n}, money{&n}), nil
}

//durable:orchestrator
func FuncValue(ctx durable.Context, in string) (string, error) {
	return fmt.Sprint(strings.ToUpper), nil // want DET411
}

//durable:orchestrator
func PrintsMap(ctx durable.Context, in map[string]int) (string, error) {
	return fmt.Sprintf("%v %+v %#v", in, in, in), nil
}

//durable:orchestrator
func PrintsError(ctx durable.Context, in string) (string, error) {
	return fmt.Sprintf("%v: %q", errors.New(in), in), nil
}

//durable:orchestrator
func Encodes(ctx durable.Context, in map[string]item) (string, error) {
	b, err := json.MarshalIndent(in, "", "  ")
	return string(b), err
}

//durable:orchestrator
func EncodesXML(ctx durable.Context, in string) (string, error) {
	b, err := xml.Marshal(struct{ ID string }{in})
	return string(b), err
}

//durable:orchestrator
func EncodesGob(ctx durable.Context, in map[string]int) (int, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(in) // want DET412
	return b.Len(), err
}

//durable:orchestrator
func TemplateOfMap(ctx durable.Context, in map[string]int) (string, error) {
	t, err := template.New("x").Parse("{{range $k, $v := .}}{{$k}}{{end}}")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, in)
	return b.String(), err
}

//durable:orchestrator
func Stack(ctx durable.Context, in string) (string, error) {
	return string(debug.Stack()), nil // want DET413
}

//durable:orchestrator
func Caller(ctx durable.Context, in string) (int, error) {
	_, _, line, _ := runtime.Caller(0) // want DET413
	return line, nil
}

//durable:orchestrator
func Address(ctx durable.Context, n int) (uint64, error) {
	return uint64(uintptr(unsafe.Pointer(&n))), nil // want DET411
}

//durable:orchestrator
func SizeOnly(ctx durable.Context, n int32) (int, error) {
	return int(unsafe.Sizeof(n)), nil
}

//durable:orchestrator
func ReflectPointer(ctx durable.Context, in []int) (uint64, error) {
	return uint64(reflect.ValueOf(in).Pointer()), nil // want DET411
}

//durable:orchestrator
func ReflectFields(ctx durable.Context, in string) (int, error) {
	v := reflect.ValueOf(item{ID: in})
	n := 0
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			n += v.Field(i).Len()
		}
	}
	return n, nil
}

//durable:orchestrator
func ReflectCall(ctx durable.Context, name string) (int, error) {
	m := reflect.ValueOf(item{}).MethodByName(name)
	return len(m.Call(nil)), nil // want DET903
}

//durable:orchestrator
func DeepEqual(ctx durable.Context, in map[string]int) (bool, error) {
	return reflect.DeepEqual(in, map[string]int{"a": 1}), nil
}

//durable:orchestrator
func ErrorsAs(ctx durable.Context, in string) (string, error) {
	_, err := strconv.Atoi(in)
	var ne *strconv.NumError
	if errors.As(err, &ne) {
		return ne.Func, nil
	}
	return in, err
}

//durable:orchestrator
func WriterInterface(ctx durable.Context, in string) (int, error) {
	var b strings.Builder
	var w io.Writer = &b
	mw := io.MultiWriter(w, io.Discard)
	_, err := io.Copy(mw, strings.NewReader(in))
	return b.Len(), err
}

//durable:orchestrator
func ContextValues(ctx durable.Context, in string) (string, error) {
	type key struct{}
	c := context.WithValue(context.Background(), key{}, in)
	v, _ := c.Value(key{}).(string) // want DUR104
	return v, nil
}

type store interface {
	Load(id string) (string, error)
}

type memory map[string]string

func (m memory) Load(id string) (string, error) { return m[id], nil }

type disk struct{ dir string }

func (d disk) Load(id string) (string, error) {
	b, err := os.ReadFile(filepath.Join(d.dir, id)) // want DET301
	return string(b), err
}

func open(kind string) store {
	switch kind {
	case "memory":
		return memory{}
	default:
		return disk{"."}
	}
}

//durable:orchestrator
func FactoryOfStores(ctx durable.Context, in string) (string, error) {
	return open(in).Load(in)
}

//durable:orchestrator
func OnlyMemory(ctx durable.Context, in string) (string, error) {
	var s store = memory{"a": "b"}
	return s.Load(in)
}

type service struct {
	load func(string) (string, error)
}

//durable:orchestrator
func FieldFunc(ctx durable.Context, in string) (string, error) {
	s := service{load: disk{"x"}.Load}
	return s.load(in)
}

//durable:orchestrator
func FieldFuncPure(ctx durable.Context, in string) (string, error) {
	s := service{load: memory{}.Load}
	return s.load(in)
}
