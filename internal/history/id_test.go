package history_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

func TestEncodeID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"":            "=",
		"order-7_A":   "order-7_A",
		"order 7":     "order=207",
		"a.b*c>d":     "a=2Eb=2Ac=3Ed",
		"ü":           "=C3=BC",
		"=20":         "=3D20",
		"\x00\xff/\n": "=00=FF=2F=0A",
	} {
		got := history.EncodeID(id)
		if got != want {
			t.Errorf("EncodeID(%q) = %q, want %q", id, got, want)
		}
		if back, err := history.DecodeID(got); err != nil || back != id {
			t.Errorf("DecodeID(%q) = %q, %v, want %q", got, back, err, id)
		}
	}
}

func TestDecodeIDRefuses(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "a.b", "a b", "=2", "=2g", "=2f", "=41", "a=", "==", "ü", "=zz", "a\x00"} {
		if id, err := history.DecodeID(token); err == nil {
			t.Errorf("DecodeID(%q) = %q, want an error", token, id)
		}
	}
}

// FuzzID: every text has one token, every token one text, and a token is safe in subjects and keys.
func FuzzID(f *testing.F) {
	for _, s := range []string{"", "=", "order-7", "=41", "a.b", "=C3=BC", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		token := history.EncodeID(s)
		if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") != "" || token == "" {
			t.Fatalf("EncodeID(%q) = %q is not safe", s, token)
		}
		if back, err := history.DecodeID(token); err != nil || back != s {
			t.Fatalf("DecodeID(%q) = %q, %v, want %q", token, back, err, s)
		}
		if id, err := history.DecodeID(s); err == nil && history.EncodeID(id) != s {
			t.Fatalf("%q and %q both stand for %q", s, history.EncodeID(id), id)
		}
	})
}

func TestCheckID(t *testing.T) {
	t.Parallel()
	for id, problem := range map[string]string{
		"order 7/ü": "", strings.Repeat("a", 200): "",
		"": "empty", strings.Repeat("a", 201): "201 bytes", "\xff": "UTF-8", "a\nb": "U+000A", "\u0085": "U+0085",
	} {
		checkProblem(t, history.CheckID(id), id, problem)
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, problem := range map[string]string{
		"club.Send_Card-2": "", strings.Repeat("a", 128): "",
		"": "empty", strings.Repeat("a", 129): "129 bytes", "a b": `" " at byte 1`, "ü": "byte 0", "a/b": `"/"`, "a\n": `"\n"`,
	} {
		checkProblem(t, history.CheckName(name), name, problem)
	}
}

func checkProblem(t *testing.T, err error, of, problem string) {
	t.Helper()
	if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
		t.Errorf("%.20q: error %v, want one that says %q", of, err, problem)
	}
}

// TestPartitionStays: these numbers are a storage format.
func TestPartitionStays(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]int{"": 2, "ada": 7, "order-7": 7, "ü": 4, "0192f0c1-7d3a-7bb4-9d6f-3f3f0c2f7a10": 0} {
		if got := history.Partition(id, 8); got != want {
			t.Errorf("Partition(%q, 8) = %d, want %d", id, got, want)
		}
	}
	for _, n := range []int{-1, 0, 1} {
		if got := history.Partition("ada", n); got != 0 {
			t.Errorf("Partition(ada, %d) = %d, want 0", n, got)
		}
	}
}

func TestPartitionsAreEven(t *testing.T) {
	t.Parallel()
	const ids, partitions = 8000, 8
	for _, form := range []string{"%d", "order-%06d", "ada:1-0-%d", "%d-suffix"} {
		var count [partitions]int
		for n := range ids {
			count[history.Partition(fmt.Sprintf(form, n), partitions)]++
		}
		for p, n := range count {
			if n < ids/partitions*85/100 || n > ids/partitions*115/100 {
				t.Errorf("%q: partition %d has %d of %d ids (%v)", form, p, n, ids, count)
			}
		}
	}
}
