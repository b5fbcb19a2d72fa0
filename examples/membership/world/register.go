package world

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// Receive files an application. Filing it again changes nothing.
func (w *World) Receive(a club.Applicant) error {
	return w.db.Batch(func(tx *bbolt.Tx) error {
		if tx.Bucket(applications).Get([]byte(a.ID)) != nil {
			return nil
		}
		if _, err := add(tx, arrivals, nil, a.ID); err != nil {
			return err
		}
		return put(tx, applications, []byte(a.ID), a)
	})
}

// Applicant gives a filed application; ok is false when there is none.
func (w *World) Applicant(id string) (a club.Applicant, ok bool, err error) {
	err = w.db.View(func(tx *bbolt.Tx) error {
		a, ok, err = get[club.Applicant](tx, applications, []byte(id))
		return err
	})
	return a, ok, err
}

// Applicants gives the latest applications, the newest first, at most limit.
func (w *World) Applicants(limit int) ([]club.Applicant, error) {
	var latest []club.Applicant
	err := w.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(arrivals).Cursor()
		for key, data := cursor.Last(); key != nil && len(latest) < limit; key, data = cursor.Prev() {
			var id string
			if err := json.Unmarshal(data, &id); err != nil {
				return fmt.Errorf("world: arrival %x: %w", key, err)
			}
			a, _, err := get[club.Applicant](tx, applications, []byte(id))
			if err != nil {
				return err
			}
			latest = append(latest, a)
		}
		return nil
	})
	return latest, err
}

// Enrol implements club.Register.
func (w *World) Enrol(_ context.Context, a club.Applicant) (club.Member, error) {
	var member club.Member
	err := w.db.Batch(func(tx *bbolt.Tx) error {
		before, exists, err := get[club.Member](tx, members, []byte(a.ID))
		if err != nil {
			return err
		}
		if exists {
			member = before
			return nil
		}
		if marked(tx, struck, a.ID) {
			return fmt.Errorf("register: application %s was struck", a.ID)
		}
		if tx.Bucket(addresses).Get([]byte(a.Email)) != nil {
			return fmt.Errorf("%s: %w", a.Email, club.ErrAlreadyMember)
		}
		number, err := tx.Bucket(members).NextSequence()
		if err != nil {
			return err
		}
		member = club.Member{Number: int(number), Applicant: a}
		if err := put(tx, addresses, []byte(a.Email), a.ID); err != nil {
			return err
		}
		return put(tx, members, []byte(a.ID), member)
	})
	return member, err
}

// Strike implements club.Register. The application cannot be enrolled again, so that an Enrol which was on its way when
// its caller gave up changes nothing when it arrives.
func (w *World) Strike(_ context.Context, applicant string) error {
	return w.db.Batch(func(tx *bbolt.Tx) error {
		if err := mark(tx, struck, applicant); err != nil {
			return err
		}
		member, exists, err := get[club.Member](tx, members, []byte(applicant))
		if err != nil || !exists {
			return err
		}
		if err := tx.Bucket(addresses).Delete([]byte(member.Applicant.Email)); err != nil {
			return err
		}
		return tx.Bucket(members).Delete([]byte(applicant))
	})
}

// Members gives the members by number.
func (w *World) Members() (roll []club.Member, err error) {
	err = w.db.View(func(tx *bbolt.Tx) error {
		roll, err = list[club.Member](tx, members)
		return err
	})
	slices.SortFunc(roll, func(a, b club.Member) int { return cmp.Compare(a.Number, b.Number) })
	return roll, err
}

// Subscribe implements club.MailingList. Only members are subscribed: one who was struck in the meantime is not.
func (w *World) Subscribe(_ context.Context, m club.Member) error {
	return w.db.Batch(func(tx *bbolt.Tx) error {
		if !marked(tx, members, m.Applicant.ID) {
			return nil
		}
		return put(tx, subscribers, []byte(m.Applicant.ID), m.Applicant.Email)
	})
}

// Unsubscribe implements club.MailingList.
func (w *World) Unsubscribe(_ context.Context, applicant string) error {
	return w.db.Batch(func(tx *bbolt.Tx) error {
		return tx.Bucket(subscribers).Delete([]byte(applicant))
	})
}
