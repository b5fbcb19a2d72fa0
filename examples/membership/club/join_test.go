package club

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/runtime/durabletest"
)

// TestJoin is the good way: both checks, the board, the fee, and a renewal that begins.
func TestJoin(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	w, a := newTown(t, env), good()
	w.answers(t, a, day/24)
	w.rules(t, a, day/2, BoardRuling{Approve: true})
	got, err := w.join(t, a)
	must(t, err)
	if diff := cmp.Diff(Outcome{Decision: Joined, Member: 1}, got); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	want := []durabletest.Child{{Parent: "join-" + a.ID, ID: "phone-" + a.ID}, {Parent: "join-" + a.ID, ID: "email-" + a.ID}}
	if diff := cmp.Diff(want, env.Children(), cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".Input" || p.Last().String() == ".Orchestrator"
	}, cmp.Ignore())); diff != "" {
		t.Errorf("children (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{a.ID + "/1": 45_00}, w.money); diff != "" {
		t.Errorf("the club's money (-want +got):\n%s", diff)
	}
	env.Advance(day)
	d, err := w.office().Look(t.Context(), a.ID)
	must(t, err)
	if season := d.Standing.Season; season.Number != 1 || d.Leaving != "" {
		t.Errorf("the membership stands at %+v", d)
	}
}

// TestTheBoardIsSlow: the chair is asked after two days, and a chair that is silent too ends it a day later.
func TestTheBoardIsSlow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		rule func(t *testing.T, w *town)
		want Outcome
		days float64
		asks []string
	}{
		{"the board rules", func(t *testing.T, w *town) { w.rules(t, good(), day, BoardRuling{Note: "no"}) },
			Outcome{Decision: Rejected, Reason: "no"}, 1, []string{BoardAddress}},
		{"the chair rules", func(t *testing.T, w *town) { w.rules(t, good(), 5*day/2, BoardRuling{Note: "no"}) },
			Outcome{Decision: Rejected, Reason: "no"}, 2.5, []string{BoardAddress, ChairAddress}},
		{"nobody rules", func(*testing.T, *town) {},
			Outcome{Decision: NoRuling}, 3, []string{BoardAddress, ChairAddress}},
		{"the applicant has second thoughts", func(t *testing.T, w *town) {
			w.env.After(5*day/2, func() { must(t, w.office().Withdraw(t.Context(), good().ID)) })
		}, Outcome{Decision: Withdrawn}, 2.5, []string{BoardAddress, ChairAddress}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := durabletest.New(t)
			w := newTown(t, env)
			env.Register(VerifyPhoneOrchestrator.Bind(verified), VerifyEmailOrchestrator.Bind(verified))
			began := env.Now()
			test.rule(t, w)
			got, err := w.join(t, good())
			must(t, err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if days := env.Now().Sub(began).Hours() / 24; days != test.days {
				t.Errorf("it took %v days, want %v", days, test.days)
			}
			var asked []string
			for _, m := range w.mail {
				if m.To == BoardAddress || m.To == ChairAddress {
					asked = append(asked, m.To)
				}
			}
			if diff := cmp.Diff(test.asks, asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheFirstFee: a bank that is out of breath is asked again, a declined card is not, and what fails after the money
// has moved is undone.
func TestTheFirstFee(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		change  func(*town)
		want    Outcome
		charges int // attempts
		money   map[string]int
	}{
		{"a busy bank", func(w *town) { w.env.Fail("ChargeFee", 2, errors.New("out of breath")) }, Outcome{Decision: Joined, Member: 1}, 3, map[string]int{good().ID + "/1": 45_00}},
		{"a bank that never answers", func(w *town) { w.env.Fail("ChargeFee", 5, errors.New("out of breath")) }, Outcome{Decision: Undone, Reason: "the bank did not answer"}, 5, map[string]int{}},
		{"a declined card", func(w *town) { w.declines = "stolen" }, Outcome{Decision: CardDeclined, Reason: "stolen"}, 1, map[string]int{}},
		{"a jammed press", func(w *town) { w.jammed = true }, Outcome{Decision: Undone, Reason: "the membership card could not be made"}, 1, map[string]int{}},
		{"an address that is taken", func(w *town) { w.members["other"] = Member{Applicant: Applicant{Email: good().Email}} },
			Outcome{Decision: Undone, Reason: "this e-mail address already belongs to a member"}, 1, map[string]int{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := durabletest.New(t)
			w := newTown(t, env)
			test.change(w)
			env.Register(VerifyPhoneOrchestrator.Bind(verified), VerifyEmailOrchestrator.Bind(verified))
			w.rules(t, good(), day, BoardRuling{Approve: true})
			got, err := w.join(t, good())
			must(t, err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if n := len(durabletest.CallsOf(env, ChargeFeeActivity)); n != test.charges {
				t.Errorf("the bank was asked %d times, want %d", n, test.charges)
			}
			if diff := cmp.Diff(test.money, w.money); diff != "" {
				t.Errorf("the club's money (-want +got):\n%s", diff)
			}
			if _, is := w.members[good().ID]; is != (got.Decision == Joined) || w.subscribed[good().ID] != is {
				t.Errorf("a member: %t, on the list: %t, after %s", is, w.subscribed[good().ID], got.Decision)
			}
		})
	}
}

// TestTheFirstCheckThatFailsCallsTheOtherOff: nobody waits for a mail when the phone takes no texts.
func TestTheFirstCheckThatFailsCallsTheOtherOff(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	w, a := newTown(t, env), good()
	w.unreachable = true
	began := env.Now()
	got, err := w.join(t, a)
	must(t, err)
	if got.Decision != PhoneUnreachable {
		t.Errorf("it ends as %q", got.Decision)
	}
	mail, err := VerifyEmailOrchestrator.Attach(env.Client(), string(EmailID(a.ID))).Wait(t.Context())
	must(t, err)
	if took := env.Now().Sub(began); mail || took >= day {
		t.Errorf("the mail is verified: %t, after %v", mail, took)
	}
}
