package club

import (
	"errors"

	durable "github.com/durablegen/durablegen/runtime"
)

// admit collects the first fee and makes the applicant a member. When a step after the fee fails, the admission is
// undone as if it had never been: record struck and address off the list, then money back.
func admit(ctx durable.Context, applicant Applicant, rules Rules) (Outcome, error) {
	season := rules.firstSeason(ctx.Now())
	var saga durable.Saga

	enter(ctx, CollectingFee)
	saga.Compensate(func(ctx durable.Context) error { return RefundFeeActivity.Call(ctx, applicant, season.Number) })
	_, err := ChargeFeeActivity.Call(ctx, applicant, season.Number, rules.FeeCents)
	if declined, ok := errors.AsType[*DeclinedError](err); ok {
		return Outcome{Decision: CardDeclined, Reason: declined.Reason}, nil // no money moved
	}
	if err != nil {
		return undo(ctx, &saga, "the bank did not answer")
	}

	enter(ctx, Welcoming)
	saga.Compensate(func(ctx durable.Context) error { return StrikeActivity.Call(ctx, applicant) })
	member, err := EnrolActivity.Call(ctx, applicant)
	if errors.Is(err, ErrAlreadyMember) {
		return undo(ctx, &saga, "this e-mail address already belongs to a member")
	}
	if err != nil {
		return undo(ctx, &saga, "the register could not be written")
	}
	if err := welcome(ctx, member); err != nil {
		ctx.Logger().Info("no welcome", "applicant", applicant.ID, "error", err)
		return undo(ctx, &saga, "the membership card could not be made")
	}

	// The membership is complete. If its renewal cannot be arranged, the instance fails and a person looks at it.
	err = OpenRenewalActivity.Call(ctx, member, season, rules)
	return Outcome{Decision: Joined, Member: member.Number}, err
}

// welcome does three things at once and fails when one of them does.
func welcome(ctx durable.Context, member Member) error {
	return durable.All(ctx,
		PrintCardActivity.Start(ctx, member),
		SendWelcomeActivity.Start(ctx, member),
		SubscribeActivity.Start(ctx, member),
	)
}

// undo compensates. An error here needs a person: the instance fails, and says with what.
func undo(ctx durable.Context, saga *durable.Saga, reason string) (Outcome, error) {
	enter(ctx, Undoing)
	return Outcome{Decision: Undone, Reason: reason}, saga.Rollback(ctx)
}
