package club

import durable "github.com/durablegen/durablegen/runtime"

// BoardRuling is a board member's word on an application.
//
//durable:event
type BoardRuling struct {
	Approve bool
	By      string
	Note    string // shown to the applicant
}

// awaitRuling asks the board, then the chair, and gives up when both stay silent. An approved application stays
// undecided: the fee comes next.
func awaitRuling(ctx durable.Context, applicant Applicant, rules Rules, withdrawal durable.Future[Withdrawal]) (Outcome, error) {
	if err := AskBoardActivity.Call(ctx, applicant, false); err != nil {
		return Outcome{}, err
	}
	ruling := BoardRulingEvent.Receive(ctx)
	patience := durable.NewTimer(ctx, rules.Board)
	defer func() { patience.Stop() }()

	for escalated := false; ; {
		switch durable.Any(ctx, ruling, withdrawal, patience) {
		case ruling:
			word, err := ruling.Get(ctx)
			if err != nil || word.Approve {
				return Outcome{}, err
			}
			return Outcome{Decision: Rejected, Reason: word.Note}, nil
		case withdrawal:
			return Outcome{Decision: Withdrawn}, nil
		case patience:
			if escalated {
				return Outcome{Decision: NoRuling}, nil
			}
			escalated = true
			enter(ctx, AskingChair)
			if err := AskBoardActivity.Call(ctx, applicant, true); err != nil {
				return Outcome{}, err
			}
			patience = durable.NewTimer(ctx, rules.Chair)
		}
	}
}
