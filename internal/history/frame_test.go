package history_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

// framed writes a record as the log holds it.
func framed(t testing.TB, r history.Record) []byte {
	t.Helper()
	fields, body, err := history.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return append(history.Frame(fields, len(body)), body...)
}

// unframed reads it.
func unframed(kind history.Kind, data []byte) (history.Record, error) {
	head, body, err := history.Unframe(kind, data)
	if err != nil {
		return nil, err
	}
	return history.Decode(kind, head, body)
}

func TestFrame(t *testing.T) {
	t.Parallel()
	task := &history.Task{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.SendCard", Attempt: 1, Site: "card.go:42", Args: history.Payload("\"Ada\"\n\nPolicy: -"), Policy: &history.Policy{Attempts: 2}}
	const want = "1-0-2 1 club.SendCard card.go:42\nPolicy: attempts=2\n\n\"Ada\"\n\nPolicy: -"
	if diff := cmp.Diff(want, string(framed(t, task))); diff != "" {
		t.Errorf("a task in the log (-want +got):\n%s", diff)
	}
	for _, s := range samples {
		if s.record.Kind() == history.KindTimer {
			continue // nobody reads a schedule
		}
		data := framed(t, s.record)
		got, err := unframed(s.record.Kind(), data)
		if diff := cmp.Diff(s.record, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", s.name, err, diff)
		}
	}
}

func TestUnframeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind history.Kind
		data string
		err  string
	}{
		{"nothing", history.KindTask, "", "no empty line"},
		{"no end", history.KindTask, "1-0-2 1 a\n\"Ada\"", "no empty line"},
		{"much before the body", history.KindTask, "1-0-2 1 a\nError: " + strings.Repeat("x", 64<<10) + "\n\n", "more than 65536"},
		{"a schedule", history.KindTimer, "1-0-2 1 a\n\n", "a timer is not read"},
		{"an unknown kind", 77, "1-0-2 1 a\n\n", "is not read"},
		{"another record", history.KindTurn, "1-0-2 1 a\n\n", "execution"},
		{"nothing before the body", history.KindTask, "\n\n1", "a word is missing"},
	} {
		if r, err := unframed(c.kind, []byte(c.data)); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %+v, %v, want an error with %q", c.name, r, err, c.err)
		}
	}
}

// FuzzUnframe: whatever a message holds, it is refused, or written again as a record that is read as the same.
func FuzzUnframe(f *testing.F) {
	for _, s := range samples {
		f.Add(uint8(s.record.Kind()), framed(f, s.record))
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		r, err := unframed(history.Kind(kind), data)
		if err != nil {
			return
		}
		got, err := unframed(r.Kind(), framed(t, r))
		if diff := cmp.Diff(r, got, sameTime, sameNull); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}
