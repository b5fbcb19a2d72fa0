package world_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/world"
)

// outside is what both a World and a Remote must be.
type outside interface {
	club.Gateway
	club.Bank
	club.Register
	club.Press
	club.MailingList
}

var (
	ada    = club.Applicant{ID: "aaaaaaaaaaaaaaaa", Name: "Ada Lovelace", Email: "ada@example.org", Phone: "+491512345678", Card: world.GoodCard}
	twin   = club.Applicant{ID: "bbbbbbbbbbbbbbbb", Name: "Ada Byron", Email: "ada@example.org", Phone: "+491512345679", Card: world.GoodCard}
	nobody = func(string) bool { return false }
)

func open(t *testing.T) *world.World {
	t.Helper()
	w, err := world.Open(filepath.Join(t.TempDir(), "world.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// both runs a test against the world itself and against the same world over HTTP.
func both(t *testing.T, test func(t *testing.T, w *world.World, o outside)) {
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		w := open(t)
		test(t, w, w)
	})
	t.Run("over HTTP", func(t *testing.T) {
		t.Parallel()
		w := open(t)
		server := httptest.NewServer(world.Serve(w))
		t.Cleanup(server.Close)
		test(t, w, world.Dial(server.URL))
	})
}

func whats(t *testing.T, w *world.World) []string {
	t.Helper()
	entries, err := w.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	var whats []string
	for _, e := range entries {
		whats = append(whats, e.What)
	}
	return whats
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSendDeliversOncePerKey(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world.World, o outside) {
		first := club.Message{To: ada.Phone, Body: "4711 is your code", Secret: "4711"}
		_, err := o.Send(t.Context(), "k1", first)
		check(t, err)
		again, err := o.Send(t.Context(), "k1", club.Message{To: ada.Phone, Body: "1234 is your code", Secret: "1234"})
		check(t, err)
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("a repeated call must give what was delivered (-want +got)\n%s", diff)
		}
		inbox, err := w.Inbox(ada.Phone)
		check(t, err)
		if len(inbox) != 1 || inbox[0].Message.Secret != "4711" {
			t.Errorf("inbox = %+v, want the first message only", inbox)
		}
	})
}

func TestInboxIsByWholeAddressNewestFirst(t *testing.T) {
	t.Parallel()
	w := open(t)
	for i, to := range []string{"+4915100", "+491510", "+4915100"} {
		_, err := w.Send(t.Context(), string(rune('a'+i)), club.Message{To: to + "1", Body: string(rune('a' + i))})
		check(t, err)
	}
	inbox, err := w.Inbox("+49151001")
	check(t, err)
	var bodies []string
	for _, d := range inbox {
		bodies = append(bodies, d.Message.Body)
	}
	if diff := cmp.Diff([]string{"c", "a"}, bodies); diff != "" {
		t.Errorf("inbox (-want +got)\n%s", diff)
	}
}

func TestUnreachablePhone(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, _ *world.World, o outside) {
		_, err := o.Send(t.Context(), "k", club.Message{To: "+491512345000"})
		if !errors.Is(err, club.ErrUnreachable) {
			t.Errorf("err = %v, want ErrUnreachable", err)
		}
	})
}

func TestCharge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		card  string
		calls []string // what each call with one key must give
		wrote []string // in the ledger
	}{
		{"good", world.GoodCard, []string{"", ""}, []string{"charged", "repeated"}},
		{"declined", world.DeclinedCard, []string{"not enough money"}, []string{"declined"}},
		{"busy", world.BusyCard, []string{"busy", "busy", "", ""}, []string{"busy", "busy", "charged", "repeated"}},
		{"answer lost", world.LostCard, []string{"connection lost", "", ""}, []string{"charged", "repeated", "repeated"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, w *world.World, o outside) {
				charge := club.Charge{Account: ada.ID, Card: test.card, Season: 1, Cents: 4500}
				numbers := map[int]bool{}
				for i, want := range test.calls {
					receipt, err := o.Charge(t.Context(), "k", charge)
					switch {
					case want == "" && err != nil:
						t.Errorf("call %d: %v", i, err)
					case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
						t.Errorf("call %d: err = %v, want one with %q", i, err, want)
					case want == "":
						numbers[receipt.Number] = true
					}
				}
				if len(numbers) > 1 {
					t.Errorf("one key gave the receipts %v, want one", numbers)
				}
				if diff := cmp.Diff(test.wrote, whats(t, w)); diff != "" {
					t.Errorf("ledger (-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestDeclinedKeepsItsReason(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, _ *world.World, o outside) {
		_, err := o.Charge(t.Context(), "k", club.Charge{Account: ada.ID, Card: world.ExpiringCard, Season: 2})
		declined, ok := errors.AsType[*club.DeclinedError](err)
		if !ok || declined.Reason != "the card has expired" {
			t.Errorf("err = %#v, want a DeclinedError with its reason", err)
		}
	})
}

func TestChargeNeedsAKey(t *testing.T) {
	t.Parallel()
	if _, err := open(t).Charge(t.Context(), "", club.Charge{Account: ada.ID, Card: world.GoodCard}); err == nil {
		t.Error("a charge without a key moved money that nobody can recognise")
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world.World, o outside) {
		charge := club.Charge{Account: ada.ID, Card: world.GoodCard, Season: 1, Cents: 4500}
		_, err := o.Charge(t.Context(), "k", charge)
		check(t, err)
		check(t, o.Refund(t.Context(), ada.ID, 1))
		check(t, o.Refund(t.Context(), ada.ID, 1))
		if _, err := o.Charge(t.Context(), "late", charge); err == nil {
			t.Error("a charge that arrived after its refund moved money")
		}
		if diff := cmp.Diff([]string{"charged", "refunded", "declined"}, whats(t, w)); diff != "" {
			t.Errorf("ledger (-want +got)\n%s", diff)
		}
	})
}

func TestEnrol(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, w *world.World, o outside) {
		first, err := o.Enrol(t.Context(), ada)
		check(t, err)
		again, err := o.Enrol(t.Context(), ada)
		check(t, err)
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("enrolled again (-want +got)\n%s", diff)
		}
		if _, err := o.Enrol(t.Context(), twin); !errors.Is(err, club.ErrAlreadyMember) {
			t.Errorf("second application with one address: err = %v, want ErrAlreadyMember", err)
		}
		check(t, o.Strike(t.Context(), ada.ID))
		check(t, o.Strike(t.Context(), ada.ID))
		if _, err := o.Enrol(t.Context(), ada); err == nil {
			t.Error("an enrolment that arrived after the strike made a member")
		}
		if _, err := o.Enrol(t.Context(), twin); err != nil {
			t.Errorf("the address is free again, but: %v", err)
		}
		members, err := w.Members()
		check(t, err)
		if diff := cmp.Diff([]club.Member{{Number: 2, Applicant: twin}}, members); diff != "" {
			t.Errorf("members (-want +got)\n%s", diff)
		}
	})
}

func TestEnrolByMany(t *testing.T) {
	t.Parallel()
	w := open(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := w.Enrol(context.Background(), ada); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	members, err := w.Members()
	check(t, err)
	if diff := cmp.Diff([]club.Member{{Number: 1, Applicant: ada}}, members); diff != "" {
		t.Errorf("members (-want +got)\n%s", diff)
	}
}

func TestPressJams(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, _ *world.World, o outside) {
		check(t, o.Print(t.Context(), "k", club.Member{Number: 1, Applicant: ada}))
		long := club.Member{Number: 2, Applicant: club.Applicant{Name: strings.Repeat("n", world.CardWidth+1)}}
		if err := o.Print(t.Context(), "l", long); err == nil {
			t.Error("a name wider than the card was printed")
		}
	})
}

func TestAudit(t *testing.T) {
	t.Parallel()
	charge := func(t *testing.T, w *world.World, key, account string) {
		_, err := w.Charge(t.Context(), key, club.Charge{Account: account, Card: world.GoodCard, Season: 1, Cents: 4500})
		check(t, err)
	}
	admit := func(t *testing.T, w *world.World) {
		charge(t, w, "fee", ada.ID)
		m, err := w.Enrol(t.Context(), ada)
		check(t, err)
		check(t, w.Print(t.Context(), "card", m))
		check(t, w.Subscribe(t.Context(), m))
	}
	tests := []struct {
		name string
		do   func(t *testing.T, w *world.World)
		want []string
	}{
		{"in order", admit, nil},
		{"repeated calls", func(t *testing.T, w *world.World) { admit(t, w); admit(t, w) }, nil},
		{"charged twice", func(t *testing.T, w *world.World) { admit(t, w); charge(t, w, "again", ada.ID) },
			[]string{"aaaaaaaaaaaaaaaa was charged 2 times for season 1"}},
		{"paid for nothing", func(t *testing.T, w *world.World) { charge(t, w, "fee", twin.ID) },
			[]string{"bbbbbbbbbbbbbbbb paid for season 1 and is no member"}},
		{"two cards", func(t *testing.T, w *world.World) {
			admit(t, w)
			check(t, w.Print(t.Context(), "again", club.Member{Number: 1, Applicant: ada}))
		}, []string{"member 1 (aaaaaaaaaaaaaaaa) has 2 cards"}},
		{"enrolled only", func(t *testing.T, w *world.World) { _, err := w.Enrol(t.Context(), ada); check(t, err) },
			[]string{
				"member 1 (aaaaaaaaaaaaaaaa) has 0 cards",
				"member 1 (aaaaaaaaaaaaaaaa) is not on the mailing list",
				"member 1 (aaaaaaaaaaaaaaaa) paid no fee for the first season",
			}},
		{"struck but on the list", func(t *testing.T, w *world.World) {
			admit(t, w)
			check(t, w.Refund(t.Context(), ada.ID, 1))
			check(t, w.Strike(t.Context(), ada.ID))
		}, []string{"aaaaaaaaaaaaaaaa is on the mailing list and no member"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			test.do(t, w)
			audit, err := w.Audit(nobody)
			check(t, err)
			if diff := cmp.Diff(test.want, audit.Wrong); diff != "" {
				t.Errorf("complaints (-want +got)\n%s", diff)
			}
		})
	}
}

func TestApplicantsLatestFirst(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, a := range []club.Applicant{ada, twin, ada} {
		check(t, w.Receive(a))
	}
	got, err := w.Applicants(5)
	check(t, err)
	if diff := cmp.Diff([]club.Applicant{twin, ada}, got); diff != "" {
		t.Errorf("applicants (-want +got)\n%s", diff)
	}
	if got, err = w.Applicants(1); err != nil || len(got) != 1 {
		t.Errorf("Applicants(1) = %v, %v", got, err)
	}
}

func TestSecondOpenIsRefusedInWords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "world.db")
	w, err := world.Open(path)
	check(t, err)
	defer w.Close()
	if _, err := world.Open(path); err == nil || !strings.Contains(err.Error(), "another membership") {
		t.Errorf("err = %v, want one that says who has the file", err)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(world.Serve(open(t)))
	t.Cleanup(server.Close)
	tests := []struct{ name, contentType, body string }{
		{"a form of another site", "text/plain", `{"Account":"a"}`},
		{"no JSON", "application/json", `nonsense`},
		{"too much", "application/json", `{"Account":"` + strings.Repeat("a", 100<<10) + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			response, err := http.Post(server.URL+"/refund", test.contentType, strings.NewReader(test.body))
			check(t, err)
			response.Body.Close()
			if response.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("status = %s, want 422", response.Status)
			}
		})
	}
}
