package club

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/runtime/durabletest"
)

// renewal begins a membership whose first season ends in a year.
func renewal(t *testing.T) *town {
	env := durabletest.New(t)
	w := newTown(t, env)
	member := Member{Number: 1, Applicant: good()}
	rules := HouseRules(day)
	_, err := RenewalOrchestrator.Start(t.Context(), env.Client(), member, rules.firstSeason(env.Now()), rules, RenewalID(good().ID))
	must(t, err)
	return w
}

// TestRenewalGoesOnForYears: each season is an execution of its own; the fee is announced two weeks before it is due.
func TestRenewalGoesOnForYears(t *testing.T) {
	t.Parallel()
	w := renewal(t)
	w.env.Advance(5*365*day + day)
	if diff := cmp.Diff([]float64{365, 730, 1095, 1460, 1825}, when(durabletest.CallsOf(w.env, ChargeFeeActivity))); diff != "" {
		t.Errorf("days of the charges (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{351, 716, 1081, 1446, 1811}, when(w.env.Calls("SendFeeNotice"))); diff != "" {
		t.Errorf("days of the notices (-want +got):\n%s", diff)
	}
	w.env.After(30*day, func() { must(t, w.office().Cancel(t.Context(), good().ID)) })
	leaving, err := RenewalOrchestrator.Attach(w.env.Client(), string(RenewalID(good().ID))).Wait(t.Context())
	must(t, err)
	if leaving != Cancelled {
		t.Errorf("the membership ends as %q", leaving)
	}
	if n := len(w.charged); n != 5 {
		t.Errorf("%d fees were paid", n)
	}
}

// TestRenewalLapses: a card that is declined is tried again a day later, twice.
func TestRenewalLapses(t *testing.T) {
	t.Parallel()
	w := renewal(t)
	w.env.After(100*day, func() { w.declines = "expired" })
	leaving, err := RenewalOrchestrator.Attach(w.env.Client(), string(RenewalID(good().ID))).Wait(t.Context())
	must(t, err)
	if leaving != Lapsed {
		t.Errorf("the membership ends as %q", leaving)
	}
	if diff := cmp.Diff([]float64{365, 366, 367}, when(w.env.Calls("ChargeFee"))); diff != "" {
		t.Errorf("days of the charges (-want +got):\n%s", diff)
	}
	want := []string{"Your membership goes on", "Your fee is overdue", "Your fee is overdue", "Goodbye"}
	if diff := cmp.Diff(want, w.subjects(good().Email)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// TestRenewalPaysAheadOnce: a form that is sent twice pays once, and the next season is not charged again.
func TestRenewalPaysAheadOnce(t *testing.T) {
	t.Parallel()
	w := renewal(t)
	w.env.Advance(10 * day)
	for range 2 {
		must(t, w.office().PayAhead(t.Context(), good().ID, 2))
	}
	w.env.Advance(400 * day)
	if diff := cmp.Diff([]float64{10}, when(w.env.Calls("ChargeFee"))); diff != "" {
		t.Errorf("days of the charges (-want +got):\n%s", diff)
	}
}
