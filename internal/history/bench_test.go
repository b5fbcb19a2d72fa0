package history_test

import (
	"encoding/json"
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

// hot are the records of every orchestration.
func hot() map[string]history.Record {
	ms := run()
	return map[string]history.Record{"start": ms[0].Record, "task": ms[1].Record, "done": ms[2].Record, "final": ms[len(ms)-1].Record}
}

func BenchmarkEncode(b *testing.B) {
	for name, r := range hot() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := history.Encode(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, r := range hot() {
		b.Run(name, func(b *testing.B) {
			fields, body, err := history.Encode(r)
			if err != nil {
				b.Fatal(err)
			}
			head, kind := history.HeadOf(fields), r.Kind()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := history.Decode(kind, head, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkArchive writes and reads the history of a run.
func BenchmarkArchive(b *testing.B) {
	ms := run()
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(ms); err != nil {
				b.Fatal(err)
			}
		}
	})
	text, err := json.Marshal(ms)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var got history.Messages
			if err := json.Unmarshal(text, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}
