package steps

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
)

var t0 = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// log numbers records and stamps them a second apart, from t0.
func log(records ...history.Record) []history.Message {
	var all []history.Message
	for n, r := range records {
		all = append(all, history.Message{Seq: uint64(n + 1), Time: at(n), Record: r})
	}
	return all
}

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func ref(slot uint32) history.Ref { return history.Ref{Run: 1, Slot: slot} }

func started() *history.Start { return &history.Start{Run: 1, Orchestrator: "club.Join"} }

func decided(slots ...history.Slot) *history.Turn { return &history.Turn{Run: 1, At: 1, Slots: slots} }

func charge(attempt int) *history.Task {
	return &history.Task{Ref: ref(0), Name: "bank.ChargeFee", Attempt: attempt, Policy: &history.Policy{Attempts: 5}}
}

func again(attempt int, due time.Time, lastErr string) *history.Timer {
	task := charge(attempt)
	task.LastErr = lastErr
	return &history.Timer{Ref: ref(0), Due: due, Task: task}
}

func ended(status history.Status, failure string) *history.Turn {
	end := &history.End{Status: status}
	if failure != "" {
		end.Failure = &history.Failure{Message: failure}
	}
	return &history.Turn{Run: 1, At: 1, End: end}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	timer := history.Slot{N: 1, Kind: history.SlotTimer, Due: at(7200)}
	child := history.Slot{N: 0, Kind: history.SlotChild, Name: "club.Verify", Target: history.Address{ID: "v-1"}}
	tests := map[string]struct {
		messages []history.Message
		live     Live
		now      time.Time
		want     string
	}{
		"event without a deadline": {log(started()), Live{Waiting: "event Approved"}, t0.Add(50 * time.Hour), "waiting for event Approved since 2 days, no deadline"},
		"event with a deadline":    {log(started(), decided(timer)), Live{Waiting: "event paid, timer until 2026-05-04T14:00:00Z"}, at(61), "waiting for event paid since 1 min, deadline in 1 h"},
		"two events":               {log(started()), Live{Waiting: "event a, event b"}, at(5), "waiting for event a or b since 5 s, no deadline"},
		"activity that runs":       {log(started(), charge(1)), Live{}, at(4), "activity ChargeFee since 3 s"},
		"activity between attempts": {log(started(), charge(1), again(4, at(20), "card declined")), Live{}, at(8),
			"activity ChargeFee attempt 4 of 5, next in 12 s, last error card declined"},
		"later attempt that runs": {log(started(), charge(1), &history.Task{Ref: ref(0), Name: "bank.ChargeFee", Attempt: 2, LastErr: "card declined"}), Live{}, at(8),
			"activity ChargeFee attempt 2 of 5, last error card declined"},
		"attempts that the worker's registration says": {log(started(), &history.Timer{Ref: ref(0), Due: at(20), Task: &history.Task{Ref: ref(0), Name: "bank.ChargeFee", Attempt: 4, Most: 5, LastErr: "card declined"}}, &history.Task{Ref: ref(0), Name: "bank.ChargeFee", Attempt: 4, Most: 5, LastErr: "card declined"}), Live{}, at(8),
			"activity ChargeFee attempt 4 of 5, last error card declined"},
		"completion from outside": {log(started(), charge(1), &history.Timer{Ref: ref(0), Due: at(7300), Task: &history.Task{Ref: ref(0), Name: "bank.ChargeFee", Attempt: 2, Lapsed: true}}),
			Live{}, at(8), "activity ChargeFee is to be completed from outside, 2 h left"},
		"child":                             {log(started(), decided(child)), Live{Waiting: "child v-1 (club.Verify)"}, at(121), "waiting for child v-1 (Verify) since 2 min"},
		"timer":                             {log(started(), decided(timer)), Live{Waiting: "timer until 2026-05-04T14:00:00Z"}, t0, "waiting for a timer, due in 2 h"},
		"timer that is overdue":             {log(started(), decided(timer)), Live{}, at(7200), "waiting for a timer, due now"},
		"the nearest of two timers":         {log(started(), decided(timer, history.Slot{N: 2, Kind: history.SlotTimer, Due: at(60)})), Live{}, t0, "waiting for a timer, due in 1 min"},
		"trouble comes first":               {log(started(), decided(history.Slot{N: 1, Kind: history.SlotActivity, Name: "x.A"}), charge(2)), Live{}, at(3), "activity ChargeFee attempt 2 of 5; activity A since 2 s"},
		"local activity that became a task": {log(started(), &history.Task{Ref: ref(0), Name: "a.A", Attempt: 2, LastErr: "no", NotBefore: at(60)}), Live{}, at(20), "activity A attempt 2, next in 40 s, last error no"},
		"nothing to be seen":                {log(started()), Live{}, t0, "running since less than 1 s"},
		"many": {log(started(), decided(slots(5)...)), Live{}, at(3),
			"activity A since 2 s; activity A since 2 s; activity A since 2 s; and 2 more"},
		"scheduled":             {log(started()), Live{Status: "Pending", ScheduledFor: at(90)}, t0, "begins at 2026-05-04T12:01:30Z, in 1 min"},
		"pending":               {log(started()), Live{Status: "Pending"}, at(3), "waiting for a worker since 3 s"},
		"parked":                {log(started()), Live{Parked: "its orchestrator is unknown"}, at(3), "no worker runs it: its orchestrator is unknown"},
		"suspended":             {log(started(), &history.Control{Verb: history.Suspend, ID: "1", Reason: "audit"}), Live{}, at(4), "suspended since 3 s: audit"},
		"resumed":               {log(started(), &history.Control{Verb: history.Suspend, ID: "1"}, &history.Control{Verb: history.Resume, ID: "2"}), Live{}, at(4), "running since 2 s"},
		"completed":             {log(started(), ended(history.Completed, "")), Live{}, at(100), "completed after 1 s"},
		"failed":                {log(started(), ended(history.Failed, "no money")), Live{}, at(100), "failed after 1 s: no money"},
		"terminated":            {log(started(), ended(history.Terminated, "fraud")), Live{}, at(100), "terminated after 1 s: fraud"},
		"an end without a time": {append(log(started()), history.Message{Seq: 2, Record: ended(history.Completed, "")}), Live{}, at(100), "completed after less than 1 s"},
		"no history":            {nil, Live{Status: "Pending"}, t0, "waiting for a worker"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, Of(test.messages).Sentence(test.now, test.live)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func slots(n uint32) (all []history.Slot) {
	for i := range n {
		all = append(all, history.Slot{N: i, Kind: history.SlotActivity, Name: "x.A"})
	}
	return all
}

// line is a step without what every step has.
func line(s Step) string {
	text := string(s.Kind) + " " + string(s.State)
	for _, part := range []string{s.Name, s.Instance, string(s.Input), string(s.Result), s.Failure, s.LastErr, s.Reason, s.Status} {
		if part != "" {
			text += " " + part
		}
	}
	return text
}

func TestSteps(t *testing.T) {
	t.Parallel()
	done := func(slot uint32, name, result string) *history.Done {
		return &history.Done{Ref: ref(slot), Name: name, Result: history.Payload(result), Attempt: 1}
	}
	failed := &history.Done{Ref: ref(0), Name: "bank.ChargeFee", Attempt: 5, Failure: &history.Failure{Message: "card declined"}}
	base := &history.Turn{Run: 1, At: 2, End: &history.End{Status: history.ContinuedAsNew, Base: &history.Base{
		Start: history.Start{Orchestrator: "club.Join", Input: history.Payload("2")}, Buffered: []history.Event{{Name: "paid", ID: "e"}}, Paused: true,
		Held: []history.Message{{Seq: 2, Time: at(1), Record: &history.Event{Name: "held", ID: "h"}}},
	}}}
	rewound := &history.Start{Run: 2, Orchestrator: "club.Join", Prior: &history.Prior{Run: 1, Started: t0, Messages: history.Messages{
		{Seq: 2, Time: at(1), Record: &history.Task{Ref: history.Ref{Run: 2, Slot: 0}, Name: "a.A", Attempt: 1}},
		{Seq: 3, Time: at(2), Record: &history.Done{Ref: history.Ref{Run: 2, Slot: 0}, Name: "a.A", Result: history.Payload("1"), Attempt: 1}},
	}}}
	tests := map[string]struct {
		messages []history.Message
		want     []string
	}{
		"activity": {log(started(), charge(1), done(0, "bank.ChargeFee", "7"), ended(history.Completed, "")),
			[]string{"started done club.Join", "activity done bank.ChargeFee 7", "ended done Completed"}},
		"activity that fails": {log(started(), charge(1), failed), []string{"started done club.Join", "activity failed bank.ChargeFee card declined"}},
		"the first completion counts": {log(started(), charge(1), done(0, "bank.ChargeFee", "7"), done(0, "bank.ChargeFee", "8")),
			[]string{"started done club.Join", "activity done bank.ChargeFee 7"}},
		"a completion of another task": {log(started(), charge(1), done(0, "other.Task", "7")), []string{"started done club.Join", "activity open bank.ChargeFee"}},
		"another run":                  {log(started(), charge(1), &history.Done{Ref: history.Ref{Run: 2}, Name: "bank.ChargeFee"}), []string{"started done club.Join", "activity open bank.ChargeFee"}},
		"local activity":               {log(started(), &history.Done{Ref: ref(0), Name: "a.A", Local: true, Result: history.Payload("1")}), []string{"started done club.Join", "activity done a.A 1"}},
		"timers": {log(started(), decided(history.Slot{N: 0, Kind: history.SlotTimer, Due: at(2)}, history.Slot{N: 1, Kind: history.SlotTimer, Due: at(60)}),
			&history.Fired{Ref: ref(0), Due: at(2)}, &history.Fired{Ref: ref(1), Due: at(60)}, ended(history.Completed, "")),
			[]string{"started done club.Join", "timer done", "timer dropped", "ended done Completed"}},
		"the first record of a slot counts": {log(started(), decided(history.Slot{N: 0, Kind: history.SlotSend, Name: "a"}), decided(history.Slot{N: 0, Kind: history.SlotSend, Name: "b"})),
			[]string{"started done club.Join", "sent done a"}},
		"a turn of another run or execution": {log(started(), &history.Turn{Run: 2, Slots: slots(1)}, &history.Turn{Run: 1, Execution: 1, Slots: slots(1)}, &history.Turn{Run: 2, End: &history.End{Status: history.Failed}}),
			[]string{"started done club.Join"}},
		"child, send and marker": {log(started(), decided(
			history.Slot{N: 0, Kind: history.SlotChild, Name: "c.C", Target: history.Address{ID: "c-1"}},
			history.Slot{N: 1, Kind: history.SlotSend, Name: "paid", Target: history.Address{ID: "x"}},
			history.Slot{N: 2, Kind: history.SlotSend, Name: "paid", Target: history.Address{ID: "y"}, Confirm: true},
			history.Slot{N: 3, Kind: history.SlotVersion, Name: "v"}), done(0, "c.C", "1")),
			[]string{"started done club.Join", "child done c.C c-1 1", "sent done paid x", "sent open paid y", "version done v"}},
		"events come once": {log(started(), &history.Event{Name: "paid", ID: "1", Payload: history.Payload("3")}, &history.Event{Name: "paid", ID: "1"}),
			[]string{"started done club.Join", "event done paid 3"}},
		"controls": {log(started(), &history.Control{Verb: history.Suspend, ID: "1", Reason: "why"}, &history.Control{Verb: history.Cancel, ID: "2"}, &history.Control{Verb: history.Terminate, ID: "3", Reason: "end"}),
			[]string{"started done club.Join", "suspended done why", "canceled done", "terminated done end"}},
		"continued as new": {log(base, &history.Task{Ref: history.Ref{Run: 1, Execution: 1}, Name: "a.A", Attempt: 1}),
			[]string{"started done club.Join 2", "event done paid", "suspended done", "event done held", "activity open a.A"}},
		"continued as new within": {log(started(), &history.Event{Name: "old", ID: "o"}, &history.Event{Name: "new", ID: "n"}, base, charge(1)),
			[]string{"started done club.Join 2", "event done paid", "suspended done", "event done held", "event done new"}},
		"rewound": {log(rewound), []string{"started done club.Join", "activity done a.A 1", "rewound done"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range Of(test.messages).Steps {
				got = append(got, line(s))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
