// Package huntlib uses libraries as people use them. All of it was written before anybody knew what the linter says of it.
package huntlib

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"container/heap"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"expvar"
	"flag"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"html"
	"io"
	"log/slog"
	"math"
	"math/big"
	"math/rand"
	randv2 "math/rand/v2"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"text/template"
	"time"
	"unicode"
	"unique"

	"golang.org/x/sync/errgroup"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/google/uuid"
)

//go:embed huntlib.go
var files embed.FS

//durable:orchestrator
func EmbeddedFile(ctx durable.Context, in string) (int, error) {
	b, err := files.ReadFile("huntlib.go")
	return len(b), err
}

var region = os.Getenv("REGION")

//durable:orchestrator
func EnvAtInit(ctx durable.Context, in string) (string, error) {
	return in + region, nil // want DET503
}

var words = strings.Fields("a b c")

//durable:orchestrator
func TableAtInit(ctx durable.Context, n int) (string, error) {
	return words[n%len(words)], nil
}

//durable:orchestrator
func NewIDs(ctx durable.Context, in string) (string, error) {
	return uuid.New().String(), nil // want DET113
}

//durable:orchestrator
func ParsesID(ctx durable.Context, in string) (string, error) {
	id, err := uuid.Parse(in)
	return id.String(), err
}

//durable:orchestrator
func Group(ctx durable.Context, in []string) (int, error) {
	var g errgroup.Group
	for _, s := range in {
		g.Go(func() error { _, err := strconv.Atoi(s); return err }) // want DET201
	}
	return len(in), g.Wait()
}

var once sync.Once

//durable:orchestrator
func OnceGlobal(ctx durable.Context, in string) (string, error) {
	once.Do(func() {}) // want DET205
	return in, nil
}

//durable:orchestrator
func AfterFunc(ctx durable.Context, in string) (string, error) {
	t := time.AfterFunc(time.Second, func() {}) // want DET103
	t.Stop()
	return in, nil
}

//durable:orchestrator
func JSONOfMap(ctx durable.Context, in map[string]int) (string, error) {
	b, err := json.Marshal(in)
	return string(b), err
}

//durable:orchestrator
func XMLOfStruct(ctx durable.Context, in string) (string, error) {
	b, err := xml.Marshal(struct{ A string }{in})
	return string(b), err
}

var page = template.Must(template.New("page").Parse(`{{range $k, $v := .}}{{$k}}={{$v}};{{end}}`))

//durable:orchestrator
func TemplateOfMap(ctx durable.Context, in map[string]int) (string, error) {
	var b strings.Builder
	err := page.Execute(&b, in)
	return b.String(), err
}

//durable:orchestrator
func TemplateWithClock(ctx durable.Context, in string) (string, error) {
	t, err := template.New("t").Funcs(template.FuncMap{"now": time.Now}).Parse("{{now}}") // want DET101
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, in)
	return b.String(), err
}

//durable:orchestrator
func ReflectFields(ctx durable.Context, in struct{ A, B int }) (int, error) {
	v := reflect.ValueOf(in)
	n := 0
	for i := range v.NumField() {
		n += int(v.Field(i).Int())
	}
	return n, nil
}

//durable:orchestrator
func ReflectKeys(ctx durable.Context, in map[string]int) (string, error) {
	for _, k := range reflect.ValueOf(in).MapKeys() { // want DET404
		return k.String(), nil
	}
	return "", nil
}

//durable:orchestrator
func ReflectCall(ctx durable.Context, in string) (string, error) {
	out := reflect.ValueOf(strings.ToUpper).Call([]reflect.Value{reflect.ValueOf(in)}) // want DET903
	return out[0].String(), nil
}

//durable:orchestrator
func Deadline(ctx durable.Context, in string) (string, error) {
	c, cancel := context.WithTimeout(context.Background(), time.Second) // want DET104
	defer cancel()
	_ = c
	return in, nil
}

//durable:orchestrator
func Fetches(ctx durable.Context, in string) (int, error) {
	resp, err := http.DefaultClient.Get(in) // want DET302
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

type doer interface {
	Do(*http.Request) (*http.Response, error)
}

//durable:orchestrator
func DoesBehindInterface(ctx durable.Context, in string) (int, error) {
	var d doer = http.DefaultClient
	req, err := http.NewRequest("GET", in, nil)
	if err != nil {
		return 0, err
	}
	resp, err := d.Do(req) // want DET302
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

//durable:orchestrator
func RequestOnly(ctx durable.Context, in string) (string, error) {
	req, err := http.NewRequest("GET", in, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "text/plain")
	return req.URL.Host + http.StatusText(404), nil
}

//durable:orchestrator
func ParsesURL(ctx durable.Context, in string) (string, error) {
	u, err := url.Parse(in)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("a", "b")
	return q.Encode(), nil
}

//durable:orchestrator
func Addresses(ctx durable.Context, in string) (string, error) {
	a, err := netip.ParseAddr(in)
	if err != nil {
		return "", err
	}
	return a.Next().String() + net.JoinHostPort(in, "80"), nil
}

//durable:orchestrator
func Resolves(ctx durable.Context, in string) (int, error) {
	addrs, err := net.LookupHost(in) // want DET302
	return len(addrs), err
}

//durable:orchestrator
func MailAddress(ctx durable.Context, in string) (string, error) {
	a, err := mail.ParseAddress(in)
	if err != nil {
		return "", err
	}
	return a.Address, nil
}

//durable:orchestrator
func Runs(ctx durable.Context, in string) (string, error) {
	out, err := exec.Command("date").Output() // want DET303
	return string(out), err
}

//durable:orchestrator
func Signs(ctx durable.Context, in string) (string, error) {
	h := hmac.New(sha256.New, []byte("k"))
	h.Write([]byte(in))
	return hex.EncodeToString(h.Sum(nil)), nil
}

//durable:orchestrator
func HashesFNV(ctx durable.Context, in string) (uint32, error) {
	h := fnv.New32a()
	_, err := io.WriteString(h, in)
	return h.Sum32(), err
}

//durable:orchestrator
func HashesMaphash(ctx durable.Context, in string) (uint64, error) {
	var h maphash.Hash
	h.WriteString(in)
	return h.Sum64(), nil // want DET111
}

//durable:orchestrator
func Gzips(ctx durable.Context, in string) (string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(in)); err != nil {
		return "", err
	}
	err := w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes()), err
}

//durable:orchestrator
func WritesCSV(ctx durable.Context, in [][]string) (string, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	err := w.WriteAll(in)
	return b.String(), err
}

//durable:orchestrator
func CSVToStdout(ctx durable.Context, in [][]string) error {
	return csv.NewWriter(os.Stdout).WriteAll(in) // want DET306
}

//durable:orchestrator
func Binary(ctx durable.Context, in uint32) (int, error) {
	b := binary.BigEndian.AppendUint32(nil, in)
	return len(b), nil
}

//durable:orchestrator
func Gobs(ctx durable.Context, in map[string]int) (int, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(in) // want DET412
	return b.Len(), err
}

//durable:orchestrator
func Scans(ctx durable.Context, in string) (int, error) {
	s := bufio.NewScanner(strings.NewReader(in))
	n := 0
	for s.Scan() {
		n += len(s.Text())
	}
	return n, s.Err()
}

//durable:orchestrator
func ScansStdin(ctx durable.Context, in string) (int, error) {
	s := bufio.NewScanner(os.Stdin) // want DET301
	n := 0
	for s.Scan() {
		n++
	}
	return n, nil
}

type ints []int

func (h ints) Len() int           { return len(h) }
func (h ints) Less(i, j int) bool { return h[i] < h[j] }
func (h ints) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *ints) Push(x any)        { *h = append(*h, x.(int)) }
func (h *ints) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

//durable:orchestrator
func Heaps(ctx durable.Context, in []int) (int, error) {
	h := ints(in)
	heap.Init(&h)
	return heap.Pop(&h).(int), nil
}

//durable:orchestrator
func BigNumbers(ctx durable.Context, in string) (string, error) {
	n, ok := new(big.Int).SetString(in, 10)
	if !ok {
		return "", errors.New("no number")
	}
	return n.Exp(n, big.NewInt(2), nil).String(), nil
}

//durable:orchestrator
func SeededRand(ctx durable.Context, seed int64) (int, error) {
	return rand.New(rand.NewSource(seed)).Intn(6), nil
}

//durable:orchestrator
func ShufflesGlobally(ctx durable.Context, in []string) ([]string, error) {
	randv2.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] }) // want DET111
	return in, nil
}

//durable:orchestrator
func ShufflesByContext(ctx durable.Context, in []string) ([]string, error) {
	ctx.Rand().Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
	return in, nil
}

var verbose = flag.Bool("v", false, "")

//durable:orchestrator
func Flag(ctx durable.Context, in string) (string, error) {
	if *verbose { // want DET304
		return in, nil
	}
	return "", nil
}

var served = expvar.NewInt("served")

//durable:orchestrator
func Counts(ctx durable.Context, in string) (string, error) {
	served.Add(1) // want DET205
	return in, nil
}

var hits atomic.Int64

//durable:orchestrator
func Hits(ctx durable.Context, in string) (int64, error) {
	return hits.Add(1), nil // want DET205
}

//durable:orchestrator
func LocalAtomic(ctx durable.Context, in []string) (int64, error) {
	var n atomic.Int64
	for range in {
		n.Add(1) // want DET205
	}
	return n.Load(), nil // want DET205
}

//durable:orchestrator
func Stack(ctx durable.Context, in string) (string, error) {
	return string(debug.Stack()), nil // want DET413
}

//durable:orchestrator
func Processors(ctx durable.Context, in []string) (int, error) {
	return len(in) / runtime.NumCPU(), nil // want DET305
}

//durable:orchestrator
func Walks(ctx durable.Context, in string) (int, error) {
	n := 0
	err := filepath.WalkDir(in, func(string, os.DirEntry, error) error { n++; return nil }) // want DET301
	return n, err
}

//durable:orchestrator
func JoinsPath(ctx durable.Context, in string) (string, error) {
	return filepath.Join("a", filepath.Base(in)), nil
}

//durable:orchestrator
func AbsolutePath(ctx durable.Context, in string) (string, error) {
	return filepath.Abs(in) // want DET304
}

//durable:orchestrator
func Tabs(ctx durable.Context, in []string) (string, error) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 1, ' ', 0)
	for _, s := range in {
		fmt.Fprintln(w, s)
	}
	err := w.Flush()
	return b.String(), err
}

//durable:orchestrator
func Matches(ctx durable.Context, in string) (string, error) {
	return regexp.MustCompile(`[a-z]+`).ReplaceAllStringFunc(in, strings.ToUpper), nil
}

//durable:orchestrator
func ReplacesWithClock(ctx durable.Context, in string) (string, error) {
	return regexp.MustCompile(`now`).ReplaceAllStringFunc(in, func(string) string {
		return time.Now().String() // want DET101
	}), nil
}

//durable:orchestrator
func Escapes(ctx durable.Context, in string) (string, error) {
	return html.EscapeString(strings.Map(unicode.ToLower, in)), nil
}

//durable:orchestrator
func Interned(ctx durable.Context, in string) (bool, error) {
	return unique.Make(in) == unique.Make("a"), nil
}

//durable:orchestrator
func Rounds(ctx durable.Context, in float64) (int, error) {
	return int(math.Round(in)), nil
}

//durable:orchestrator
func LogsWithHandler(ctx durable.Context, in string) (string, error) {
	l := slog.New(slog.NewJSONHandler(os.Stderr, nil)) // want DET306
	l.Info("in", "v", in)
	return in, nil
}

//durable:orchestrator
func LogsToBuffer(ctx durable.Context, in string) (int, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", in)
	return b.Len(), nil
}

//durable:orchestrator
func FormatsPointer(ctx durable.Context, in struct{ A int }) (string, error) {
	return fmt.Sprintf("%p", &in), nil // want DET411
}

//durable:orchestrator
func FormatsStruct(ctx durable.Context, in struct{ A int }) (string, error) {
	return fmt.Sprintf("%+v %T", in, in), nil
}

//durable:orchestrator
func PipesToDiscard(ctx durable.Context, in string) (int64, error) {
	return io.Copy(io.Discard, io.LimitReader(strings.NewReader(in), 10))
}

//durable:orchestrator
func Pipes(ctx durable.Context, in string) (string, error) {
	r, w := io.Pipe()
	go func() { // want DET201
		io.WriteString(w, in) // want DET204
		w.Close()
	}()
	b, err := io.ReadAll(r) // want DET204
	return string(b), err
}

var pool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

//durable:orchestrator
func Pooled(ctx durable.Context, in string) (string, error) {
	b := pool.Get().(*bytes.Buffer) // want DET205
	b.Reset()
	b.WriteString(in)
	return b.String(), nil
}

//durable:orchestrator
func LocalTime(ctx durable.Context, in int64) (string, error) {
	return time.Unix(in, 0).Format(time.RFC3339), nil // want DET105
}

//durable:orchestrator
func UTCTime(ctx durable.Context, in int64) (string, error) {
	return time.Unix(in, 0).UTC().Format(time.RFC3339), nil
}

//durable:orchestrator
func FromContextTime(ctx durable.Context, in int) (string, error) {
	return ctx.Now().AddDate(0, 0, in).Format(time.DateOnly), nil
}
