package durable_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	durable "github.com/durablegen/durablegen/runtime"
)

type (
	boughtText struct {
		ID    string `json:"id"`
		Items []struct {
			Price string `json:"price"`
		} `json:"items"`
	}
	boughtNumber struct {
		ID    string `json:"id"`
		Items []struct {
			Price int8 `json:"price"`
		} `json:"items"`
	}
)

func bought(price string) boughtText {
	b := boughtText{ID: "a"}
	b.Items = append(b.Items, struct {
		Price string `json:"price"`
	}{price})
	return b
}

// TestPayloadErrors: code whose types have changed is told which field of which value it cannot read, and the
// instance fails with that, once.
func TestPayloadErrors(t *testing.T) {
	t.Parallel()
	buy := task("Buy")
	buy.Retry = durable.RetryPolicy{Attempts: 3}
	o := flow("Read")
	o.Version = "2"
	of := durable.PayloadError{Orchestrator: "flow.Read", Version: "2", Field: "items.price", Type: "int8", Found: "string"}
	for _, c := range []struct {
		name  string
		input any
		run   func(ctx durable.Context) error
		what  string
		text  string
	}{
		{
			"a result", nil,
			func(ctx durable.Context) error { return durable.StartActivity[boughtNumber](ctx, buy, nil).Err(ctx) },
			"result of activity flow.Buy",
			"durable: value cannot be stored or read: result of activity flow.Buy of orchestrator flow.Read version 2 does not fit type int8: the field items.price is a JSON string",
		},
		{
			"an event", nil,
			func(ctx durable.Context) error { return durable.ReceiveEvent[boughtNumber](ctx, "Paid").Err(ctx) },
			"event paid",
			"event paid of orchestrator flow.Read version 2 does not fit type int8: the field items.price is a JSON string",
		},
		{"an input", bought("1"), nil, "input", "input of orchestrator flow.Read version 2 does not fit type int8: the field items.price is a JSON string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				ran, read := 0, error(nil)
				h.work(
					durable.BindActivity(buy, func(context.Context, durable.None) (boughtText, error) { ran++; return bought("1"), nil }),
					bindRead(o, c.run, &read),
				)
				handle := start[int](h, o, c.input)
				must(t, h.client.Raise(t.Context(), handle.ID(), "Paid", bought("1")))
				err := fails(h, handle)
				says(t, err, c.text)
				if !errors.Is(err, durable.ErrPayload) {
					t.Errorf("got %v, want ErrPayload", err)
				}
				if c.run == nil {
					return
				}
				e, ok := errors.AsType[*durable.PayloadError](read)
				if !ok {
					t.Fatalf("the orchestrator got %T, want a *PayloadError", read)
				}
				want := of
				want.What = c.what
				if diff := cmp.Diff(&want, e, cmpopts.IgnoreUnexported(durable.PayloadError{})); diff != "" {
					t.Errorf("the error (-want +got):\n%s", diff)
				}
				if c.what == "result of activity flow.Buy" && ran != 1 {
					t.Errorf("the activity ran %d times, want once", ran)
				}
			})
		})
	}
}

// bindRead binds o to run, or to a function whose input cannot be read when there is none.
func bindRead(o *durable.Orchestrator, run func(durable.Context) error, read *error) durable.Binding {
	if run == nil {
		return durable.BindOrchestrator(o, func(_ durable.Context, b boughtNumber) (int, error) { return len(b.Items), nil })
	}
	return durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (int, error) {
		*read = run(ctx)
		return 0, *read
	})
}

// TestPayloadErrorOfNumbers: a number that is too large is no other kind, so the number is said.
func TestPayloadErrorOfNumbers(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		o := flow("Small")
		h.work(durable.BindOrchestrator(o, func(_ durable.Context, n int8) (int8, error) { return n, nil }))
		says(t, fails(h, start[int](h, o, 300)), "input of orchestrator flow.Small does not fit type int8: it is a JSON number 300")
	})
}
