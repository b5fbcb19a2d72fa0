package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/world"
)

// Application is the view of one application.
type Application struct {
	Title     string
	Applicant club.Applicant
	Dossier   club.Dossier
	Status    Status
	Stations  []Station
	Texts     []world.Delivery // on the phone, the newest first
	Mails     []world.Delivery // in the mailbox, the newest first
	Notice    string           // what became of the form that was sent last
}

// Asks is which forms the page offers.
type Asks struct {
	Code, Link, Withdraw, Member bool
	Season                       int // to pay ahead, for members
}

// Asks reports which forms the page offers.
func (a Application) Asks() (asks Asks) {
	d := a.Dossier
	verifying := d.Open && d.Progress.Step == club.Verifying
	asks.Code = verifying && d.Phone.Sent && !d.Phone.Verified
	asks.Link = verifying && d.Email.Sent && !d.Email.Verified
	asks.Withdraw = verifying || d.Open && (d.Progress.Step == club.AskingBoard || d.Progress.Step == club.AskingChair)
	asks.Season = d.Standing.Season.Number + 1
	asks.Member = d.Outcome.Decision == club.Joined && d.Leaving == ""
	return asks
}

// Status is where an application stands, for people.
type Status struct {
	Text string
	Tone string // open, good or bad
	Done bool   // nothing more will happen by itself
}

// statusOf puts a dossier, or the error of looking for it, into words.
func statusOf(d club.Dossier, err error) Status {
	switch {
	case err != nil:
		return Status{Text: "not sent completely; please send the form again", Tone: "bad"}
	case d.Failure != "":
		return Status{Text: "needs a person: " + d.Failure, Tone: "bad", Done: true}
	case d.Open && d.Progress.Step == "":
		return Status{Text: "received", Tone: "open"}
	case d.Open:
		return Status{Text: string(d.Progress.Step), Tone: "open"}
	case d.Leaving != "":
		return Status{Text: "left: " + string(d.Leaving), Tone: "bad", Done: true}
	case d.Outcome.Decision == club.Joined:
		return Status{Text: "member number " + strconv.Itoa(d.Outcome.Member), Tone: "good", Done: true}
	case d.Outcome.Reason != "":
		return Status{Text: string(d.Outcome.Decision) + ": " + d.Outcome.Reason, Tone: "bad", Done: true}
	}
	return Status{Text: string(d.Outcome.Decision), Tone: "bad", Done: true}
}

// Station is one stop on the way of an application.
type Station struct {
	Name string
	Mark string // done, now, todo or failed
}

// stationsOf draws the way so far.
func stationsOf(d club.Dossier) []Station {
	names := []string{"Phone and e-mail", "Board", "First fee", "Card, letter, list", "Member"}
	at := len(names)
	switch {
	case d.Open:
		at = map[club.Step]int{club.AskingBoard: 1, club.AskingChair: 1, club.CollectingFee: 2, club.Welcoming: 3, club.Undoing: 3}[d.Progress.Step]
	case d.Outcome.Decision != club.Joined:
		at = map[club.Decision]int{club.Rejected: 1, club.NoRuling: 1, club.CardDeclined: 2, club.Undone: 3}[d.Outcome.Decision]
	}
	var stations []Station
	for i, name := range names {
		mark := "todo"
		switch {
		case i < at:
			mark = "done"
		case i == at && d.Open:
			mark = "now"
		case i == at:
			mark = "failed"
		}
		stations = append(stations, Station{Name: name, Mark: mark})
	}
	return stations
}

func (s *Site) application(w http.ResponseWriter, r *http.Request) {
	view, err := s.gather(r.Context(), r.PathValue("id"))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if r.URL.Query().Has("said") {
		view.Notice = "Thank you, that has been passed on."
	}
	s.show(w, r, http.StatusOK, "application", view)
}

// gather puts together what is known of an application.
func (s *Site) gather(ctx context.Context, id string) (view Application, err error) {
	applicant, ok, err := s.archive.Applicant(id)
	if err != nil {
		return view, err
	}
	if !ok {
		return view, club.ErrNoApplication
	}
	dossier, err := s.office.Look(ctx, id)
	if err != nil && !errors.Is(err, club.ErrNoApplication) {
		return view, err
	}
	view = Application{
		Title:     applicant.Name,
		Applicant: applicant,
		Dossier:   dossier,
		Status:    statusOf(dossier, err),
		Stations:  stationsOf(dossier),
	}
	if view.Texts, err = s.archive.Inbox(applicant.Phone); err != nil {
		return view, err
	}
	view.Mails, err = s.archive.Inbox(applicant.Email)
	return view, err
}

// code passes on the code that the person typed from the phone.
func (s *Site) code(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	typed := strings.TrimSpace(r.PostFormValue("code"))
	code, err := strconv.Atoi(typed)
	if err != nil || len(typed) > 8 || code < 0 {
		s.trouble(w, r, http.StatusUnprocessableEntity, "A code is a number, such as 4711. Go back and type the one from the text message.", nil)
		return
	}
	s.answer(w, r, s.office.Answer(r.Context(), r.PathValue("id"), code))
}

// Confirm is the view of the page behind the mail's link.
type Confirm struct {
	Title, ID, Token string
}

// link shows a button instead of confirming at once: programs that look into mails follow links, people press buttons.
func (s *Site) link(w http.ResponseWriter, r *http.Request) {
	if _, ok, err := s.archive.Applicant(r.PathValue("id")); err != nil || !ok {
		s.failed(w, r, errors.Join(err, club.ErrNoApplication))
		return
	}
	s.show(w, r, http.StatusOK, "confirm", Confirm{"Confirm your address", r.PathValue("id"), r.URL.Query().Get("token")})
}

func (s *Site) confirm(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	token := r.PostFormValue("token")
	if token == "" || len(token) > 64 {
		s.trouble(w, r, http.StatusUnprocessableEntity, "This link is not complete. Please follow the one in the mail.", nil)
		return
	}
	s.answer(w, r, s.office.Confirm(r.Context(), r.PathValue("id"), token))
}

// say handles a button that needs no words.
func (s *Site) say(pass func(Office, context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, pass(s.office, r.Context(), r.PathValue("id")))
	}
}

// payAhead passes on which season to pay; the number comes with the form, so that a form sent twice pays once.
func (s *Site) payAhead(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	season, err := strconv.Atoi(r.PostFormValue("season"))
	if err != nil || season < 2 {
		s.trouble(w, r, http.StatusUnprocessableEntity, "It is not clear which season to pay for. Please use the button on the page of the membership.", nil)
		return
	}
	s.answer(w, r, s.office.PayAhead(r.Context(), r.PathValue("id"), season))
}

// answer leads back to the application's page, which shows what became of it.
func (s *Site) answer(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/applications/"+r.PathValue("id")+"?said", http.StatusSeeOther)
}
