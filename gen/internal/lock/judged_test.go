package lock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// judged are changes that may be seen, and are told to be safe.
var judged = []pair{
	{"a loop taken out of another", `
func F(ctx durable.Context, n int, o Order) error {
	s := 0
	for i := range n {
		t := 0
		for j := range o.Total {
			t += j * j
		}
		s += t * i
	}
	_, err := PackActivity.Call(ctx, Line{Count: s})
	return err
}`, `
func F(ctx durable.Context, n int, o Order) error {
	s, t := 0, 0
	for j := range o.Total {
		t += j * j
	}
	for i := range n {
		s += t * i
	}
	_, err := PackActivity.Call(ctx, Line{Count: s})
	return err
}`},
	{"a function with a loop taken out of a loop", `
func F(ctx durable.Context, n int, o Order) error {
	s := 0
	for i := range n {
		s += i * slices.IndexFunc(o.Lines, func(l Line) bool {
			t := 0
			for j := range l.Count {
				t += j * j
			}
			return t > 100
		})
	}
	_, err := PackActivity.Call(ctx, Line{Count: s})
	return err
}`, `
func F(ctx durable.Context, n int, o Order) error {
	s := 0
	large := func(l Line) bool {
		t := 0
		for j := range l.Count {
			t += j * j
		}
		return t > 100
	}
	at := slices.IndexFunc(o.Lines, large)
	for i := range n {
		s += i * at
	}
	_, err := PackActivity.Call(ctx, Line{Count: s})
	return err
}`},
	{"a comparison that decides in another form", `
func F(ctx durable.Context, o Order) error {
	slices.SortFunc(o.Lines, func(a, b Line) int {
		bonus := 0
		if a.Price > 10 {
			if b.Price > 10 {
				return a.Price - b.Price
			}
			bonus = 1
		} else if b.Count > 3 {
			bonus = 2
		}
		sum := bonus
		for range a.Count {
			sum += b.Count + bonus
		}
		return sum
	})
	return ShipActivity.Call(ctx, o)
}`, `
func bonus(a, b Line) int {
	switch {
	case a.Price > 10:
		return 1
	case b.Count > 3:
		return 2
	}
	return 0
}

func F(ctx durable.Context, o Order) error {
	slices.SortFunc(o.Lines, func(a, b Line) int {
		if a.Price > 10 && b.Price > 10 {
			return a.Price - b.Price
		}
		sum := bonus(a, b)
		for range a.Count {
			sum += bonus(a, b) + b.Count
		}
		return sum
	})
	return ShipActivity.Call(ctx, o)
}`},
	{"a predicate that returns early", `
func F(ctx durable.Context, n int, o Order) error {
	at := slices.IndexFunc(o.Lines, func(l Line) bool {
		least := 5
		if o.Gift {
			if l.SKU == "" {
				return false
			}
			least = n
		}
		for i := range n {
			if l.Count*i > least {
				return true
			}
		}
		return l.Price > least
	})
	_, err := PackActivity.Call(ctx, o.Lines[at])
	return err
}`, `
func F(ctx durable.Context, n int, o Order) error {
	at := slices.IndexFunc(o.Lines, func(l Line) bool {
		if o.Gift && l.SKU == "" {
			return false
		}
		least := n
		if !o.Gift {
			least = 5
		}
		for i := 0; i < n; i++ {
			if l.Count*i > least {
				return true
			}
		}
		return least < l.Price
	})
	_, err := PackActivity.Call(ctx, o.Lines[at])
	return err
}`},
	{"a function within one taken out of it", `
func F(ctx durable.Context, o Order) error {
	slices.SortFunc(o.Lines, func(a, b Line) int {
		return a.Count - slices.IndexFunc(o.Lines, func(l Line) bool { return l.Count > o.Total })
	})
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	at := slices.IndexFunc(o.Lines, func(l Line) bool { return l.Count > o.Total })
	slices.SortFunc(o.Lines, func(a, b Line) int { return a.Count - at })
	return ShipActivity.Call(ctx, o)
}`},
}

// TestJudged compares the two forms of every program, in either direction.
func TestJudged(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	for i, p := range judged {
		programs[fmt.Sprintf("j%02da", i)], programs[fmt.Sprintf("j%02db", i)] = p.a, p.b
	}
	all := flows(t, programs)
	for i, p := range judged {
		a, b := fmt.Sprintf("j%02da", i), fmt.Sprintf("j%02db", i)
		old, now := reread(t, all[a], a), reread(t, all[b], b)
		for _, f := range append(shape.Compare(old, now, nil), shape.Compare(now, old, nil)...) {
			if !f.Safe {
				t.Errorf("%s: %s\n%s\n%s", p.name, f.Change, text(all[a]), text(all[b]))
			}
		}
	}
}

// reread gives a flow as the lock of a package v has it, written and read.
func reread(t *testing.T, flow shape.Flow, pkg string) *shape.Lock {
	t.Helper()
	o := shape.Orchestrator{Name: "v.F", Result: shape.NoType, Flow: shape.Canonical(flow)}
	for _, name := range []string{"", "ctx", "o", "id", "n", "m", "orders"} {
		o.Params = append(o.Params, shape.Param{Name: name})
	}
	l := shape.Lock{Format: shape.Format, Orchestrators: []shape.Orchestrator{o}, Types: []shape.Type{{Kind: "any"}}}
	for _, a := range []struct{ name, params string }{{"Charge", "id amount"}, {"Ship", "o"}, {"Pack", "line"}, {"Mail", "to text"}} {
		e := shape.Endpoint{Name: "shop." + a.name, Result: shape.NoType}
		for _, name := range strings.Fields(a.params) {
			e.Params = append(e.Params, shape.Param{Name: name})
		}
		l.Activities = append(l.Activities, e)
	}
	back, err := shape.Read([]byte(strings.ReplaceAll(string(l.Text()), pkg, "v")))
	if err != nil {
		t.Fatal(err)
	}
	return &back
}
