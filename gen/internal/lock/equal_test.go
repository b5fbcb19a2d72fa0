package lock_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/shape"
)

// pair are two programs; F is looked at.
type pair struct{ name, a, b string }

// refactorings are changes that must not be seen.
var refactorings = []pair{
	{"names and comments", `
func F(ctx durable.Context, o Order) error {
	receipt, err := ChargeActivity.Call(ctx, o.ID, o.Total)
	if err != nil {
		return err
	}
	return MailActivity.Call(ctx, o.Buyer, receipt)
}`, `
// F does it.
func F(c durable.Context, order Order) error {
	id, total := order.ID, order.Total
	// money first
	r, failed := ChargeActivity.Call(c, id, total)
	if nil != failed {
		return failed
	}
	to := order.Buyer
	return MailActivity.Call(c, to, r)
}`},
	{"helper extracted", `
func F(ctx durable.Context, o Order) error {
	receipt, err := ChargeActivity.Call(ctx, o.ID, o.Total)
	if err != nil {
		return fmt.Errorf("charge: %w", err)
	}
	if err := MailActivity.Call(ctx, o.Buyer, receipt); err != nil {
		return err
	}
	return ShipActivity.Call(ctx, o)
}`, `
func pay(ctx durable.Context, o Order) (string, error) {
	receipt, err := ChargeActivity.Call(ctx, o.ID, o.Total)
	if err != nil {
		return "", fmt.Errorf("charge: %w", err)
	}
	err = MailActivity.Call(ctx, o.Buyer, receipt)
	return receipt, err
}

func F(ctx durable.Context, o Order) error {
	if _, err := pay(ctx, o); err != nil {
		return fmt.Errorf("pay: %w", err)
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"named constants", `
func F(ctx durable.Context) error {
	return MailActivity.Call(ctx, "a@b", "hello world")
}`, `
const to = "a@b"
const greeting = "hello"
func F(ctx durable.Context) error {
	return MailActivity.Call(ctx, to, greeting + " world")
}`},
	{"struct literal or assignments", `
func F(ctx durable.Context, id string) error {
	return ShipActivity.Call(ctx, Order{ID: id, Total: 3, Lines: []Line{{SKU: "x", Count: 1}}})
}`, `
func F(ctx durable.Context, id string) error {
	var o Order
	o.Total = 3
	o.ID = id
	l := Line{"x", 0, 0}
	l.Count++
	o.Lines = append(o.Lines, l)
	return ShipActivity.Call(ctx, o)
}`},
	{"struct through a pointer", `
func F(ctx durable.Context, id string) error {
	o := Order{ID: id}
	o.Total = 4
	return ShipActivity.Call(ctx, o)
}`, `
func (o *Order) price(n int) { o.Total = n }
func make_(id string) *Order { return &Order{ID: id} }
func F(ctx durable.Context, id string) error {
	o := make_(id)
	o.price(4)
	return ShipActivity.Call(ctx, *o)
}`},
	{"if or switch", `
func F(ctx durable.Context, o Order) error {
	if o.Total > 100 {
		return ShipActivity.Call(ctx, o)
	} else if o.Gift {
		return MailActivity.Call(ctx, o.Buyer, "gift")
	}
	return MailActivity.Call(ctx, o.Buyer, "none")
}`, `
func F(ctx durable.Context, o Order) error {
	switch {
	case 100 < o.Total:
		return ShipActivity.Call(ctx, o)
	case o.Gift:
		return MailActivity.Call(ctx, o.Buyer, "gift")
	default:
		return MailActivity.Call(ctx, o.Buyer, "none")
	}
}`},
	{"tagged switch or ifs", `
func F(ctx durable.Context, o Order) error {
	switch o.ID {
	case "a", "b":
		return ShipActivity.Call(ctx, o)
	case "c":
		return MailActivity.Call(ctx, o.Buyer, "c")
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	if o.ID == "a" || o.ID == "b" {
		return ShipActivity.Call(ctx, o)
	}
	if o.ID == "c" {
		return MailActivity.Call(ctx, o.Buyer, "c")
	}
	return nil
}`},
	{"early return or else, negated", `
func F(ctx durable.Context, o Order) error {
	if !o.Gift {
		return nil
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	var err error
	if o.Gift {
		err = ShipActivity.Call(ctx, o)
	} else {
		err = nil
	}
	return err
}`},
	{"and or nested", `
func F(ctx durable.Context, o Order) error {
	if o.Gift && o.Total >= 10 {
		return ShipActivity.Call(ctx, o)
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		if !(o.Total < 10) {
			return ShipActivity.Call(ctx, o)
		}
	}
	return nil
}`},
	{"de morgan, condition in a variable", `
func F(ctx durable.Context, o Order) error {
	if !o.Gift || o.Total > 9 {
		return ShipActivity.Call(ctx, o)
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	no := o.Gift && !(o.Total > 9)
	if no {
		return nil
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"range or three clauses", `
func F(ctx durable.Context, o Order) error {
	for _, l := range o.Lines {
		if _, err := PackActivity.Call(ctx, l); err != nil {
			return err
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	for i := 0; i < len(o.Lines); i++ {
		_, err := PackActivity.Call(ctx, o.Lines[i])
		if err != nil {
			return err
		}
	}
	return nil
}`},
	{"counting from one or for range", `
func F(ctx durable.Context, o Order) error {
	for range 3 {
		if err := ShipActivity.Call(ctx, o); err == nil {
			return nil
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	for try := 1; try <= 3; try++ {
		if err := ShipActivity.Call(ctx, o); err == nil {
			break
		}
	}
	return nil
}`},
	{"counting down", `
func F(ctx durable.Context, o Order) error {
	for i := 0; i < 3; i++ {
		if err := ShipActivity.Call(ctx, o); err != nil {
			return err
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	for left := 3; left > 0; left-- {
		if err := ShipActivity.Call(ctx, o); err != nil {
			return err
		}
	}
	return nil
}`},
	{"endless with break or condition", `
func F(ctx durable.Context, o Order) error {
	n := 0
	for n < o.Total {
		if err := ShipActivity.Call(ctx, o); err != nil {
			return err
		}
		n += 2
	}
	return MailActivity.Call(ctx, o.Buyer, "done")
}`, `
func F(ctx durable.Context, o Order) error {
	n := 0
	for {
		if n >= o.Total {
			break
		}
		err := ShipActivity.Call(ctx, o)
		if err != nil {
			return err
		}
		n = n + 2
	}
	return MailActivity.Call(ctx, o.Buyer, "done")
}`},
	{"continue or if", `
func F(ctx durable.Context, o Order) error {
	for _, l := range o.Lines {
		if l.Count == 0 {
			continue
		}
		PackActivity.Call(ctx, l)
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	for _, l := range o.Lines {
		if l.Count != 0 {
			_, _ = PackActivity.Call(ctx, l)
		}
	}
	return nil
}`},
	{"pure helper with ifs", `
func F(ctx durable.Context, o Order) error {
	fee := 5
	if o.Total > 100 {
		fee = 0
	}
	_, err := ChargeActivity.Call(ctx, o.ID, o.Total+fee)
	return err
}`, `
func fee(total int) int {
	if total > 100 {
		return 0
	}
	return 5
}
func F(ctx durable.Context, o Order) error {
	_, err := ChargeActivity.Call(ctx, o.ID, fee(o.Total)+o.Total)
	return err
}`},
	{"pure loop as a helper", `
func F(ctx durable.Context, o Order) error {
	sum := 0
	for _, l := range o.Lines {
		if l.Count > 0 {
			sum += l.Count * l.Price
		}
	}
	_, err := ChargeActivity.Call(ctx, o.ID, sum)
	return err
}`, `
func (o Order) sum() (total int) {
	for i := range o.Lines {
		line := o.Lines[i]
		if line.Count <= 0 {
			continue
		}
		total = total + line.Price*line.Count
	}
	return
}
func F(ctx durable.Context, o Order) error {
	_, err := ChargeActivity.Call(ctx, o.ID, o.sum())
	return err
}`},
	{"pure validation", `
func F(ctx durable.Context, o Order) error {
	if o.ID == "" {
		return errors.New("no id")
	}
	if o.Total <= 0 {
		return errors.New("no total")
	}
	return ShipActivity.Call(ctx, o)
}`, `
func (o *Order) check() error {
	switch {
	case len(o.ID) == 0 || false:
		return fmt.Errorf("an order needs an id")
	case !(o.Total > 0):
		return errors.New("nothing to pay")
	}
	return nil
}
func F(ctx durable.Context, o Order) error {
	if err := o.check(); err != nil {
		return err
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"pure loop with a flag", `
func F(ctx durable.Context, o Order) error {
	found := false
	for i := 0; !found && i < len(o.Lines); i++ {
		found = o.Lines[i].SKU == "gift"
	}
	if !found {
		return nil
	}
	return ShipActivity.Call(ctx, o)
}`, `
func has(o Order) (found bool) {
	for i := 0; !found && i < len(o.Lines); i++ {
		found = o.Lines[i].SKU == "gift"
	}
	return found
}
func F(ctx durable.Context, o Order) error {
	if has(o) {
		return ShipActivity.Call(ctx, o)
	}
	return nil
}`},
	{"pure code reordered", `
func F(ctx durable.Context, o Order) error {
	text := "for " + o.Buyer
	total := o.Total * 2
	receipt, _ := ChargeActivity.Call(ctx, o.ID, total)
	return MailActivity.Call(ctx, text, receipt)
}`, `
func F(ctx durable.Context, o Order) error {
	total := 2 * o.Total
	receipt, _ := ChargeActivity.Call(ctx, o.ID, total)
	text := "for " + o.Buyer
	return MailActivity.Call(ctx, text, receipt)
}`},
	{"logs, status, queries", `
func F(ctx durable.Context, o Order) error {
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	ctx.Logger().Info("ship", "order", o.ID)
	if o.Gift {
		ctx.SetStatus("gift")
	}
	status := "shipping"
	durable.SetQueryHandler(ctx, "status", func(durable.None) (string, error) { return status, nil })
	err := ShipActivity.Call(ctx, o)
	status = "shipped"
	if err != nil {
		ctx.Logger().Warn("not shipped", "err", err)
	}
	return err
}`},
	{"start and get or call", `
func F(ctx durable.Context, o Order) error {
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	f := ShipActivity.Start(ctx, o, durable.Timeout(time.Minute), durable.RetryPolicy{Attempts: 4})
	return f.Err(ctx)
}`},
	{"sleep or timer", `
func F(ctx durable.Context, o Order) error {
	if err := durable.Sleep(ctx, time.Hour); err != nil {
		return err
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	timer := durable.NewTimer(ctx, 2*time.Hour)
	defer timer.Stop()
	if err := timer.Wait(ctx); err != nil {
		return err
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"any with switch or if", `
func F(ctx durable.Context, o Order) error {
	a, t := ApprovedEvent.Receive(ctx), durable.NewTimer(ctx, time.Hour)
	switch durable.Any(ctx, a, t) {
	case a:
		return ShipActivity.Call(ctx, o)
	case t:
		return MailActivity.Call(ctx, o.Buyer, "late")
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	a := ApprovedEvent.Receive(ctx)
	t := durable.NewTimer(ctx, time.Hour)
	if first := durable.Any(ctx, a, t); first == t {
		return MailActivity.Call(ctx, o.Buyer, "late")
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"any or select", `
func F(ctx durable.Context, o Order) (err error) {
	a, t := ApprovedEvent.Receive(ctx), durable.NewTimer(ctx, time.Hour)
	if durable.Any(ctx, a, t) == a {
		by, _ := a.Get(ctx)
		err = MailActivity.Call(ctx, by.By, "late")
	} else {
		err = ShipActivity.Call(ctx, o)
	}
	return err
}`, `
func F(ctx durable.Context, o Order) (err error) {
	a, t := ApprovedEvent.Receive(ctx), durable.NewTimer(ctx, time.Hour)
	switch durable.Any(ctx, a, t) {
	case t:
		return ShipActivity.Call(ctx, o)
	default:
		by, _ := a.Get(ctx)
		return MailActivity.Call(ctx, by.By, "late")
	}
}`},
	{"closure called in place", `
func F(ctx durable.Context, o Order) error {
	if err := MailActivity.Call(ctx, o.Buyer, "one"); err != nil {
		return err
	}
	return MailActivity.Call(ctx, o.Buyer, "two")
}`, `
func F(ctx durable.Context, o Order) error {
	mail := func(text string) error { return MailActivity.Call(ctx, o.Buyer, text) }
	if err := mail("one"); err != nil {
		return err
	}
	return mail("two")
}`},
	{"functions in a list", `
func F(ctx durable.Context, o Order) error {
	step := func(n int) error { return MailActivity.Call(ctx, o.Buyer, strconv.Itoa(n)) }
	if err := step(1); err != nil {
		return err
	}
	return nil
}`, `
func step(ctx durable.Context, to string, n int) error { return MailActivity.Call(ctx, to, strconv.Itoa(n)) }
func F(ctx durable.Context, o Order) error {
	run := step
	return run(ctx, o.Buyer, 1)
}`},
	{"go with a closure or a function", `
func F(ctx durable.Context, o Order) error {
	f := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		for _, l := range o.Lines {
			if _, err := PackActivity.Call(ctx, l); err != nil {
				return 0, err
			}
		}
		return len(o.Lines), nil
	})
	if err := ShipActivity.Call(ctx, o); err != nil {
		return err
	}
	_, err := f.Get(ctx)
	return err
}`, `
func packAll(ctx durable.Context, lines []Line) (int, error) {
	for i := range lines {
		_, err := PackActivity.Call(ctx, lines[i])
		if err != nil {
			return 0, err
		}
	}
	return len(lines), nil
}
func F(ctx durable.Context, o Order) error {
	lines := o.Lines
	packed := durable.Go(ctx, func(inner durable.Context) (int, error) { return packAll(inner, lines) })
	if err := ShipActivity.Call(ctx, o); err != nil {
		return err
	}
	_, err := packed.Get(ctx)
	return err
}`},
	{"collected futures", `
func F(ctx durable.Context, o Order) error {
	var fs []durable.Future[int]
	for _, l := range o.Lines {
		fs = append(fs, PackActivity.Start(ctx, l))
	}
	n, err := durable.Collect(ctx, fs)
	if err != nil {
		return err
	}
	return MailActivity.Call(ctx, o.Buyer, strconv.Itoa(n[0]))
}`, `
func F(ctx durable.Context, o Order) error {
	futures := make([]durable.Future[int], 0, len(o.Lines))
	for i := 0; i < len(o.Lines); i++ {
		line := o.Lines[i]
		futures = append(futures, PackActivity.Start(ctx, line))
	}
	counts, err := durable.Collect(ctx, futures)
	if err != nil {
		return err
	}
	first := counts[0]
	return MailActivity.Call(ctx, o.Buyer, strconv.Itoa(first))
}`},
	{"saga by hand", `
func F(ctx durable.Context, o Order) (err error) {
	if _, err = ChargeActivity.Call(ctx, o.ID, o.Total); err != nil {
		MailActivity.Call(ctx, "bank", o.ID)
		return err
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) (err error) {
	var saga durable.Saga
	defer saga.RollbackOnError(ctx, &err)
	saga.Compensate(func(ctx durable.Context) error { return MailActivity.Call(ctx, "bank", o.ID) })
	_, err = ChargeActivity.Call(ctx, o.ID, o.Total)
	return err
}`},
	{"maps", `
func F(ctx durable.Context, o Order) error {
	prices := map[string]int{"a": 1, "b": 2}
	_, err := ChargeActivity.Call(ctx, o.ID, prices[o.ID])
	return err
}`, `
var prices = map[string]int{
	"b": 2,
	"a": 1,
}
func F(ctx durable.Context, o Order) error {
	_, err := ChargeActivity.Call(ctx, o.ID, prices[o.ID])
	return err
}`},
	{"sprintf in a helper", `
func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprintf("%s: %d", o.ID, o.Total))
}`, `
func (o Order) String() string { return fmt.Sprintf("%s: %d", o.ID, o.Total) }
func F(ctx durable.Context, o Order) error {
	text := o.String()
	return MailActivity.Call(ctx, o.Buyer, text)
}`},
	{"generic helper", `
func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.Buyer, o.ID)
}`, `
func first[T any](list ...T) T { return list[0] }
func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, first(o.Buyer), first[string](o.ID, o.Buyer))
}`},
	{"sorted keys", `
func F(ctx durable.Context, o Order) error {
	for _, k := range slices.Sorted(maps.Keys(o.Tags)) {
		if err := MailActivity.Call(ctx, k, o.Tags[k]); err != nil {
			return err
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	keys := slices.Sorted(maps.Keys(o.Tags))
	for i := 0; i < len(keys); i++ {
		key := keys[i]
		value := o.Tags[key]
		if err := MailActivity.Call(ctx, key, value); err != nil {
			return err
		}
	}
	return nil
}`},
	{"sort by a function", `
func F(ctx durable.Context, o Order) error {
	lines := slices.Clone(o.Lines)
	slices.SortFunc(lines, func(a, b Line) int { return a.Count - b.Count })
	_, err := PackActivity.Call(ctx, lines[0])
	return err
}`, `
func byCount(x, y Line) int {
	n := x.Count
	return n - y.Count
}
func F(ctx durable.Context, o Order) error {
	sorted := slices.Clone(o.Lines)
	slices.SortFunc(sorted, byCount)
	first := sorted[0]
	_, err := PackActivity.Call(ctx, first)
	return err
}`},
	{"deferred closure", `
func F(ctx durable.Context, o Order) (err error) {
	defer func() {
		if err != nil {
			MailActivity.Call(ctx, o.Buyer, "failed")
		}
	}()
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	err := ShipActivity.Call(ctx, o)
	if err == nil {
		return nil
	}
	_ = MailActivity.Call(ctx, o.Buyer, "failed")
	return err
}`},
	{"helper with a status result", `
func F(ctx durable.Context, o Order) error {
	for range 3 {
		a := ApprovedEvent.Receive(ctx)
		by, err := a.Get(ctx)
		if err != nil {
			return err
		}
		if by.By != "" {
			return ShipActivity.Call(ctx, o)
		}
	}
	return MailActivity.Call(ctx, o.Buyer, "no")
}`, `
func approved(ctx durable.Context) (bool, error) {
	for i := 0; i < 3; i++ {
		by, err := ApprovedEvent.Receive(ctx).Get(ctx)
		switch {
		case err != nil:
			return false, err
		case by.By == "":
		default:
			return true, nil
		}
	}
	return false, nil
}
func F(ctx durable.Context, o Order) error {
	ok, err := approved(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return MailActivity.Call(ctx, o.Buyer, "no")
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"continue as new", `
func F(ctx durable.Context, o Order) error {
	if o.Total == 0 {
		return nil
	}
	o.Total--
	return FOrchestrator.ContinueAsNew(ctx, o)
}`, `
func less(o Order) Order { o.Total -= 1; return o }
func F(ctx durable.Context, order Order) error {
	if order.Total != 0 {
		next := less(order)
		return FOrchestrator.ContinueAsNew(ctx, next)
	}
	return nil
}`},
}

func TestRefactoringsAreNotSeen(t *testing.T) {
	t.Parallel()
	programs := map[string]string{}
	for i, p := range refactorings {
		programs[fmt.Sprintf("p%02da", i)], programs[fmt.Sprintf("p%02db", i)] = p.a, p.b
	}
	all := flows(t, programs)
	for i, p := range refactorings {
		a, b := all[fmt.Sprintf("p%02da", i)], all[fmt.Sprintf("p%02db", i)]
		if encoded(t, bare(a)) != encoded(t, bare(b)) {
			t.Errorf("%s: %s", p.name, cmp.Diff(text(a), text(b)))
		}
	}
}

// bare leaves out what constants are made of, which is for positions only.
func bare(flow shape.Flow) shape.Flow {
	flow.Values = slices.Clone(flow.Values)
	for i := range flow.Values {
		if flow.Values[i].Op == "const" {
			flow.Values[i].Args = nil
		}
	}
	return flow
}
