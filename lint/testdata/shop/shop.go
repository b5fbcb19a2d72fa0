// Package shop is where the examples of the rules stand: each is its file example.go for a while.
package shop

import (
	"context"
	"errors"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// Order is what is sold.
type Order struct {
	ID       string
	Placed   time.Time
	Deadline time.Time
	Cents    int64
	Lines    map[string]int
	Prices   map[string]float64
	Region   string
	Parallel int
	Debug    bool
}

// Paid is told by the bank.
//
//durable:event
type Paid struct{ Cents int64 }

// ErrDeclined reports a card that does not pay.
//
//durable:error
var ErrDeclined = errors.New("shop: declined")

// Charge takes money and gives a receipt.
//
//durable:activity
func Charge(ctx context.Context, order string, cents int64) (string, error) {
	if cents < 0 {
		return "", ErrDeclined
	}
	return "receipt of " + order, nil
}

// Notify tells whoever ordered.
//
//durable:activity
func Notify(ctx context.Context, order string) error { return nil }

// Terms reads the terms of a region.
//
//durable:activity
func Terms(ctx context.Context, region string) (string, error) {
	return "terms of " + region, ctx.Err()
}

// NewToken makes a secret.
//
//durable:activity
func NewToken(ctx context.Context) (string, error) { return "secret", nil }

// Refund gives money back.
//
//durable:orchestrator
func Refund(ctx durable.Context, order string, cents int64) (string, error) {
	return ChargeActivity.Call(ctx, order, -cents)
}
