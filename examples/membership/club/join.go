package club

import (
	"errors"
	"slices"

	durable "github.com/durablegen/durablegen/runtime"
)

// Withdrawal takes an application back, as long as the board has not ruled.
//
//durable:event
type Withdrawal struct{ Reason string }

// Join takes an application to a membership, or to the reason why not.
//
// Phone and e-mail are verified at the same time, the board rules, the first fee is collected, and the new member gets a
// card, a letter and a place on the mailing list. A step that fails after money has moved undoes the steps before it.
// The membership then lives on in an instance of Renewal.
//
//durable:orchestrator
func Join(ctx durable.Context, applicant Applicant, rules Rules) (Outcome, error) {
	withdrawal := WithdrawalEvent.Receive(ctx)

	enter(ctx, Verifying)
	decision, err := verifyContacts(ctx, applicant, rules, withdrawal)
	if err != nil {
		return Outcome{}, err
	}
	if decision != undecided {
		return conclude(ctx, applicant, Outcome{Decision: decision})
	}

	enter(ctx, AskingBoard)
	outcome, err := awaitRuling(ctx, applicant, rules, withdrawal)
	if err != nil {
		return Outcome{}, err
	}
	if outcome.Decision != undecided {
		return conclude(ctx, applicant, outcome)
	}

	outcome, err = admit(ctx, applicant, rules)
	if err != nil {
		return Outcome{}, err
	}
	return conclude(ctx, applicant, outcome)
}

// enter shows the world where the application stands.
func enter(ctx durable.Context, step Step) {
	ctx.SetStatus(Progress{Step: step, Since: ctx.Now()})
}

// conclude tells the applicant how it ended. The outcome stands even if the mail cannot be delivered.
func conclude(ctx durable.Context, applicant Applicant, outcome Outcome) (Outcome, error) {
	if err := SendOutcomeActivity.Call(ctx, applicant, outcome); err != nil {
		ctx.Logger().Warn("the applicant was not told", "applicant", applicant.ID, "error", err)
	}
	return outcome, nil
}

// verifyContacts runs both checks at once. The first that fails, or a withdrawal, calls the other one off.
func verifyContacts(ctx durable.Context, applicant Applicant, rules Rules, withdrawal durable.Future[Withdrawal]) (Decision, error) {
	phone := VerifyPhoneOrchestrator.StartChild(ctx, applicant, rules, PhoneID(applicant.ID))
	email := VerifyEmailOrchestrator.StartChild(ctx, applicant, rules, EmailID(applicant.ID))

	waiting := []durable.Awaitable{withdrawal, phone, email}
	for len(waiting) > 1 {
		var decision Decision
		var err error
		first := durable.Any(ctx, waiting...)
		switch first {
		case withdrawal:
			decision = Withdrawn
		case phone:
			decision, err = phoneDecision(phone.Get(ctx))
		case email:
			decision, err = emailDecision(email.Get(ctx))
		}
		if err != nil || decision != undecided {
			callOff(ctx, applicant)
			return decision, err
		}
		waiting = slices.DeleteFunc(waiting, func(f durable.Awaitable) bool { return f == first })
	}
	return undecided, nil
}

func phoneDecision(verified bool, err error) (Decision, error) {
	switch {
	case errors.Is(err, ErrUnreachable): // from the activity, through the child, to here
		return PhoneUnreachable, nil
	case err == nil && !verified:
		return PhoneUnverified, nil
	}
	return undecided, err
}

func emailDecision(verified bool, err error) (Decision, error) {
	if err == nil && !verified {
		return EmailUnverified, nil
	}
	return undecided, err
}

// callOff ends the checks that still wait; one that has ended does not mind.
func callOff(ctx durable.Context, applicant Applicant) {
	CallOffEvent.Send(ctx, string(PhoneID(applicant.ID)), CallOff{})
	CallOffEvent.Send(ctx, string(EmailID(applicant.ID)), CallOff{})
}
