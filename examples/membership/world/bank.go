package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// The cards of the test bank, as payment providers offer them.
const (
	GoodCard     = "tok_good"
	DeclinedCard = "tok_declined" // never pays
	BusyCard     = "tok_busy"     // the bank refuses the first two calls of every charge
	LostCard     = "tok_lost"     // the bank takes the money and loses its first answer
	ExpiringCard = "tok_expiring" // pays for the first season only
)

// Entry is one line of the bank's ledger. Every call writes one, repeated calls too.
type Entry struct {
	Number int
	At     time.Time
	Key    string
	Charge club.Charge
	What   string // one of the words below
}

// What happened in a call to the bank.
const (
	Charged  = "charged"
	Repeated = "repeated" // the key was charged before; no money moved
	Declined = "declined"
	Busy     = "busy"
	Refunded = "refunded"
)

// errBusy and errLost are the bank's bad days; both are worth another attempt.
var (
	errBusy = errors.New("bank: busy, try again")
	errLost = errors.New("bank: connection lost while waiting for the answer")
)

// Charge implements club.Bank.
func (w *World) Charge(_ context.Context, key string, c club.Charge) (club.Receipt, error) {
	var receipt club.Receipt
	var refusal error
	err := w.db.Batch(func(tx *bbolt.Tx) error {
		refusal = nil
		before, repeated, err := get[club.Receipt](tx, receipts, []byte(key))
		if err != nil {
			return err
		}
		if repeated {
			receipt = before
			_, err := enter(tx, Entry{Key: key, Charge: c, What: Repeated})
			return err
		}
		what := Charged
		if what, refusal, err = mood(tx, key, c); err != nil {
			return err
		}
		number, err := enter(tx, Entry{Key: key, Charge: c, What: what})
		if err != nil || what != Charged {
			return err
		}
		receipt = club.Receipt{Number: number, Charge: c}
		return put(tx, receipts, []byte(key), receipt)
	})
	if err = errors.Join(err, refusal); err != nil {
		return club.Receipt{}, err
	}
	return receipt, nil
}

// mood is how the bank takes a charge whose key is new: what happens, and what the caller hears of it.
func mood(tx *bbolt.Tx, key string, c club.Charge) (what string, refusal, err error) {
	switch {
	case marked(tx, voided, seasonOf(c.Account, c.Season)):
		return Declined, &club.DeclinedError{Reason: "the charge was called off"}, nil
	case c.Card == DeclinedCard:
		return Declined, &club.DeclinedError{Reason: "not enough money"}, nil
	case c.Card == ExpiringCard && c.Season > 1:
		return Declined, &club.DeclinedError{Reason: "the card has expired"}, nil
	case c.Card == LostCard:
		return Charged, errLost, nil
	case c.Card == BusyCard:
		refused, _, err := get[int](tx, stutters, []byte(key))
		if err != nil || refused >= 2 {
			return Charged, nil, err
		}
		return Busy, errBusy, put(tx, stutters, []byte(key), refused+1)
	}
	return Charged, nil, nil
}

// Refund implements club.Bank: it gives back each charge of the account for the season that was not given back before.
// From then on the account cannot be charged for that season, so that a charge which was on its way when its caller gave
// up moves no money when it arrives.
func (w *World) Refund(_ context.Context, account string, season int) error {
	return w.db.Batch(func(tx *bbolt.Tx) error {
		if err := mark(tx, voided, seasonOf(account, season)); err != nil {
			return err
		}
		entries, err := list[Entry](tx, ledger)
		if err != nil {
			return err
		}
		open := map[string]club.Charge{} // by key
		for _, e := range entries {
			switch {
			case e.Charge.Account != account || e.Charge.Season != season:
			case e.What == Charged:
				open[e.Key] = e.Charge
			case e.What == Refunded:
				delete(open, e.Key)
			}
		}
		for key, charge := range open {
			if _, err := enter(tx, Entry{Key: key, Charge: charge, What: Refunded}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Ledger gives every call to the bank, the first one first.
func (w *World) Ledger() (entries []Entry, err error) {
	err = w.db.View(func(tx *bbolt.Tx) error {
		entries, err = list[Entry](tx, ledger)
		return err
	})
	return entries, err
}

func seasonOf(account string, season int) string { return fmt.Sprintf("%s/%d", account, season) }

// enter writes a line into the ledger and gives its number.
func enter(tx *bbolt.Tx, e Entry) (int, error) {
	e.At = time.Now().UTC()
	number, err := add(tx, ledger, nil, e)
	if err != nil {
		return 0, fmt.Errorf("world: write the ledger: %w", err)
	}
	return number, nil
}
