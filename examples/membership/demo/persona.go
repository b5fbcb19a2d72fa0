// Package demo plays people: it reads who they are from a table, lets them use the club's site as people do, and compares
// how they end with what the table says.
package demo

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// Persona is one line of the table of applicants: a person, how they behave, and how their application must end.
type Persona struct {
	Name, Email, Phone, Card string

	Answers  []string // right or wrong, one for each code they type; none never answers
	Opens    bool     // follows the link in the mail
	Board    string   // approve, reject or silent
	Later    string   // withdraw, cancel, renew, or nothing
	Expected string   // one of Ends
}

// Beyond the decisions of the club, a story may end like this.
const (
	Renewed   = "renewed"
	Cancelled = "cancelled"
	Lapsed    = "lapsed"
)

// Ends are the words for the ends of a story, in the order of the report.
var Ends = []string{
	string(club.Joined), Renewed, Lapsed, Cancelled,
	string(club.PhoneUnreachable), string(club.PhoneUnverified), string(club.EmailUnverified), string(club.Withdrawn),
	string(club.Rejected), string(club.NoRuling), string(club.CardDeclined), string(club.Undone),
}

var header = []string{"name", "email", "phone", "card", "answers", "opens", "board", "later", "expected"}

// Read reads the table of applicants, a CSV file whose first line names the columns. It reports every faulty line.
func Read(r io.Reader) ([]Persona, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = len(header)
	first, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("applicants: read the header: %w", err)
	}
	if !slices.Equal(first, header) {
		return nil, fmt.Errorf("applicants: the columns are %q, want %q", first, header)
	}
	var people []Persona
	var faults []error
	addresses := map[string]int{}
	for {
		fields, err := lines.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("applicants: %w", err)
		}
		line, _ := lines.FieldPos(0)
		p, err := parse(fields)
		if err != nil {
			faults = append(faults, fmt.Errorf("applicants: line %d: %w", line, err))
		}
		if before := addresses[p.Email]; before > 0 {
			faults = append(faults, fmt.Errorf("applicants: line %d: %s has applied in line %d", line, p.Email, before))
		}
		addresses[p.Email] = line
		people = append(people, p)
	}
	return people, errors.Join(faults...)
}

func parse(f []string) (Persona, error) {
	p := Persona{
		Name: f[0], Email: f[1], Phone: f[2], Card: f[3],
		Answers: strings.Fields(f[4]), Opens: f[5] == "yes", Board: f[6], Later: f[7], Expected: f[8],
	}
	for _, answer := range p.Answers {
		if answer != "right" && answer != "wrong" {
			return p, fmt.Errorf("answers: %q is neither right nor wrong", answer)
		}
	}
	switch {
	case f[5] != "yes" && f[5] != "no":
		return p, fmt.Errorf("opens: %q is neither yes nor no", f[5])
	case !slices.Contains([]string{"approve", "reject", "silent"}, p.Board):
		return p, fmt.Errorf("board: %q is not approve, reject or silent", p.Board)
	case !slices.Contains([]string{"", "withdraw", "cancel", "renew"}, p.Later):
		return p, fmt.Errorf("later: %q is not withdraw, cancel, renew or empty", p.Later)
	case !slices.Contains(Ends, p.Expected):
		return p, fmt.Errorf("expected: %q is none of %q", p.Expected, Ends)
	}
	return p, nil
}
