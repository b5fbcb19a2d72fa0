package backendtest

import (
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Instances that tests write to. Their names hold what subjects, keys and headers have a use for.
var (
	anna = history.Address{Group: "example.com/membership", ID: "anna@example.com"}
	odd  = history.Address{Group: "grüße/ *.>", ID: "a.b *>\t=\\\"$JS/ключ/🙂"}
)

// text has what headers and JSON have a use for.
const text = "line one\r\nX: y\r\n\r\nline \"two\" \\ <&> % =20 ключ 🙂 \u2028\x00\x7f"

var (
	due  = time.Date(2031, 2, 3, 4, 5, 6, 789_012_345, time.UTC)
	ref  = history.Ref{Run: 7, Execution: 3, Slot: 4_000_000_000}
	blob = history.Payload("\x00\xff\xfe not JSON \r\n")
	json = history.Payload(`{"a":[1,2.5,null,"ü\"\\ \u2028"]}`)
)

var failure = &history.Failure{
	Message: text, Kind: history.FailPanic, Name: "bank.Charge", Attempt: 3, Stack: "goroutine 1 [running]:\n\tmain.go:1",
	Names: []history.Named{{Name: "bank.ErrDeclined"}, {Name: "bank.Limit", Details: json}},
	Cause: &history.Failure{Message: "inner", Cause: &history.Failure{Message: "innermost"}}, Causes: []*history.Failure{{Message: "beside it"}},
	Omitted: 3, LastErr: text, After: time.Minute, Final: true,
}

var policy = &history.Policy{Timeout: 90 * time.Second, Attempts: 5, First: time.Millisecond, Backoff: 1.5, MaxInterval: time.Hour, Jitter: 0.25, Deadline: 24 * time.Hour, Heartbeat: time.Minute}

// records has every kind, with as little and as much as it can hold.
var records = []struct {
	name   string
	record history.Record
}{
	{"start", &history.Start{Run: 1, Orchestrator: "club.Join"}},
	{"start with everything", &history.Start{
		Run: 4_000_000_000, Orchestrator: "club.Join", Version: "v2 " + text, Input: json, Notify: "reply-1.*>",
		Claim: text, Tags: map[string]string{"": "", "tag": text, text: "value", "a=b&c": "=&"},
		Parent: &history.Parent{Address: odd, Ref: ref}, Root: odd.ID,
	}},
	{"start with bytes", &history.Start{Run: 1, Orchestrator: "club.Join", Input: blob}},
	{"done", &history.Done{Ref: history.Ref{Run: 1}, Name: "bank.Charge"}},
	{"done with result", &history.Done{Ref: ref, Name: "bank.Charge", Hash: 0xffff_ffff, Attempt: 12, Result: json}},
	{"done with bytes", &history.Done{Ref: ref, Name: "bank.Charge", Hash: 1, Attempt: 1, Result: blob}},
	{"done by the owner", &history.Done{Ref: ref, Name: "bank.Charge", Hash: 1, Attempt: 1, Local: true, Site: "файл.go:42", Result: json}},
	{"done with failure", &history.Done{Ref: ref, Name: "bank.Charge", Hash: 1, Attempt: 3, Failure: failure}},
	{"fired", &history.Fired{Ref: ref, Due: due}},
	{"event", &history.Event{Name: "answer", ID: "1"}},
	{"event with everything", &history.Event{Name: "ответ.to *>", ID: text, Payload: json}},
	{"event with bytes", &history.Event{Name: "answer", ID: "1", Payload: blob}},
	{"event with much", &history.Event{Name: "answer", ID: "1", Payload: history.Payload(strings.Repeat("much ", 80_000))}},
	{"cancel", &history.Control{Verb: history.Cancel, ID: "1", Reason: text}},
	{"turn that cancels", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.Canceled, Failure: &history.Failure{Message: text, Kind: history.FailCanceled}}}},
	{"terminate", &history.Control{Verb: history.Terminate, ID: "1"}},
	{"terminate alone", &history.Control{Verb: history.Terminate, ID: "1", Alone: true}},
	{"suspend with reason", &history.Control{Verb: history.Suspend, ID: text, Reason: text}},
	{"resume", &history.Control{Verb: history.Resume, ID: "1"}},
	{"task", &history.Task{Ref: history.Ref{Run: 1}, Name: "bank.Charge", Attempt: 1}},
	{"task with everything", &history.Task{Ref: ref, Name: "банк.Charge", Args: json, Attempt: 9, Policy: policy, LastErr: "declined: ключ, 100 %", Since: due, Lapsed: true, NotBefore: due, Site: "файл.go:42"}},
	{"task with bytes", &history.Task{Ref: ref, Name: "bank.Charge", Args: blob, Attempt: 1}},
	{"turn", &history.Turn{Run: 1, At: 1}},
	{"turn with slots", &history.Turn{Run: 7, Execution: 3, At: 1 << 50, Base: 1 << 40, Slots: []history.Slot{
		{N: 0, Kind: history.SlotActivity, Name: "bank.Charge", Args: json, Policy: policy},
		{N: 1, Kind: history.SlotTimer, Due: due},
		{N: 2, Kind: history.SlotChild, Name: "club.Renew", Args: json, Target: odd, Child: &history.ChildOptions{Version: "v2", Tags: map[string]string{"k": text}, OwnID: true}},
		{N: 3, Kind: history.SlotSend, Name: "answer", Args: blob, Target: history.Address{ID: odd.ID}, Confirm: true},
		{N: 4, Kind: history.SlotVersion, Name: "new fee", Args: history.Payload("2")},
	}}},
	{"turn that completes", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.Completed, Result: json}}},
	{"turn that completes with bytes", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.Completed, Result: blob}}},
	{"turn that fails", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.Failed, Failure: failure}}},
	{"turn that terminates", &history.Turn{Run: 1, At: 17, End: &history.End{Status: history.Terminated, Failure: &history.Failure{Message: text, Kind: history.FailTerminated}}}},
	{"turn that continues as new", continuing(1, 0, 17)},
}

// continuing is a turn with a full base, which begins the next execution after message at.
func continuing(run, execution uint32, at uint64) *history.Turn {
	return &history.Turn{Run: run, Execution: execution, At: at, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{
		Start:   history.Start{Run: run, Orchestrator: "club.Renew", Input: json, Parent: &history.Parent{Address: odd, Ref: ref}, Tags: map[string]string{"k": text}},
		Started: due, Clock: due.Add(time.Hour), Paused: true, Status: json,
		Buffered: []history.Event{{Name: "answer", ID: "1", Payload: json}, {Name: "ответ", ID: text, Payload: blob}},
		Seen:     []history.SeenID{{ID: text, At: due}},
		Held: []history.Message{
			{Seq: 5, Time: due, Record: &history.Event{Name: "answer", ID: "2", Payload: blob}},
			{Seq: 9, Time: due, Record: &history.Done{Ref: ref, Name: "bank.Charge", Hash: 1, Attempt: 1, Failure: failure}},
		},
	}}}
}

// event makes an event whose id tells it from the others of a test.
func event(id string) *history.Event {
	return &history.Event{Name: "answer", ID: id, Payload: history.Payload(`"` + id + `"`)}
}

// start makes the start of a run.
func start(run uint32) *history.Start {
	return &history.Start{Run: run, Orchestrator: "club.Join", Input: history.Payload("1")}
}

// task makes a task of an activity.
func task(activity string, slot uint32) *history.Task {
	return &history.Task{Ref: history.Ref{Run: 1, Slot: slot}, Name: activity, Attempt: 1, Args: history.Payload("1")}
}
