package club

import (
	"errors"

	durable "github.com/durablegen/durablegen/runtime"
)

// Cancellation ends a membership.
//
//durable:event
type Cancellation struct{ Reason string }

// PayAhead pays for a season before the one that runs has ended.
//
//durable:event
type PayAhead struct{ Season int }

// Renewal keeps a membership for ever: each season announces the next fee, collects it, and goes on as a new execution,
// so that its history never grows. It ends when the member cancels, or no longer pays.
//
//durable:orchestrator
func Renewal(ctx durable.Context, member Member, season Season, rules Rules) (Leaving, error) {
	ctx.SetStatus(Standing{Season: season})
	cancelled := CancellationEvent.Receive(ctx)

	if !awaitDue(ctx, member, season, rules, cancelled) {
		return farewell(ctx, member, Cancelled)
	}
	next := rules.after(season)
	leaving, err := collect(ctx, member, next, rules, cancelled)
	if err != nil {
		return "", err
	}
	if leaving != "" {
		return farewell(ctx, member, leaving)
	}
	return "", RenewalOrchestrator.ContinueAsNew(ctx, member, next, rules)
}

// awaitDue waits until the next fee is due, or paid ahead, and announces it in between. It reports false when the member
// cancelled.
func awaitDue(ctx durable.Context, member Member, season Season, rules Rules, cancelled durable.Future[Cancellation]) bool {
	ahead := PayAheadEvent.Receive(ctx)
	alarm := durable.NewTimer(ctx, season.Ends.Add(-rules.Notice).Sub(ctx.Now()))
	defer func() { alarm.Stop() }()

	for announced := false; ; {
		switch durable.Any(ctx, cancelled, ahead, alarm) {
		case cancelled:
			return false
		case ahead:
			wish, err := ahead.Get(ctx)
			if err == nil && wish.Season == season.Number+1 {
				return true
			}
			ahead = PayAheadEvent.Receive(ctx) // the button was pressed twice, that season is paid
		case alarm:
			if announced {
				return true
			}
			announced = true
			if err := SendFeeNoticeActivity.Call(ctx, member, season); err != nil {
				ctx.Logger().Warn("the fee was not announced", "member", member.Number, "error", err)
			}
			alarm = durable.NewTimer(ctx, season.Ends.Sub(ctx.Now()))
		}
	}
}

// collect charges the fee of a season. A declined card is demanded again after a while; a member who does not pay in the
// end leaves. It returns "" when the fee was paid.
func collect(ctx durable.Context, member Member, season Season, rules Rules, cancelled durable.Future[Cancellation]) (Leaving, error) {
	for demands := 0; ; demands++ {
		_, err := ChargeFeeActivity.Call(ctx, member.Applicant, season.Number, rules.FeeCents)
		declined, ok := errors.AsType[*DeclinedError](err)
		if !ok {
			return "", err
		}
		if demands == Demands {
			return Lapsed, nil
		}
		ctx.SetStatus(Standing{Season: season, Overdue: true})
		if err := SendDemandActivity.Call(ctx, member, declined.Reason); err != nil {
			return "", err
		}
		patience := durable.NewTimer(ctx, rules.Overdue)
		if durable.Any(ctx, cancelled, patience) == cancelled {
			return Cancelled, nil
		}
	}
}

// farewell strikes the record and says goodbye.
func farewell(ctx durable.Context, member Member, leaving Leaving) (Leaving, error) {
	err := durable.All(ctx,
		StrikeActivity.Start(ctx, member.Applicant),
		SendFarewellActivity.Start(ctx, member, leaving),
	)
	return leaving, err
}
