package httpapi

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	durable "github.com/durablegen/durablegen/runtime"
)

// TestEvents: the form that the contract gives to each kind of step.
func TestEvents(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Date(2026, 5, 4, 12, 0, s, 250_000_000, time.UTC) }
	work := func(kind durable.StepKind, state durable.StepState) durable.Step {
		s := durable.Step{Kind: kind, State: state, Name: "a.A", Began: at(1), Ended: at(2), Input: json.RawMessage(`[1]`), Result: json.RawMessage(`{"r":2}`)}
		switch state {
		case durable.StepFailed:
			s.Result, s.Failure, s.Cause, s.LastErr = nil, "declined", "timeout", "slow"
		case durable.StepOpen, durable.StepDropped:
			s.Ended, s.Result = time.Time{}, nil
		}
		if kind == durable.StepChild {
			s.Instance = "c-1"
		}
		return s
	}
	one := func(s durable.Step) []durable.Step { return []durable.Step{s} }
	const began, ended = `"Timestamp":"2026-05-04T12:00:01.25Z"`, `"Timestamp":"2026-05-04T12:00:02.25Z"`
	const scheduled = `"FunctionName":"a.A","ScheduledTime":"2026-05-04T12:00:01.25Z"`
	const failure = `"Reason":"declined","Details":"slow","FailureDetails":{"ErrorType":"timeout","ErrorMessage":"declined"}`
	for name, test := range map[string]struct {
		steps []durable.Step
		want  string
	}{
		"nothing": {nil, `[]`},
		"start": {one(durable.Step{Kind: durable.StepStarted, Name: "f.F", Began: at(1), Due: at(9), Input: json.RawMessage(`{"a":"b"}`)}),
			`[{"EventType":"ExecutionStarted",` + began + `,"FunctionName":"f.F","ScheduledStartTime":"2026-05-04T12:00:09.25Z","Input":"{\"a\":\"b\"}"}]`},
		"activity, open":    {one(work(durable.StepActivity, durable.StepOpen)), `[{"EventType":"TaskScheduled",` + began + `,"Name":"a.A","Input":"[1]"}]`},
		"activity, dropped": {one(work(durable.StepActivity, durable.StepDropped)), `[{"EventType":"TaskScheduled",` + began + `,"Name":"a.A","Input":"[1]"}]`},
		"activity, done":    {one(work(durable.StepActivity, durable.StepDone)), `[{"EventType":"TaskCompleted",` + ended + `,` + scheduled + `,"Result":{"r":2}}]`},
		"activity, failed":  {one(work(durable.StepActivity, durable.StepFailed)), `[{"EventType":"TaskFailed",` + ended + `,` + scheduled + `,` + failure + `}]`},
		"child, open":       {one(work(durable.StepChild, durable.StepOpen)), `[{"EventType":"SubOrchestrationInstanceCreated",` + began + `,"Name":"a.A","InstanceId":"c-1","Input":"[1]"}]`},
		"child, done":       {one(work(durable.StepChild, durable.StepDone)), `[{"EventType":"SubOrchestrationInstanceCompleted",` + ended + `,` + scheduled + `,"Result":{"r":2}}]`},
		"child, failed":     {one(work(durable.StepChild, durable.StepFailed)), `[{"EventType":"SubOrchestrationInstanceFailed",` + ended + `,` + scheduled + `,` + failure + `}]`},
		"timer, open":       {one(durable.Step{Kind: durable.StepTimer, State: durable.StepOpen, Began: at(1), Due: at(2)}), `[{"EventType":"TimerCreated",` + began + `,"FireAt":"2026-05-04T12:00:02.25Z"}]`},
		"timer, fired, in the order of completion": {[]durable.Step{
			{Kind: durable.StepTimer, State: durable.StepDone, Began: at(0), Ended: at(2), Due: at(2)},
			{Kind: durable.StepEvent, Name: "paid", Began: at(1), Input: json.RawMessage(`1`)},
		}, `[{"EventType":"TimerCreated","Timestamp":"2026-05-04T12:00:00.25Z","FireAt":"2026-05-04T12:00:02.25Z"},{"EventType":"EventRaised",` + began + `,"Name":"paid","Input":"1"},{"EventType":"TimerFired",` + ended + `,"FireAt":"2026-05-04T12:00:02.25Z"}]`},
		"send":      {one(durable.Step{Kind: durable.StepSent, Name: "paid", Instance: "x", Began: at(1), Input: json.RawMessage(`1`)}), `[{"EventType":"EventSent",` + began + `,"Name":"paid","InstanceId":"x","Input":"1"}]`},
		"suspend":   {one(durable.Step{Kind: durable.StepSuspended, Began: at(1), Reason: "why"}), `[{"EventType":"ExecutionSuspended",` + began + `,"Reason":"why"}]`},
		"resume":    {one(durable.Step{Kind: durable.StepResumed, Began: at(1), Reason: "why"}), `[{"EventType":"ExecutionResumed",` + began + `,"Reason":"why"}]`},
		"terminate": {one(durable.Step{Kind: durable.StepTerminated, Began: at(1), Reason: "why"}), `[{"EventType":"ExecutionTerminated",` + began + `,"Input":"why"}]`},
		"rewind":    {one(durable.Step{Kind: durable.StepRewound, Began: at(1), Reason: "why"}), `[{"EventType":"GenericEvent",` + began + `,"Reason":"Rewound: why","Data":"why"}]`},
		"cancel":    {one(durable.Step{Kind: durable.StepCanceled, Began: at(1), Reason: "why"}), `[{"EventType":"GenericEvent",` + began + `,"Reason":"Canceled: why","Data":"why"}]`},
		"marker":    {one(durable.Step{Kind: durable.StepVersion, Began: at(1), Name: "v", Input: json.RawMessage(`2`)}), `[{"EventType":"GenericEvent",` + began + `,"Reason":"Version: v","Data":"2"}]`},
		"end": {one(durable.Step{Kind: durable.StepEnded, Began: at(1), Status: "Completed", Result: json.RawMessage(`"x"`)}),
			`[{"EventType":"ExecutionCompleted",` + began + `,"Result":"x","OrchestrationStatus":"Completed"}]`},
		"failed end": {one(durable.Step{Kind: durable.StepEnded, Began: at(1), Status: "Failed", Failure: "no", Cause: "panic"}),
			`[{"EventType":"ExecutionCompleted",` + began + `,"Result":null,"OrchestrationStatus":"Failed","FailureDetails":{"ErrorType":"panic","ErrorMessage":"no"}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(events(test.steps, true, true))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-05-04T12:00:00Z": noon, "2026-05-04T12:00:00.000Z": noon, "2026-05-04T14:00:00%2B02:00": noon, "2026-05-04T14:00:00+02:00": noon,
		"2026-05-04T12:00:00": noon, "2026-05-04T12:00": noon, "2026-05-04 12:00:00": noon, "05/04/2026 12:00:00": noon,
		"Mon,%2004%20May%202026%2012:00:00%20GMT": noon, "2026-05-04": noon.Add(-12 * time.Hour), "05/04/2026": noon.Add(-12 * time.Hour),
		"": {}, "soon": {}, "2026-13-01": {}, "12": {},
	} {
		if got := queryOf("T=" + text).time("t"); !got.Equal(want) {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
