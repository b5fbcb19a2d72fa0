package club

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	durable "github.com/durablegen/durablegen/runtime"
)

// Office is the way into the club from outside: what people do becomes a start or an event, what they see is read from
// the instances. It is safe for concurrent use.
type Office struct {
	Client *durable.Client
	Rules  Rules // of applications that begin now
}

// Dossier is all that the orchestrations say about one application.
type Dossier struct {
	Applicant string // application id
	Open      bool   // Join is still running
	Failure   string // Join failed and needs a person; the reason
	Progress  Progress
	Phone     Check
	Email     Check
	Outcome   Outcome  // once Join has completed
	Standing  Standing // once the membership runs
	Leaving   Leaving  // once the membership has ended
}

// ErrNoApplication reports an id that no application has.
var ErrNoApplication = errors.New("club: no such application")

// Apply starts an application. Applying again with the same application number changes nothing.
func (o Office) Apply(ctx context.Context, applicant Applicant) error {
	_, err := JoinOrchestrator.Start(ctx, o.Client, applicant, o.Rules, JoinID(applicant.ID), durable.AttachIfExists)
	if err != nil {
		return fmt.Errorf("club: start the application %s: %w", applicant.ID, err)
	}
	return nil
}

// Answer gives the code from the text message.
func (o Office) Answer(ctx context.Context, applicant string, code int) error {
	return o.known(ChallengeAnswerEvent.Raise(ctx, o.Client, string(PhoneID(applicant)), ChallengeAnswer{Code: code}))
}

// Confirm gives the token from the mail's link.
func (o Office) Confirm(ctx context.Context, applicant, token string) error {
	return o.known(LinkOpenedEvent.Raise(ctx, o.Client, string(EmailID(applicant)), LinkOpened{Token: token}))
}

// Withdraw takes the application back.
func (o Office) Withdraw(ctx context.Context, applicant string) error {
	return o.known(WithdrawalEvent.Raise(ctx, o.Client, string(JoinID(applicant)), Withdrawal{}))
}

// Rule is the board's word.
func (o Office) Rule(ctx context.Context, applicant string, ruling BoardRuling) error {
	return o.known(BoardRulingEvent.Raise(ctx, o.Client, string(JoinID(applicant)), ruling))
}

// Cancel ends the membership.
func (o Office) Cancel(ctx context.Context, applicant string) error {
	return o.known(CancellationEvent.Raise(ctx, o.Client, string(RenewalID(applicant)), Cancellation{}))
}

// PayAhead pays for the season now. One that is not the next changes nothing, so that a form sent twice pays once.
func (o Office) PayAhead(ctx context.Context, applicant string, season int) error {
	return o.known(PayAheadEvent.Raise(ctx, o.Client, string(RenewalID(applicant)), PayAhead{Season: season}))
}

// known turns what the runtime says about instances into what the club says about applications. A person who speaks to
// an instance that has ended is late, which is no error: the page shows how it ended.
func (o Office) known(err error) error {
	switch {
	case errors.Is(err, durable.ErrFinished):
		return nil
	case errors.Is(err, durable.ErrNotFound):
		return ErrNoApplication
	}
	return err
}

// Look gathers the dossier of one application. It fails with ErrNoApplication when there is none.
func (o Office) Look(ctx context.Context, applicant string) (Dossier, error) {
	join, err := o.Client.Get(ctx, string(JoinID(applicant)))
	if errors.Is(err, durable.ErrNotFound) {
		return Dossier{}, ErrNoApplication
	}
	if err != nil {
		return Dossier{}, fmt.Errorf("club: look up application %s: %w", applicant, err)
	}
	d, err := read(applicant, join)
	if err != nil {
		return Dossier{}, err
	}
	switch {
	case d.Open && d.Progress.Step == Verifying:
		err = errors.Join(
			o.status(ctx, PhoneID(applicant), &d.Phone),
			o.status(ctx, EmailID(applicant), &d.Email),
		)
	case d.Outcome.Decision == Joined:
		err = o.renewal(ctx, &d)
	}
	return d, err
}

// Desk gathers the dossiers of the applications that run, at most limit of them, without their checks.
func (o Office) Desk(ctx context.Context, limit int) ([]Dossier, error) {
	running, err := o.Client.List(ctx, durable.Filter{
		Name:     "club.Join",
		Statuses: []durable.Status{durable.Running},
		Limit:    limit,
	})
	if err != nil {
		return nil, fmt.Errorf("club: list the running applications: %w", err)
	}
	var desk []Dossier
	for _, join := range running {
		d, err := read(strings.TrimPrefix(join.ID, string(JoinID(""))), join)
		if err != nil {
			return nil, err
		}
		desk = append(desk, d)
	}
	return desk, nil
}

// read decodes what an instance of Join shows of itself.
func read(applicant string, join durable.Instance) (Dossier, error) {
	d := Dossier{Applicant: applicant}
	switch join.Status {
	case durable.Completed:
		return d, decode(join.ID, join.Result, &d.Outcome)
	case durable.Failed, durable.Terminated:
		d.Failure = join.Failure
		if d.Failure == "" {
			d.Failure = "ended by an operator"
		}
		return d, nil
	}
	d.Open = true
	return d, decode(join.ID, join.CustomStatus, &d.Progress)
}

// renewal adds how the membership stands.
func (o Office) renewal(ctx context.Context, d *Dossier) error {
	instance, err := o.Client.Get(ctx, string(RenewalID(d.Applicant)))
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return nil // a moment too early
	case err != nil:
		return fmt.Errorf("club: look up the renewal of %s: %w", d.Applicant, err)
	case instance.Status == durable.Completed:
		return decode(instance.ID, instance.Result, &d.Leaving)
	}
	return decode(instance.ID, instance.CustomStatus, &d.Standing)
}

// status reads the custom status of an instance that may not have begun.
func (o Office) status(ctx context.Context, id durable.InstanceID, into any) error {
	instance, err := o.Client.Get(ctx, string(id))
	if errors.Is(err, durable.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("club: look up %s: %w", id, err)
	}
	return decode(instance.ID, instance.CustomStatus, into)
}

func decode(id string, data []byte, into any) error {
	if len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("club: read what %s shows of itself: %w", id, err)
	}
	return nil
}
