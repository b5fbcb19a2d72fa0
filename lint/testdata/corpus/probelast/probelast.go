// Package probelast has the last of the cases that were written before anybody knew what the linter says of them.
package probelast

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type repository struct{ db *sql.DB }

func (r repository) name(id string) (name string, err error) {
	err = r.db.QueryRow("select name from t where id = $1", id).Scan(&name) // want DET302
	return name, err
}

var shared repository

//durable:orchestrator
func Queries(ctx durable.Context, in string) (string, error) { return shared.name(in) }

//durable:orchestrator
func Syscall(ctx durable.Context, in string) (int, error) {
	return syscall.Getpid(), nil // want DET304
}

//durable:orchestrator
func Signs(ctx durable.Context, in []byte) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader) // want DET112
	if err != nil {
		return nil, err
	}
	return ecdsa.SignASN1(nil, key, in) // want DET112
}

//durable:orchestrator
func Listens(ctx durable.Context, in string) (string, error) {
	l, err := net.Listen("tcp", in) // want DET302
	if err != nil {
		return "", err
	}
	return l.Addr().String(), nil // want DET302
}

//durable:orchestrator
func PostsJSON(ctx durable.Context, in map[string]int) (int, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	resp, err := http.Post("http://x", "application/json", strings.NewReader(string(b))) // want DET302
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

//durable:orchestrator
func WalksFolder(ctx durable.Context, in string) (n int, err error) {
	err = filepath.WalkDir(in, func(string, os.DirEntry, error) error { n++; return nil }) // want DET301
	return n, err
}

//durable:orchestrator
func ReadsLines(ctx durable.Context, in string) (n int, err error) {
	f, err := os.Open(in) // want DET301
	if err != nil {
		return 0, err
	}
	for s := bufio.NewScanner(f); s.Scan(); { // want DET301
		n++
	}
	return n, nil
}

//durable:orchestrator
func TableOfText(ctx durable.Context, in []string) (string, error) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 1, ' ', 0)
	for i, s := range in {
		fmt.Fprintf(w, "%d\t%s\n", i, s)
	}
	return b.String(), w.Flush()
}

//durable:orchestrator
func HandlerLogs(ctx durable.Context, in string) (string, error) {
	l := slog.New(slog.NewTextHandler(os.Stderr, nil)) // want DET306
	l.Info(in)
	return in, nil
}

//durable:orchestrator
func HandlerDiscards(ctx durable.Context, in string) (string, error) {
	l := slog.New(slog.DiscardHandler)
	l.Info(in)
	return in, nil
}

type lazy struct {
	once sync.Once
	v    int
}

func (l *lazy) get() int {
	l.once.Do(func() { l.v = 42 }) // want DET205
	return l.v
}

//durable:orchestrator
func Lazy(ctx durable.Context, in string) (int, error) { return new(lazy).get(), nil }

var enabled atomic.Bool

//durable:orchestrator
func Switch(ctx durable.Context, in string) (string, error) {
	if enabled.Load() { // want DET205
		return in + in, nil
	}
	return in, nil
}

var clients = map[string]*http.Client{"a": http.DefaultClient}

//durable:orchestrator
func FromTable(ctx durable.Context, in string) (string, error) {
	r, err := clients["a"].Head(in) // want DET302
	if err != nil {
		return "", err
	}
	return r.Status, nil
}

//durable:orchestrator
func Statuses(ctx durable.Context, n int) (string, error) {
	return http.StatusText(n) + strconv.Itoa(math.MaxInt8), nil
}

//durable:orchestrator
func MemoryUse(ctx durable.Context, n int) (bool, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m) // want DET305
	return m.Alloc > uint64(n), nil
}

//durable:orchestrator
func CollectsGarbage(ctx durable.Context, n int) (int, error) {
	runtime.GC() // want DET206
	return n, nil
}

type event struct {
	At   time.Time
	Name string
}

//durable:orchestrator
func SortsEvents(ctx durable.Context, in []event) (string, error) {
	sort.SliceStable(in, func(i, j int) bool { return in[i].At.Before(in[j].At) })
	return in[0].Name, nil
}

//durable:orchestrator
func StampsEvents(ctx durable.Context, in []event) ([]event, error) {
	for i := range in {
		if in[i].At.IsZero() {
			in[i].At = time.Now().UTC() // want DET101
		}
	}
	return in, nil
}

//durable:orchestrator
func StampsFromContext(ctx durable.Context, in []event) ([]event, error) {
	now := ctx.Now().UTC()
	for i := range in {
		in[i].At = now.Add(time.Duration(i) * time.Second)
	}
	return in, nil
}

type sink interface{ Put(string) error }

type list struct{ items []string }

func (l *list) Put(s string) error { l.items = append(l.items, s); return nil }

type pipe struct{ w io.Writer }

func (p pipe) Put(s string) error { _, err := io.WriteString(p.w, s); return err }

func fill(s sink, in map[string]int) error {
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if err := s.Put(k); err != nil {
			return err
		}
	}
	return nil
}

//durable:orchestrator
func FillsList(ctx durable.Context, in map[string]int) (int, error) {
	var l list
	err := fill(&l, in)
	return len(l.items), err
}

//durable:orchestrator
func FillsPipe(ctx durable.Context, in map[string]int) (string, error) {
	var b strings.Builder
	err := fill(pipe{&b}, in)
	return b.String(), err
}

//durable:orchestrator
func FillsInMapOrder(ctx durable.Context, in map[string]int) ([]string, error) {
	var l list
	var s sink = &l
	for k := range in { // want DET402
		if err := s.Put(k); err != nil {
			return nil, errors.New("full")
		}
	}
	return l.items, nil
}

//durable:orchestrator
func CancelCause(ctx durable.Context, in string) (string, error) {
	c, cancel := context.WithTimeout(context.Background(), time.Second) // want DET104
	defer cancel()
	return fmt.Sprint(c), nil
}

//durable:orchestrator
func MapOfSlices(ctx durable.Context, in map[string][]string) (map[string][]string, error) {
	for k, v := range in {
		sort.Strings(v)
		in[k] = slices.Compact(v)
	}
	return in, nil
}

//durable:orchestrator
func Transposes(ctx durable.Context, in map[string]map[string]int) (map[string]map[string]int, error) {
	out := map[string]map[string]int{}
	for a, row := range in {
		for b, n := range row {
			if out[b] == nil {
				out[b] = map[string]int{}
			}
			out[b][a] = n
		}
	}
	return out, nil
}

//durable:orchestrator
func Weighted(ctx durable.Context, in map[string]float64) (float64, error) {
	most := math.Inf(-1)
	for _, v := range in {
		most = math.Max(most, v)
	}
	return most, nil
}

//durable:orchestrator
func Averages(ctx durable.Context, in map[string]float64) (float64, error) {
	sum, n := 0.0, 0
	for _, v := range in { // want DET403
		sum += v / 2
		n++
	}
	return sum / float64(n), nil
}

//durable:orchestrator
func ZeroTime(ctx durable.Context, in event) (bool, error) {
	return in.At == (time.Time{}) || in.At.Unix() > 0 || time.Unix(0, 0).UTC().Year() == 1970, nil
}

//durable:orchestrator
func Weekday(ctx durable.Context, in string) (string, error) {
	return ctx.Now().Weekday().String(), nil
}

//durable:orchestrator
func WeekdayOfMachine(ctx durable.Context, in string) (string, error) {
	return ctx.Now().In(time.Local).Weekday().String(), nil // want DET105
}
