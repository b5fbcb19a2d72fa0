package club

import (
	"context"
	"errors"

	durable "github.com/durablegen/durablegen/runtime"
)

// Charge is a fee to collect.
type Charge struct {
	Account string // application id
	Card    string
	Season  int
	Cents   int
}

// Receipt is the bank's word that a charge was made.
type Receipt struct {
	Number int
	Charge Charge
}

// DeclinedError reports a card that the bank refused; asking again is no use.
//
//durable:error
type DeclinedError struct{ Reason string }

func (e *DeclinedError) Error() string { return "club: card declined: " + e.Reason }

// Bank moves money.
type Bank interface {
	// Charge takes money, once per key: a key that was charged before gives the receipt of then. It fails with
	// *DeclinedError when the card is refused; any other error leaves open whether money moved.
	Charge(ctx context.Context, key string, c Charge) (Receipt, error)
	// Refund gives back what was charged to the account for the season, if anything.
	Refund(ctx context.Context, account string, season int) error
}

// Treasurer keeps the club's money.
type Treasurer struct{ Bank Bank }

// ChargeFee collects the fee of a season by card. A bank that is out of breath is asked again, a declined card is not.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (t *Treasurer) ChargeFee(ctx context.Context, applicant Applicant, season, cents int) (Receipt, error) {
	receipt, err := t.Bank.Charge(ctx, keyOf(ctx), Charge{Account: applicant.ID, Card: applicant.Card, Season: season, Cents: cents})
	if _, declined := errors.AsType[*DeclinedError](err); declined {
		return Receipt{}, durable.NonRetryable(err)
	}
	return receipt, err
}

// RefundFee gives back what was collected for a season, if anything.
//
//durable:activity timeout=10s attempts=10 first=100ms backoff=2
func (t *Treasurer) RefundFee(ctx context.Context, applicant Applicant, season int) error {
	return t.Bank.Refund(ctx, applicant.ID, season)
}
