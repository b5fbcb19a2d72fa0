package history_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

// run is the history of a whole hello: what an archive holds of most orchestrations.
func run() history.Messages {
	const name = "hello.Greet"
	us := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Microsecond) }
	var ms history.Messages
	add := func(seq uint64, at time.Time, r history.Record) {
		ms = append(ms, history.Message{Seq: seq, Time: at, Record: r})
	}
	add(1_234_567, noon, &history.Start{Run: 1, Orchestrator: "hello.Sequence"})
	for n, city := range []string{"Tokyo", "Seattle", "London"} {
		ref, args := history.Ref{Run: 1, Slot: uint32(n)}, history.Payload(`"`+city+`"`)
		seq := uint64(1_234_568 + 2*n)
		add(seq, time.Time{}, &history.Task{Ref: ref, Name: name, Attempt: 1, Args: args})
		add(seq+1, us(210*(n+1)), &history.Done{Ref: ref, Name: name, Attempt: 1, Hash: history.ArgsHash(args), Result: history.Payload(`"Hello, ` + city + `!"`)})
	}
	add(1_234_574, time.Time{}, &history.Turn{Run: 1, At: 1_234_573, End: &history.End{
		Status: history.Completed, Result: history.Payload(`["Hello, Tokyo!","Hello, Seattle!","Hello, London!"]`),
	}})
	return ms
}

const runText = `[` +
	`{"start":"1 hello.Sequence","n":1234567,"t":"2026-05-04T12:00:00.25Z"},` +
	`{"task":"0 hello.Greet","v":"Tokyo"},` +
	`{"done":"0","v":"Hello, Tokyo!","t":210000},` +
	`{"task":"1 hello.Greet","v":"Seattle"},` +
	`{"done":"1","v":"Hello, Seattle!","t":210000},` +
	`{"task":"2 hello.Greet","v":"London"},` +
	`{"done":"2","v":"Hello, London!","t":210000},` +
	`{"turn":"Completed","v":["Hello, Tokyo!","Hello, Seattle!","Hello, London!"]}]`

func TestHistoryIsCompact(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(run())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(runText, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const most = 400 // of it some 150 are names, arguments and results
	if len(got) > most {
		t.Errorf("a run of three activities has %d bytes, more than %d", len(got), most)
	}
}

// everything is a history in which nothing follows from what came before, and everything else does.
func everything() history.Messages {
	ref := func(e, n uint32) history.Ref { return history.Ref{Run: 2, Execution: e, Slot: n} }
	task := func(e, n uint32, name string, attempt int) *history.Task {
		return &history.Task{Ref: ref(e, n), Name: name, Attempt: attempt, Args: history.Payload("1")}
	}
	hash := history.ArgsHash(history.Payload("1"))
	rs := []history.Record{
		&history.Task{Name: "early", Attempt: 1},
		&history.Start{Run: 2, Orchestrator: "o", Version: "v", Tags: map[string]string{"a": "b"}, Parent: &history.Parent{Address: history.Address{Group: "g", ID: "i"}}},
		task(0, 0, "a", 1), task(0, 1, "b", 3), task(0, 2, "7", 0), task(1, 0, "a", 1),
		task(0, 0, "another", 1),
		&history.Task{Ref: ref(0, 4), Name: "2", Attempt: 1, Site: "a.go:1"}, &history.Task{Ref: ref(0, 5), Name: "a", Attempt: 2, Site: "2"},
		&history.Done{Ref: ref(0, 0), Name: "a", Hash: hash, Attempt: 1},
		&history.Done{Ref: ref(0, 0), Name: "another", Hash: hash, Attempt: 1},
		&history.Done{Ref: ref(0, 0), Name: "a", Hash: 7, Attempt: 1},
		&history.Done{Ref: ref(0, 1), Name: "b", Hash: hash, Attempt: 3, Failure: &history.Failure{Message: "no"}},
		&history.Done{Ref: ref(0, 1), Name: "b", Hash: hash},
		&history.Done{Ref: ref(0, 9), Name: "child", Result: history.Payload("raw")},
		&history.Done{Ref: ref(0, 0), Name: "a", Hash: hash, Attempt: 1, Local: true, Site: "a.go:1"},
		&history.Done{Ref: ref(0, 8), Name: "a", Hash: hash, Attempt: 1, Local: true},
		&history.Done{Ref: ref(1, 0), Name: "a", Hash: hash, Attempt: 1},
		&history.Fired{Ref: ref(0, 3), Due: noon},
		&history.Event{Name: "e", ID: "0-0-0"},
		&history.Control{Verb: history.Suspend, ID: "x", Reason: "be \"still\"\n"},
		&history.Turn{Run: 2, At: 17}, &history.Turn{Run: 2, At: 17, Base: 1}, &history.Turn{Run: 3, At: 17},
		&history.Turn{Run: 2, Slots: []history.Slot{{Kind: history.SlotTimer}}, End: &history.End{Status: history.Failed, Failure: &history.Failure{Message: "no"}}},
		&history.Turn{Run: 2, At: 11, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{Start: history.Start{Run: 2, Orchestrator: "o"}}}},
		task(1, 0, "c", 1), &history.Done{Ref: ref(1, 0), Name: "c", Hash: hash, Attempt: 1}, task(0, 0, "old", 1),
	}
	var ms history.Messages
	for n, r := range rs {
		m := history.Message{Seq: uint64(100 + 3*n - n%2*2), Record: r}
		if n%3 > 0 {
			m.Time = noon.Add(time.Duration(n*n%7-3) * time.Second)
		}
		if t, ok := r.(*history.Turn); ok && t.At == 0 {
			t.At, m.Seq = ms[n-1].Seq, 0
		}
		ms = append(ms, m)
	}
	ms[5].Time = time.Date(9999, 1, 1, 0, 0, 0, 1, time.UTC) // further than a difference reaches
	return ms
}

func TestHistoryKeepsEverything(t *testing.T) {
	t.Parallel()
	for _, want := range []history.Messages{run(), everything(), {}, nil} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got history.Messages
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s\nthrough %s", diff, text)
		}
	}
}

// TestMessageStandsAlone: a message outside of a list tells everything.
func TestMessageStandsAlone(t *testing.T) {
	t.Parallel()
	for _, want := range append(run(), everything()...) {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got history.Message
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s\nthrough %s", diff, text)
		}
	}
}

func TestSamplesInJSON(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		want := history.Message{Seq: 7, Time: noon, Record: s.record}
		text, err := json.Marshal(want)
		if s.record.Kind() == history.KindTimer {
			if err == nil {
				t.Errorf("%s has a form: %s", s.name, text)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var got history.Message
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\nthrough %s", s.name, diff, text)
		}
	}
}

func TestHistoryRefuses(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		`{}`:                                   "cannot unmarshal object",
		`[{}]`:                                 "message 0",
		`[{"task":"0-0-0 1 a","done":"0"}]`:    "both done and task",
		`[{"start":"1 a"},{"done":"4"}]`:       "slot 4 without its task",
		`[{"start":"1 a","t":7}]`:              "counts from no message",
		`[{"start":"1 a","t":"noon"}]`:         "noon",
		`[{"start":"x a"}]`:                    `"x" is not a number`,
		`[{"start":"1 a"},{"turn":"Nothing"}]`: `"Nothing" ends nothing`,
		`[{"start":"1 a","t":"2026-05-04T12:00:00Z"},{"event":"i e","t":1.5}]`:      "1.5",
		`[{"start":"1 a"},{"turn":"ContinuedAsNew json","v":{}}]`:                   "base",
		`[{"start":"1 a"},{"turn":"Completed json","v":{"slots":[{"n":1,"k":9}]}}]`: "no such kind",
	} {
		var ms history.Messages
		if err := json.Unmarshal([]byte(text), &ms); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: error %v, want one that says %q", text, err, problem)
		}
	}
	if text, err := json.Marshal(history.Message{Seq: 1}); err == nil {
		t.Errorf("a message without a record has a form: %s", text)
	}
}

func TestPayloadInJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ payload, want string }{
		{"", `null`},
		{`{"a":[1,2.50,"x y"]}`, `{"a":[1,2.50,"x y"]}`},
		{`"a\"b c"`, `"a\"b c"`},
		{`[1, 2]`, `{"$base64":"WzEsIDJd"}`}, // json.Marshal would leave out the space, and the hash would not fit
		{`"a<b"`, `{"$base64":"ImE8YiI="}`},  // and this it would escape
		{"\"\u2028\"", `{"$base64":"IuKAqCI="}`},
		{"no JSON", `{"$base64":"bm8gSlNPTg=="}`},
		{"\"\xff\"", `{"$base64":"Iv8i"}`},
		{`{"$base64":"eA=="}`, `{"$base64":"eyIkYmFzZTY0IjoiZUE9PSJ9"}`}, // a user's own
	} {
		got, err := json.Marshal(history.Payload(test.payload))
		if err != nil || string(got) != test.want {
			t.Errorf("%q is written as %s, %v, want %s", test.payload, got, err, test.want)
		}
		var back history.Payload
		if err := json.Unmarshal(got, &back); err != nil || string(back) != test.payload {
			t.Errorf("%s is read as %q, %v, want %q", got, back, err, test.payload)
		}
	}
	var p history.Payload
	if err := json.Unmarshal([]byte(`{ "$base64" : "eA==" }`), &p); err != nil || string(p) != "x" {
		t.Errorf("a spaced stand-in is read as %q, %v", p, err)
	}
	if err := json.Unmarshal([]byte(`{"$base64":"not base64"}`), &p); err == nil {
		t.Errorf("broken base64 is read as %q", p)
	}
	if history.ArgsHash(nil) != history.ArgsHash(history.Payload("null")) {
		t.Error("nothing and null, which are the same in JSON, have different hashes")
	}
}
