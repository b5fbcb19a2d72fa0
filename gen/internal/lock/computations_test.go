package lock_test

// computations are changes of what only computes, and of how a way is chosen, that must not be seen.
var computations = []pair{
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
	{"order of cases", `
func queue(n int) string {
	switch {
	case n >= 3:
		return "first"
	case n == 0:
		return "slow"
	}
	return "normal"
}
func word(s string) string {
	switch s {
	case "a":
		return "x"
	case "b", "c":
		return "y"
	}
	return "z"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, queue(o.Total), word(o.ID)) }`, `
func queue(n int) string {
	switch {
	case n == 0:
		return "slow"
	case n > 2:
		return "first"
	}
	return "normal"
}
func word(s string) string {
	switch s {
	case "c":
		return "y"
	case "b":
		return "y"
	case "a":
		return "x"
	}
	return "z"
}
func F(ctx durable.Context, o Order) error { return MailActivity.Call(ctx, queue(o.Total), word(o.ID)) }`},
	{"nil or empty list that is only counted", `
func prices(o Order) []int {
	var all []int
	for _, l := range o.Lines {
		if l.Count > 0 {
			all = append(all, l.Price)
		}
	}
	return all
}
func F(ctx durable.Context, o Order) error {
	sum := 0
	for _, p := range prices(o) {
		sum += p
	}
	_, err := PackActivity.Call(ctx, Line{Count: sum})
	return err
}`, `
func prices(o Order) []int {
	all := make([]int, 0, len(o.Lines))
	for n := 0; n < len(o.Lines); n++ {
		if o.Lines[n].Count > 0 {
			all = append(all, o.Lines[n].Price)
		}
	}
	return all
}
func F(ctx durable.Context, o Order) error {
	sum := 0
	for _, p := range prices(o) {
		sum += p
	}
	_, err := PackActivity.Call(ctx, Line{Count: sum})
	return err
}`},
	{"what is too long is cut", `
func F(ctx durable.Context, o Order) error {
	lines := o.Lines[o.Total:min(o.Total+3, len(o.Lines))]
	return ShipActivity.Call(ctx, Order{Lines: lines, Total: len(lines), ID: o.ID[:min(len(o.ID), 8)]})
}`, `
func F(ctx durable.Context, o Order) error {
	lines := o.Lines[o.Total:]
	if len(lines) > 3 {
		lines = lines[:3]
	}
	id := o.ID
	if len(id) >= 8 {
		id = id[:8]
	}
	return ShipActivity.Call(ctx, Order{Lines: lines, Total: len(lines), ID: id})
}`},
	{"a constant added in two branches, or after them", `
func F(ctx durable.Context, o Order) error {
	cost := 180
	if o.Total > 30 {
		cost += 50
	}
	if o.Gift {
		cost += 40
	}
	_, err := PackActivity.Call(ctx, Line{Count: cost})
	return err
}`, `
func large(o Order) int {
	if o.Total <= 30 {
		return 0
	}
	return 50
}
func F(ctx durable.Context, o Order) error {
	cost := 180 + large(o)
	if o.Gift {
		cost += 40
	}
	_, err := PackActivity.Call(ctx, Line{Count: cost})
	return err
}`},
	{"a loop down, or counted from the end", `
func F(ctx durable.Context, o Order) error {
	for i := len(o.Lines) - 1; i >= 0; i-- {
		if _, err := PackActivity.Call(ctx, o.Lines[i]); err != nil {
			return err
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	for i := 0; i < len(o.Lines); i++ {
		if _, err := PackActivity.Call(ctx, o.Lines[len(o.Lines)-1-i]); err != nil {
			return err
		}
	}
	return nil
}`},
	{"a copy that only is looked at", `
func F(ctx durable.Context, o Order) error {
	for _, l := range append([]Line{}, o.Lines...) {
		if _, err := PackActivity.Call(ctx, l); err != nil {
			return err
		}
	}
	return nil
}`, `
func F(ctx durable.Context, o Order) error {
	lines := slices.Clone(o.Lines)
	for i := range lines {
		if _, err := PackActivity.Call(ctx, lines[i]); err != nil {
			return err
		}
	}
	return nil
}`},
	{"a list with numbered elements", `
func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprint([3]int{2: 5, 0: 1}))
}`, `
func F(ctx durable.Context, o Order) error {
	return MailActivity.Call(ctx, o.Buyer, fmt.Sprint([3]int{1, 0, 5}))
}`},
}
