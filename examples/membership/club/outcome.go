package club

import "time"

// Decision is how an application ended, in the words that the page shows.
type Decision string

// The decisions.
const (
	Joined           Decision = "joined"
	Withdrawn        Decision = "withdrawn"
	PhoneUnreachable Decision = "phone unreachable"
	PhoneUnverified  Decision = "phone not verified"
	EmailUnverified  Decision = "e-mail not verified"
	Rejected         Decision = "rejected by the board"
	NoRuling         Decision = "no ruling by the board"
	CardDeclined     Decision = "card declined"
	Undone           Decision = "admission undone"

	undecided Decision = "" // go on
)

// Outcome is the result of Join.
type Outcome struct {
	Decision Decision
	Reason   string // more words, may be empty
	Member   int    // the member's number, 0 unless Joined
}

// Step is where an application stands.
type Step string

// The steps of an application, in order; the page draws them as a line of stations.
const (
	Verifying     Step = "verifying phone and e-mail"
	AskingBoard   Step = "waiting for the board"
	AskingChair   Step = "waiting for the chair"
	CollectingFee Step = "collecting the fee"
	Welcoming     Step = "printing card, writing letter, joining list"
	Undoing       Step = "undoing the admission"
)

// Progress is the custom status of Join.
type Progress struct {
	Step  Step
	Since time.Time
}

// Check is the custom status of VerifyPhone and VerifyEmail.
type Check struct {
	Sent      bool // the challenge is out
	Verified  bool
	TriesLeft int
	Reminders int
}

// Standing is the custom status of Renewal.
type Standing struct {
	Season  Season
	Overdue bool // the fee of the next season was declined and is being demanded
}

// Leaving is the result of Renewal: why the membership ended.
type Leaving string

// The ends of a membership.
const (
	Cancelled Leaving = "cancelled by the member"
	Lapsed    Leaving = "lapsed, the fee was not paid"
)
