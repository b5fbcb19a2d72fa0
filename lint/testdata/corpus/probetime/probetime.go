// Package probetime has cases that were written before anybody knew what the linter says of them: time and randomness.
package probetime

import (
	"cmp"
	"context"
	"crypto/ed25519"
	crand "crypto/rand"
	"crypto/rsa"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"math/big"
	"math/rand"
	randv2 "math/rand/v2"
	"slices"
	"sort"
	"strings"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

type Clock interface{ Now() time.Time }

type systemClock struct{}

func (systemClock) Now() time.Time {
	return time.Now() // want DET101
}

//durable:orchestrator
func OneImplementation(ctx durable.Context, in string) (string, error) {
	var c Clock = systemClock{}
	return c.Now().UTC().String(), nil
}

type fixedClock struct{ at time.Time }

func (c fixedClock) Now() time.Time { return c.at }

//durable:orchestrator
func FixedImplementation(ctx durable.Context, at time.Time) (int, error) {
	var c Clock = fixedClock{at.UTC()}
	return c.Now().Year(), nil
}

type options struct{ now func() time.Time }

type option func(*options)

func withClock(now func() time.Time) option { return func(o *options) { o.now = now } }

func build(opts ...option) options {
	o := options{now: time.Now} // want DET101
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

//durable:orchestrator
func FunctionalOption(ctx durable.Context, in string) (int64, error) {
	return build().now().Unix(), nil
}

//durable:orchestrator
func ClockOfContext(ctx durable.Context, in string) (int64, error) {
	o := options{now: ctx.Now}
	return o.now().Unix(), nil
}

//durable:orchestrator
func DeferredArgument(ctx durable.Context, in string) (out string, err error) {
	defer func(began time.Time) { out = began.UTC().String() }(time.Now()) // want DET101
	return in, nil
}

//durable:orchestrator
func LabelledLoop(ctx durable.Context, n int) (int, error) {
outer:
	for i := range n {
		for j := range n {
			if time.Since(time.Unix(int64(i), 0)) > time.Duration(j) { // want DET101
				continue outer
			}
		}
	}
	return n, nil
}

func retry(n int, wait func(time.Duration), f func() error) error {
	for range n {
		if f() == nil {
			return nil
		}
		wait(time.Second)
	}
	return nil
}

//durable:orchestrator
func SleepAsValue(ctx durable.Context, n int) (int, error) {
	return n, retry(n, time.Sleep, func() error { return nil }) // want DET102
}

//durable:orchestrator
func SleepOfDurable(ctx durable.Context, n int) (int, error) {
	return n, retry(n, func(d time.Duration) { _ = durable.Sleep(ctx, d) }, func() error { return nil })
}

//durable:orchestrator
func AfterFunc(ctx durable.Context, n int) (int, error) {
	t := time.AfterFunc(time.Second, func() {}) // want DET103
	t.Stop()
	return n, nil
}

//durable:orchestrator
func WithDeadline(ctx durable.Context, at time.Time) (bool, error) {
	c, cancel := context.WithDeadlineCause(context.Background(), at, nil) // want DET104
	defer cancel()
	return c.Err() == nil, nil // want DUR104
}

//durable:orchestrator
func LocalDate(ctx durable.Context, at time.Time) (string, error) {
	y, m, d := at.Local().Date() // want DET105
	return fmt.Sprint(y, m, d), nil
}

//durable:orchestrator
func DateInLocal(ctx durable.Context, y int) (int64, error) {
	return time.Date(y, 1, 1, 0, 0, 0, 0, time.Local).Unix(), nil // want DET105
}

//durable:orchestrator
func DateInUTC(ctx durable.Context, y int) (int64, error) {
	return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Add(36*time.Hour).Unix() / int64(time.Second/time.Millisecond), nil
}

//durable:orchestrator
func Zone(ctx durable.Context, name string) (string, error) {
	loc, err := time.LoadLocation(name) // want DET105
	if err != nil {
		return "", err
	}
	return ctx.Now().In(loc).String(), nil
}

//durable:orchestrator
func ParsesAndFormats(ctx durable.Context, in string) (string, error) {
	at, err := time.Parse(time.RFC3339, in)
	if err != nil {
		return "", err
	}
	d, err := time.ParseDuration("1h30m")
	if err != nil {
		return "", err
	}
	return at.Add(d).Truncate(time.Hour).UTC().Format(time.DateOnly), nil
}

//durable:orchestrator
func UnixFormatted(ctx durable.Context, n int64) (string, error) {
	return time.UnixMilli(n).Format(time.Kitchen), nil // want DET105
}

//durable:orchestrator
func UnixCompared(ctx durable.Context, n int64) (bool, error) {
	return time.UnixMilli(n).After(ctx.Now()), nil
}

//durable:orchestrator
func Jitter(ctx durable.Context, n int) (int, error) {
	d := time.Duration(rand.Int63n(int64(time.Second))) // want DET111
	return n, durable.Sleep(ctx, d)
}

//durable:orchestrator
func Choice(ctx durable.Context, in []string) (string, error) {
	return in[randv2.IntN(len(in))], nil // want DET111
}

//durable:orchestrator
func GenericN(ctx durable.Context, n int) (time.Duration, error) {
	return randv2.N(10 * time.Minute), nil // want DET111
}

//durable:orchestrator
func ConstantSource(ctx durable.Context, n int) (int, error) {
	return rand.New(rand.NewSource(42)).Intn(n), nil
}

//durable:orchestrator
func SourceFromInput(ctx durable.Context, n uint64) (int, error) {
	r := randv2.New(randv2.NewPCG(n, 1))
	p := r.Perm(3)
	r.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p[0], nil
}

//durable:orchestrator
func SourceFromName(ctx durable.Context, name string) (int, error) {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewSource(int64(h.Sum64()))).Intn(10), nil
}

func seed() int64 {
	return time.Now().UnixNano() // want DET101
}

//durable:orchestrator
func SourceFromClock(ctx durable.Context, n int) (int, error) {
	r := rand.New(rand.NewSource(seed())) // want DET114
	return r.Intn(n), nil
}

//durable:orchestrator
func Reseeds(ctx durable.Context, n int64) (int, error) {
	rand.Seed(n) // want DET111
	return 1, nil
}

//durable:orchestrator
func SeedOfMaphash(ctx durable.Context, in string) (uint64, error) {
	var h maphash.Hash
	h.WriteString(in)
	return h.Sum64(), nil // want DET111
}

//durable:orchestrator
func Token(ctx durable.Context, n int) (string, error) {
	return crand.Text(), nil // want DET112
}

//durable:orchestrator
func Prime(ctx durable.Context, n int) (string, error) {
	v, err := crand.Int(crand.Reader, big.NewInt(100)) // want DET112
	if err != nil {
		return "", err
	}
	return v.String(), nil
}

//durable:orchestrator
func KeyPair(ctx durable.Context, n int) (int, error) {
	key, err := rsa.GenerateKey(crand.Reader, 2048) // want DET112
	if err != nil {
		return 0, err
	}
	return key.Size(), nil
}

//durable:orchestrator
func SignsWithEd25519(ctx durable.Context, seed []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.NewKeyFromSeed(seed), []byte("ok")), nil
}

//durable:orchestrator
func NewTimerOfDurable(ctx durable.Context, n int) (int, error) {
	t := durable.NewTimer(ctx, time.Duration(n)*time.Second)
	defer t.Stop()
	return n, t.Wait(ctx)
}

type deadline struct{ time.Time }

func (d deadline) passed(now time.Time) bool { return now.After(d.Time) }

//durable:orchestrator
func EmbeddedTime(ctx durable.Context, at time.Time) (bool, error) {
	return deadline{at}.passed(ctx.Now()), nil
}

//durable:orchestrator
func EmbeddedTimeZero(ctx durable.Context, at time.Time) (bool, error) {
	d := deadline{at}
	return d.IsZero() || d.Equal(at), nil
}

type byTime []time.Time

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].Before(b[j]) }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

//durable:orchestrator
func SortsTimes(ctx durable.Context, in []time.Time) (time.Time, error) {
	sort.Stable(byTime(in))
	return in[0], nil
}

//durable:orchestrator
func ComparesWithClock(ctx durable.Context, in []time.Time) (int, error) {
	slices.SortFunc(in, func(a, b time.Time) int {
		return cmp.Compare(time.Since(a), time.Since(b)) // want DET101
	})
	return len(in), nil
}

//durable:orchestrator
func MapWithClock(ctx durable.Context, in string) (string, error) {
	return strings.Map(func(r rune) rune {
		if time.Now().Second() == 0 { // want DET101
			return -1
		}
		return r
	}, in), nil
}

func stamp[T any](v T) (T, time.Time) {
	return v, time.Now() // want DET101
}

//durable:orchestrator
func GenericHelper(ctx durable.Context, in string) (int, error) {
	_, at := stamp(in)
	return at.Nanosecond(), nil
}

//durable:orchestrator
func UnusedResult(ctx durable.Context, in string) (string, error) {
	_ = time.Now() // want DET101
	return in, nil
}

//durable:orchestrator
func ContextTimeout(ctx durable.Context, in string) (string, error) {
	scoped, cancel := durable.WithTimeout(ctx, time.Minute)
	defer cancel()
	return in, durable.Sleep(scoped, time.Second)
}

//durable:orchestrator
func StoresFunc(ctx durable.Context, in string) (int64, error) {
	table := map[string]func() time.Time{
		"wall":   time.Now, // want DET101
		"replay": ctx.Now,
	}
	return table[in]().Unix(), nil
}

//durable:orchestrator
func GoInsideLiteral(ctx durable.Context, in string) (string, error) {
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) {
		return time.Now().UTC().String(), nil // want DET101
	})
	return f.Get(ctx)
}
