package world

import (
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// Audit is what an honest look into the books finds.
type Audit struct {
	Members  int
	Charges  int      // that moved money
	Refunds  int      // of these, given back
	Repeated int      // calls to the bank that came again and moved no money
	Wrong    []string // what must never be, in words; empty when the books are in order
}

// Audit compares the books with each other: nobody is a member twice, nobody paid a season twice, every member paid the
// first season, nobody paid who is no member (unless they left), nobody has two cards, and the mailing list holds
// members only. The running applications of the moment would show up as wrong: audit when all have ended. The members
// who left are named by left.
func (w *World) Audit(left func(applicant string) bool) (Audit, error) {
	var books books
	err := w.db.View(func(tx *bbolt.Tx) (err error) {
		books, err = open(tx)
		return err
	})
	if err != nil {
		return Audit{}, err
	}
	audit := Audit{Members: len(books.members)}
	audit.money(books, left)
	audit.people(books)
	slices.Sort(audit.Wrong)
	return audit, nil
}

// books is all that an audit looks at.
type books struct {
	ledger  []Entry
	members []club.Member
	cards   []string          // application ids
	mailing map[string]string // application id → address
}

func open(tx *bbolt.Tx) (b books, err error) {
	if b.ledger, err = list[Entry](tx, ledger); err != nil {
		return b, err
	}
	if b.members, err = list[club.Member](tx, members); err != nil {
		return b, err
	}
	if b.cards, err = list[string](tx, cards); err != nil {
		return b, err
	}
	b.mailing = map[string]string{}
	err = tx.Bucket(subscribers).ForEach(func(id, _ []byte) error {
		b.mailing[string(id)], _, err = get[string](tx, subscribers, id)
		return err
	})
	return b, err
}

func (a *Audit) complain(format string, args ...any) {
	a.Wrong = append(a.Wrong, fmt.Sprintf(format, args...))
}

func (a *Audit) money(b books, left func(string) bool) {
	type fee struct {
		account string
		season  int
	}
	charged, refunded := map[fee]int{}, map[fee]int{}
	for _, e := range b.ledger {
		f := fee{e.Charge.Account, e.Charge.Season}
		switch e.What {
		case Charged:
			a.Charges++
			charged[f]++
		case Refunded:
			a.Refunds++
			refunded[f]++
		case Repeated:
			a.Repeated++
		}
	}
	member := map[string]bool{}
	for _, m := range b.members {
		member[m.Applicant.ID] = true
		if first := (fee{m.Applicant.ID, 1}); charged[first]-refunded[first] < 1 {
			a.complain("member %d (%s) paid no fee for the first season", m.Number, m.Applicant.ID)
		}
	}
	for f, times := range charged {
		if times > 1 {
			a.complain("%s was charged %d times for season %d", f.account, times, f.season)
		}
		if kept := times - refunded[f]; kept > 0 && !member[f.account] && !left(f.account) {
			a.complain("%s paid for season %d and is no member", f.account, f.season)
		}
	}
	for f, times := range refunded {
		if times > charged[f] {
			a.complain("%s got season %d back %d times and paid it %d times", f.account, f.season, times, charged[f])
		}
	}
}

func (a *Audit) people(b books) {
	numbers, addresses, ids := map[int]int{}, map[string]int{}, map[string]bool{}
	for _, m := range b.members {
		numbers[m.Number]++
		addresses[m.Applicant.Email]++
		ids[m.Applicant.ID] = true
		if b.mailing[m.Applicant.ID] == "" {
			a.complain("member %d (%s) is not on the mailing list", m.Number, m.Applicant.ID)
		}
	}
	for number, times := range numbers {
		if times > 1 {
			a.complain("member number %d was given %d times", number, times)
		}
	}
	for address, times := range addresses {
		if times > 1 {
			a.complain("%s is a member %d times", address, times)
		}
	}
	for id := range b.mailing {
		if !ids[id] {
			a.complain("%s is on the mailing list and no member", id)
		}
	}
	made := map[string]int{}
	for _, id := range b.cards {
		made[id]++
	}
	for _, m := range b.members {
		if n := made[m.Applicant.ID]; n != 1 {
			a.complain("member %d (%s) has %d cards", m.Number, m.Applicant.ID, n)
		}
	}
}
