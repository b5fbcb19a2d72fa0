package lock_test

import "testing"

func TestTry(t *testing.T) {
	t.Parallel()
	fs := flows(t, map[string]string{
		"a": `func F(ctx durable.Context, o Order) error {
	receipt, err := ChargeActivity.Call(ctx, o.ID, o.Total+3)
	if errors.Is(err, ErrDeclined) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, l := range o.Lines {
		if _, err := PackActivity.Call(ctx, l); err != nil {
			return err
		}
	}
	timer := durable.NewTimer(ctx, time.Hour)
	ap := ApprovedEvent.Receive(ctx)
	switch durable.Any(ctx, ap, timer) {
	case timer:
		return nil
	case ap:
		a, _ := ap.Get(ctx)
		if err := MailActivity.Call(ctx, a.By, "hello "+receipt); err != nil { return err }
	}
	sum := 0
	for _, l := range o.Lines { sum += l.Count * l.Price }
	o.Total = sum
	return ShipActivity.Call(ctx, o)
}`})
	for _, name := range sorted(fs) {
		t.Logf("%s\n%s", name, text(fs[name]))
	}
}
