package lock_test

// led are changes of what leads where that must not be seen.
var led = []pair{
	{"the best by its index or by a pointer", `
func F(ctx durable.Context, o Order) error {
	if len(o.Lines) == 0 {
		return nil
	}
	best := 0
	for i := range o.Lines {
		if o.Lines[i].Price < o.Lines[best].Price {
			best = i
		}
	}
	o.Lines[best].Count++
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	if len(o.Lines) == 0 {
		return nil
	}
	best := &o.Lines[0]
	for i := range o.Lines {
		if l := &o.Lines[i]; l.Price < best.Price {
			best = l
		}
	}
	best.Count++
	return ShipActivity.Call(ctx, o)
}`},
	{"one of two elements", `
func F(ctx durable.Context, o Order) error {
	at := 0
	if o.Gift {
		at = 1
	}
	o.Lines[at].Count = 3
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	l := &o.Lines[0]
	if o.Gift {
		l = &o.Lines[1]
	}
	l.Count = 3
	return ShipActivity.Call(ctx, o)
}`},
	{"an element that steps choose", `
func F(ctx durable.Context, o Order) error {
	at := 0
	for i := range o.Lines {
		n, err := PackActivity.Call(ctx, o.Lines[i])
		if err != nil {
			return err
		}
		if n > o.Total {
			at = i
		}
	}
	o.Lines[at].Price++
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	at := &o.Lines[0]
	for i := range o.Lines {
		n, err := PackActivity.Call(ctx, o.Lines[i])
		if err != nil {
			return err
		}
		if n > o.Total {
			at = &o.Lines[i]
		}
	}
	at.Price++
	return ShipActivity.Call(ctx, o)
}`},
	{"what was made after a choice is one place", `
func F(ctx durable.Context, o Order) error {
	if o.Gift {
		if err := MailActivity.Call(ctx, o.Buyer, "gift"); err != nil {
			return err
		}
	}
	counts := map[string]int{}
	sum := 0
	for _, l := range o.Lines {
		counts[l.SKU] += l.Count
		sum += l.Count
	}
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprint(len(counts), sum))
}`, `
type book struct {
	by  map[string]int
	sum int
}

func (b *book) add(l Line) {
	b.by[l.SKU] += l.Count
	b.sum += l.Count
}

func F(ctx durable.Context, o Order) error {
	if o.Gift {
		if err := MailActivity.Call(ctx, o.Buyer, "gift"); err != nil {
			return err
		}
	}
	b := &book{by: map[string]int{}}
	for _, l := range o.Lines {
		b.add(l)
	}
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprint(len(b.by), b.sum))
}`},
	{"what only one way has made", `
func F(ctx durable.Context, o Order) error {
	n := o.Total
	if o.Gift {
		n = 7
	}
	return ShipActivity.Call(ctx, Order{Total: n})
}`, `
func F(ctx durable.Context, o Order) error {
	n := &o.Total
	if o.Gift {
		own := 7
		n = &own
	}
	return ShipActivity.Call(ctx, Order{Total: *n})
}`},
	{"what is made of a list is not changed with it", `
func F(ctx durable.Context, o Order) error {
	ends := []int{}
	for _, l := range o.Lines {
		ends = append(ends, l.Price)
	}
	slices.Sort(ends)
	return ShipActivity.Call(ctx, Order{Lines: o.Lines, Total: ends[0]})
}`, `
func F(ctx durable.Context, o Order) error {
	ends := []int{}
	for _, l := range o.Lines {
		ends = append(ends, l.Price)
	}
	lines := o.Lines
	slices.Sort(ends)
	return ShipActivity.Call(ctx, Order{Lines: lines, Total: ends[0]})
}`},
}

// others are places that are not the same.
var others = []pair{
	{"sorted the other way round", `
func F(ctx durable.Context, o Order) error {
	ids := make([]string, 0, len(o.Lines))
	for _, l := range o.Lines {
		ids = append(ids, l.SKU)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(ids)))
	return MailActivity.Call(ctx, o.Buyer, strings.Join(ids, " "))
}`, `
func F(ctx durable.Context, o Order) error {
	ids := make([]string, 0, len(o.Lines))
	for _, l := range o.Lines {
		ids = append(ids, l.SKU)
	}
	return MailActivity.Call(ctx, o.Buyer, strings.Join(ids, " "))
}`},
	{"an element of what the variable was", `
func F(ctx durable.Context, o Order) error {
	first := &o.Lines[0]
	o.Lines = o.Lines[1:]
	return MailActivity.Call(ctx, o.Buyer, first.SKU)
}`, `
func F(ctx durable.Context, o Order) error {
	o.Lines = o.Lines[1:]
	first := &o.Lines[0]
	return MailActivity.Call(ctx, o.Buyer, first.SKU)
}`},
	{"elements by a list of pointers to them", `
func F(ctx durable.Context, o Order) error {
	var lines []*Line
	for i := range o.Lines {
		lines = append(lines, &o.Lines[i])
	}
	for _, l := range lines {
		l.Price *= 2
	}
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	var lines []*Line
	for i := range o.Lines {
		lines = append(lines, &o.Lines[i])
	}
	for _, l := range lines {
		l.Price *= 3
	}
	return ShipActivity.Call(ctx, o)
}`},
	{"the first or the last of the best", `
func F(ctx durable.Context, o Order) error {
	best := &o.Lines[0]
	for i := range o.Lines {
		if l := &o.Lines[i]; l.Price < best.Price {
			best = l
		}
	}
	best.Count++
	return ShipActivity.Call(ctx, o)
}`, `
func F(ctx durable.Context, o Order) error {
	best := &o.Lines[0]
	for i := range o.Lines {
		if l := &o.Lines[i]; l.Price <= best.Price {
			best = l
		}
	}
	best.Count++
	return ShipActivity.Call(ctx, o)
}`},
	{"found, or what it was before", `
func F(ctx durable.Context, o Order) error {
	var found *Line
	for i := range o.Lines {
		if o.Lines[i].SKU == o.ID {
			found = &o.Lines[i]
			break
		}
	}
	if found == nil {
		return nil
	}
	return MailActivity.Call(ctx, o.Buyer, found.SKU)
}`, `
func F(ctx durable.Context, o Order) error {
	var found *Line
	for i := range o.Lines {
		if o.Lines[i].SKU == o.ID {
			found = &o.Lines[max(i, 1)]
			break
		}
	}
	if found == nil {
		return nil
	}
	return MailActivity.Call(ctx, o.Buyer, found.SKU)
}`},
}

func init() { // as more of the same
	computations, apart = append(computations, led...), append(apart, others...)
}
