package demo

import (
	"fmt"
	"io"
	"time"

	"github.com/durablegen/durablegen/examples/membership/world"
)

// Report is how a play went.
type Report struct {
	Stories []Story
	Audit   world.Audit
	Took    time.Duration
	Killed  int // times the worker process was killed
}

// Left reports whether a person was a member and left, for the audit.
func Left(stories []Story) func(applicant string) bool {
	left := map[string]bool{}
	for _, s := range stories {
		if s.End == Cancelled || s.End == Lapsed {
			left[s.Applicant] = true
		}
	}
	return func(applicant string) bool { return left[applicant] }
}

// Good reports whether everybody ended as expected and the books are in order.
func (r Report) Good() bool {
	for _, s := range r.Stories {
		if s.End != s.Persona.Expected {
			return false
		}
	}
	return len(r.Audit.Wrong) == 0
}

// Print writes the table of the ends, what deviates, and what the books say.
func (r Report) Print(w io.Writer) {
	expected, actual := map[string]int{}, map[string]int{}
	for _, s := range r.Stories {
		expected[s.Persona.Expected]++
		actual[s.End]++
	}
	fmt.Fprintf(w, "%-24s %9s %9s\n", "outcome", "expected", "actual")
	for _, end := range Ends {
		fmt.Fprintf(w, "%-24s %9d %9d%s\n", end, expected[end], actual[end], differs(expected[end], actual[end]))
		delete(actual, end)
	}
	other := 0
	for _, n := range actual {
		other += n
	}
	if other > 0 {
		fmt.Fprintf(w, "%-24s %9d %9d%s\n", "none of these", 0, other, differs(0, other))
	}
	fmt.Fprintf(w, "%-24s %9d %9d\n", "all", len(r.Stories), len(r.Stories))

	fmt.Fprintf(w, "\n%d members; %d fees collected, %d given back; %d repeated calls to the bank moved no money\n",
		r.Audit.Members, r.Audit.Charges, r.Audit.Refunds, r.Audit.Repeated)
	if r.Killed > 0 {
		fmt.Fprintf(w, "the worker process was killed %d times\n", r.Killed)
	}
	fmt.Fprintf(w, "%.1f s\n", r.Took.Seconds())
	r.printFaults(w)
}

func (r Report) printFaults(w io.Writer) {
	for _, s := range r.Stories {
		if s.End != s.Persona.Expected {
			fmt.Fprintf(w, "NOT AS EXPECTED: %s (application %s): %q, want %q\n", s.Persona.Name, s.Applicant, s.End, s.Persona.Expected)
		}
	}
	for _, wrong := range r.Audit.Wrong {
		fmt.Fprintf(w, "WRONG IN THE BOOKS: %s\n", wrong)
	}
	if r.Good() {
		fmt.Fprintln(w, "everybody ended as the file says; nobody is a member twice, no fee was taken twice")
	}
}

func differs(expected, actual int) string {
	if expected != actual {
		return "  <-"
	}
	return ""
}
