// Package web is the club's site: a form to apply, a page for each application, and the desk of the board. It is plain
// HTML that works without scripts; a short script keeps the pages live where there is one. Every page of state is also
// served as JSON to a client that accepts application/json.
//
// As this is a demo, the page of an application also shows the applicant's phone and mailbox.
package web

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/world"
)

// Office is what the site asks of the orchestrations; club.Office is one.
type Office interface {
	Apply(ctx context.Context, applicant club.Applicant) error
	Answer(ctx context.Context, applicant string, code int) error
	Confirm(ctx context.Context, applicant, token string) error
	Withdraw(ctx context.Context, applicant string) error
	Rule(ctx context.Context, applicant string, ruling club.BoardRuling) error
	Cancel(ctx context.Context, applicant string) error
	PayAhead(ctx context.Context, applicant string, season int) error
	Look(ctx context.Context, applicant string) (club.Dossier, error)
	Desk(ctx context.Context, limit int) ([]club.Dossier, error)
}

// Archive is what the site reads of the world, and where it files applications; *world.World is one.
type Archive interface {
	Receive(a club.Applicant) error
	Applicant(id string) (club.Applicant, bool, error)
	Applicants(limit int) ([]club.Applicant, error)
	Members() ([]club.Member, error)
	Inbox(to string) ([]world.Delivery, error)
}

// Limits of the site.
const (
	formLimit  = 8 << 10 // bytes of a form
	shownLimit = 50      // applications on the front page
	deskLimit  = 1000    // applications on the board's desk
)

//go:embed page
var files embed.FS

// Site is the club's site, an http.Handler.
type Site struct {
	office  Office
	archive Archive
	log     *slog.Logger
	pages   map[string]*template.Template
	handler http.Handler
}

// New makes the site.
func New(office Office, archive Archive, log *slog.Logger) (*Site, error) {
	s := &Site{office: office, archive: archive, log: log, pages: map[string]*template.Template{}}
	words := template.FuncMap{
		"clock": func(t time.Time) string { return t.Local().Format("15:04:05") },
		"day":   func(t time.Time) string { return t.Local().Format("2 January 2006") },
	}
	for _, name := range []string{"home", "application", "confirm", "board", "trouble"} {
		page, err := template.New("frame.html").Funcs(words).ParseFS(files, "page/frame.html", "page/"+name+".html")
		if err != nil {
			return nil, err
		}
		s.pages[name] = page
	}
	assets, err := fs.Sub(files, "page/assets")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("POST /applications", s.apply)
	mux.HandleFunc("GET /applications/{id}", s.application)
	mux.HandleFunc("POST /applications/{id}/code", s.code)
	mux.HandleFunc("GET /applications/{id}/confirm", s.link)
	mux.HandleFunc("POST /applications/{id}/confirm", s.confirm)
	mux.HandleFunc("POST /applications/{id}/withdraw", s.say(Office.Withdraw))
	mux.HandleFunc("POST /applications/{id}/cancel", s.say(Office.Cancel))
	mux.HandleFunc("POST /applications/{id}/pay-ahead", s.payAhead)
	mux.HandleFunc("GET /board", s.board)
	mux.HandleFunc("POST /board/{id}", s.rule)
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.trouble(w, r, http.StatusNotFound, "There is no such page.", nil)
	})
	s.handler = http.NewCrossOriginProtection().Handler(guard(mux))
	return s, nil
}

// ServeHTTP serves the site.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// guard limits what comes in and what a browser may do with what goes out.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, formLimit)
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// show writes a page, or the same as JSON.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, page string, view any) {
	w.Header().Set("Vary", "Accept")
	w.Header().Set("Cache-Control", "no-store")
	var body bytes.Buffer
	var err error
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		err = json.NewEncoder(&body).Encode(view)
	} else {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		err = s.pages[page].Execute(&body, view)
	}
	if err != nil {
		s.log.Error("page not written", "page", page, "error", err)
		http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the reader may have gone
}

// Trouble is the view of a page that says what went wrong.
type Trouble struct {
	Title string
	Text  string
}

// trouble says in words what went wrong; the cause, if any, goes to the log only.
func (s *Site) trouble(w http.ResponseWriter, r *http.Request, status int, text string, cause error) {
	if cause != nil && r.Context().Err() == nil { // a reader who has gone explains itself
		s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", cause)
	}
	s.show(w, r, status, "trouble", Trouble{Title: http.StatusText(status), Text: text})
}

// failed answers a request that the office or the archive could not serve.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, club.ErrNoApplication) {
		s.trouble(w, r, http.StatusNotFound, "There is no application with this number.", nil)
		return
	}
	s.trouble(w, r, http.StatusServiceUnavailable, "The office cannot be reached at the moment. Nothing is lost: please try again.", err)
}

// form reads the fields of a form; ok is false when the request was answered already.
func (s *Site) form(w http.ResponseWriter, r *http.Request) bool {
	err := r.ParseForm()
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		s.trouble(w, r, http.StatusRequestEntityTooLarge, "The form is too large.", nil)
	} else if err != nil {
		s.trouble(w, r, http.StatusBadRequest, "The form cannot be read.", nil)
	}
	return err == nil
}
