package club

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// phone makes an environment in which only the check of a phone runs, with fakes for its activities.
func phone(t *testing.T) *durabletest.Env {
	env := durabletest.New(t)
	env.Register(
		VerifyPhoneOrchestrator.Bind(VerifyPhone),
		SendChallengeActivity.Bind(func(_ context.Context, phone string, digits int) (int, error) { return 4711, nil }),
		RemindByTextActivity.Bind(func(_ context.Context, phone string) error { return nil }),
	)
	return env
}

func TestVerifyPhone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		answers []int // one an hour
		want    bool
		after   float64 // hours
	}{
		{"the right code", []int{4711}, true, 1},
		{"the right code at the third try", []int{1, 2, 4711}, true, 3},
		{"three wrong codes", []int{1, 2, 3}, false, 3},
		{"nobody answers", nil, false, 48},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := phone(t)
			began := env.Now()
			check, err := VerifyPhoneOrchestrator.Start(t.Context(), env.Client(), good(), HouseRules(day))
			must(t, err)
			for _, code := range test.answers {
				env.Advance(day / 24)
				must(t, ChallengeAnswerEvent.Raise(t.Context(), env.Client(), check.ID(), ChallengeAnswer{Code: code}))
			}
			got, err := check.Wait(t.Context())
			must(t, err)
			if hours := env.Now().Sub(began).Hours(); got != test.want || hours != test.after {
				t.Errorf("verified: %t after %v hours, want %t after %v", got, hours, test.want, test.after)
			}
		})
	}
}

// TestVerifyPhoneReminds: a silent applicant is reminded after a day, and then it is too late.
func TestVerifyPhoneReminds(t *testing.T) {
	t.Parallel()
	env := phone(t)
	verified, err := durabletest.Run(VerifyPhoneOrchestrator.Start(t.Context(), env.Client(), good(), HouseRules(day)))
	must(t, err)
	if verified {
		t.Error("a phone is verified although nobody answered")
	}
	if diff := cmp.Diff([]string{"SendChallenge", "RemindByText"}, env.Order()); diff != "" {
		t.Errorf("activities (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{1}, when(durabletest.CallsOf(env, RemindByTextActivity))); diff != "" {
		t.Errorf("days of the reminders (-want +got):\n%s", diff)
	}
	type args struct {
		Phone  string
		Digits int
	}
	sent := durabletest.CallsOf(env, SendChallengeActivity)[0]
	if diff := cmp.Diff(args{good().Phone, 4}, durabletest.Args[args](t, sent)); diff != "" {
		t.Errorf("the challenge (-want +got):\n%s", diff)
	}
}

// TestVerifyPhoneOutOfReach: the sentinel comes through, and a phone that takes no texts is tried once.
func TestVerifyPhoneOutOfReach(t *testing.T) {
	t.Parallel()
	env := phone(t)
	env.Register(SendChallengeActivity.Bind(func(context.Context, string, int) (int, error) {
		return 0, durable.NonRetryable(ErrUnreachable)
	}))
	_, err := durabletest.Run(VerifyPhoneOrchestrator.Start(t.Context(), env.Client(), good(), HouseRules(day)))
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
	if n := len(env.Calls("SendChallenge")); n != 1 {
		t.Errorf("%d attempts", n)
	}
}

// TestVerifyEmail is the whole way with the real activities: a wrong link, a restart of the worker, the right link.
func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	env := durabletest.New(t)
	w, a := newTown(t, env), good()
	check, err := VerifyEmailOrchestrator.Start(t.Context(), env.Client(), a, HouseRules(day), EmailID(a.ID))
	must(t, err)
	env.Advance(day / 2)
	must(t, w.office().Confirm(t.Context(), a.ID, "guessed"))
	env.Crash()
	env.Advance(day)
	must(t, w.office().Confirm(t.Context(), a.ID, w.mail[0].Secret))
	got, err := check.Wait(t.Context())
	must(t, err)
	if !got {
		t.Error("the address is not verified")
	}
	if diff := cmp.Diff([]string{"Please confirm your e-mail address", "Your e-mail address is not confirmed yet"}, w.subjects(a.Email)); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}
