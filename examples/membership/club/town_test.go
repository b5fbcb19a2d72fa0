package club

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

const day = 24 * time.Hour

// town is the outside world of a test: post, bank, register, press and mailing list, each of which does a thing once per
// key, as the real ones do. Activities run one at a time, so it needs no lock.
type town struct {
	env *durabletest.Env

	mail       []Message // delivered, in order
	delivered  map[string]Message
	charged    map[string]Receipt // by key
	money      map[string]int     // cents that the club holds, by account and season
	members    map[string]Member  // by application
	printed    map[string]bool
	subscribed map[string]bool

	unreachable bool   // phones take no texts
	declines    string // why the bank refuses cards; "" when it does not
	jammed      bool   // the press makes no cards
}

// newTown makes a club with its real orchestrators and activities in a town of its own.
func newTown(t testing.TB, env *durabletest.Env) *town {
	t.Helper()
	w := &town{
		env: env, delivered: map[string]Message{}, charged: map[string]Receipt{}, money: map[string]int{},
		members: map[string]Member{}, printed: map[string]bool{}, subscribed: map[string]bool{},
	}
	err := RegisterDurable(env.Registry(), DurableReceivers{
		Notifier:  &Notifier{Gateway: w},
		Treasurer: &Treasurer{Bank: w},
		Secretary: &Secretary{Register: w, Press: w, List: w, Client: env.Client()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *town) office() Office { return Office{Client: w.env.Client(), Rules: HouseRules(day)} }

func (w *town) Send(_ context.Context, key string, m Message) (Message, error) {
	if w.unreachable && m.Subject == "" {
		return Message{}, ErrUnreachable
	}
	if sent, ok := w.delivered[key]; ok && key != "" {
		return sent, nil
	}
	w.delivered[key] = m
	w.mail = append(w.mail, m)
	return m, nil
}

func (w *town) Charge(_ context.Context, key string, c Charge) (Receipt, error) {
	if receipt, ok := w.charged[key]; ok {
		return receipt, nil
	}
	if w.declines != "" {
		return Receipt{}, &DeclinedError{Reason: w.declines}
	}
	w.charged[key] = Receipt{Number: len(w.charged) + 1, Charge: c}
	w.money[account(c.Account, c.Season)] += c.Cents
	return w.charged[key], nil
}

func (w *town) Refund(_ context.Context, id string, season int) error {
	delete(w.money, account(id, season))
	return nil
}

func account(id string, season int) string { return id + "/" + strconv.Itoa(season) }

func (w *town) Enrol(_ context.Context, a Applicant) (Member, error) {
	for id, m := range w.members {
		if m.Applicant.Email == a.Email && id != a.ID {
			return Member{}, ErrAlreadyMember
		}
	}
	if _, ok := w.members[a.ID]; !ok {
		w.members[a.ID] = Member{Number: len(w.members) + 1, Applicant: a}
	}
	return w.members[a.ID], nil
}

func (w *town) Strike(_ context.Context, id string) error {
	delete(w.members, id)
	return nil
}

func (w *town) Print(_ context.Context, key string, _ Member) error {
	if w.jammed {
		return errors.New("the press is jammed")
	}
	w.printed[key] = true
	return nil
}

func (w *town) Subscribe(_ context.Context, m Member) error {
	w.subscribed[m.Applicant.ID] = true
	return nil
}

func (w *town) Unsubscribe(_ context.Context, id string) error {
	delete(w.subscribed, id)
	return nil
}

// subjects lists what was mailed to a person, by subject.
func (w *town) subjects(to string) []string {
	var list []string
	for _, m := range w.mail {
		if m.To == to && m.Subject != "" {
			list = append(list, m.Subject)
		}
	}
	return list
}

// answers has the applicant answer the text and follow the link, so long after each has come.
func (w *town) answers(t testing.TB, a Applicant, later time.Duration) {
	w.env.After(later, func() {
		for _, m := range w.mail {
			switch {
			case m.To == a.Phone && m.Secret != "":
				code, err := strconv.Atoi(m.Secret)
				must(t, err)
				must(t, w.office().Answer(t.Context(), a.ID, code))
			case m.To == a.Email && m.Secret != "":
				must(t, w.office().Confirm(t.Context(), a.ID, m.Secret))
			}
		}
	})
}

// rules has the board rule so long from now.
func (w *town) rules(t testing.TB, a Applicant, later time.Duration, ruling BoardRuling) {
	w.env.After(later, func() { must(t, w.office().Rule(t.Context(), a.ID, ruling)) })
}

// join takes an application to its end.
func (w *town) join(t testing.TB, a Applicant) (Outcome, error) {
	return durabletest.Run(JoinOrchestrator.Start(t.Context(), w.env.Client(), a, HouseRules(day), JoinID(a.ID)))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// when lists the times of calls in days since the beginning of the test.
func when(calls []durabletest.Call) []float64 {
	var days []float64
	for _, c := range calls {
		days = append(days, c.After.Hours()/24)
	}
	return days
}

// verified is a fake of a check that needs no applicant.
func verified(durable.Context, Applicant, Rules) (bool, error) { return true, nil }
