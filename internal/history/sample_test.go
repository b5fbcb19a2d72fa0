package history_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 250_000_000, time.UTC)

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// samples holds every kind of record, plain and with all it can carry, and its form in the log.
var samples = []struct {
	name   string
	record history.Record
	header []string // "key: value"
	body   string
}{
	{"start", &history.Start{Run: 1, Orchestrator: "club.Join", Input: history.Payload(`"Ada"`)}, []string{"Durable-Start: 1 club.Join"}, `"Ada"`},
	{"start with everything", &history.Start{
		Run: 3, Orchestrator: "club.Join", Version: "v2", Notify: "in.box", Claim: "a b", Root: "order 1", Born: time.UnixMilli(1777896000250).UTC(),
		Parent: &history.Parent{Address: history.Address{Group: "club", ID: "order 7\r\nX: y"}, Ref: history.Ref{Run: 1, Execution: 2, Slot: 9}},
		Tags:   map[string]string{"region": "eu=west", "a=b": "100% sure", "": ""}, At: noon,
	}, []string{
		"Durable-Start: 3 club.Join 1777896000250", "Durable-Version: v2", "Durable-Root: order%201", "Durable-Notify: in.box", "Durable-Claim: a%20b",
		"Durable-Parent: 1-2-9 club order%207%0D%0AX:%20y", "Durable-At: 2026-05-04T12:00:00.25Z", "Durable-Tags: = a%3Db=100%25%20sure region=eu=west",
	}, ""},
	{"task", &history.Task{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.SendCard", Attempt: 1, Args: history.Payload(`{"to":1}`)}, []string{"Durable-Task: 1-0-2 1 club.SendCard"}, `{"to":1}`},
	{"task with its site", &history.Task{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.SendCard", Attempt: 1, Site: "my card.go:42"}, []string{"Durable-Task: 1-0-2 1 club.SendCard my%20card.go:42"}, ""},
	{"task again", &history.Task{
		Site: "card.go:42", Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.SendCard", Attempt: 4, LastErr: " no\nanswer from Zürich ",
		Policy: &history.Policy{Timeout: 10 * time.Second, Attempts: 5, First: time.Millisecond, Backoff: 1.5, MaxInterval: time.Hour},
	}, []string{
		"Durable-Task: 1-0-2 4 club.SendCard card.go:42", "Durable-Policy: timeout=10s attempts=5 first=1ms backoff=1.5 max=1h0m0s",
		"Durable-Error: %20no%0Aanswer from Zürich%20",
	}, ""},
	{"task of a long activity", &history.Task{
		Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.Move", Attempt: 2, Most: 3, Since: noon, Lapsed: true,
		Policy: &history.Policy{Jitter: 0.2, Deadline: time.Hour, Heartbeat: 30 * time.Second},
	}, []string{
		"Durable-Task: 1-0-2 2 club.Move", "Durable-Policy: jitter=0.2 deadline=1h0m0s heartbeat=30s",
		"Durable-Most: 3", "Durable-Since: 2026-05-04T12:00:00.25Z", "Durable-Lapsed: 1",
	}, ""},
	{"task with an empty policy", &history.Task{Name: "a", Attempt: 1, Policy: &history.Policy{}}, []string{"Durable-Task: 0-0-0 1 a", "Durable-Policy: -"}, ""},
	{"done", &history.Done{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.SendCard", Hash: 0xbeef, Attempt: 2, Result: history.Payload("42")}, []string{"Durable-Done: 1-0-2 2 beef club.SendCard"}, "42"},
	{"done by the owner", &history.Done{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.Fee", Hash: 0xbeef, Attempt: 1, Local: true, Site: "my fee.go:7", Result: history.Payload("42")}, []string{"Durable-Done: 1-0-2 1 beef club.Fee my%20fee.go:7"}, "42"},
	{"done by the owner, nobody knows for what line", &history.Done{Name: "a", Attempt: 1, Local: true}, []string{"Durable-Done: 0-0-0 1 0 a %"}, ""},
	{"task for later", &history.Task{Name: "a", Attempt: 3, NotBefore: noon}, []string{"Durable-Task: 0-0-0 3 a", "Durable-At: 2026-05-04T12:00:00.25Z"}, ""},
	{"done in vain", &history.Done{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.SendCard", Failure: &history.Failure{
		Message: "no", Kind: history.FailTimeout, Slots: []uint32{0, 7}, Cause: &history.Failure{Message: "deep"},
		Names: []history.Named{{Name: "club.ErrNo"}, {Name: "club.Declined", Details: history.Payload(`{"code":7}`)}},
	}}, []string{"Durable-Done: 1-0-2 0 0 club.SendCard", "Durable-Failed: 1"},
		`{"message":"no","kind":"timeout","names":[{"name":"club.ErrNo"},{"name":"club.Declined","details":{"code":7}}],"slots":[0,7],"cause":{"message":"deep"}}`},
	{"done in vain, for several reasons", &history.Done{Ref: history.Ref{Run: 1, Slot: 2}, Name: "club.Fee", Failure: &history.Failure{
		Message: "no", Kind: history.FailDeadline, Cause: &history.Failure{Message: "one", Final: true},
		Causes: []*history.Failure{{Message: "two", After: time.Second}}, Omitted: 3, LastErr: "before",
	}}, []string{"Durable-Done: 1-0-2 0 0 club.Fee", "Durable-Failed: 1"},
		`{"message":"no","kind":"deadline","cause":{"message":"one","final":true},"causes":[{"message":"two","after":1000000000}],"omitted":3,"last":"before"}`},
	{"start of a trace", &history.Start{Run: 1, Orchestrator: "a", Trace: trace}, []string{"Durable-Start: 1 a", "Durable-Trace: " + trace}, ""},
	{"task of a trace", &history.Task{Name: "a", Attempt: 1, Trace: trace}, []string{"Durable-Task: 0-0-0 1 a", "Durable-Trace: " + trace}, ""},
	{"start with tracestate and baggage", &history.Start{Run: 1, Orchestrator: "a", Trace: trace, TraceState: "rojo=1,congo=t6", Baggage: "user=anna;p=1,k=%20"},
		[]string{"Durable-Start: 1 a", "Durable-Trace: " + trace, "Durable-Tracestate: rojo=1,congo=t6", "Durable-Baggage: user=anna;p=1,k=%20"}, ""},
	{"task with baggage alone", &history.Task{Name: "a", Attempt: 1, Baggage: "user=anna"}, []string{"Durable-Task: 0-0-0 1 a", "Durable-Baggage: user=anna"}, ""},
	{"event of a trace", &history.Event{Name: "a", ID: "1", Trace: trace}, []string{"Durable-Event: 1 a", "Durable-Trace: " + trace}, ""},
	{"fired", &history.Fired{Ref: history.Ref{Run: 1, Slot: 2}, Due: noon}, []string{"Durable-Fired: 1-0-2 2026-05-04T12:00:00.25Z"}, ""},
	{"event", &history.Event{Name: "club.answer", ID: "c/1 2", Payload: history.Payload{0xff, 0}}, []string{"Durable-Event: c/1%202 club.answer"}, "\xff\x00"},
	{"event without an id", &history.Event{Name: "%"}, []string{"Durable-Event: % %25"}, ""},
	{"control", &history.Control{Verb: history.Terminate, ID: "x", Reason: "too late"}, []string{"Durable-Control: x terminate"}, "too late"},
	{"terminate without the children", &history.Control{Verb: history.Terminate, ID: "x", Reason: "too late", Alone: true}, []string{"Durable-Control: x terminate", "Durable-Alone: 1"}, "too late"},
	{"rewind", &history.Control{Verb: history.Rewind, ID: "x", Reason: "fixed", Run: 3}, []string{"Durable-Control: x rewind", "Durable-Rewind: 3 %"}, "fixed"},
	{"rewind of a child", &history.Control{Verb: history.Rewind, ID: "x", Child: "club.Fee", Parent: &history.Parent{Address: history.Address{Group: "club", ID: "i"}, Ref: history.Ref{Run: 2, Slot: 1}}},
		[]string{"Durable-Control: x rewind", "Durable-Rewind: 0 club.Fee", "Durable-Parent: 2-0-1 club i"}, ""},
	{"start of a rewound run", &history.Start{Run: 2, Orchestrator: "club.Join", Input: history.Payload(`"Ada"`), Prior: &history.Prior{Run: 1, Started: noon, Messages: history.Messages{
		{Seq: 4, Record: &history.Task{Ref: history.Ref{Run: 2}, Name: "club.SendCard", Attempt: 1}},
		{Seq: 5, Time: noon, Record: &history.Done{Ref: history.Ref{Run: 2}, Name: "club.SendCard", Hash: history.ArgsHash(nil), Attempt: 1}},
	}}}, []string{"Durable-Start: 2 club.Join", "Durable-Prior: 1"},
		`{"input":"Ada","prior":{"run":1,"started":"2026-05-04T12:00:00.25Z","messages":[{"task":"2-0-0 1 club.SendCard","n":4},{"done":"2-0-0 1 147e9acc club.SendCard","t":"2026-05-04T12:00:00.25Z"}]}}`},
	{"control without a cause", &history.Control{Verb: history.Resume, ID: "x", Reason: "null"}, []string{"Durable-Control: x resume"}, "null"},
	{"turn", &history.Turn{Run: 1, At: 17, Slots: []history.Slot{
		{N: 3, Kind: history.SlotTimer, Due: noon, Site: "card.go:42"},
		{N: 4, Kind: history.SlotChild, Name: "club.Fee", Args: history.Payload("7"), Target: history.Address{Group: "club", ID: "i:4"}, Child: &history.ChildOptions{Version: "v"}},
	}}, []string{"Durable-Turn: 1-0 17 0 -"},
		`{"slots":[{"n":3,"k":2,"due":"2026-05-04T12:00:00.25Z","at":"card.go:42"},{"n":4,"k":3,"name":"club.Fee","args":7,"target":{"g":"club","i":"i:4"},"child":{"version":"v"}}]}`},
	{"turn that completes", &history.Turn{Run: 1, Execution: 2, At: 17, Base: 5, End: &history.End{Status: history.Completed, Result: history.Payload("not JSON")}}, []string{"Durable-Turn: 1-2 17 5 Completed"}, "not JSON"},
	{"turn that fails", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.Failed, Failure: &history.Failure{Message: "no"}}}, []string{"Durable-Turn: 1-0 17 0 Failed"}, `{"message":"no"}`},
	{"turn that waits for what it sends", &history.Turn{Run: 1, At: 17, Slots: []history.Slot{{Kind: history.SlotSend, Name: "e", Target: history.Address{ID: "j"}, Confirm: true}}},
		[]string{"Durable-Turn: 1-0 17 0 -"}, `{"slots":[{"n":0,"k":4,"name":"e","target":{"g":"","i":"j"},"confirm":true}]}`},
	{"turn that sends and completes", &history.Turn{Run: 1, At: 17, Slots: []history.Slot{{Kind: history.SlotSend, Name: "e", Target: history.Address{ID: "j"}}}, End: &history.End{Status: history.Completed, Result: history.Payload("not JSON")}},
		[]string{"Durable-Turn: 1-0 17 0 Completed json"}, `{"slots":[{"n":0,"k":4,"name":"e","target":{"g":"","i":"j"}}],"result":{"$base64":"bm90IEpTT04="}}`},
	{"turn that goes on", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{
		Start: history.Start{Run: 1, Orchestrator: "club.Renew", Input: history.Payload("8")}, Started: noon, Clock: noon.Add(time.Hour),
		Buffered: []history.Event{{Name: "e", ID: "1"}}, Seen: []history.SeenID{{ID: "1", At: noon}}, Paused: true, Status: history.Payload(`"busy"`),
		Held: []history.Message{{Seq: 9, Time: noon, Record: &history.Event{Name: "e", ID: "2", Payload: history.Payload("1")}}},
	}}}, []string{"Durable-Turn: 1-0 17 0 ContinuedAsNew json"},
		`{"base":{"start":{"run":1,"name":"club.Renew","input":8},"started":"2026-05-04T12:00:00.25Z","clock":"2026-05-04T13:00:00.25Z",` +
			`"buffered":[{"name":"e","id":"1"}],"seen":[{"id":"1","at":"2026-05-04T12:00:00.25Z"}],"paused":true,` +
			`"held":[{"event":"2 e","v":1,"n":9,"t":"2026-05-04T12:00:00.25Z"}],"status":"busy"}}`},
	{"turn that goes on in another version", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{
		Start: history.Start{Run: 1, Orchestrator: "club.Renew", Version: "2"}, Version: new(string), Started: noon, Clock: noon,
	}}}, []string{"Durable-Turn: 1-0 17 0 ContinuedAsNew json"},
		`{"base":{"start":{"run":1,"name":"club.Renew","version":"2"},"firstVersion":"","started":"2026-05-04T12:00:00.25Z","clock":"2026-05-04T12:00:00.25Z"}}`},
	{"timer", &history.Timer{Ref: history.Ref{Run: 1, Slot: 2}, Due: noon}, []string{"Durable-Fired: 1-0-2 2026-05-04T12:00:00.25Z"}, ""},
	{"timer of a retry", &history.Timer{Ref: history.Ref{Run: 1, Slot: 2}, Task: &history.Task{Ref: history.Ref{Run: 1, Slot: 2}, Name: "a", Attempt: 2}}, []string{"Durable-Task: 1-0-2 2 a"}, ""},
}

func TestRecordsInTheLog(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			fields, body, err := history.Encode(s.record)
			if err != nil {
				t.Fatal(err)
			}
			var header []string
			for _, f := range fields {
				header = append(header, f.Key+": "+f.Value)
			}
			if diff := cmp.Diff(s.header, header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(s.body, string(body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			got, err := history.Decode(s.record.Kind(), history.HeadOf(fields), body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.record, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeadersAreOneLine(t *testing.T) {
	t.Parallel()
	for _, s := range samples {
		fields, _, err := history.Encode(s.record)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if strings.ContainsAny(f.Value, "\r\n\x00") || f.Value != strings.TrimSpace(f.Value) || f.Value == "" {
				t.Errorf("%s: %s: %q would not survive as a header", s.name, f.Key, f.Value)
			}
		}
	}
}
