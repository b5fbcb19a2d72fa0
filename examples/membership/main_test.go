package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/demo"
	"github.com/durablegen/durablegen/examples/membership/world"
)

// The test binary is its own worker process, for the test that kills it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-worker" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args string
		want string // in the error; "" is fine
	}{
		{"none", "", ""},
		{"demo", "-demo -crash -seed 7", ""},
		{"worker", "-worker -nats nats://127.0.0.1:1 -world http://127.0.0.1:2", ""},
		{"argument", "demo", `unexpected argument "demo"`},
		{"crash alone", "-crash", "-crash goes with -demo"},
		{"worker and demo", "-worker -demo", "exclude each other"},
		{"worker of nothing", "-worker", "-worker needs -nats and -world"},
		{"no day", "-day 0", "too short"},
		{"unknown", "-frobnicate", "not defined"},
		{"log level", "-log loud", "invalid value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(strings.Fields(test.args), io.Discard)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("err = %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("err = %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestWrongFlagsExitWith2(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"-crash"}, nil, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), "-crash goes with -demo") {
		t.Errorf("exit code %d, said %q", code, &stderr)
	}
}

// cast gives one applicant of the demo for each end, so that a small demo goes down every road.
func cast(t *testing.T) []demo.Persona {
	t.Helper()
	all, err := demo.Read(bytes.NewReader(applicants))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var some []demo.Persona
	for _, p := range all {
		if !seen[p.Expected] {
			some = append(some, p)
		}
		seen[p.Expected] = true
	}
	return some
}

func quiet(dir string) settings {
	return settings{data: dir, hub: "membership", day: 24 * time.Hour, level: slog.LevelError, log: slog.New(slog.DiscardHandler)}
}

// Everybody ends as the table says and the books are in order, in one process as well as when the worker is a process that
// is killed again and again.
func TestEveryEnd(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]bool{"one process": false, "killed workers": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := quiet(t.TempDir())
			s.crash, s.seed = crash, 1
			h, err := open(t.Context(), s, crash)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := h.close(); err != nil {
					t.Error(err)
				}
			}()
			report, err := h.play(t.Context(), cast(t), io.Discard, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if !report.Good() {
				var table strings.Builder
				report.Print(&table)
				t.Error(table.String())
			}
		})
	}
}

// An address can belong to one member only: the second admission is undone, and the first member keeps everything.
func TestSecondApplicationOfAMember(t *testing.T) {
	t.Parallel()
	h, err := open(t.Context(), quiet(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	site, err := h.serveSite("127.0.0.1:0", club.HouseRules(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ada := demo.Persona{
		Name: "Ada Lovelace", Email: "ada@example.org", Phone: "+491512345678", Card: world.GoodCard,
		Answers: []string{"right"}, Opens: true, Board: "approve",
	}
	for _, want := range []club.Decision{club.Joined, club.Undone} {
		stories := demo.Play{Site: site, People: []demo.Persona{ada}}.Run(t.Context())
		if got := stories[0].End; got != string(want) {
			t.Errorf("the application ended as %q, want %q", got, want)
		}
	}
	audit, err := h.world.Audit(func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(world.Audit{Members: 1, Charges: 2, Refunds: 1}, audit); diff != "" {
		t.Errorf("books (-want +got)\n%s", diff)
	}
}

// A membership whose card expires is announced, demanded twice, and lapses, all by itself.
func TestMembershipLapses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h, err := open(ctx, quiet(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.work(ctx); err != nil {
		t.Fatal(err)
	}
	member, err := h.world.Enrol(ctx, club.NewApplicant("abcdefghijklmno2", "Ada Lovelace", "ada@example.org", "+491512345678", world.ExpiringCard))
	if err != nil {
		t.Fatal(err)
	}
	rules := club.HouseRules(time.Millisecond)
	season := club.Season{Number: 1, Ends: time.Now().Add(rules.Year)}
	renewal, err := club.RenewalOrchestrator.Start(ctx, h.client, member, season, rules)
	if err != nil {
		t.Fatal(err)
	}
	leaving, err := renewal.Wait(ctx)
	if err != nil || leaving != club.Lapsed {
		t.Errorf("left with %q, %v; want %q", leaving, err, club.Lapsed)
	}
	inbox, err := h.world.Inbox("ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, d := range inbox {
		subjects = append(subjects, d.Message.Subject)
	}
	want := []string{"Goodbye", "Your fee is overdue", "Your fee is overdue", "Your membership goes on"}
	if diff := cmp.Diff(want, subjects); diff != "" {
		t.Errorf("mails, the newest first (-want +got)\n%s", diff)
	}
	if members, err := h.world.Members(); err != nil || len(members) > 0 {
		t.Errorf("members = %v, %v; want none", members, err)
	}
}

// A club that is closed and opened again goes on where it stopped.
func TestGoesOnAfterAStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	applicant := club.NewApplicant("abcdefghijklmno2", "Ada Lovelace", "ada@example.org", "+49 151 2345678", "tok_good")
	session := func(do func(ctx context.Context, h *house, office club.Office)) {
		ctx := t.Context()
		h, err := open(ctx, quiet(dir), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.work(ctx); err != nil {
			t.Fatal(err)
		}
		do(ctx, h, club.Office{Client: h.client, Rules: club.HouseRules(24 * time.Hour)})
		if err := h.close(); err != nil {
			t.Fatal(err)
		}
	}
	session(func(ctx context.Context, h *house, office club.Office) {
		if err := office.Apply(ctx, applicant); err != nil {
			t.Fatal(err)
		}
	})
	session(func(ctx context.Context, h *house, office club.Office) {
		if err := office.Withdraw(ctx, applicant.ID); err != nil {
			t.Fatal(err)
		}
		outcome, err := club.JoinOrchestrator.Attach(h.client, string(club.JoinID(applicant.ID))).Wait(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(club.Outcome{Decision: club.Withdrawn}, outcome); diff != "" {
			t.Errorf("outcome (-want +got)\n%s", diff)
		}
	})
}
