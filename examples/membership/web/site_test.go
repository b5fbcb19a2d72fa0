package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/web"
	"github.com/durablegen/durablegen/examples/membership/world"
)

const id = "abcdefghijklmno2"

// office is a fake of club.Office: it writes down what it is told and shows what it was given.
type office struct {
	told    []string
	dossier map[string]club.Dossier
	err     error
}

func (o *office) tell(format string, args ...any) error {
	o.told = append(o.told, fmt.Sprintf(format, args...))
	return o.err
}

func (o *office) Apply(_ context.Context, a club.Applicant) error { return o.tell("apply %s", a.Name) }
func (o *office) Answer(_ context.Context, id string, code int) error {
	return o.tell("answer %s %d", id, code)
}
func (o *office) Confirm(_ context.Context, id, token string) error {
	return o.tell("confirm %s %s", id, token)
}
func (o *office) Withdraw(_ context.Context, id string) error { return o.tell("withdraw %s", id) }
func (o *office) Cancel(_ context.Context, id string) error   { return o.tell("cancel %s", id) }
func (o *office) PayAhead(_ context.Context, id string, season int) error {
	return o.tell("pay ahead %s %d", id, season)
}
func (o *office) Rule(_ context.Context, id string, r club.BoardRuling) error {
	return o.tell("rule %s %v %q", id, r.Approve, r.Note)
}

func (o *office) Look(_ context.Context, id string) (club.Dossier, error) {
	d, ok := o.dossier[id]
	if !ok {
		return d, errors.Join(club.ErrNoApplication, o.err)
	}
	return d, o.err
}

func (o *office) Desk(context.Context, int) ([]club.Dossier, error) {
	var desk []club.Dossier
	for _, d := range o.dossier {
		desk = append(desk, d)
	}
	return desk, o.err
}

// site gives the site with one application on file, whose dossier is d.
func site(t *testing.T, d club.Dossier) (*web.Site, *office) {
	t.Helper()
	archive, err := world.Open(filepath.Join(t.TempDir(), "world.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { archive.Close() })
	applicant := club.Applicant{ID: id, Name: `Ada <script>alert(1)</script>`, Email: "ada@example.org", Phone: "+491512345678", Card: world.GoodCard}
	if err := archive.Receive(applicant); err != nil {
		t.Fatal(err)
	}
	link := club.Message{To: applicant.Email, Subject: "Please confirm", Body: "one\ntwo", Link: "/applications/" + id + "/confirm?token=T"}
	for key, m := range map[string]club.Message{"m": link, "t": {To: applicant.Phone, Body: "4711 is your code"}} {
		if _, err := archive.Send(t.Context(), key, m); err != nil {
			t.Fatal(err)
		}
	}
	d.Applicant = id
	o := &office{dossier: map[string]club.Dossier{id: d}}
	s, err := web.New(o, archive, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s, o
}

func get(s http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func post(s http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

var verifying = club.Dossier{Open: true, Progress: club.Progress{Step: club.Verifying},
	Phone: club.Check{Sent: true, TriesLeft: 1}, Email: club.Check{Sent: true, TriesLeft: 3}}

func TestPagesShowTheState(t *testing.T) {
	t.Parallel()
	joined := club.Dossier{Outcome: club.Outcome{Decision: club.Joined, Member: 7}, Standing: club.Standing{Season: club.Season{Number: 2}}}
	tests := []struct {
		name    string
		dossier club.Dossier
		path    string
		want    []string
		not     []string
	}{
		{"front page", verifying, "/", []string{`name="phone"`, "verifying phone", "no members yet", "Ada &lt;script&gt;"}, []string{"<script>alert"}},
		{"verifying", verifying, "/applications/" + id,
			[]string{"4711 is your code", `name="code"`, "1 try left", "/confirm?token=T", "Withdraw", `aria-current="step"`}, []string{"<script>alert", "Cancel the membership"}},
		{"said", verifying, "/applications/" + id + "?said", []string{"passed on"}, nil},
		{"verified phone", club.Dossier{Open: true, Progress: club.Progress{Step: club.Verifying}, Phone: club.Check{Sent: true, Verified: true}},
			"/applications/" + id, []string{"verified"}, []string{`name="code"`}},
		{"collecting", club.Dossier{Open: true, Progress: club.Progress{Step: club.CollectingFee}}, "/applications/" + id, []string{"collecting the fee"}, []string{"Withdraw"}},
		{"joined", joined, "/applications/" + id, []string{"member number 7", "Season 2 is paid", "Pay for season"}, []string{"Withdraw"}},
		{"rejected", club.Dossier{Outcome: club.Outcome{Decision: club.Rejected, Reason: "Full."}}, "/applications/" + id,
			[]string{"rejected by the board: Full.", `class="failed"`}, []string{"Pay for season"}},
		{"left", club.Dossier{Outcome: club.Outcome{Decision: club.Joined}, Leaving: club.Lapsed}, "/applications/" + id, []string{"left: lapsed"}, []string{"Pay for season"}},
		{"failed", club.Dossier{Failure: "boom"}, "/applications/" + id, []string{"needs a person: boom"}, nil},
		{"link", verifying, "/applications/" + id + "/confirm?token=%22T", []string{"Confirm my e-mail", "&#34;T"}, nil},
		{"desk", club.Dossier{Open: true, Progress: club.Progress{Step: club.AskingChair}}, "/board", []string{"Ada &lt;script&gt;", "escalated", `value="approve"`}, nil},
		{"empty desk", verifying, "/board", []string{"No application waits"}, []string{"Ada"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := site(t, test.dossier)
			w := get(s, test.path)
			if w.Code != http.StatusOK {
				t.Fatalf("status = %d: %s", w.Code, w.Body)
			}
			for _, want := range test.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("the page lacks %q:\n%s", want, w.Body)
				}
			}
			for _, not := range test.not {
				if strings.Contains(w.Body.String(), not) {
					t.Errorf("the page has %q:\n%s", not, w.Body)
				}
			}
		})
	}
}

func TestFormsReachTheOffice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path  string
		form  url.Values
		to    string
		wants string
	}{
		{"/applications/" + id + "/code", url.Values{"code": {" 4711 "}}, "/applications/" + id + "?said", "answer " + id + " 4711"},
		{"/applications/" + id + "/confirm", url.Values{"token": {"T"}}, "/applications/" + id + "?said", "confirm " + id + " T"},
		{"/applications/" + id + "/withdraw", nil, "/applications/" + id + "?said", "withdraw " + id},
		{"/applications/" + id + "/cancel", nil, "/applications/" + id + "?said", "cancel " + id},
		{"/applications/" + id + "/pay-ahead", url.Values{"season": {"3"}}, "/applications/" + id + "?said", "pay ahead " + id + " 3"},
		{"/board/" + id, url.Values{"word": {"approve"}}, "/board", "rule " + id + ` true ""`},
		{"/board/" + id, url.Values{"word": {"reject"}, "note": {" Full. "}}, "/board", "rule " + id + ` false "Full."`},
		{"/applications", url.Values{"id": {"zzzzzzzzzzzzzzzz"}, "name": {"Bo"}, "email": {"bo@example.org"}, "phone": {"+49 151 23456"}, "card": {"tok_good"}},
			"/applications/zzzzzzzzzzzzzzzz", "apply Bo"},
	}
	for _, test := range tests {
		t.Run(test.wants, func(t *testing.T) {
			t.Parallel()
			s, o := site(t, verifying)
			w := post(s, test.path, test.form)
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != test.to {
				t.Errorf("status %d to %q, want 303 to %q", w.Code, w.Header().Get("Location"), test.to)
			}
			if diff := cmp.Diff([]string{test.wants}, o.told); diff != "" {
				t.Errorf("the office was told (-want +got)\n%s", diff)
			}
		})
	}
}

func TestBadInputIsAnsweredInWords(t *testing.T) {
	t.Parallel()
	down := errors.New("nats: no servers available")
	tests := []struct {
		name string
		do   func(s http.Handler) *httptest.ResponseRecorder
		down bool
		code int
		want string
	}{
		{"no page", func(s http.Handler) *httptest.ResponseRecorder { return get(s, "/nonsense") }, false, 404, "no such page"},
		{"no application", func(s http.Handler) *httptest.ResponseRecorder { return get(s, "/applications/nobody") }, false, 404, "no application"},
		{"link of nobody", func(s http.Handler) *httptest.ResponseRecorder { return get(s, "/applications/nobody/confirm?token=x") }, false, 404, "no application"},
		{"code in letters", func(s http.Handler) *httptest.ResponseRecorder {
			return post(s, "/applications/"+id+"/code", url.Values{"code": {"abc"}})
		}, false, 422, "A code is a number"},
		{"no token", func(s http.Handler) *httptest.ResponseRecorder { return post(s, "/applications/"+id+"/confirm", nil) }, false, 422, "not complete"},
		{"no season", func(s http.Handler) *httptest.ResponseRecorder { return post(s, "/applications/"+id+"/pay-ahead", nil) }, false, 422, "which season"},
		{"no word", func(s http.Handler) *httptest.ResponseRecorder { return post(s, "/board/"+id, nil) }, false, 422, "approve or reject"},
		{"long note", func(s http.Handler) *httptest.ResponseRecorder {
			return post(s, "/board/"+id, url.Values{"word": {"reject"}, "note": {strings.Repeat("n", 201)}})
		}, false, 422, "too long"},
		{"faulty form", func(s http.Handler) *httptest.ResponseRecorder {
			return post(s, "/applications", url.Values{"id": {id}, "name": {`"Bo"`}, "email": {"bo"}})
		}, false, 422, `value="&#34;Bo&#34;"`},
		{"huge form", func(s http.Handler) *httptest.ResponseRecorder {
			return post(s, "/applications", url.Values{"name": {strings.Repeat("n", 10<<10)}})
		}, false, 413, "too large"},
		{"broken form", func(s http.Handler) *httptest.ResponseRecorder {
			r := httptest.NewRequest("POST", "/applications", strings.NewReader("a=%zz"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w
		}, false, 400, "cannot be read"},
		{"office away", func(s http.Handler) *httptest.ResponseRecorder { return get(s, "/applications/"+id) }, true, 503, "try again"},
		{"office away, posting", func(s http.Handler) *httptest.ResponseRecorder {
			return post(s, "/applications/"+id+"/withdraw", nil)
		}, true, 503, "try again"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, o := site(t, verifying)
			if test.down {
				o.err = down
			}
			w := test.do(s)
			if w.Code != test.code || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("status = %d, want %d; the page must have %q:\n%s", w.Code, test.code, test.want, w.Body)
			}
			if strings.Contains(w.Body.String(), "nats:") {
				t.Errorf("the page tells of the inside:\n%s", w.Body)
			}
		})
	}
}

func TestAnotherSiteCannotPost(t *testing.T) {
	t.Parallel()
	s, o := site(t, verifying)
	r := httptest.NewRequest("POST", "/applications/"+id+"/cancel", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || len(o.told) > 0 {
		t.Errorf("status = %d, told %q; want 403 and nothing", w.Code, o.told)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	s, _ := site(t, verifying)
	r := httptest.NewRequest("GET", "/applications/"+id, nil)
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var page web.Application
	if err := json.NewDecoder(w.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	if page.Applicant.ID != id || !page.Asks().Code || len(page.Texts) != 1 {
		t.Errorf("page = %+v", page)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	s, _ := site(t, verifying)
	for path, want := range map[string]string{"/assets/style.css": "text/css", "/assets/live.js": "javascript", "/assets/oar.svg": "image/svg"} {
		w := get(s, path)
		body, _ := io.ReadAll(w.Body)
		if w.Code != http.StatusOK || len(body) == 0 || !strings.Contains(w.Header().Get("Content-Type"), want) {
			t.Errorf("%s: status %d, %d bytes of %s", path, w.Code, len(body), w.Header().Get("Content-Type"))
		}
	}
}
