package club

import (
	"errors"

	durable "github.com/durablegen/durablegen/runtime"
)

// ErrUnreachable reports a phone that cannot receive texts.
//
//durable:error
var ErrUnreachable = errors.New("club: phone unreachable")

// ChallengeAnswer is the code that the applicant typed from the text message.
//
//durable:event
type ChallengeAnswer struct{ Code int }

// LinkOpened is the token of the link that the applicant followed from the mail.
//
//durable:event
type LinkOpened struct{ Token string }

// CallOff ends a check whose answer no longer matters.
//
//durable:event
type CallOff struct{}

// VerifyPhone reports whether the applicant answered a text challenge in time, within three tries. It fails with
// ErrUnreachable when the phone cannot receive texts.
//
//durable:orchestrator
func VerifyPhone(ctx durable.Context, applicant Applicant, rules Rules) (bool, error) {
	code, err := SendChallengeActivity.Call(ctx, applicant.Phone, 4)
	if err != nil {
		return false, err
	}
	deadline := durable.NewTimer(ctx, rules.Answer)
	reminder := durable.NewTimer(ctx, rules.Remind)
	off := CallOffEvent.Receive(ctx)
	answer := ChallengeAnswerEvent.Receive(ctx)

	check := Check{Sent: true, TriesLeft: Tries}
	for check.TriesLeft > 0 {
		ctx.SetStatus(check)
		switch durable.Any(ctx, answer, off, deadline, reminder) {
		case answer:
			given, err := answer.Get(ctx)
			if err == nil && given.Code == code {
				check.Verified = true
				ctx.SetStatus(check)
				return true, nil
			}
			check.TriesLeft--
			answer = ChallengeAnswerEvent.Receive(ctx)
		case reminder:
			check.Reminders++
			if err := RemindByTextActivity.Call(ctx, applicant.Phone); err != nil {
				return false, err
			}
			reminder = durable.NewTimer(ctx, rules.Remind)
		default: // called off, or too late
			return false, nil
		}
	}
	return false, nil
}

// VerifyEmail reports whether the applicant followed the link of a mail in time, within three tries.
//
//durable:orchestrator
func VerifyEmail(ctx durable.Context, applicant Applicant, rules Rules) (bool, error) {
	token, err := SendLinkActivity.Call(ctx, applicant)
	if err != nil {
		return false, err
	}
	deadline := durable.NewTimer(ctx, rules.Answer)
	reminder := durable.NewTimer(ctx, rules.Remind)
	off := CallOffEvent.Receive(ctx)
	opened := LinkOpenedEvent.Receive(ctx)

	check := Check{Sent: true, TriesLeft: Tries}
	for check.TriesLeft > 0 {
		ctx.SetStatus(check)
		switch durable.Any(ctx, opened, off, deadline, reminder) {
		case opened:
			link, err := opened.Get(ctx)
			if err == nil && link.Token == token {
				check.Verified = true
				ctx.SetStatus(check)
				return true, nil
			}
			check.TriesLeft--
			opened = LinkOpenedEvent.Receive(ctx)
		case reminder:
			check.Reminders++
			if err := RemindByMailActivity.Call(ctx, applicant.Email); err != nil {
				return false, err
			}
			reminder = durable.NewTimer(ctx, rules.Remind)
		default: // called off, or too late
			return false, nil
		}
	}
	return false, nil
}
