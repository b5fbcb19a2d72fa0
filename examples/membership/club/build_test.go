package club

import (
	"context"
	"errors"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// verifyPhoneBefore is VerifyPhone as it was before applicants were reminded.
func verifyPhoneBefore(ctx durable.Context, applicant Applicant, rules Rules) (bool, error) {
	code, err := SendChallengeActivity.Call(ctx, applicant.Phone, 4)
	if err != nil {
		return false, err
	}
	deadline := durable.NewTimer(ctx, rules.Answer)
	answer := ChallengeAnswerEvent.Receive(ctx)
	for range Tries {
		if durable.Any(ctx, answer, deadline) == deadline {
			return false, nil
		}
		given, err := answer.Get(ctx)
		if err != nil || given.Code == code {
			return err == nil, err
		}
		answer = ChallengeAnswerEvent.Receive(ctx)
	}
	return false, nil
}

// TestVerifyPhoneTakesOver: checks that began before applicants were reminded go on, wherever this build takes over.
func TestVerifyPhoneTakesOver(t *testing.T) {
	t.Parallel()
	durabletest.Explore(t, func(env *durabletest.Env) error {
		build := func(verify func(durable.Context, Applicant, Rules) (bool, error)) {
			env.Register(
				VerifyPhoneOrchestrator.Bind(verify),
				SendChallengeActivity.Bind(func(_ context.Context, phone string, digits int) (int, error) { return 4711, nil }),
				RemindByTextActivity.Bind(func(_ context.Context, phone string) error { return nil }),
			)
		}
		build(verifyPhoneBefore)
		env.NextBuild(func() { build(VerifyPhone) })
		verified, err := durabletest.Run(VerifyPhoneOrchestrator.Start(env.T().Context(), env.Client(), good(), HouseRules(day)))
		if err == nil && verified {
			err = errors.New("a phone is verified although nobody answered")
		}
		return err
	})
}
