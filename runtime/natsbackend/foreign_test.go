package natsbackend

import (
	"testing"

	"github.com/durablegen/durablegen/internal/history"
)

func TestSubjectAndRecordMustAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		place  place
		record history.Record
		ok     bool
	}{
		{"a control of its verb", place{kind: history.KindControl, name: "suspend"}, &history.Control{Verb: history.Suspend, ID: "1"}, true},
		{"a terminate where only suspend is permitted", place{kind: history.KindControl, name: "suspend"}, &history.Control{Verb: history.Terminate, ID: "1"}, false},
		{"an event of its name", place{kind: history.KindEvent, name: "a=2Eb"}, &history.Event{Name: "a.b", ID: "1"}, true},
		{"an event of another name", place{kind: history.KindEvent, name: "a=2Eb"}, &history.Event{Name: "a.c", ID: "1"}, false},
		{"a task of another activity", place{kind: history.KindTask, name: "a=2Eb"}, &history.Task{Name: "a.c", Attempt: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, body, err := history.Encode(c.record)
			if err != nil {
				t.Fatal(err)
			}
			data := append(history.Frame(fields, len(body)), body...)
			if _, err := c.place.decode(nil, data, nil); (err == nil) != c.ok {
				t.Errorf("decode: %v, want it to pass: %t", err, c.ok)
			}
		})
	}
}
