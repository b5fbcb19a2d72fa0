package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/world"
)

// Home is the view of the front page.
type Home struct {
	Title        string
	Form         club.Applicant    // what the form holds; its ID is fresh, or the one that was sent
	Faults       map[string]string // by field
	Cards        []Card
	Applications []Line
	Members      []club.Member
}

// Card is a test card to choose from.
type Card struct{ Token, Name string }

var testCards = []Card{
	{world.GoodCard, "a good card"},
	{world.DeclinedCard, "a card that is declined"},
	{world.BusyCard, "a card whose bank is busy at first"},
	{world.LostCard, "a card whose bank loses its first answer"},
	{world.ExpiringCard, "a card that expires before the next season"},
}

// Line is an application in a list.
type Line struct {
	ID     string
	Name   string
	Status Status
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	s.front(w, r, http.StatusOK, club.Applicant{ID: freshID(), Card: world.GoodCard}, nil)
}

// front shows the front page with a form.
func (s *Site) front(w http.ResponseWriter, r *http.Request, status int, form club.Applicant, faults map[string]string) {
	view := Home{Title: "Membership", Form: form, Faults: faults, Cards: testCards}
	latest, err := s.archive.Applicants(shownLimit)
	if err == nil {
		view.Members, err = s.archive.Members()
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	for _, a := range latest {
		dossier, err := s.office.Look(r.Context(), a.ID)
		if err != nil && !errors.Is(err, club.ErrNoApplication) {
			s.failed(w, r, err)
			return
		}
		view.Applications = append(view.Applications, Line{ID: a.ID, Name: a.Name, Status: statusOf(dossier, err)})
	}
	s.show(w, r, status, "home", view)
}

// apply files the application and starts it. The number came with the form, so that a form sent twice is one application.
func (s *Site) apply(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	applicant := club.NewApplicant(r.PostFormValue("id"), r.PostFormValue("name"), r.PostFormValue("email"),
		r.PostFormValue("phone"), r.PostFormValue("card"))
	if faults := applicant.Faults(); len(faults) > 0 {
		if faults["id"] != "" {
			applicant.ID = freshID()
		}
		s.front(w, r, http.StatusUnprocessableEntity, applicant, faults)
		return
	}
	if err := s.archive.Receive(applicant); err != nil {
		s.failed(w, r, err)
		return
	}
	if err := s.office.Apply(r.Context(), applicant); err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/applications/"+applicant.ID, http.StatusSeeOther)
}

// freshID draws an application number that nobody can guess: who knows it can see the page.
func freshID() string { return strings.ToLower(rand.Text()[:16]) }
