package lock_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/shape"
)

// whole is a program in which every edit below must be seen.
const whole = `
const limit = 3

var names = map[string]string{"a": "x"}

func fee(total int) int {
	if total > 100 {
		return 7
	}
	return 5
}

func tell(ctx durable.Context, to, what string) error {
	return MailActivity.Call(ctx, to, "now: "+what)
}

func F(ctx durable.Context, o Order) (err error) {
	var saga durable.Saga
	defer saga.RollbackOnError(ctx, &err)
	began := ctx.Now()
	receipt, err := ChargeActivity.Call(ctx, o.ID, fee(o.Total))
	if errors.Is(err, ErrDeclined) {
		return nil
	}
	if err != nil {
		return err
	}
	saga.Compensate(func(ctx durable.Context) error { return tell(ctx, "bank", receipt) })
	sum := 0
	for _, l := range o.Lines {
		if l.Count > 1 {
			sum += l.Count * l.Price
		}
	}
	for try := 0; try < limit; try++ {
		n, err := PackActivity.Call(ctx, Line{SKU: names[o.ID], Count: sum})
		if err == nil && n > 0 {
			break
		}
		if err := durable.Sleep(ctx, time.Hour); err != nil {
			return err
		}
	}
	approved, late := ApprovedEvent.Receive(ctx), durable.NewTimer(ctx, time.Hour)
	switch durable.Any(ctx, approved, late) {
	case approved:
		by, _ := approved.Get(ctx)
		if err := tell(ctx, o.Buyer, by.By+" "+began.Format(time.DateOnly)); err != nil {
			return err
		}
	case late:
		return tell(ctx, o.Buyer, "late")
	}
	id := ctx.NewUUID()
	g := durable.Go(ctx, func(ctx durable.Context) (int, error) { return PackActivity.Call(ctx, o.Lines[0]) })
	if err := durable.ForEach(ctx, o.Lines, 2, func(ctx durable.Context, l Line) error {
		_, err := PackActivity.Call(ctx, l)
		return err
	}); err != nil {
		return err
	}
	if _, err := g.Get(ctx); err != nil {
		return err
	}
	n, err := ChildOrchestrator.Call(ctx, id, durable.InstanceID("child-"+o.ID))
	if err != nil {
		return err
	}
	PaidEvent.Send(ctx, o.Buyer, Paid{Amount: n})
	slices.SortFunc(o.Lines, func(a, b Line) int { return a.Count - b.Count })
	return ShipActivity.Call(ctx, o)
}
`

// edits are changes of that program. Where line is not "", a value or node of the new flow must be at the line with this text.
var edits = []struct{ name, old, new, line string }{
	{"constant of a limit", "limit = 3", "limit = 4", "limit = 4"},
	{"entry of a map", `{"a": "x"}`, `{"a": "y"}`, `"a": "y"`},
	{"condition in a pure helper", "total > 100", "total > 101", "total > 101"},
	{"result of a pure helper", "return 7", "return 8", "return 8"},
	{"text in a helper", `"now: "`, `"then: "`, `"then: "`},
	{"target", "ChargeActivity.Call(ctx, o.ID, fee(o.Total))", "ChargeActivity.Call(ctx, o.Buyer, fee(o.Total))", "ChargeActivity"},
	{"other activity", `return tell(ctx, o.Buyer, "late")`, `return ShipActivity.Call(ctx, o)`, "return ShipActivity.Call(ctx, o)"},
	{"other error", "errors.Is(err, ErrDeclined)", "errors.Is(err, context.Canceled)", "context.Canceled"},
	{"error no longer told apart", "if errors.Is(err, ErrDeclined) {\n\t\treturn nil\n\t}", "", ""},
	{"compensation", `tell(ctx, "bank", receipt)`, `tell(ctx, "desk", receipt)`, `"desk"`},
	{"compensation removed", `saga.Compensate(func(ctx durable.Context) error { return tell(ctx, "bank", receipt) })`, "_ = receipt", ""},
	{"condition in a pure loop", "l.Count > 1", "l.Count > 2", "l.Count > 2"},
	{"sum in a pure loop", "l.Count * l.Price", "l.Count + l.Price", "l.Count + l.Price"},
	{"initial value of a pure loop", "sum := 0", "sum := 1", "sum := 1"},
	{"field of an argument", "Count: sum}", "Price: sum}", ""},
	{"condition of a break", "n > 0", "n > 1", "n > 1"},
	{"and becomes or", "err == nil && n > 0", "err == nil || n > 0", ""},
	{"sleep removed", "if err := durable.Sleep(ctx, time.Hour); err != nil {\n\t\t\treturn err\n\t\t}", "", ""},
	{"start of a loop", "try := 0", "try := 1", ""},
	{"branches swapped", "case approved:\n\t\tby", "case late:\n\t\tby", ""},
	{"order of a wait", "durable.Any(ctx, approved, late)", "durable.Any(ctx, late, approved)", ""},
	{"another event", "PaidEvent.Send(ctx, o.Buyer, Paid{Amount: n})", "ApprovedEvent.Send(ctx, o.Buyer, Approved{By: strconv.Itoa(n)})", "ApprovedEvent.Send"},
	{"clock read later", "began := ctx.Now()\n\treceipt, err := ChargeActivity.Call(ctx, o.ID, fee(o.Total))", "receipt, err := ChargeActivity.Call(ctx, o.ID, fee(o.Total))\n\tbegan := ctx.Now()", "began := ctx.Now()"},
	{"format of the clock", "time.DateOnly", "time.TimeOnly", ""},
	{"one more draw", "id := ctx.NewUUID()", "ctx.NewUUID()\n\tid := ctx.NewUUID()", ""},
	{"body of a coroutine", "o.Lines[0])", "o.Lines[1])", "o.Lines[1])"},
	{"items of ForEach", "ForEach(ctx, o.Lines, 2", "ForEach(ctx, o.Lines[1:], 2", "o.Lines[1:], 2"},
	{"parallelism", "o.Lines, 2, func", "o.Lines, 3, func", "o.Lines, 3, func"},
	{"body of ForEach", "_, err := PackActivity.Call(ctx, l)\n\t\treturn err", "return ShipActivity.Call(ctx, Order{Lines: []Line{l}})", ""},
	{"id of a child", `"child-"`, `"kid-"`, `"kid-"`},
	{"what is sent", "Amount: n}", "Amount: n + 1}", "Amount: n + 1}"},
	{"who is sent to", "Send(ctx, o.Buyer", "Send(ctx, o.ID", "Send(ctx, o.ID"},
	{"comparison of a sort", "a.Count - b.Count", "b.Count - a.Count", "b.Count - a.Count"},
	{"order of steps", "PaidEvent.Send(ctx, o.Buyer, Paid{Amount: n})\n", "_ = n\n", ""},
	{"await before", "g := durable.Go(ctx, func(ctx durable.Context) (int, error) { return PackActivity.Call(ctx, o.Lines[0]) })", "g := PackActivity.Start(ctx, o.Lines[0])", ""},
	{"field set before an argument", "return ShipActivity.Call(ctx, o)\n}\n", "o.Gift = true\n\treturn ShipActivity.Call(ctx, o)\n}\n", "o.Gift = true"},
	{"named field of an argument through a pointer", "return ShipActivity.Call(ctx, o)\n}\n", "p := &o\n\tp.Total += 1\n\treturn ShipActivity.Call(ctx, *p)\n}\n", "p.Total += 1"},
}

// apart are programs that look alike and must not be the same.
var apart = []pair{
	{"what a coroutine returns to another", `
func F(ctx durable.Context, o Order) error {
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) { return "a", ShipActivity.Call(ctx, o) })
	g := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		text, _ := f.Get(ctx)
		return 0, MailActivity.Call(ctx, o.Buyer, text)
	})
	return g.Err(ctx)
}`, `
func F(ctx durable.Context, o Order) error {
	f := durable.Go(ctx, func(ctx durable.Context) (string, error) { return "b", ShipActivity.Call(ctx, o) })
	g := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		text, _ := f.Get(ctx)
		return 0, MailActivity.Call(ctx, o.Buyer, text)
	})
	return g.Err(ctx)
}`},
	{"what a coroutine puts into a variable", `
func F(ctx durable.Context, o Order) error {
	text := ""
	f := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		text = "a"
		return 0, ShipActivity.Call(ctx, o)
	})
	f.Err(ctx)
	return MailActivity.Call(ctx, o.Buyer, text)
}`, `
func F(ctx durable.Context, o Order) error {
	text := ""
	f := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		text = "b"
		return 0, ShipActivity.Call(ctx, o)
	})
	f.Err(ctx)
	return MailActivity.Call(ctx, o.Buyer, text)
}`},
	{"a map that a helper changes", `
func mark(tags map[string]string) { tags["x"] = "1" }
func F(ctx durable.Context, o Order) error {
	mark(o.Tags)
	return ShipActivity.Call(ctx, o)
}`, `
func mark(tags map[string]string) { tags["x"] = "2" }
func F(ctx durable.Context, o Order) error {
	mark(o.Tags)
	return ShipActivity.Call(ctx, o)
}`},
	{"a slice that a helper changes", `
func mark(lines []Line) { lines[0].Count = 1 }
func F(ctx durable.Context, o Order) error {
	mark(o.Lines)
	return ShipActivity.Call(ctx, o)
}`, `
func mark(lines []Line) { lines[0].Count = 2 }
func F(ctx durable.Context, o Order) error {
	mark(o.Lines)
	return ShipActivity.Call(ctx, o)
}`},
	{"a recursion", `
func down(ctx durable.Context, n int) error {
	if n == 0 {
		return nil
	}
	MailActivity.Call(ctx, "a", "b")
	return down(ctx, n-1)
}
func F(ctx durable.Context, o Order) error { return down(ctx, o.Total) }`, `
func down(ctx durable.Context, n int) error {
	if n == 0 {
		return nil
	}
	MailActivity.Call(ctx, "a", "b")
	return down(ctx, n-2)
}
func F(ctx durable.Context, o Order) error { return down(ctx, o.Total) }`},
	{"second look at an event", `
func F(ctx durable.Context, o Order) error {
	f := ApprovedEvent.Receive(ctx)
	if _, err := f.Within(ctx, time.Hour); err == nil {
		return nil
	}
	if _, err := f.Within(ctx, time.Hour); err == nil {
		return ShipActivity.Call(ctx, o)
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	f := ApprovedEvent.Receive(ctx)
	if _, err := f.Within(ctx, time.Hour); err == nil {
		return nil
	}
	return nil
}`},
	{"a scope that a branch cancels", `
func F(ctx durable.Context, o Order) error {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f, g := ChargeActivity.Start(ctx, o.ID, 1), ChargeActivity.Start(scoped, o.ID, 2)
	if o.Gift {
		cancel()
	}
	_, err := f.Get(ctx)
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprint(err, g.Ready()))
}`, `
func F(ctx durable.Context, o Order) error {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f, g := ChargeActivity.Start(scoped, o.ID, 1), ChargeActivity.Start(scoped, o.ID, 2)
	if o.Gift {
		cancel()
	}
	_, err := f.Get(ctx)
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprint(err, g.Ready()))
}`},
	{"a scope that is cancelled before what was deferred earlier", `
func F(ctx durable.Context, o Order) error {
	var f durable.Future[string]
	{
		defer func() {
			text, _ := f.Get(ctx)
			MailActivity.Call(ctx, o.Buyer, text)
		}()
	}
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f = ChargeActivity.Start(ctx, o.ID, 1)
	return MailActivity.Call(scoped, o.Buyer, "a")
}`, `
func F(ctx durable.Context, o Order) error {
	var f durable.Future[string]
	{
		defer func() {
			text, _ := f.Get(ctx)
			MailActivity.Call(ctx, o.Buyer, text)
		}()
	}
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f = ChargeActivity.Start(scoped, o.ID, 1)
	return MailActivity.Call(scoped, o.Buyer, "a")
}`},
	{"a scope of a helper that ends earlier", `
func start(ctx durable.Context, o Order) durable.Future[string] {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	MailActivity.Start(scoped, o.Buyer, "a")
	return ChargeActivity.Start(ctx, o.ID, 1)
}
func F(ctx durable.Context, o Order) error {
	text, _ := start(ctx, o).Get(ctx)
	return MailActivity.Call(ctx, o.Buyer, text)
}`, `
func start(ctx durable.Context, o Order) durable.Future[string] {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	MailActivity.Start(scoped, o.Buyer, "a")
	return ChargeActivity.Start(scoped, o.ID, 1)
}
func F(ctx durable.Context, o Order) error {
	text, _ := start(ctx, o).Get(ctx)
	return MailActivity.Call(ctx, o.Buyer, text)
}`},
	{"what only one way defers", `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		defer func() { MailActivity.Call(ctx, o.Buyer, "a") }()
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		defer func() { MailActivity.Call(ctx, o.Buyer, "b") }()
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"on which way something is deferred", `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		defer func() { MailActivity.Call(ctx, o.Buyer, "a") }()
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	if !o.Gift {
		defer func() { MailActivity.Call(ctx, o.Buyer, "a") }()
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"a cancel before what was deferred earlier", `
func F(ctx durable.Context, o Order) error {
	scoped, cancel := durable.WithCancel(ctx)
	f := ChargeActivity.Start(scoped, o.ID, 1)
	defer func() {
		text, _ := f.Get(ctx)
		MailActivity.Call(ctx, o.Buyer, text)
	}()
	defer cancel()
	return MailActivity.Call(scoped, o.Buyer, "a")
}`, `
func F(ctx durable.Context, o Order) error {
	scoped, cancel := durable.WithCancel(ctx)
	f := ChargeActivity.Start(scoped, o.ID, 1)
	defer func() {
		text, _ := f.Get(ctx)
		MailActivity.Call(ctx, o.Buyer, text)
	}()
	_ = cancel
	return MailActivity.Call(scoped, o.Buyer, "a")
}`},
	{"nil or empty list that is stored", `
func F(ctx durable.Context, o Order) error {
	var all []Line
	for _, l := range o.Lines {
		all = append(all, l)
	}
	return ShipActivity.Call(ctx, Order{Lines: all, Total: len(all)})
}`, `
func F(ctx durable.Context, o Order) error {
	all := []Line{}
	for _, l := range o.Lines {
		all = append(all, l)
	}
	return ShipActivity.Call(ctx, Order{Lines: all, Total: len(all)})
}`},
	{"nil or empty list that is asked for nil", `
func F(ctx durable.Context, o Order) error {
	var all []int
	for _, l := range o.Lines {
		all = append(all, l.Price)
	}
	if all == nil {
		return nil
	}
	_, err := PackActivity.Call(ctx, Line{Count: len(all)})
	return err
}`, `
func F(ctx durable.Context, o Order) error {
	all := []int{}
	for _, l := range o.Lines {
		all = append(all, l.Price)
	}
	if all == nil {
		return nil
	}
	_, err := PackActivity.Call(ctx, Line{Count: len(all)})
	return err
}`},
	{"list that begins with something", `
func F(ctx durable.Context, o Order) error {
	var all []int
	for _, l := range o.Lines {
		all = append(all, l.Price)
	}
	_, err := PackActivity.Call(ctx, Line{Count: len(all)})
	return err
}`, `
func F(ctx durable.Context, o Order) error {
	all := make([]int, 1)
	for _, l := range o.Lines {
		all = append(all, l.Price)
	}
	_, err := PackActivity.Call(ctx, Line{Count: len(all)})
	return err
}`},
	{"order of cases that both may hold", `
func queue(n int) string {
	switch {
	case n > 2:
		return "first"
	case n > 0:
		return "slow"
	}
	return "normal"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, o.Buyer, queue(o.Total)) }`, `
func queue(n int) string {
	switch {
	case n > 0:
		return "slow"
	case n > 2:
		return "first"
	}
	return "normal"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, o.Buyer, queue(o.Total)) }`},
	{"order of cases of which one holds within the other", `
func queue(n int) string {
	switch {
	case n == 3:
		return "slow"
	case n >= 3:
		return "first"
	}
	return "normal"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, o.Buyer, queue(o.Total)) }`, `
func queue(n int) string {
	switch {
	case n >= 3:
		return "first"
	case n == 3:
		return "slow"
	}
	return "normal"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, o.Buyer, queue(o.Total)) }`},
	{"order of cases of two values", `
func queue(a, b int) string {
	switch {
	case a == 1:
		return "first"
	case b == 0:
		return "slow"
	}
	return "normal"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, o.Buyer, queue(o.Total, len(o.Lines))) }`, `
func queue(a, b int) string {
	switch {
	case b == 0:
		return "slow"
	case a == 1:
		return "first"
	}
	return "normal"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, o.Buyer, queue(o.Total, len(o.Lines))) }`},
	{"cut at another length than is asked for", `
func F(ctx durable.Context, o Order) error {
	return ShipActivity.Call(ctx, Order{Lines: o.Lines[:min(3, len(o.Lines))]})
}`, `
func F(ctx durable.Context, o Order) error {
	lines := o.Lines
	if len(lines) > 4 {
		lines = lines[:3]
	}
	return ShipActivity.Call(ctx, Order{Lines: lines})
}`},
	{"cut elsewhere", `
func F(ctx durable.Context, o Order) error {
	return ShipActivity.Call(ctx, Order{Lines: o.Lines[o.Total:min(o.Total+3, len(o.Lines))]})
}`, `
func F(ctx durable.Context, o Order) error {
	return ShipActivity.Call(ctx, Order{Lines: o.Lines[o.Total:min(3, len(o.Lines))]})
}`},
}

func TestAlikeIsNotTheSame(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	for i, p := range apart {
		programs[fmt.Sprintf("p%02da", i)], programs[fmt.Sprintf("p%02db", i)] = p.a, p.b
	}
	all := flows(t, programs)
	for i, p := range apart {
		a, b := all[fmt.Sprintf("p%02da", i)], all[fmt.Sprintf("p%02db", i)]
		if encoded(t, bare(a)) == encoded(t, bare(b)) {
			t.Errorf("%s: both are\n%s", p.name, text(a))
		}
	}
}

func TestChangesAreSeenAtTheirLine(t *testing.T) {
	t.Parallel()
	programs := map[string]string{"base": whole}
	for i, e := range edits {
		if strings.Count(whole, e.old) != 1 {
			t.Fatalf("%s: %q is there %d times", e.name, e.old, strings.Count(whole, e.old))
		}
		programs[fmt.Sprintf("e%02d", i)] = strings.Replace(whole, e.old, e.new, 1)
	}
	all := flows(t, programs)
	base := encoded(t, bare(all["base"]))
	for i, e := range edits {
		name := fmt.Sprintf("e%02d", i)
		flow := all[name]
		sound(t, e.name, flow)
		if encoded(t, bare(flow)) == base {
			t.Errorf("%s: the flow is the same", e.name)
		}
		if e.line == "" {
			continue
		}
		lines := strings.Split(complete(programs[name]), "\n")
		if !slices.ContainsFunc(places(flow), func(line int) bool { return line > 0 && strings.Contains(lines[line-1], e.line) }) {
			t.Errorf("%s: nothing of the flow is at the line with %q", e.name, e.line)
		}
	}
}

// places gives the lines of everything in a flow.
func places(flow shape.Flow) (lines []int) {
	for _, n := range flow.Nodes {
		lines = append(lines, n.Pos.Line)
		for _, b := range n.Bodies {
			lines = append(lines, places(b)...)
		}
	}
	for _, v := range flow.Values {
		if strings.HasSuffix(v.Pos.Filename, "program.go") {
			lines = append(lines, v.Pos.Line)
		}
	}
	return lines
}
