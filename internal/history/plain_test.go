package history_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

// Text that is plain is what json.Marshal writes, and reads as the bytes between its quotes.
func TestPlainText(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for _, s := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c)}) + "b", string(rune(c))} {
			text := []byte(`"` + s + `"`)
			if !history.PlainText(text) {
				continue
			}
			want, err := json.Marshal(s)
			if err != nil || string(want) != string(text) {
				t.Errorf("%q is plain, json.Marshal writes %s (%v)", text, want, err)
			}
			var got string
			if err := json.Unmarshal(text, &got); err != nil || got != s {
				t.Errorf("%q is plain, json.Unmarshal reads %q (%v)", text, got, err)
			}
		}
	}
	for _, text := range []string{"", `"`, `a`, `"a`, `a"`, `"a"b"`, `"\n"`, `"é"`, "\"\x7f\"", `"<"`, ` "a"`, `"a" `, `1`, `null`} {
		if history.PlainText([]byte(text)) {
			t.Errorf("%q is plain", text)
		}
	}
	for _, text := range []string{`""`, `"a"`, `"` + strings.Repeat("x", 100) + ` '/~"`} {
		if !history.PlainText([]byte(text)) {
			t.Errorf("%q is not plain", text)
		}
	}
}
