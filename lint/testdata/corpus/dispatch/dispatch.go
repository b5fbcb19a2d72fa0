// Package dispatch calls methods of interfaces, and funcs that it is given.
package dispatch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type store interface {
	Get(key string) (string, error)
}

type memory map[string]string

func (m memory) Get(key string) (string, error) { return m[key], nil }

type remote struct{ base string }

func (r *remote) Get(key string) (string, error) {
	resp, err := http.Get(r.base + key) // want DET302
	if err != nil {
		return "", err
	}
	return resp.Status, nil
}

//durable:orchestrator
func BesideHTTP(ctx durable.Context, in string) (string, error) {
	var near store = memory{"a": "b"}
	var far store = &remote{in}
	_ = far
	return near.Get(in)
}

//durable:orchestrator
func HTTP(ctx durable.Context, in string) (string, error) {
	var s store = &remote{in}
	return s.Get(in)
}

type pair struct{ near, far store }

//durable:orchestrator
func FieldBesideHTTP(ctx durable.Context, in string) (string, error) {
	p := pair{near: memory{}, far: &remote{in}}
	return p.near.Get(in)
}

type service struct{ store store }

func (s service) find(key string) (string, error) { return s.store.Get(key) }

//durable:orchestrator
func ServiceOfMemory(ctx durable.Context, in string) (string, error) {
	return service{memory{}}.find(in)
}

func newMemory() store { return memory{} }

func newRemote(base string) store { return &remote{base} }

//durable:orchestrator
func ConstructedMemory(ctx durable.Context, in string) (string, error) {
	_ = newRemote
	s := newMemory()
	return s.Get(in)
}

func choose(kind string) store {
	if kind == "memory" {
		return memory{}
	}
	return &slow{}
}

type slow struct{}

func (*slow) Get(key string) (string, error) {
	time.Sleep(time.Second) // want DET102
	return key, nil
}

//durable:orchestrator
func Chosen(ctx durable.Context, in string) (string, error) { return choose(in).Get(in) }

var standard store = memory{"x": "y"}

//durable:orchestrator
func GlobalMemory(ctx durable.Context, in string) (string, error) { return standard.Get(in) }

type clocked struct{}

func (clocked) Get(key string) (string, error) {
	return time.Now().String(), nil // want DET101
}

var current store = clocked{}

//durable:orchestrator
func GlobalClock(ctx durable.Context, in string) (string, error) { return current.Get(in) }

type walker interface{ Walk() int }

// Default is set by main.
var Default walker

type local struct{}

func (local) Walk() int { return 1 }

type abroad struct{}

func (abroad) Walk() int { return len(os.Args) }

//durable:orchestrator
func Unset(ctx durable.Context, in string) (int, error) {
	return Default.Walk(), nil // want DET902
}

// Price is set by main.
var Price func(string) int

//durable:orchestrator
func UnsetFunc(ctx durable.Context, in string) (int, error) {
	return Price(in), nil // want DET901
}

type opener interface{ Open() int }

//durable:orchestrator
func Nobody(ctx durable.Context, in struct{ O opener }) (int, error) { // want DUR203
	return in.O.Open(), nil // want DET901
}

type runner interface{ Run() int }

type fast struct{ n int }

func (f fast) Run() int { return f.n }

//durable:orchestrator
func OnlyHarmless(ctx durable.Context, in struct{ J jumper }) (int, error) { return in.J.Jump(), nil } // want DUR203

type jumper interface{ Jump() int }

func (f fast) Jump() int { return f.n }

type embedded struct{ fast }

//durable:orchestrator
func Promoted(ctx durable.Context, n int) (int, error) {
	var r runner = embedded{fast{n}}
	return r.Run(), nil
}

type ticking struct{ clockwork }

type clockwork struct{}

func (clockwork) Run() int {
	return time.Now().Second() // want DET101
}

//durable:orchestrator
func PromotedImpure(ctx durable.Context, n int) (int, error) {
	var r runner = ticking{}
	return r.Run(), nil
}

type wrapped struct{ store }

//durable:orchestrator
func EmbeddedInterface(ctx durable.Context, in string) (string, error) {
	w := wrapped{memory{}}
	return w.Get(in)
}

type shouting struct{ s string }

func (s shouting) Error() string { return strings.ToUpper(s.s) }

//durable:orchestrator
func ErrorTypes(ctx durable.Context, in string) (string, error) {
	err := error(shouting{in})
	var s shouting
	if errors.As(err, &s) {
		return s.Error() + err.Error(), nil
	}
	return "", fmt.Errorf("wrapped: %w", err)
}

type dated struct{}

func (dated) String() string {
	return time.Now().String() // want DET101
}

//durable:orchestrator
func Stringer(ctx durable.Context, in string) (string, error) {
	return fmt.Sprintf("%s %v", in, dated{}), nil
}

type byLength []string

func (b byLength) Len() int           { return len(b) }
func (b byLength) Less(i, j int) bool { return len(b[i]) < len(b[j]) }
func (b byLength) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

//durable:orchestrator
func SortInterface(ctx durable.Context, in []string) ([]string, error) {
	sort.Stable(byLength(in))
	return in, nil
}

type random []string

func (r random) Len() int { return len(r) }
func (r random) Less(i, j int) bool {
	return time.Now().Nanosecond()%2 == 0 // want DET101
}
func (r random) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

//durable:orchestrator
func SortImpure(ctx durable.Context, in []string) ([]string, error) {
	sort.Sort(random(in))
	return in, nil
}

type reader struct{ s string }

func (r *reader) Read(p []byte) (int, error) {
	n := copy(p, r.s)
	r.s = r.s[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

//durable:orchestrator
func OwnReader(ctx durable.Context, in string) (int, error) {
	b, err := io.ReadAll(&reader{in})
	return len(b), err
}

// Pricer is pure by contract.
type Pricer interface {
	// Quote computes.
	//
	//durable:pure
	Quote(in string) int
}

//durable:orchestrator
func Contract(ctx durable.Context, in struct{ P Pricer }) (int, error) { return in.P.Quote("a"), nil } // want DUR203

//durable:orchestrator
func Switch(ctx durable.Context, in any) (string, error) { // want DUR203
	switch v := in.(type) {
	case string:
		return v, nil
	case float64:
		return fmt.Sprint(v), nil
	}
	return "", errors.New("dispatch: not known")
}

type strategy func(int) int

//durable:orchestrator
func Strategies(ctx durable.Context, n int) (int, error) {
	all := map[string]strategy{"double": func(n int) int { return 2 * n }, "half": half}
	steps := []strategy{all["double"], half}
	for _, s := range steps {
		n = s(n)
	}
	return n, nil
}

func half(n int) int { return n / 2 }

func apply(f func() string) string { return f() }

//durable:orchestrator
func PassedClosure(ctx durable.Context, in string) (string, error) {
	return apply(func() string {
		return os.Getenv(in) // want DET304
	}), nil
}

//durable:orchestrator
func PassedPure(ctx durable.Context, in string) (string, error) {
	return apply(func() string { return in }), nil
}

type options struct{ now func() time.Time }

type option func(*options)

func withClock(f func() time.Time) option { return func(o *options) { o.now = f } }

func build(opts ...option) *options {
	o := &options{}
	for _, f := range opts {
		f(o)
	}
	return o
}

//durable:orchestrator
func OptionsOfContext(ctx durable.Context, in string) (string, error) {
	return build(withClock(ctx.Now)).now().String(), nil
}

//durable:orchestrator
func OptionsOfSystem(ctx durable.Context, in string) (string, error) {
	return build(withClock(time.Now)).now().String(), nil // want DET101
}

type rules struct {
	// Score computes.
	//
	//durable:pure
	Score func(string) int
	// Rank is not known.
	Rank func(string) int
}

//durable:orchestrator
func PureField(ctx durable.Context, in rules) (int, error) { return in.Score("a"), nil } // want DUR201

//durable:orchestrator
func UnknownField(ctx durable.Context, in rules) (int, error) { // want DUR201
	return in.Rank("a"), nil // want DET901
}

// weigh is set by tests.
//
//durable:pure
var weigh = func(s string) int { return len(s) + time.Now().Second()*0 }

//durable:orchestrator
func PureVariable(ctx durable.Context, in string) (int, error) { return weigh(in), nil }

var sizes = map[string]int{}

var guard sync.Mutex

// size remembers what it has computed, which nobody sees.
//
//durable:pure
func size(in string) int {
	guard.Lock()
	defer guard.Unlock()
	if n, ok := sizes[in]; ok {
		return n
	}
	sizes[in] = len(in)
	return sizes[in]
}

// age is not what it says.
//
//durable:pure
func age(at time.Time) time.Duration {
	return time.Since(at) // want DET101
}

func region() string {
	return os.Getenv("REGION") // want DET304
}

// atHome asks another.
//
//durable:pure
func atHome(in string) bool { return in == region() }

// allowed says why.
//
//durable:pure
func allowed(in string) string {
	fmt.Println(in) //durable:allow DET306 -- seen by whoever debugs it
	return in
}

//durable:orchestrator
func Claims(ctx durable.Context, in string) (int, error) {
	if age(ctx.Now()) > 0 || atHome(allowed(in)) {
		return 0, nil
	}
	return size(in), nil
}
