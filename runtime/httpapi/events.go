package httpapi

import (
	"encoding/json"
	"slices"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
)

// event is an entry of historyEvents. An Input is the text of JSON, a Result is JSON.
type event struct {
	EventType           string
	Timestamp           string
	Name                string          `json:",omitempty"`
	FunctionName        string          `json:",omitempty"`
	InstanceID          string          `json:"InstanceId,omitempty"`
	ScheduledTime       string          `json:",omitempty"`
	ScheduledStartTime  string          `json:",omitempty"`
	FireAt              string          `json:",omitempty"`
	Input               string          `json:",omitempty"`
	Result              json.RawMessage `json:",omitempty"`
	Reason              string          `json:",omitempty"`
	Details             string          `json:",omitempty"`
	Data                string          `json:",omitempty"`
	OrchestrationStatus string          `json:",omitempty"`
	FailureDetails      *failure        `json:",omitempty"`

	at time.Time
}

type failure struct {
	ErrorType    string
	ErrorMessage string
}

// events gives steps the form of the reference server: in the order of their completion, what is scheduled only while it is
// open.
func events(all []durable.Step, showInput, showOutput bool) []event {
	list := []event{}
	for _, s := range all {
		for _, e := range eventsOf(s) {
			if e.Timestamp = time7(e.at); !showInput && s.Kind != durable.StepTerminated {
				e.Input = ""
			}
			if !showOutput {
				e.Result = nil
			}
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b event) int { return a.at.Compare(b.at) })
	return list
}

func eventsOf(s durable.Step) []event {
	switch input := string(s.Input); s.Kind {
	case durable.StepStarted:
		e := event{EventType: "ExecutionStarted", at: s.Began, FunctionName: s.Name, Input: input}
		if !s.Due.IsZero() {
			e.ScheduledStartTime = time7(s.Due)
		}
		return []event{e}
	case durable.StepActivity:
		return []event{work(s, "TaskScheduled", "TaskCompleted", "TaskFailed")}
	case durable.StepChild:
		return []event{work(s, "SubOrchestrationInstanceCreated", "SubOrchestrationInstanceCompleted", "SubOrchestrationInstanceFailed")}
	case durable.StepTimer:
		list := []event{{EventType: "TimerCreated", at: s.Began, FireAt: time7(s.Due)}}
		if s.State == durable.StepDone {
			list = append(list, event{EventType: "TimerFired", at: s.Ended, FireAt: time7(s.Due)})
		}
		return list
	case durable.StepEvent:
		return []event{{EventType: "EventRaised", at: s.Began, Name: s.Name, Input: input}}
	case durable.StepSent:
		return []event{{EventType: "EventSent", at: s.Began, Name: s.Name, InstanceID: s.Instance, Input: input}}
	case durable.StepSuspended:
		return []event{{EventType: "ExecutionSuspended", at: s.Began, Reason: s.Reason}}
	case durable.StepResumed:
		return []event{{EventType: "ExecutionResumed", at: s.Began, Reason: s.Reason}}
	case durable.StepTerminated:
		return []event{{EventType: "ExecutionTerminated", at: s.Began, Input: s.Reason}}
	case durable.StepRewound:
		return []event{{EventType: "GenericEvent", at: s.Began, Data: s.Reason, Reason: "Rewound: " + s.Reason}}
	case durable.StepCanceled:
		return []event{{EventType: "GenericEvent", at: s.Began, Data: s.Reason, Reason: "Canceled: " + s.Reason}}
	case durable.StepVersion:
		return []event{{EventType: "GenericEvent", at: s.Began, Data: input, Reason: "Version: " + s.Name}}
	case durable.StepEnded:
		e := event{EventType: "ExecutionCompleted", at: s.Began, OrchestrationStatus: s.Status, Result: embedded(s.Result)}
		if s.Failure != "" {
			e.FailureDetails = &failure{s.Cause, s.Failure}
		}
		return []event{e}
	}
	return nil
}

// work is an activity or a child: that it was scheduled, or else what came of it.
func work(s durable.Step, scheduled, completed, failed string) event {
	switch s.State {
	case durable.StepDone:
		return event{EventType: completed, at: s.Ended, FunctionName: s.Name, ScheduledTime: time7(s.Began), Result: embedded(s.Result)}
	case durable.StepFailed:
		return event{
			EventType: failed, at: s.Ended, FunctionName: s.Name, ScheduledTime: time7(s.Began), Reason: s.Failure, Details: s.LastErr,
			FailureDetails: &failure{s.Cause, s.Failure},
		}
	}
	return event{EventType: scheduled, at: s.Began, Name: s.Name, InstanceID: s.Instance, Input: string(s.Input)}
}
