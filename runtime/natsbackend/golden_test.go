package natsbackend_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

var update = flag.Bool("update", false, "write the golden file instead of comparing with it")

// readHeader holds the headers that reading adds.
var readHeader = map[string]bool{"Nats-Sequence": true, "Nats-Stream": true, "Nats-Subject": true, "Nats-Time-Stamp": true}

// TestStoredForm pins what the log holds for every kind of record: subject, headers and body are a storage format.
func TestStoredForm(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	due := time.Date(2126, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	ref := history.Ref{Run: 1, Execution: 2, Slot: 3}
	task := &history.Task{Ref: ref, Name: "membership.SendChallenge", Attempt: 1, Args: history.Payload(`{"phone":"1","digits":4}`)}
	retry := *task
	retry.Attempt, retry.LastErr, retry.Policy = 2, "no signal", &history.Policy{Attempts: 3, First: 5 * time.Second}
	lapsed := *task
	lapsed.Attempt, lapsed.Since, lapsed.Lapsed = 2, due, true
	lapsed.Policy = &history.Policy{Jitter: 0.2, Deadline: time.Hour, Heartbeat: time.Minute}
	for _, r := range []history.Record{
		&history.Start{Run: 1, Orchestrator: "membership.VerifyPhone", Version: "2", Input: history.Payload(`"+49"`), Tags: map[string]string{"club": "chess"}, Notify: "reply-x", Claim: "token", Parent: &history.Parent{Address: history.Address{Group: "g", ID: "parent"}, Ref: ref}},
		&history.Done{Ref: ref, Name: "membership.SendChallenge", Hash: 7, Attempt: 1, Result: history.Payload(`1234`)},
		&history.Done{Ref: ref, Name: "membership.SendChallenge", Hash: 7, Attempt: 3, Failure: &history.Failure{Message: "unreachable", Names: []history.Named{{Name: "membership.ErrUnreachable"}}}},
		&history.Fired{Ref: ref, Due: due},
		&history.Event{Name: "challengeanswer", ID: "anna/0/1", Payload: history.Payload(`{"Code":1234}`)},
		&history.Control{Verb: history.Terminate, ID: "c-1", Reason: "moved away"},
		&history.Turn{Run: 1, Execution: 2, At: 5, Base: 4, Slots: []history.Slot{{N: 3, Kind: history.SlotTimer, Due: due}}},
		task,
		&history.Timer{Ref: ref, Due: due},
		&history.Timer{Ref: history.Ref{Run: 1, Execution: 2, Slot: 4}, Due: due, Task: &retry},
		&history.Timer{Ref: history.Ref{Run: 1, Execution: 2, Slot: 5}, Due: due, Task: &lapsed},
		&history.Done{Ref: ref, Name: "membership.MoveHouse", Hash: 7, Attempt: 3, Failure: &history.Failure{
			Message: "too late", Kind: history.FailDeadline, LastErr: "no van", Cause: &history.Failure{Message: "one"}, Causes: []*history.Failure{{Message: "two"}},
		}},
	} {
		put(t, b, anna, r)
	}
	if _, err := await(t, func(done func(uint64, error)) {
		b.Append(backend.Append{To: anna, Record: &history.Turn{Run: 1, Execution: 2, At: 6, Base: 4}, Fenced: true, Fence: 7}, done)
	}); err != nil {
		t.Fatal(err)
	}

	st := stream(t, s, "DURABLE_default")
	var got bytes.Buffer
	for seq := uint64(1); seq <= 13; seq++ {
		m, err := st.GetMsg(within(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&got, m.Subject)
		var keys []string
		for k := range m.Header {
			if !readHeader[k] {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			fmt.Fprintf(&got, "\t%s: %s\n", k, m.Header.Get(k))
		}
		fmt.Fprintf(&got, "\t%s\n\n", m.Data)
	}
	file := filepath.Join("testdata", "stored.txt")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
