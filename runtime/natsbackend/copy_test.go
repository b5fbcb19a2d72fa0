package natsbackend_test

import (
	"errors"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestAHoldKeepsTheLog: while a hub is copied its log is not shortened, by floors that were read before it either.
func TestAHoldKeepsTheLog(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{Listen: "127.0.0.1:0"})
	b := open(t, s, natsbackend.Config{})
	last := put(t, b, history.Address{Group: "g", ID: "i"}, &history.Start{Run: 1, Orchestrator: "g.F"})
	l, err := natsbackend.Dial(within(t), natsbackend.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	shorten := func() error {
		_, err := await(t, func(done func(struct{}, error)) { b.Shorten(last+1, func(err error) { done(struct{}{}, err) }) })
		return err
	}
	hold, err := natsbackend.NewHold(within(t), l.JetStream, "default")
	if err != nil {
		t.Fatal(err)
	}
	if floor, err := await(t, func(done func(uint64, error)) { b.Floor(func(f, _ uint64, err error) { done(f, err) }) }); err != nil || floor != last {
		t.Errorf("the floor is %d (%v), want %d", floor, err, last)
	}
	if err := hold.Renew(within(t)); err != nil {
		t.Errorf("renewed: %v", err)
	}
	if err := shorten(); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("held, and shortened: %v", err)
	}
	if err := hold.Release(within(t)); err != nil {
		t.Errorf("released: %v", err)
	}
	if err := shorten(); err != nil {
		t.Errorf("released, and not shortened: %v", err)
	}
	if err := hold.Renew(within(t)); err == nil {
		t.Error("renewed what did not hold")
	}
}
