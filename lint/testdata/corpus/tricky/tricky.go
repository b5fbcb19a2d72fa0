// Package tricky hides hazards.
package tricky

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"text/template"
	. "time"

	durable "github.com/durablegen/durablegen/runtime"
)

//durable:orchestrator
func DotImport(ctx durable.Context, in string) (string, error) {
	return Now().String(), nil // want DET101
}

type getter interface{ Get() string }

type file struct{ name string }

func (f file) Get() string {
	b, _ := os.ReadFile(f.name) // want DET301
	return string(b)
}

//durable:orchestrator
func MethodOfInterface(ctx durable.Context, in string) (string, error) {
	var g getter = file{in}
	f := g.Get
	return f(), nil
}

//durable:orchestrator
func MethodExpression(ctx durable.Context, in string) (string, error) {
	return page.Get(page{}), nil
}

type page struct{}

func (page) Get() string {
	_, err := http.Get("x") // want DET302
	return fmt.Sprint(err)
}

var hooks = []func(string){
	func(s string) {
		log.Print(s) // want DET306
	},
}

//durable:orchestrator
func Hooks(ctx durable.Context, in string) (string, error) {
	for _, h := range hooks {
		h(in)
	}
	return in, nil
}

var deps = struct{ Now func() Time }{Now: Now}

//durable:orchestrator
func GlobalStruct(ctx durable.Context, in string) (string, error) {
	return deps.Now().String(), nil // want DET101
}

func clock() func() Time {
	return Now // want DET101
}

//durable:orchestrator
func ReturnedFunc(ctx durable.Context, in string) (string, error) { return clock()().String(), nil }

//durable:orchestrator
func Ticks(ctx durable.Context, in string) (string, error) {
	for range Tick(Second) { // want DET103 DET202
		break
	}
	return in, nil
}

var begun = func() Time { return Now() }()

//durable:orchestrator
func Immediate(ctx durable.Context, in string) (string, error) {
	return begun.String(), nil // want DET503
}

//durable:orchestrator
func StandardInput(ctx durable.Context, in string) (string, error) {
	r := bufio.NewReader(os.Stdin) // want DET301
	s, err := r.ReadString('\n')
	return s, err
}

//durable:orchestrator
func StandardOutput(ctx durable.Context, in string) (string, error) {
	_, err := io.WriteString(os.Stdout, in) // want DET306
	return in, err
}

type doer interface {
	Do(*http.Request) (*http.Response, error)
}

func send(d doer, url string) error {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	_, err = d.Do(req) // want DET302
	return err
}

//durable:orchestrator
func Doer(ctx durable.Context, in string) (string, error) { return in, send(http.DefaultClient, in) }

//durable:orchestrator
func Dials(ctx durable.Context, in string) (string, error) {
	c, err := net.Dial("tcp", in) // want DET302
	if err != nil {
		return "", err
	}
	return "", c.Close()
}

//durable:orchestrator
func Templates(ctx durable.Context, in string) (string, error) {
	t, err := template.ParseFiles(in) // want DET301
	if err != nil {
		return "", err
	}
	return t.Name(), nil
}

//durable:orchestrator
func Memory(ctx durable.Context, in string) (uint64, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m) // want DET305
	return m.Alloc, nil
}

var (
	instance *registry
	lock     sync.Mutex
)

type registry struct{ names map[string]int }

func get() *registry {
	lock.Lock() // want DET204
	defer lock.Unlock()
	if instance == nil { // want DET502
		instance = &registry{names: map[string]int{}} // want DET501
	}
	return instance // want DET502
}

//durable:orchestrator
func Singleton(ctx durable.Context, in string) (int, error) { return get().names[in], nil }

type outer struct{ inner }

type inner struct{ w *wall }

type wall struct{}

func (*wall) read() int {
	return Now().Year() // want DET101
}

//durable:orchestrator
func DeepPromotion(ctx durable.Context, in string) (int, error) {
	o := outer{inner{&wall{}}}
	return o.w.read(), nil
}

//durable:orchestrator
func Panics(ctx durable.Context, in string) (s string, err error) {
	defer func() {
		if r := recover(); r != nil {
			s = os.Getenv("FALLBACK") // want DET304
		}
	}()
	panic(in)
}

type tree interface{ eval() int }

type leaf int

func (l leaf) eval() int { return int(l) }

type plus struct{ a, b tree }

func (p plus) eval() int { return p.a.eval() + p.b.eval() }

type chance struct{}

func (chance) eval() int {
	return Now().Nanosecond() // want DET101
}

//durable:orchestrator
func Tree(ctx durable.Context, n int) (int, error) {
	return plus{leaf(n), plus{leaf(1), chance{}}}.eval(), nil
}

//durable:orchestrator
func PureTree(ctx durable.Context, n int) (int, error) {
	return plus{leaf(n), plus{leaf(1), leaf(2)}}.eval(), nil
}

type middleware func(func(string) string) func(string) string

func chain(f func(string) string, ms ...middleware) func(string) string {
	for _, m := range ms {
		f = m(f)
	}
	return f
}

func logged(f func(string) string) func(string) string {
	return func(s string) string {
		fmt.Println(s) // want DET306
		return f(s)
	}
}

func shouted(f func(string) string) func(string) string {
	return func(s string) string { return strings.ToUpper(f(s)) }
}

//durable:orchestrator
func Middleware(ctx durable.Context, in string) (string, error) {
	return chain(strings.TrimSpace, logged, shouted)(in), nil
}

//durable:orchestrator
func PureMiddleware(ctx durable.Context, in string) (string, error) {
	return chain(strings.TrimSpace, shouted)(in), nil
}

type stamped struct {
	At Time
}

func (s *stamped) UnmarshalJSON(b []byte) error {
	s.At = Now() // want DET101
	return nil
}

//durable:orchestrator
func Unmarshals(ctx durable.Context, in string) (string, error) {
	var s struct{ S stamped }
	err := json.Unmarshal([]byte(in), &s)
	return "", err
}

type failure struct{}

func (failure) Error() string {
	return "at " + Now().String() // want DET101
}

//durable:orchestrator
func Failure(ctx durable.Context, in string) (string, error) {
	err := errors.Join(failure{})
	return err.Error(), nil
}

type state struct {
	next func(*state) *state
	n    int
}

func begin(s *state) *state { s.n++; s.next = end; return s }

func end(s *state) *state {
	s.n = Now().Second() // want DET101
	s.next = nil
	return s
}

//durable:orchestrator
func Machine(ctx durable.Context, in string) (int, error) {
	s := &state{next: begin}
	for s.next != nil {
		s = s.next(s)
	}
	return s.n, nil
}

//durable:orchestrator
func Buffered(ctx durable.Context, in map[string]int) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for k := range in { // want DET402
		if err := enc.Encode(k); err != nil {
			return "", errors.New("tricky: no text")
		}
	}
	return b.String(), nil
}

//durable:orchestrator
func LastKey(ctx durable.Context, in map[string]int) (string, error) {
	last := ""
	for k := range in { // want DET402
		if k != "" {
			last = k
		}
	}
	return last, nil
}

//durable:orchestrator
func Joins(ctx durable.Context, in map[string]int) (string, error) {
	var parts []string
	for k, v := range in { // want DET402
		parts = append(parts, fmt.Sprintf("%s=%d", k, v))
	}
	return strings.Join(parts, "&"), nil
}

type pending struct {
	f    durable.Future[int]
	name string
}

//durable:orchestrator
func StartsInMapOrder(ctx durable.Context, in map[string]int) (int, error) {
	var all []pending
	for k, v := range in { // want DET401
		all = append(all, pending{durable.Go(ctx, func(ctx durable.Context) (int, error) { return v, nil }), k})
	}
	total := 0
	for _, p := range all {
		n, err := p.f.Get(ctx)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

//durable:orchestrator
func Slots(ctx durable.Context, in map[string]int) (map[string]string, error) {
	out := map[string]string{}
	for k := range in { // want DET401
		id := ctx.NewUUID()
		out[k] = id
	}
	return out, nil
}

//durable:orchestrator
func Status(ctx durable.Context, in map[string]int) (int, error) {
	for k := range in { // want DET401
		ctx.SetStatus(k)
	}
	return 0, nil
}

//durable:orchestrator
func ZoneInHelper(ctx durable.Context, n int64) (string, error) { return label(Unix(n, 0)), nil }

func label(t Time) string {
	return t.Format(RFC3339) // want DET105
}

//durable:orchestrator
func PointerInSlice(ctx durable.Context, in []int) (string, error) {
	ps := []*int{&in[0]}
	return fmt.Sprint(ps), nil // want DET411
}
