package history_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

// FuzzDecode: whatever comes from the log, Decode does not panic; what it accepts, Encode writes, and it is the same again.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		fields, body, err := history.Encode(s.record)
		if err != nil {
			f.Fatal(err)
		}
		var header []string
		for _, field := range fields {
			header = append(header, field.Key+": "+field.Value)
		}
		f.Add(uint8(s.record.Kind()), strings.Join(header, "\n"), body)
	}
	f.Add(uint8(history.KindTask), "Durable-Task: 4294967296-0-0 1 a", []byte(nil))
	f.Add(uint8(history.KindStart), "Durable-Start: 1 a\nDurable-Tags: a=%zz", []byte(nil))
	f.Fuzz(func(t *testing.T, kind uint8, header string, body []byte) {
		var fields []history.Field
		for line := range strings.SplitSeq(header, "\n") {
			if k, v, ok := strings.Cut(line, ": "); ok {
				fields = append(fields, history.Field{Key: k, Value: v})
			}
		}
		r, err := history.Decode(history.Kind(kind), history.HeadOf(fields), body)
		if err != nil {
			return
		}
		if got := r.Kind(); got != history.Kind(kind) {
			t.Fatalf("decoded as %s, want %s", got, history.Kind(kind))
		}
		again(t, r)
	})
}

// again checks that a record survives the log and a history file.
func again(t *testing.T, r history.Record) {
	t.Helper()
	fields, body, err := history.Encode(r)
	if err != nil {
		t.Fatalf("decoded, but not encoded again: %v\n%+v", err, r)
	}
	for _, f := range fields {
		if strings.ContainsAny(f.Value, "\r\n") || f.Value != strings.TrimSpace(f.Value) || f.Value == "" {
			t.Fatalf("%s: %q would not survive as a header", f.Key, f.Value)
		}
	}
	got, err := history.Decode(r.Kind(), history.HeadOf(fields), body)
	if err != nil {
		t.Fatalf("encoded, but not decoded again: %v\n%v\n%q", err, fields, body)
	}
	fields2, body2, err := history.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields, fields2) + cmp.Diff(string(body), string(body2)); diff != "" {
		t.Fatalf("through the log (-want +got):\n%s", diff)
	}
	if r.Kind() == history.KindTimer {
		return
	}
	want := history.Messages{{Seq: 3, Time: noon, Record: &history.Start{Run: 1, Orchestrator: "o"}}, {Seq: 9, Record: r}, {Record: r}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatalf("not written as JSON: %v\n%+v", err, r)
	}
	var back history.Messages
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	text2, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(text2)); diff != "" {
		t.Fatalf("through a history (-want +got):\n%s", diff)
	}
}

var (
	sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	sameNull = cmp.Comparer(func(a, b history.Payload) bool {
		null := func(p history.Payload) bool { return len(p) == 0 || string(p) == "null" }
		return string(a) == string(b) || null(a) && null(b)
	})
)

// FuzzEncode: whatever users and other programs name, Encode refuses it or writes what Decode reads.
func FuzzEncode(f *testing.F) {
	f.Add("club.Join", "id", "a\r\nDurable-Done: x", uint32(1), int64(0), 1.5, []byte("1"))
	f.Add("", "%", " ", uint32(math.MaxUint32), int64(math.MinInt64), math.Copysign(0, -1), []byte(nil))
	f.Add("=", "ü\u2028", "\xff\x00", uint32(7), int64(math.MaxInt64), math.Inf(1), []byte("null"))
	f.Fuzz(func(t *testing.T, name, id, text string, n uint32, d int64, x float64, body []byte) {
		text, id, name = strings.ToValidUTF8(text, "?"), strings.ToValidUTF8(id, "?"), strings.ToValidUTF8(name, "?") // JSON is UTF-8
		if len(body) == 0 {
			body = nil
		}
		ref := history.Ref{Run: n, Execution: n / 2, Slot: n / 3}
		records := []history.Record{
			&history.Start{
				Run: n, Orchestrator: name, Version: text, Input: body, Notify: id, Claim: text,
				Parent: &history.Parent{Address: history.Address{Group: name, ID: id}, Ref: ref}, Root: id, Tags: map[string]string{name: text, id: name},
			},
			&history.Done{Ref: ref, Name: name, Hash: n, Attempt: int(n >> 1), Result: body},
			&history.Done{Ref: ref, Name: name, Hash: n, Attempt: 1, Local: true, Site: text, Result: body},
			&history.Done{Ref: ref, Name: name, Failure: &history.Failure{Message: text, Names: []history.Named{{Name: id, Details: body}}}},
			&history.Fired{Ref: ref, Due: time.Unix(d>>20, d&0xfffff).UTC()},
			&history.Event{Name: name, ID: id, Payload: body},
			&history.Control{Verb: history.Verb(name), ID: id, Reason: text},
			&history.Task{
				Ref: ref, Name: name, Args: body, Attempt: int(n >> 1), LastErr: text, Site: text,
				Policy: &history.Policy{Timeout: time.Duration(d), Attempts: int(d), First: time.Duration(d / 7), Backoff: x, MaxInterval: time.Duration(n),
					Jitter: x / 3, Deadline: time.Duration(d / 3), Heartbeat: time.Duration(n) << 8},
				Since: time.Unix(d>>20, d&0xfffff).UTC(), Lapsed: n%2 == 1, Trace: fmt.Sprintf("00-%032x-%016x-01", uint64(n)+1, uint64(n)+1), NotBefore: time.Unix(d>>21, d&0xfffff).UTC(),
			},
			&history.Turn{Run: n, Execution: n, At: uint64(d), Base: uint64(n), End: &history.End{Status: history.Completed, Result: body}},
			&history.Turn{Run: n, At: uint64(d), Slots: []history.Slot{
				{N: n, Kind: history.SlotSend, Name: name, Args: body, Target: history.Address{ID: id}},
			}, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{
				Start: history.Start{Orchestrator: name, Input: body}, Held: []history.Message{{Seq: uint64(d), Record: &history.Event{Name: name, ID: id, Payload: body}}},
			}}},
		}
		for _, r := range records {
			fields, body, err := history.Encode(r)
			if err != nil {
				continue
			}
			got, err := history.Decode(r.Kind(), history.HeadOf(fields), body)
			if err != nil {
				t.Fatalf("%T: %v\n%v\n%q", r, err, fields, body)
			}
			if task, ok := r.(*history.Task); ok && len(text) > 1024 {
				task.LastErr = got.(*history.Task).LastErr // cut
			}
			if diff := cmp.Diff(r, got, sameTime, sameNull); diff != "" {
				t.Fatalf("%T (-want +got):\n%s", r, diff)
			}
			again(t, got)
		}
	})
}

// FuzzPayload: any bytes survive a JSON record.
func FuzzPayload(f *testing.F) {
	for _, s := range []string{"", "null", `{"a":[1,"<"]}`, " 1", `{"$base64":"x"}`, `{ "$base64" : 1}`, "\xff", "\"\u2029\"", `{"\u0024base64":"eA=="}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		type record struct{ P, Q history.Payload }
		text, err := json.Marshal(record{b, b})
		if err != nil {
			t.Fatal(err)
		}
		var got record
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if diff := cmp.Diff(record{b, b}, got, sameNull); diff != "" {
			t.Fatalf("(-want +got):\n%s\nthrough %s", diff, text)
		}
		var p history.Payload
		_ = json.Unmarshal(b, &p) // whatever it is, it does not panic
	})
}

// FuzzHistory: whatever is in a history file, it is read and written again, or refused.
func FuzzHistory(f *testing.F) {
	for _, ms := range []history.Messages{run(), everything()} {
		text, err := json.Marshal(ms)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var ms history.Messages
		if json.Unmarshal(text, &ms) != nil {
			return
		}
		once, err := json.Marshal(ms)
		if err != nil {
			t.Fatalf("read, but not written again: %v", err)
		}
		var got history.Messages
		if err := json.Unmarshal(once, &got); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		twice, err := json.Marshal(got)
		if diff := cmp.Diff(string(once), string(twice)); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}
