package gen_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/gen"
)

// parcels is what the programs of TestInterfaces share.
const parcels = `package %s

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	durable "github.com/durablegen/durablegen/runtime"
)

var _, _, _, _ = errors.New, fmt.Sprint, strings.ToUpper, slices.Sort[[]string]

type Parcel struct {
	ID    string
	Kind  string
	Grams int
	Far   bool
}

//durable:activity
func Weigh(id string, cents int) (int, error) { return cents, nil }

//durable:activity
func Tell(text string) error { return nil }

`

// rated is a program with rules behind an interface; they stand in front of it.
const rated = `
type Rule interface{ Cents(p Parcel) int }

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	total := 0
	for _, r := range rules() {
		total += r.Cents(p)
	}
	_, err := WeighActivity.Call(ctx, p.ID, total)
	return err
}
`

// sent is a program that asks one of several by a key.
const sent = `
type Rule interface{ Cents(p Parcel) int }

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	r, ok := byKind[p.Kind]
	if !ok {
		return nil
	}
	_, err := WeighActivity.Call(ctx, p.ID, r.Cents(p))
	return err
}
`

// interfaces are changes of code that is behind interfaces.
var interfaces = []struct {
	name, old, now string
	safe           bool
}{
	{"an interface in front of a struct", `
type Tariff struct{ Each int }

func (t Tariff) Cents(p Parcel) int {
	if p.Far {
		return 2 * t.Each * p.Grams
	}
	return t.Each * p.Grams
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	_, err := WeighActivity.Call(ctx, p.ID, Tariff{Each: 3}.Cents(p))
	return err
}`, `
type Pricer interface{ Cents(p Parcel) int }

type near struct{ Each int }

func (n near) Cents(p Parcel) int { return n.Each * p.Grams }

type far struct{ near }

func (f *far) Cents(p Parcel) int { return 2 * f.near.Cents(p) }

func pricer(p Parcel) Pricer {
	if p.Far {
		return &far{near{3}}
	}
	return near{3}
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	_, err := WeighActivity.Call(ctx, p.ID, pricer(p).Cents(p))
	return err
}`, true},
	{"a rule of a list written otherwise", rated + flat + `
func (h heavy) Cents(p Parcel) int {
	if p.Grams > h.Above {
		return 100
	}
	return 0
}`, rated + flat + `
func (h heavy) Cents(p Parcel) (cents int) {
	switch {
	case p.Grams <= h.Above:
	default:
		cents = 100
	}
	return
}`, true},
	{"a rule of a list that does otherwise", rated + flat + `
func (h heavy) Cents(p Parcel) int {
	if p.Grams > h.Above {
		return 100
	}
	return 0
}`, rated + flat + `
func (h heavy) Cents(p Parcel) int {
	if p.Grams >= h.Above {
		return 100
	}
	return 0
}`, false},
	{"a rule that is another type", rated + flat + `
func (h heavy) Cents(p Parcel) int { return max(p.Grams-h.Above, 0) }`, strings.Replace(rated+flat, "flat{5}", "&base{cents: 5}", 1) + `
type base struct{ cents int }

func (b *base) Cents(Parcel) int { return b.cents }

func (h heavy) Cents(p Parcel) int { return max(0, p.Grams-h.Above) }`, true},
	{"rules by a key, one written otherwise", sent + `
var byKind = map[string]Rule{"box": box{2}, "tube": tube{}}

type box struct{ Each int }

func (b box) Cents(p Parcel) int { return b.Each*p.Grams + b.Each }

type tube struct{}

func (tube) Cents(p Parcel) int { return 7 }`, sent + `
var byKind = map[string]Rule{"tube": tube{}, "box": box{2}}

type box struct{ Each int }

func (b box) Cents(p Parcel) int { return (p.Grams + 1) * b.Each }

type tube struct{}

func (tube) Cents(p Parcel) int { return 7 }`, true},
	{"rules by a key, one changed", sent + `
var byKind = map[string]Rule{"box": box{2}, "tube": tube{}}

type box struct{ Each int }

func (b box) Cents(p Parcel) int { return b.Each*p.Grams + b.Each }

type tube struct{}

func (tube) Cents(p Parcel) int { return 7 }`, sent + `
var byKind = map[string]Rule{"box": box{2}, "tube": tube{}}

type box struct{ Each int }

func (b box) Cents(p Parcel) int { return b.Each*p.Grams + 1 }

type tube struct{}

func (tube) Cents(p Parcel) int { return 7 }`, false},
	{"a type switch that becomes a method", shapes + `
func text(s any) string {
	switch s := s.(type) {
	case letter:
		return "letter to " + s.To
	case *crate:
		return fmt.Sprintf("crate of %d", s.Grams)
	}
	return "nothing"
}`, strings.Replace(shapes, "any", "texter", -1) + `
type texter interface{ text() string }

func (l letter) text() string { return "letter to " + l.To }
func (c *crate) text() string { return fmt.Sprintf("crate of %d", c.Grams) }

func text(s texter) string {
	if s == nil {
		return "nothing"
	}
	return s.text()
}`, true},
	{"a type switch that becomes a method, and says something else of nothing", shapes + `
func text(s any) string {
	switch s := s.(type) {
	case letter:
		return "letter to " + s.To
	case *crate:
		return fmt.Sprintf("crate of %d", s.Grams)
	}
	return "nothing"
}`, strings.Replace(shapes, "any", "texter", -1) + `
type texter interface{ text() string }

func (l letter) text() string { return "letter to " + l.To }
func (c *crate) text() string { return fmt.Sprintf("crate of %d", c.Grams) }

func text(s texter) string {
	if s == nil {
		return ""
	}
	return s.text()
}`, false},
	{"a step in a method", steps + `
func (t told) Do(ctx durable.Context, p Parcel) error {
	if err := TellActivity.Call(ctx, t.what+p.ID); err != nil {
		return err
	}
	return TellActivity.Call(ctx, p.Kind)
}`, steps + `
func (t told) Do(ctx durable.Context, p Parcel) error {
	for _, text := range []string{t.what + p.ID, p.Kind} {
		if err := TellActivity.Call(ctx, text); err != nil {
			return err
		}
	}
	return nil
}`, true},
	{"a step in a method that has changed", steps + `
func (t told) Do(ctx durable.Context, p Parcel) error {
	if err := TellActivity.Call(ctx, t.what+p.ID); err != nil {
		return err
	}
	return TellActivity.Call(ctx, p.Kind)
}`, steps + `
func (t told) Do(ctx durable.Context, p Parcel) error {
	if err := TellActivity.Call(ctx, t.what+p.ID); err != nil || p.Far {
		return err
	}
	return TellActivity.Call(ctx, p.Kind)
}`, false},
	{"a receiver that counts", counting + `
func (c *counter) Add(n int) { c.sum += n; c.times++ }
func (c *counter) Sum() int  { return c.sum * c.times }`, counting + `
func (c *counter) Add(n int) { c.times, c.sum = c.times+1, n+c.sum }
func (c *counter) Sum() int  { return c.times * c.sum }`, true},
	{"a receiver that counts otherwise", counting + `
func (c *counter) Add(n int) { c.sum += n; c.times++ }
func (c *counter) Sum() int  { return c.sum * c.times }`, counting + `
func (c *counter) Add(n int) { c.sum += n; c.times = 1 }
func (c *counter) Sum() int  { return c.sum * c.times }`, false},
	{"a method that sorts what it is called on", sorting + `
func (l lines) Order() { slices.Sort(l) }`, sorting + `
func (l lines) Order() {
	slices.Sort(l)
	slices.Reverse(l)
}`, false},
	{"a type parameter", generic + `
func (b box) Cents(p Parcel) int { return b.Each*p.Grams + b.Each }`, generic + `
func (b box) Cents(p Parcel) int { return (p.Grams + 1) * b.Each }`, true},
	{"a type parameter, of which one type has changed", generic + `
func (b box) Cents(p Parcel) int { return b.Each*p.Grams + b.Each }`, generic + `
func (b box) Cents(p Parcel) int { return b.Each*p.Grams + 1 }`, false},
	{"rules that hold others", chained + `
func (a all) Count(p Parcel) (n int) {
	for _, c := range a {
		n += c.Count(p)
	}
	return n
}`, chained + `
func (a all) Count(p Parcel) int {
	if len(a) == 0 {
		return 0
	}
	return a[0].Count(p) + a[1:].Count(p)
}`, true},
	{"rules that hold others, all but the last", chained + `
func (a all) Count(p Parcel) (n int) {
	for _, c := range a {
		n += c.Count(p)
	}
	return n
}`, chained + `
func (a all) Count(p Parcel) int {
	if len(a) == 1 {
		return 0
	}
	return a[0].Count(p) + a[1:].Count(p)
}`, false},
	{"an error that is no pointer any more", strings.ReplaceAll(failing, "PTR", "*"), strings.ReplaceAll(strings.ReplaceAll(failing, "PTR", ""), "&over", "over"), true},
	{"an error that is no pointer any more, and not wrapped", strings.ReplaceAll(failing, "PTR", "*"), strings.NewReplacer("PTR", "", "&over", "over", "%w", "%v").Replace(failing), false},
}

const flat = `
func rules() []Rule { return []Rule{flat{5}, heavy{Above: 1000}} }

type flat struct{ cents int }

func (f flat) Cents(Parcel) int { return f.cents }

type heavy struct{ Above int }
`

const shapes = `
type letter struct{ To string }

type crate struct{ Grams int }

func of(p Parcel) any {
	switch p.Kind {
	case "letter":
		return letter{p.ID}
	case "crate":
		return &crate{p.Grams}
	}
	return nil
}

//durable:orchestrator
func Send(ctx durable.Context, ps []Parcel) error {
	var all []any
	for _, p := range ps {
		all = append(all, of(p))
	}
	for _, a := range all {
		if err := TellActivity.Call(ctx, text(a)); err != nil {
			return err
		}
	}
	return nil
}
`

const steps = `
type step interface {
	Do(ctx durable.Context, p Parcel) error
}

type told struct{ what string }

type weighed struct{}

func (weighed) Do(ctx durable.Context, p Parcel) error {
	_, err := WeighActivity.Call(ctx, p.ID, p.Grams)
	return err
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	for _, s := range []step{told{"a"}, weighed{}, told{"b"}} {
		if err := s.Do(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
`

const counting = `
type adder interface {
	Add(n int)
	Sum() int
}

type counter struct{ sum, times int }

type nothing struct{}

func (nothing) Add(int)  {}
func (nothing) Sum() int { return -1 }

func of(p Parcel) adder {
	if p.Far {
		return nothing{}
	}
	return &counter{}
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	a := of(p)
	a.Add(p.Grams)
	a.Add(2)
	_, err := WeighActivity.Call(ctx, p.ID, a.Sum())
	return err
}
`

const sorting = `
type orderer interface{ Order() }

type lines []string

type still struct{}

func (still) Order() {}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel, kinds []string) error {
	var o orderer = lines(kinds)
	if p.Far {
		o = still{}
	}
	for range p.Grams % 3 {
		o.Order()
	}
	return TellActivity.Call(ctx, strings.Join(kinds, " "))
}
`

const generic = `
type Rule interface{ Cents(p Parcel) int }

type box struct{ Each int }

func sum[T Rule](rules []T, p Parcel) (cents int) {
	for _, r := range rules {
		cents += r.Cents(p)
	}
	return cents
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	boxes := []box{{p.Grams}, {2}}
	_, err := WeighActivity.Call(ctx, p.ID, sum(boxes, p))
	return err
}
`

const chained = `
type counts interface{ Count(p Parcel) int }

type all []counts

type grams struct{ each int }

func (g grams) Count(p Parcel) int { return p.Grams / g.each }

type named struct{ kinds []string }

func (n named) Count(p Parcel) int {
	for i, kind := range n.kinds {
		if kind == p.Kind {
			return i + 1
		}
	}
	return 0
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	n := all{grams{50}, all{named{[]string{"box", "tube"}}, grams{3}}}.Count(p)
	_, err := WeighActivity.Call(ctx, p.ID, n)
	return err
}
`

const failing = `
type overError struct{ by int }

func (e PTRoverError) Error() string { return fmt.Sprint("over by ", e.by) }

func checked(p Parcel) error {
	switch {
	case p.Kind == "":
		return errors.New("no kind")
	case p.Grams > 500:
		return fmt.Errorf("parcel %s: %w", p.ID, &overError{p.Grams - 500})
	}
	return nil
}

//durable:orchestrator
func Send(ctx durable.Context, p Parcel) error {
	err := checked(p)
	var found PTRoverError
	switch {
	case errors.As(err, &found):
		_, err = WeighActivity.Call(ctx, p.ID, found.by)
		return err
	case err != nil:
		return TellActivity.Call(ctx, "refused")
	}
	return TellActivity.Call(ctx, "fine")
}
`

// TestInterfaces judges changes of code that is behind interfaces.
func TestInterfaces(t *testing.T) {
	t.Parallel()
	dir := newModule(t)
	name := func(i int) string { return fmt.Sprintf("i%02d", i) }
	generate := func(text func(i int) string) []gen.Finding {
		for i := range interfaces {
			writeFile(t, filepath.Join(dir, name(i), "send.go"), []byte(fmt.Sprintf(parcels, name(i))+text(i)))
		}
		result, err := gen.Generate(context.Background(), gen.Config{Dir: dir, Patterns: []string{"./i..."}})
		if err != nil || len(result.Diagnostics) > 0 {
			t.Fatal(err, result.Diagnostics)
		}
		for _, f := range result.Files {
			writeFile(t, f.Path, f.New)
		}
		return result.Findings
	}
	generate(func(i int) string { return interfaces[i].old })
	said := map[string]string{}
	for _, f := range generate(func(i int) string { return interfaces[i].now }) {
		if !f.Safe {
			said[filepath.Base(filepath.Dir(f.Pos.Filename))] += f.Change + "; "
		}
	}
	for i, c := range interfaces {
		if found := said[name(i)]; (found == "") != c.safe {
			t.Errorf("%s: safe is %t, and what is found is %q", c.name, c.safe, found)
		}
	}
}
