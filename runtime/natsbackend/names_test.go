package natsbackend

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	n := namesOf("club")
	n.partitions = 8
	to := history.Address{Group: "example.com/m", ID: "anna.b"}
	prefix := fmt.Sprintf("durable.club.example=2Ecom=2Fm.%d.anna=2Eb.", history.Partition(to.ID, 8))
	for _, c := range []struct {
		record history.Record
		want   string
	}{
		{&history.Start{}, "in.start"},
		{&history.Done{}, "in.done"},
		{&history.Fired{}, "in.fired"},
		{&history.Event{Name: "approved.now"}, "in.event.approved=2Enow"},
		{&history.Control{Verb: history.Suspend}, "in.ctl.suspend"},
		{&history.Turn{}, "turn"},
		{&history.Task{Name: "m.Send"}, "task.m=2ESend"},
		{&history.Timer{Ref: history.Ref{Run: 1, Execution: 2, Slot: 3}}, "timer.1-2-3"},
	} {
		subject, err := n.subject(to, c.record)
		if err != nil || subject != prefix+c.want {
			t.Errorf("%T: %s, %v; want %s", c.record, subject, err, prefix+c.want)
		}
		if got := n.instance(to); got != prefix {
			t.Errorf("instance at %s, want %s", got, prefix)
		}
		p, err := n.parse(subject)
		if err != nil || p.Address != to || p.kind != c.record.Kind() {
			t.Errorf("%s read back as %+v, %v", subject, p, err)
		}
	}
}

func TestConsumerNamesAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("g/", 300)
	a, b := inboxConsumer(long+"a", 7), inboxConsumer(long+"b", 7)
	if a == b || len(a) > 128 || len(taskConsumer(long)) > 128 {
		t.Errorf("%s and %s", a, b)
	}
	if got := inboxConsumer("club", 3); got != "in_club_3" {
		t.Errorf("a short one is %s", got)
	}
}

func TestParseDelivery(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 1_700_000_000_123_456_789).UTC()
	want := delivered{attempts: 2, stream: 40, order: 30, time: at}
	for _, c := range []struct {
		name, reply string
		ok          bool
	}{
		{"first form", "$JS.ACK.DURABLE_x.in_g_0.2.40.30.1700000000123456789.5", true},
		{"second form", "$JS.ACK._.HASH.DURABLE_x.in_g_0.2.40.30.1700000000123456789.5", true},
		{"second form with an end", "$JS.ACK.hub.HASH.DURABLE_x.in_g_0.2.40.30.1700000000123456789.5.random", true},
		{"too short", "$JS.ACK.DURABLE_x.in_g_0.2.40.30.1700000000123456789", false},
		{"between the forms", "$JS.ACK.a.DURABLE_x.in_g_0.2.40.30.1700000000123456789.5", false},
		{"no number", "$JS.ACK.DURABLE_x.in_g_0.2.x.30.1700000000123456789.5", false},
		{"another prefix", "_INBOX.ACK.DURABLE_x.in_g_0.2.40.30.1700000000123456789.5", false},
		{"nothing", "", false},
	} {
		got, ok := parseDelivery(c.reply)
		if ok != c.ok || ok && got != want {
			t.Errorf("%s: %+v, %v", c.name, got, ok)
		}
	}
}

func TestParseAck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		seq          uint64
		is           error
		fails, again bool
	}{
		{name: "stored", answer: `{"stream":"DURABLE_x", "seq":4711}`, seq: 4711},
		{name: "with spaces and a domain", answer: `{"stream":"x","domain":"d","seq" : 12,"duplicate":true}`, seq: 12},
		{name: "wrong sequence", answer: `{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"x","seq":0}`, is: backend.ErrConflict, fails: true},
		{name: "undecided", answer: `{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"}}`, fails: true, again: true},
		{name: "too large", answer: `{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}`, is: backend.ErrTooLarge, fails: true},
		{name: "no leader", answer: `{"error":{"code":503,"err_code":10008,"description":"system unavailable"}}`, fails: true, again: true},
		{name: "too many", answer: `{"error":{"code":429,"err_code":10167,"description":"too many requests"}}`, fails: true, again: true},
		{name: "another service", answer: `ok`, fails: true},
		{name: "empty", answer: ``, fails: true},
		{name: "no sequence", answer: `{}`, fails: true},
	} {
		seq, err, again := parseAck([]byte(c.answer), "s")
		if seq != c.seq || (err != nil) != c.fails || again != c.again || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %d, %v, again %v", c.name, seq, err, again)
		}
	}
}

func TestReadPageFindsALostMessage(t *testing.T) {
	t.Parallel()
	part := func(seq, before string) *nats.Msg {
		return &nats.Msg{Header: nats.Header{"Nats-Sequence": {seq}, "Nats-Last-Sequence": {before}, "Nats-Time-Stamp": {"2026-01-02T03:04:05.6Z"}}}
	}
	end := func(last, pending string) *nats.Msg {
		return &nats.Msg{Header: nats.Header{"Status": {"204"}, "Nats-Last-Sequence": {last}, "Nats-Num-Pending": {pending}}}
	}
	for _, c := range []struct {
		name string
		msgs []*nats.Msg
		n    int
		more bool
		is   error
	}{
		{"whole", []*nats.Msg{part("3", "0"), part("7", "3"), end("7", "0")}, 2, false, nil},
		{"more to come", []*nats.Msg{part("3", "0"), end("3", "9")}, 1, true, nil},
		{"nothing", []*nats.Msg{{Header: nats.Header{"Status": {"404"}}}}, 0, false, nil},
		{"first one lost", []*nats.Msg{part("7", "3"), end("7", "0")}, 0, false, errHole},
		{"middle one lost", []*nats.Msg{part("3", "0"), part("9", "7"), end("9", "0")}, 0, false, errHole},
		{"last one lost", []*nats.Msg{part("3", "0"), end("7", "0")}, 0, false, errHole},
		{"end lost", []*nats.Msg{part("3", "0")}, 0, false, errHole},
	} {
		page, more, err := readPage(c.msgs)
		if !errors.Is(err, c.is) || err == nil && (len(page) != c.n || more != c.more) {
			t.Errorf("%s: %d messages, more %v, %v", c.name, len(page), more, err)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, verb, subject string }{
		{`Permissions Violation for Publish to "durable.x.y"`, "publish to", "durable.x.y"},
		{`Permissions Violation for Subscription to "_INBOX.*"`, "subscribe to", "_INBOX.*"},
		{`Permissions Violation for Subscription to "a" using queue "q"`, "subscribe to", "a"},
	} {
		verb, subject, ok := refusal(fmt.Errorf("%w: %s", nats.ErrPermissionViolation, c.text))
		if diff := cmp.Diff([]any{c.verb, c.subject, true}, []any{verb, subject, ok}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, diff)
		}
	}
	if _, _, ok := refusal(nats.ErrSlowConsumer); ok {
		t.Error("another error is a refusal")
	}
}

func TestServerVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"2.14.0": true, "2.15.2": true, "3.0.0-beta": true, "2.12.9": false, "1.99": false, "": false, "dev": false} {
		if newEnough(version) != want {
			t.Errorf("%q: %v", version, !want)
		}
	}
}

// FuzzParse: what comes from a stream that others may write to never breaks a worker.
func FuzzParse(f *testing.F) {
	n := namesOf("club")
	n.partitions = 8
	f.Add("durable.club.g.0.i.in.start", "$JS.ACK.DURABLE_x.in_g_0.2.40.30.17.5", `{"seq":1}`, strings.Repeat("a", 64)+" 12")
	f.Add("durable.club.=.9.=2E.task.x", "$JS.ACK._.H.S.C.1.2.3.4.5.r", `{"error":{}}`, "x -1")
	f.Fuzz(func(t *testing.T, subject, reply, answer, payload string) {
		if p, err := n.parse(subject); err == nil && p.kind == 0 {
			t.Errorf("%q has no kind", subject)
		}
		parseDelivery(reply)
		if seq, err, _ := parseAck([]byte(answer), "s"); err == nil && seq == 0 {
			t.Errorf("%q is stored at 0", answer)
		}
		if r, ok, err := referenceOf(nats.Header{headerPayload: {payload}}); ok && err == nil && (r.size < 0 || len(r.sum) != 64) {
			t.Errorf("%q is %+v", payload, r)
		}
	})
}
