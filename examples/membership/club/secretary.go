package club

import (
	"context"
	"errors"
	"fmt"

	durable "github.com/durablegen/durablegen/runtime"
)

// ErrAlreadyMember reports an e-mail address that belongs to a member.
//
//durable:error
var ErrAlreadyMember = errors.New("club: already a member")

// Register is the club's list of members.
type Register interface {
	// Enrol makes the applicant a member and gives a number; an applicant who is one already keeps theirs. It fails with
	// ErrAlreadyMember when the e-mail address belongs to a member from another application.
	Enrol(ctx context.Context, a Applicant) (Member, error)
	// Strike removes the member of this application, if there is one.
	Strike(ctx context.Context, applicant string) error
}

// Press makes membership cards.
type Press interface {
	// Print makes a card, once per key.
	Print(ctx context.Context, key string, m Member) error
}

// MailingList is the club's circular.
type MailingList interface {
	// Subscribe puts the member's address on the list, once.
	Subscribe(ctx context.Context, m Member) error
	// Unsubscribe removes what was put there for this application, if anything.
	Unsubscribe(ctx context.Context, applicant string) error
}

// Secretary keeps the club's books.
type Secretary struct {
	Register Register
	Press    Press
	List     MailingList
	Client   *durable.Client // opens renewals
}

// Enrol enters the applicant into the register.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (s *Secretary) Enrol(ctx context.Context, applicant Applicant) (Member, error) {
	member, err := s.Register.Enrol(ctx, applicant)
	if errors.Is(err, ErrAlreadyMember) {
		return Member{}, durable.NonRetryable(err)
	}
	return member, err
}

// Strike removes the person from the register and from the mailing list.
//
//durable:activity timeout=10s attempts=10 first=100ms backoff=2
func (s *Secretary) Strike(ctx context.Context, applicant Applicant) error {
	return errors.Join(
		s.Register.Strike(ctx, applicant.ID),
		s.List.Unsubscribe(ctx, applicant.ID),
	)
}

// PrintCard makes the membership card.
//
//durable:activity timeout=10s attempts=3 first=100ms backoff=2
func (s *Secretary) PrintCard(ctx context.Context, member Member) error {
	return s.Press.Print(ctx, keyOf(ctx), member)
}

// Subscribe puts the member on the mailing list.
//
//durable:activity timeout=10s attempts=5 first=100ms backoff=2
func (s *Secretary) Subscribe(ctx context.Context, member Member) error {
	return s.List.Subscribe(ctx, member)
}

// OpenRenewal starts the orchestration that outlives Join. Its id follows from the application, so that starting it
// again changes nothing.
//
//durable:activity timeout=10s attempts=10 first=100ms backoff=2
func (s *Secretary) OpenRenewal(ctx context.Context, member Member, season Season, rules Rules) error {
	_, err := RenewalOrchestrator.Start(ctx, s.Client, member, season, rules, RenewalID(member.Applicant.ID), durable.AttachIfExists)
	if err != nil {
		return fmt.Errorf("club: open the renewal of member %d: %w", member.Number, err)
	}
	return nil
}
