package lock_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestText shows two flows as people would draw them.
func TestText(t *testing.T) {
	t.Parallel()
	fs := flows(t, map[string]string{"steps": `
func F(ctx durable.Context, o Order) error {
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
	sum := 0
	for _, l := range o.Lines {
		sum += l.Count
	}
	return MailActivity.Call(ctx, receipt, strconv.Itoa(sum))
}`, "beside": `
func F(ctx durable.Context, o Order) error {
	approved, late := ApprovedEvent.Receive(ctx), durable.NewTimer(ctx, time.Hour)
	packed := durable.Go(ctx, func(ctx durable.Context) (int, error) {
		return PackActivity.Call(ctx, Line{SKU: o.ID, Count: 1})
	})
	if durable.Any(ctx, approved, late) == late {
		return nil
	}
	n, err := packed.Get(ctx)
	if err == nil && n > 0 {
		err = ShipActivity.Call(ctx, Order{ID: ctx.NewUUID(), Total: n})
	}
	return err
}`})
	for name, want := range drawn {
		if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), text(fs[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

var drawn = map[string]string{"steps": `
0 join -> [1]
1 activity shop.Charge(field ID(param), +(field Total(param), 3)) -> [2]
2 await(future@1) -> [3]
3 branch(call errors.Is(error(future@1), global shop.ErrDeclined)) -> [4 5]
4 return
5 branch(==(error(future@1), nil)) -> [6 15]
6 join from [{5 0} {10 0}] -> [7]
7 branch(<(phi#12@6(0, +(#12, 1)), len(field Lines(param)))) -> [8 12]
8 activity shop.Pack(index(field Lines(param), phi#12@6(0, +(#12, 1)))) -> [9]
9 await(future@8) -> [10]
10 branch(==(error(future@8), nil)) -> [6 11]
11 return
12 activity shop.Mail(result(future@1), call strconv.Itoa(eta(not(<(mu#28(0, +(#28, 1)), len(field Lines(param)))), mu#34(0, +(field count(index(field Lines(param), mu#28(0, +(#28, 1)))), #34))))) -> [13]
13 await(future@12) -> [14]
14 return
15 return
`, "beside": `
0 join -> [1]
1 receive shop.Approved -> [2]
2 timer -> [3]
3 go go(param) -> [4]
    0 join -> [1]
    1 activity shop.Pack(struct count sku(1, field ID(outer 0))) -> [2]
    2 await(future@1) -> [3]
    3 return(result(future@1), error(future@1))
4 any(future@1, future@2) -> [5]
5 branch(==(result@4, 0)) -> [6 15]
6 await(future@3) -> [7]
7 branch(==(error(future@3), nil)) -> [8 14]
8 branch(<(result(future@3), 1)) -> [9 10]
9 return
10 uuid -> [11]
11 activity shop.Ship(struct ID Total(result@10, result(future@3))) -> [12]
12 await(future@11) -> [13]
13 return
14 return
15 return
`}
