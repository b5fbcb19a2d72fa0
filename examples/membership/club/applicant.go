package club

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	durable "github.com/durablegen/durablegen/runtime"
)

// Applicant is a person who wants to become a member.
type Applicant struct {
	ID    string // of the application: 16 letters and digits, drawn with the form, so that a form sent twice is one application
	Name  string // at most 60 characters
	Email string // a bare address
	Phone string // international form, "+49 151 2345678" without the blanks
	Card  string // the payment provider's token for a card; the number itself never comes here
}

// Member is an applicant who was admitted.
type Member struct {
	Number    int // 1, 2, 3 … in the order of admission
	Applicant Applicant
}

// Season is the time that one fee pays for.
type Season struct {
	Number int // 1 is the season of the admission
	Ends   time.Time
}

var (
	idShape    = regexp.MustCompile(`^[a-z0-9]{16}$`)
	phoneShape = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	cardShape  = regexp.MustCompile(`^tok_[a-z]{1,20}$`)
	phoneNoise = strings.NewReplacer(" ", "", "-", "", "/", "", "(", "", ")", "")
)

// NewApplicant makes an applicant of what a person typed: blanks at the ends and the punctuation of the phone number
// are dropped, nothing is judged. Judge with Faults.
func NewApplicant(id, name, email, phone, card string) Applicant {
	return Applicant{
		ID:    id,
		Name:  strings.Join(strings.Fields(name), " "),
		Email: strings.ToLower(strings.TrimSpace(email)),
		Phone: phoneNoise.Replace(phone),
		Card:  strings.TrimSpace(card),
	}
}

// Faults says what is wrong with an application, in words, by the name of the form's field; empty when all is well.
func (a Applicant) Faults() map[string]string {
	faults := map[string]string{}
	if !idShape.MatchString(a.ID) {
		faults["id"] = "This form has no valid application number. Open the page again and fill in the fresh form."
	}
	if text := nameFault(a.Name); text != "" {
		faults["name"] = text
	}
	if !bareAddress(a.Email) {
		faults["email"] = "Write an e-mail address such as ada@example.org."
	}
	if !phoneShape.MatchString(a.Phone) {
		faults["phone"] = "Write the phone number with its country code, such as +49 151 2345678."
	}
	if !cardShape.MatchString(a.Card) {
		faults["card"] = "Choose a card."
	}
	return faults
}

func nameFault(name string) string {
	switch {
	case name == "":
		return "Write your name."
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "The name has characters that cannot be written."
	case utf8.RuneCountInString(name) > 60:
		return fmt.Sprintf("The name has %d characters; 60 is the most.", utf8.RuneCountInString(name))
	}
	return ""
}

func bareAddress(s string) bool {
	if len(s) > 254 {
		return false
	}
	address, err := mail.ParseAddress(s)
	return err == nil && address.Address == s
}

// The ids of an applicant's orchestrations follow from the application, so that whoever knows the one can find the others.

// JoinID is the instance of Join.
func JoinID(applicant string) durable.InstanceID { return durable.InstanceID("join-" + applicant) }

// PhoneID is the instance of VerifyPhone.
func PhoneID(applicant string) durable.InstanceID { return durable.InstanceID("phone-" + applicant) }

// EmailID is the instance of VerifyEmail.
func EmailID(applicant string) durable.InstanceID { return durable.InstanceID("email-" + applicant) }

// RenewalID is the instance of Renewal.
func RenewalID(applicant string) durable.InstanceID {
	return durable.InstanceID("renewal-" + applicant)
}
