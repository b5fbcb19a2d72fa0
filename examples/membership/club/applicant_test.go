package club

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func good() Applicant {
	return Applicant{ID: "abcdefghijklmno2", Name: "Ada Lovelace", Email: "ada@example.org", Phone: "+491512345678", Card: "tok_good"}
}

func TestNewApplicantTidiesUp(t *testing.T) {
	t.Parallel()
	got := NewApplicant("abcdefghijklmno2", "  Ada \t Lovelace ", " Ada@Example.org ", "+49 (151) 234-56/78", " tok_good ")
	if diff := cmp.Diff(good(), got); diff != "" {
		t.Errorf("applicant (-want +got)\n%s", diff)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Applicant)
		want   []string
	}{
		{"none", func(*Applicant) {}, nil},
		{"letters of the world", func(a *Applicant) { a.Name = "Zoë Ångström-Øst 李" }, nil},
		{"no id", func(a *Applicant) { a.ID = "" }, []string{"id"}},
		{"id that is a path", func(a *Applicant) { a.ID = "../../etc/passwd" }, []string{"id"}},
		{"no name", func(a *Applicant) { a.Name = "" }, []string{"name"}},
		{"61 letters", func(a *Applicant) { a.Name = strings.Repeat("ö", 61) }, []string{"name"}},
		{"control characters", func(a *Applicant) { a.Name = "Ada\x1b[31m" }, []string{"name"}},
		{"broken text", func(a *Applicant) { a.Name = "\xff" }, []string{"name"}},
		{"no address", func(a *Applicant) { a.Email = "ada" }, []string{"email"}},
		{"address with a name", func(a *Applicant) { a.Email = "Ada <ada@example.org>" }, []string{"email"}},
		{"two addresses", func(a *Applicant) { a.Email = "a@example.org,b@example.org" }, []string{"email"}},
		{"national number", func(a *Applicant) { a.Phone = "01512345678" }, []string{"phone"}},
		{"card number", func(a *Applicant) { a.Card = "4242424242424242" }, []string{"card"}},
		{"all empty", func(a *Applicant) { *a = Applicant{} }, []string{"card", "email", "id", "name", "phone"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := good()
			test.change(&a)
			if diff := cmp.Diff(test.want, slices.Sorted(maps.Keys(a.Faults()))); diff != "" {
				t.Errorf("fields with faults (-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzNewApplicant(f *testing.F) {
	f.Add("abcdefghijklmno2", "Ada Lovelace", "ada@example.org", "+49 151 2345678", "tok_good")
	f.Add("", "\x00", "a@b@c", "+0", "tok_")
	f.Fuzz(func(t *testing.T, id, name, email, phone, card string) {
		a := NewApplicant(id, name, email, phone, card)
		if again := NewApplicant(a.ID, a.Name, a.Email, a.Phone, a.Card); len(a.Faults()) == 0 && again != a {
			t.Errorf("a faultless applicant is not tidy: %+v, tidied %+v", a, again)
		}
	})
}

func TestDrawCodeHasItsDigits(t *testing.T) {
	t.Parallel()
	for digits := 1; digits <= 8; digits++ {
		low := 1
		for range digits - 1 {
			low *= 10
		}
		for range 200 {
			code, err := drawCode(digits)
			if err != nil {
				t.Fatal(err)
			}
			if code < low || code >= 10*low {
				t.Fatalf("drawCode(%d) = %d", digits, code)
			}
		}
	}
}
