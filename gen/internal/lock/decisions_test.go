package lock_test

// decisions are changes around durable operations that must not be seen.
var decisions = []pair{
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
	{"scope that is cancelled at the end", `
func F(ctx durable.Context, o Order) error {
	f := ChargeActivity.Start(ctx, o.ID, 1)
	if err := MailActivity.Call(ctx, o.Buyer, "soon"); err != nil {
		return err
	}
	receipt, err := f.Get(ctx)
	if err != nil {
		return err
	}
	return MailActivity.Call(ctx, o.Buyer, receipt)
}`, `
func F(ctx durable.Context, o Order) error {
	scoped, cancel := durable.WithCancel(ctx)
	defer cancel()
	f := ChargeActivity.Start(scoped, o.ID, 1)
	if err := MailActivity.Call(ctx, o.Buyer, "soon"); err != nil {
		return err
	}
	receipt, err := f.Get(ctx)
	if err != nil {
		return err
	}
	return MailActivity.Call(scoped, o.Buyer, receipt)
}`},
	{"what a choice has decided is known further on", `
func F(ctx durable.Context, o Order) error {
	word := "small"
	if o.Total > 5 {
		word = "large"
		if o.Gift {
			word = "gift"
		}
	}
	if word == "gift" || word == "small" {
		if err := ShipActivity.Call(ctx, o); err != nil {
			return err
		}
	}
	return MailActivity.Call(ctx, o.Buyer, word)
}`, `
func F(ctx durable.Context, o Order) error {
	word := "small"
	switch {
	case o.Total > 5 && o.Gift:
		word = "gift"
	case o.Total > 5:
		word = "large"
	}
	if word != "large" {
		if err := ShipActivity.Call(ctx, o); err != nil {
			return err
		}
	}
	return MailActivity.Call(ctx, o.Buyer, word)
}`},
	{"deferred on one way", `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		defer func() { MailActivity.Call(ctx, o.Buyer, "a") }()
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	tell := func() { MailActivity.Call(ctx, o.Buyer, "a") }
	if o.Gift {
		defer tell()
	}
	err := ShipActivity.Call(ctx, o)
	return err
}`},
}
