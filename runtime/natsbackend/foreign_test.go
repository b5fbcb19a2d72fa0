package natsbackend

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/history"
)

func TestSubjectAndRecordMustAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		parsed parsed
		record history.Record
		ok     bool
	}{
		{"a control of its verb", parsed{kind: history.KindControl, name: "suspend"}, &history.Control{Verb: history.Suspend, ID: "1"}, true},
		{"a terminate where only suspend is permitted", parsed{kind: history.KindControl, name: "suspend"}, &history.Control{Verb: history.Terminate, ID: "1"}, false},
		{"an event of its name", parsed{kind: history.KindEvent, name: "a=2Eb"}, &history.Event{Name: "a.b", ID: "1"}, true},
		{"an event of another name", parsed{kind: history.KindEvent, name: "a=2Eb"}, &history.Event{Name: "a.c", ID: "1"}, false},
		{"a task of another activity", parsed{kind: history.KindTask, name: "a=2Eb"}, &history.Task{Name: "a.c", Attempt: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, body, err := history.Encode(c.record)
			if err != nil {
				t.Fatal(err)
			}
			data := append(history.Frame(fields, len(body)), body...)
			if _, err := c.parsed.decode(nil, data, nil); (err == nil) != c.ok {
				t.Errorf("decode: %v, want it to pass: %t", err, c.ok)
			}
		})
	}
}

// TestHeadersOfAMessageAreNotTheServers: a message that has, itself, the headers in which a server tells of it is read as
// any other: where it is, and that it is one.
func TestHeadersOfAMessageAreNotTheServers(t *testing.T) {
	t.Parallel()
	own := nats.Header{"Status": {"404"}, "Nats-Subject": {"x"}, "Nats-Sequence": {"1"}, "Nats-Time-Stamp": {"never"}, "Nats-Last-Sequence": {"1"}}
	answer := nats.Header{headerStream: {"DURABLE_default"}}
	for key, value := range map[string]string{"Nats-Subject": "durable.x", "Nats-Sequence": "17", "Nats-Time-Stamp": "2026-01-02T03:04:05Z", "Nats-Last-Sequence": "0"} {
		own[key] = append(own[key], value)
		answer[key] = own[key]
	}
	answer["Status"] = own["Status"]
	end := &nats.Msg{Header: nats.Header{"Status": {"204"}, "Nats-Last-Sequence": {"17"}, "Nats-Num-Pending": {"0"}}}
	page, more, err := readPage([]*nats.Msg{{Header: answer}, end})
	if err != nil || more || len(page) != 1 || page[0].seq != 17 || page[0].subject != "durable.x" || page[0].time.IsZero() {
		t.Errorf("%+v, %t, %v, want message 17 of durable.x", page, more, err)
	}
}
