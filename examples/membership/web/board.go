package web

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// Desk is the view of the board's page.
type Desk struct {
	Title string
	Cases []Case
}

// Case is an application that waits for a ruling.
type Case struct {
	Applicant club.Applicant
	Since     time.Time
	Escalated bool
}

func (s *Site) board(w http.ResponseWriter, r *http.Request) {
	running, err := s.office.Desk(r.Context(), deskLimit)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	desk := Desk{Title: "The board's desk"}
	for _, d := range running {
		if d.Progress.Step != club.AskingBoard && d.Progress.Step != club.AskingChair {
			continue
		}
		applicant, ok, err := s.archive.Applicant(d.Applicant)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		if ok {
			desk.Cases = append(desk.Cases, Case{applicant, d.Progress.Since, d.Progress.Step == club.AskingChair})
		}
	}
	s.show(w, r, http.StatusOK, "board", desk)
}

// rule passes on the board's word.
func (s *Site) rule(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	word, note := r.PostFormValue("word"), strings.TrimSpace(r.PostFormValue("note"))
	if word != "approve" && word != "reject" {
		s.trouble(w, r, http.StatusUnprocessableEntity, "Please approve or reject.", nil)
		return
	}
	if utf8.RuneCountInString(note) > 200 {
		s.trouble(w, r, http.StatusUnprocessableEntity, "The note is too long; 200 characters is the most.", nil)
		return
	}
	err := s.office.Rule(r.Context(), r.PathValue("id"), club.BoardRuling{Approve: word == "approve", By: "the board", Note: note})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/board", http.StatusSeeOther)
}
