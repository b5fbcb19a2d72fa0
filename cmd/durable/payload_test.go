package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestPayloadsAreCut: people see the beginning of a long payload, no half characters, and how long it is; all of it when
// they ask.
func TestPayloadsAreCut(t *testing.T) {
	t.Parallel()
	long := json.RawMessage(`"` + strings.Repeat("ü", mostShown) + `"`)
	got := shown(long, false)
	if !strings.HasSuffix(got, "… (8194 bytes: --full shows all)") || !strings.HasPrefix(got, `"ü`) || strings.ContainsRune(got, '�') {
		t.Errorf("it shows %.20s…%s", got, got[len(got)-60:])
	}
	if full := shown(long, true); full != string(long) {
		t.Errorf("it shows %d bytes in full, want %d", len(full), len(long))
	}
	if got := short(long); !strings.HasSuffix(got, "… (8194 bytes)") || len(got) > 130 {
		t.Errorf("a cell has %q", got)
	}
	if got := string(payload([]byte("\x00sealed"))); got != `"\u0000sealed"` {
		t.Errorf("what is no JSON is %s within JSON", got)
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for want, d := range map[string]time.Duration{
		"0s ago": 100 * time.Millisecond, "59s ago": 59 * time.Second, "2m ago": 2*time.Minute + 59*time.Second, "47h ago": 47 * time.Hour,
		"2d ago": 49 * time.Hour, "in 2h": -2 * time.Hour,
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	if got := ago(now, time.Time{}); got != "" {
		t.Errorf("no time is %q", got)
	}
}
