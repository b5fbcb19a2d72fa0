package history_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

var aToken = history.Token{
	Address: history.Address{Group: "example.com/club", ID: "order 7 / ü"}, Ref: history.Ref{Run: 2, Execution: 1, Slot: 9},
	Name: "club.Approve", Hash: 0xbeef, Attempt: 3,
}

func TestTokenIsOpaqueAndComesBack(t *testing.T) {
	t.Parallel()
	s := aToken.String()
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		t.Errorf("token %q is not safe in a URL", s)
	}
	if got, err := history.ParseToken(s); err != nil || got != aToken {
		t.Errorf("token %q is read as %+v, %v", s, got, err)
	}
}

func TestTokenRefuses(t *testing.T) {
	t.Parallel()
	made := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ name, token, says string }{
		{"nothing", "", "form"},
		{"no base64", "not a token!", "base64url"},
		{"padding", aToken.String() + "=", "base64url"},
		{"half of one", aToken.String()[:20], "token"},
		{"more than one", aToken.String() + made(" x"), "token"},
		{"a later form", made("2 1-0-0 1 0 g i n"), "form"},
		{"another spelling of a number", made("1 1-0-00 1 0 g i n"), "spelled"},
		{"upper case", made("1 1-0-0 1 BEEF g i n"), "spelled"},
		{"a negative attempt", made("1 1-0-0 -1 0 g i n"), "attempt"},
		{"no instance", made("1 1-0-0 1 0 g % n"), "id"},
		{"a control character", made("1 1-0-0 1 0 g a%0Ab n"), "control"},
		{"something left over", made("1 1-0-0 1 0 g i n x"), "left over"},
		{"far too long", strings.Repeat("A", 1<<20), "1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := history.ParseToken(c.token)
			if err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 300 {
				t.Errorf("read as %+v, %v; want an error of one line that says %q", got, err, c.says)
			}
		})
	}
}

// FuzzToken: whatever is brought, it is refused or it is the one spelling of a token.
func FuzzToken(f *testing.F) {
	f.Add(aToken.String())
	f.Add(history.Token{}.String())
	f.Add("MSAxLTAtMA")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := history.ParseToken(s)
		if err == nil && got.String() != s {
			t.Fatalf("%q is read as %+v, whose token is %q", s, got, got.String())
		}
	})
}
