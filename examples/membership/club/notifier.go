package club

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	durable "github.com/durablegen/durablegen/runtime"
)

// Message is a text, a mail or a letter.
type Message struct {
	To      string // phone number or e-mail address
	Subject string // empty for texts
	Body    string
	Secret  string // what the receiver must send back, if anything; part of the body
	Link    string // path on the club's site, if any
}

// Gateway delivers messages.
type Gateway interface {
	// Send delivers m, once per key, and returns the message that was delivered under this key. It fails with
	// ErrUnreachable when the receiver cannot be reached at all.
	Send(ctx context.Context, key string, m Message) (Message, error)
}

// Notifier writes to people.
type Notifier struct{ Gateway Gateway }

// SendChallenge texts a fresh code of so many digits to phone and returns it.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendChallenge(ctx context.Context, phone string, digits int) (int, error) {
	code, err := drawCode(digits)
	if err != nil {
		return 0, err
	}
	sent, err := n.Gateway.Send(ctx, keyOf(ctx), Message{
		To:     phone,
		Body:   fmt.Sprintf("%d is your code for the club.", code),
		Secret: fmt.Sprint(code),
	})
	if errors.Is(err, ErrUnreachable) {
		return 0, durable.NonRetryable(err)
	}
	if err != nil {
		return 0, err
	}
	// Another attempt of this call may have sent its own code before: the one that was delivered counts.
	_, err = fmt.Sscan(sent.Secret, &code)
	return code, err
}

// SendLink mails a link to the applicant and returns the token in it.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendLink(ctx context.Context, applicant Applicant) (string, error) {
	token := rand.Text()
	sent, err := n.Gateway.Send(ctx, keyOf(ctx), Message{
		To:      applicant.Email,
		Subject: "Please confirm your e-mail address",
		Body:    fmt.Sprintf("Dear %s,\n\nplease follow this link to confirm that you can read our mails.", applicant.Name),
		Secret:  token,
		Link:    "/applications/" + applicant.ID + "/confirm?token=" + token,
	})
	return sent.Secret, err
}

// RemindByText asks for the code again.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) RemindByText(ctx context.Context, phone string) error {
	return n.send(ctx, Message{To: phone, Body: "The club still waits for the code we sent you."})
}

// RemindByMail asks for the click again.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) RemindByMail(ctx context.Context, address string) error {
	return n.send(ctx, Message{
		To:      address,
		Subject: "Your e-mail address is not confirmed yet",
		Body:    "Please follow the link in our first mail.",
	})
}

// AskBoard mails an application to the board, or to the chair when the board let it pass.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) AskBoard(ctx context.Context, applicant Applicant, escalated bool) error {
	m := Message{
		To:      BoardAddress,
		Subject: "New application: " + applicant.Name,
		Body:    "Phone and e-mail are verified. Please rule on it.",
		Link:    "/board",
	}
	if escalated {
		m.To, m.Subject = ChairAddress, "The board was silent: "+applicant.Name
	}
	return n.send(ctx, m)
}

// SendOutcome tells the applicant how the application ended.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendOutcome(ctx context.Context, applicant Applicant, outcome Outcome) error {
	body := "Your application has ended: " + string(outcome.Decision) + "."
	if outcome.Reason != "" {
		body += " " + outcome.Reason
	}
	return n.send(ctx, Message{To: applicant.Email, Subject: "Your application", Body: body, Link: "/applications/" + applicant.ID})
}

// SendWelcome writes the welcome letter.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendWelcome(ctx context.Context, member Member) error {
	return n.send(ctx, Message{
		To:      member.Applicant.Email,
		Subject: "Welcome to the club",
		Body:    fmt.Sprintf("Dear %s,\n\nwelcome! You are member number %d.", member.Applicant.Name, member.Number),
	})
}

// SendFeeNotice announces the fee of the season that follows.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendFeeNotice(ctx context.Context, member Member, season Season) error {
	return n.send(ctx, Message{
		To:      member.Applicant.Email,
		Subject: "Your membership goes on",
		Body:    "We shall collect the next fee on " + season.Ends.UTC().Format("2 January 2006") + ".",
	})
}

// SendDemand asks for a fee that the card declined.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendDemand(ctx context.Context, member Member, reason string) error {
	return n.send(ctx, Message{
		To:      member.Applicant.Email,
		Subject: "Your fee is overdue",
		Body:    "Your card was declined: " + reason + ". We shall try again soon.",
	})
}

// SendFarewell says goodbye.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (n *Notifier) SendFarewell(ctx context.Context, member Member, leaving Leaving) error {
	return n.send(ctx, Message{
		To:      member.Applicant.Email,
		Subject: "Goodbye",
		Body:    "Your membership has ended: " + string(leaving) + ". It was good to have you.",
	})
}

// The addresses of the house.
const (
	BoardAddress = "board@club.example"
	ChairAddress = "chair@club.example"
)

func (n *Notifier) send(ctx context.Context, m Message) error {
	_, err := n.Gateway.Send(ctx, keyOf(ctx), m)
	return err
}

// drawCode gives a number that is written with so many digits.
func drawCode(digits int) (int, error) {
	low := 1
	for range digits - 1 {
		low *= 10
	}
	n, err := rand.Int(rand.Reader, big.NewInt(int64(9*low)))
	if err != nil {
		return 0, fmt.Errorf("club: draw a code: %w", err)
	}
	return low + int(n.Int64()), nil
}

// keyOf is the key of the running activity, equal on every attempt and delivery of the same call. Outside of a worker it
// is empty, and an empty key repeats nothing.
func keyOf(ctx context.Context) string {
	info, _ := durable.InfoOf(ctx)
	return info.IdempotencyKey
}
