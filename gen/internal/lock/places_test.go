package lock_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// held are programs that differ in what a place holds, and must not be the same.
var held = []pair{
	{"a map that is made where there is none", `
func F(ctx durable.Context, o Order) error {
	if o.Tags == nil {
		o.Tags = map[string]string{}
	}
	if _, err := PackActivity.Call(ctx, o.Lines[0]); err != nil {
		return err
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	if o.Tags == nil {
		o.Tags = map[string]string{"k": "v"}
	}
	if _, err := PackActivity.Call(ctx, o.Lines[0]); err != nil {
		return err
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"what functions that are called later add up", `
func F(ctx durable.Context, o Order) error {
	count := 0
	var later []func()
	for _, l := range o.Lines {
		later = append(later, func() { count += l.Count })
	}
	for _, fn := range later {
		fn()
	}
	_, err := PackActivity.Call(ctx, Line{Count: count})
	return err
}`, `
func F(ctx durable.Context, o Order) error {
	count := 0
	var later []func()
	for _, l := range o.Lines {
		later = append(later, func() { count = l.Count })
	}
	for _, fn := range later {
		fn()
	}
	_, err := PackActivity.Call(ctx, Line{Count: count})
	return err
}`},
	{"what a function that is given away adds up", `
func F(ctx durable.Context, o Order) error {
	count := 0
	slices.ContainsFunc(o.Lines, func(l Line) bool { count += l.Count; return false })
	_, err := PackActivity.Call(ctx, Line{Count: count})
	return err
}`, `
func F(ctx durable.Context, o Order) error {
	count := 0
	slices.ContainsFunc(o.Lines, func(l Line) bool { count = l.Count; return false })
	_, err := PackActivity.Call(ctx, Line{Count: count})
	return err
}`},
	{"a method that is given away and changes what it is called on", `
type shelf struct{ most int }

func (s *shelf) fits(l Line) bool { return l.Count <= s.most }

func F(ctx durable.Context, o Order) error {
	s := &shelf{o.Total}
	slices.ContainsFunc(o.Lines, s.fits)
	_, err := PackActivity.Call(ctx, Line{Count: s.most})
	return err
}`, `
type shelf struct{ most int }

func (s *shelf) fits(l Line) bool { s.most--; return l.Count <= s.most }

func F(ctx durable.Context, o Order) error {
	s := &shelf{o.Total}
	slices.ContainsFunc(o.Lines, s.fits)
	_, err := PackActivity.Call(ctx, Line{Count: s.most})
	return err
}`},
}

// written are formats that do not ask for a text, or do not write the same.
var written = []pair{
	{"a number of what has a text", `
type grade int

func (g grade) String() string { return "high" }

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, fmt.Sprintf("%d", grade(o.Total)))
}`, `
type grade int

func (g grade) String() string { return "high" }

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, fmt.Sprintf("%v", grade(o.Total)))
}`},
	{"a pattern that is not greedy", `
var number = regexp.MustCompile("[0-9][0-9]*")

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, number.FindString(o.Buyer))
}`, `
var number = regexp.MustCompile("[0-9][0-9]*?")

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, number.FindString(o.Buyer))
}`},
	{"how a pattern is written", `
var number = regexp.MustCompile("[0-9]+")

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, number.String())
}`, `
var number = regexp.MustCompile("[0-9][0-9]*")

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, number.String())
}`},
	{"two that fmt puts a space between", `
type grade int

func (g grade) String() string { return "high" }

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, fmt.Sprint(grade(o.Total), grade(o.Total)))
}`, `
type grade int

func (g grade) String() string { return "high" }

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, grade(o.Total).String()+grade(o.Total).String())
}`},
	{"one that fmt catches when it panics", `
type grade int

func (g grade) String() string { return []string{"low", "high"}[g] }

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, fmt.Sprint(grade(o.Total)))
}`, `
type grade int

func (g grade) String() string { return []string{"low", "high"}[g] }

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, grade(o.Total).String())
}`},
}

func TestHeldIsSeen(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	pairs := slices.Concat(held, written)
	for i, p := range pairs {
		programs[fmt.Sprintf("h%02da", i)], programs[fmt.Sprintf("h%02db", i)] = p.a, p.b
	}
	all := flows(t, programs)
	for i, p := range pairs {
		a, b := all[fmt.Sprintf("h%02da", i)], all[fmt.Sprintf("h%02db", i)]
		if encoded(t, bare(a)) == encoded(t, bare(b)) {
			t.Errorf("%s: both are %s", p.name, text(a))
		}
	}
}

// kept are programs that do the same with what places and interfaces hold.
var kept = []pair{
	{"a text by its method or by fmt", `
type grade int

func (g grade) String() string {
	if g > 3 {
		return "high"
	}
	return "low"
}

func F(ctx durable.Context, o Order) error {
	g := grade(o.Total)
	return MailActivity.Call(ctx, g.String(), "it is "+g.String()+"!")
}`, `
type grade int

func (g grade) String() string {
	if g > 3 {
		return "high"
	}
	return "low"
}

func F(ctx durable.Context, o Order) error {
	g := grade(o.Total)
	return MailActivity.Call(ctx, fmt.Sprint(g), fmt.Sprintf("it is %v!", g))
}`},
	{"a pattern", `
var number = regexp.MustCompile("[0-9]+x")

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, number.FindString(o.Buyer))
}`, `
var number = regexp.MustCompile("\\d\\d*x")

func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.ID, number.FindString(o.Buyer))
}`},
	{"a choice behind an interface", `
func F(ctx durable.Context, o Order) error {
	fee := 0
	if o.Gift {
		fee = o.Total * 20 / 100
	}
	_, err := PackActivity.Call(ctx, Line{Count: fee})
	return err
}`, `
type duty interface{ on(total int) int }

type home struct{}

func (home) on(int) int { return 0 }

type abroad struct{ percent int }

func (a *abroad) on(total int) int { return total * a.percent / 100 }

func F(ctx durable.Context, o Order) error {
	var d duty = home{}
	if o.Gift {
		d = &abroad{20}
	}
	_, err := PackActivity.Call(ctx, Line{Count: d.on(o.Total)})
	return err
}`},
	{"what is behind a pointer in a struct, made on two ways", `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return err
		}
	}
	sizes := map[string]int{}
	for _, l := range o.Lines {
		n, err := PackActivity.Call(ctx, l)
		if err != nil {
			return err
		}
		sizes[l.SKU] = n
		o.Total++
	}
	o.ID = strconv.Itoa(sizes["a"])
	return ShipActivity.Call(ctx, o)
}`, `
type run struct {
	o     *Order
	sizes map[string]int
}

func (r *run) one(ctx durable.Context, l Line) error {
	n, err := PackActivity.Call(ctx, l)
	if err != nil {
		return err
	}
	r.sizes[l.SKU] = n
	r.o.Total++
	return nil
}

func F(ctx durable.Context, o Order) error {
	if o.Gift {
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return err
		}
	}
	r := run{o: &o, sizes: make(map[string]int)}
	for _, l := range o.Lines {
		if err := r.one(ctx, l); err != nil {
			return err
		}
	}
	o.ID = strconv.Itoa(r.sizes["a"])
	return ShipActivity.Call(ctx, o)
}`},
	{"a method that only looks, given away", `
func F(ctx durable.Context, o Order) error {
	best := map[string]int{o.ID: 1, o.Buyer: 2}
	names := slices.SortedFunc(maps.Keys(best), func(x, y string) int { return cmp.Compare(best[x], best[y]) })
	best[names[0]] = 3
	_, err := PackActivity.Call(ctx, Line{SKU: names[0], Count: best[o.ID]})
	return err
}`, `
type board struct{ best map[string]int }

func (b *board) higher(x, y string) int { return cmp.Compare(b.at(x), b.at(y)) }
func (b *board) at(name string) int     { return b.best[name] }

func F(ctx durable.Context, o Order) error {
	b := &board{map[string]int{o.ID: 1, o.Buyer: 2}}
	names := slices.SortedFunc(maps.Keys(b.best), b.higher)
	b.best[names[0]] = 3
	_, err := PackActivity.Call(ctx, Line{SKU: names[0], Count: b.best[o.ID]})
	return err
}`},
	{"a text from beside a function, logged", `
type step struct {
	name string
	do   func(durable.Context) error
}

func F(ctx durable.Context, o Order) error {
	n := 0
	for _, s := range []step{
		{"one", func(ctx durable.Context) error { n++; return ShipActivity.Call(ctx, o) }},
		{"two", func(ctx durable.Context) error { n += 2; return ShipActivity.Call(ctx, o) }},
	} {
		if err := s.do(ctx); err != nil {
			return err
		}
	}
	_, err := PackActivity.Call(ctx, Line{Count: n})
	return err
}`, `
type step struct {
	name string
	do   func(durable.Context) error
}

func F(ctx durable.Context, o Order) error {
	n := 0
	for _, s := range []step{
		{"one", func(ctx durable.Context) error { n++; return ShipActivity.Call(ctx, o) }},
		{"two", func(ctx durable.Context) error { n += 2; return ShipActivity.Call(ctx, o) }},
	} {
		if err := s.do(ctx); err != nil {
			return err
		}
		ctx.Logger().Info("done", "step", s.name)
	}
	_, err := PackActivity.Call(ctx, Line{Count: n})
	return err
}`},
	{"a list beside a map that changes", `
func F(ctx durable.Context, o Order) error {
	if o.Tags == nil {
		o.Tags = map[string]string{}
	}
	for _, l := range o.Lines {
		o.Tags[l.SKU] = "x"
		if _, err := PackActivity.Call(ctx, l); err != nil {
			return err
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	for _, l := range o.Lines {
		if _, err := PackActivity.Call(ctx, l); err != nil {
			return err
		}
	}
	return nil
}`},
}

func TestPlacesAreKept(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	for i, p := range kept {
		programs[fmt.Sprintf("k%02da", i)], programs[fmt.Sprintf("k%02db", i)] = p.a, p.b
	}
	all := flows(t, programs)
	for i, p := range kept {
		a, b := all[fmt.Sprintf("k%02da", i)], all[fmt.Sprintf("k%02db", i)]
		if encoded(t, bare(a)) != encoded(t, bare(b)) {
			t.Errorf("%s: %s", p.name, cmp.Diff(text(a), text(b)))
		}
	}
}
