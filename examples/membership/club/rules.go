package club

import "time"

// Rules are the club's house rules. An orchestration keeps the rules it began with.
type Rules struct {
	Answer   time.Duration // for answering a text or a mail
	Remind   time.Duration // between two reminders of it
	Board    time.Duration // for the board to rule on an application
	Chair    time.Duration // for the chair, once the board let it pass
	Year     time.Duration // one season
	Notice   time.Duration // the fee is announced so long before it is due
	Overdue  time.Duration // between two attempts to collect a fee that was declined
	FeeCents int
}

// Tries is how many answers a person may give to one challenge.
const Tries = 3

// Demands is how often an overdue fee is demanded before the membership lapses.
const Demands = 2

// HouseRules gives the rules for days that last so long: 24 hours in earnest, seconds to watch a year go by.
func HouseRules(day time.Duration) Rules {
	return Rules{
		Answer:   2 * day,
		Remind:   day,
		Board:    2 * day,
		Chair:    day,
		Year:     365 * day,
		Notice:   14 * day,
		Overdue:  day,
		FeeCents: 45_00,
	}
}

// firstSeason begins now.
func (r Rules) firstSeason(now time.Time) Season {
	return Season{Number: 1, Ends: now.Add(r.Year)}
}

// after is the season that follows s.
func (r Rules) after(s Season) Season {
	return Season{Number: s.Number + 1, Ends: s.Ends.Add(r.Year)}
}
