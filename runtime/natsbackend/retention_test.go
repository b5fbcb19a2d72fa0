package natsbackend_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

var hours = natsbackend.Retention{Completed: time.Hour, Failed: 2 * time.Hour, Terminated: 3 * time.Hour, Canceled: -1}

// TestRetentionIsOfTheHub: it is said when the hub is made, verified after that, and changed on purpose only.
func TestRetentionIsOfTheHub(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	if diff := cmp.Diff(hours, open(t, s, natsbackend.Config{Retention: hours}).Info().Retention); diff != "" {
		t.Errorf("when it is made (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(hours, open(t, s, natsbackend.Config{}).Info().Retention); diff != "" {
		t.Errorf("for who does not say (-want +got):\n%s", diff)
	}
	other := natsbackend.Config{Retention: natsbackend.Retention{Failed: time.Minute}}
	if _, err := s.Backend(within(t), other); err == nil || !strings.Contains(err.Error(), "SetRetention") || !strings.Contains(err.Error(), "failed") {
		t.Errorf("another one: %v, want to be told how to change it", err)
	}
	if _, err := s.Backend(within(t), natsbackend.Config{Hub: "other", Retention: natsbackend.Retention{Failed: time.Second}}); err == nil {
		t.Error("a second is accepted")
	}
	cfg := natsbackend.Config{URL: "nats://in-process", Options: []nats.Option{s.Option()}}
	want := natsbackend.Retention{Completed: time.Minute, Failed: -1, Terminated: 30 * 24 * time.Hour, Canceled: 30 * 24 * time.Hour}
	if err := natsbackend.SetRetention(within(t), cfg, natsbackend.Retention{Completed: time.Minute, Failed: -5}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, open(t, s, natsbackend.Config{}).Info().Retention); diff != "" {
		t.Errorf("when it was changed (-want +got):\n%s", diff)
	}
}

// TestWhatEndedExpires: messages are stored with the time that is left of their run's.
func TestWhatEndedExpires(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{Retention: hours})
	js := streams(t, s)
	ttl := func(stream, subject string) string {
		t.Helper()
		st, err := js.Stream(within(t), stream)
		if err != nil {
			t.Fatal(err)
		}
		m, err := st.GetLastMsgForSubject(within(t), subject)
		if err != nil {
			t.Fatalf("%s: %v", subject, err)
		}
		return m.Header.Get("Nats-TTL")
	}
	for _, c := range []struct {
		status         history.Status
		ended          time.Duration // ago
		archive, state string
	}{
		{history.Running, 0, "", ""},
		{history.Completed, 0, "3600", "3660"},
		{history.Completed, 50 * time.Minute, "600", "660"},
		{history.Failed, 30 * time.Minute, "5400", "5460"},
		{history.Terminated, 5 * time.Hour, "1", "61"}, // too late
		{history.Canceled, time.Hour, "", ""},
	} {
		id := fmt.Sprint(c.status, int(c.ended.Minutes()))
		at := history.Address{Group: "g", ID: id}
		ended := time.Now().Add(-c.ended)
		if _, err := putState(t, b, backend.State{Address: at, Status: c.status, Run: 1, Ended: ended}, 0); err != nil {
			t.Fatal(err)
		}
		a := backend.Archive{Address: at, Status: c.status, Run: 1, Ended: ended, Messages: history.Messages{{Seq: 1, Record: &history.Start{Run: 1, Orchestrator: "o"}}}}
		if _, err := await(t, func(done func(uint64, error)) { b.PutArchive(a, 0, done) }); err != nil {
			t.Fatal(err)
		}
		near(t, id+" archived", c.archive, ttl("DURABLE_default_ARCHIVE", "durable-archive.default."+id))
		near(t, id+" projected", c.state, ttl("KV_durable_default_instances", "$KV.durable_default_instances."+id))
	}
}

// near compares seconds, of which some may have passed.
func near(t *testing.T, what, want, got string) {
	t.Helper()
	var w, g int
	fmt.Sscan(want, &w)
	fmt.Sscan(got, &g)
	if (want == "") != (got == "") || g > w || g < w-20 {
		t.Errorf("%s for %q seconds, want %q", what, got, want)
	}
}

// TestNothingIsLeft of a run, and its id is as if there never was one.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	second := natsbackend.Retention{Completed: time.Second, Failed: time.Second, Terminated: time.Second, Canceled: time.Second}
	b := open(t, serve(t, embedded.Config{}), natsbackend.Hasty(natsbackend.Config{Retention: second}))
	s := backend.State{Address: anna, Status: history.Completed, Run: 1}
	rev, err := putState(t, b, s, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := within(t)
	for {
		_, left, err := getState(t, b, anna.ID)
		if errors.Is(err, backend.ErrNotFound) && left == 0 {
			break
		}
		if left != rev || err != nil || end.Err() != nil {
			t.Fatalf("revision %d, %v, want %d until it is gone", left, err, rev)
		}
	}
	if _, err := putState(t, b, s, rev); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("an update of what has expired: %v, want a conflict", err)
	}
	if _, err := putState(t, b, s, 0); err != nil {
		t.Errorf("a new one: %v", err)
	}
}

func streams(t *testing.T, s *embedded.Server) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestPayloadsGoWithTheirMessages: those of the log when it is shortened past them, those of an entry when it is replaced,
// and those that nobody has got to know at all.
func TestPayloadsGoWithTheirMessages(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	js := streams(t, s)
	objects, err := js.ObjectStore(within(t), "durable_default_payloads")
	if err != nil {
		t.Fatal(err)
	}
	left := func() (n int) {
		t.Helper()
		list, err := objects.List(within(t))
		if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
			t.Fatal(err)
		}
		return len(list)
	}

	quoted := func(c byte) history.Payload { return history.Payload(`"` + strings.Repeat(string(c), 300<<10) + `"`) }
	put := func(r history.Record) uint64 {
		t.Helper()
		seq, err := await(t, func(done func(uint64, error)) { b.Append(backend.Append{To: anna, Record: r}, done) })
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	entry := func(c byte, expect uint64) uint64 {
		t.Helper()
		a := backend.Archive{Address: anna, Run: 1, Status: history.Running, Messages: history.Messages{{Seq: 1, Record: &history.Start{Run: 1, Orchestrator: "o", Input: quoted(c)}}}}
		seq, err := await(t, func(done func(uint64, error)) { b.PutArchive(a, expect, done) })
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	put(&history.Event{Name: "e", ID: "1", Payload: quoted('a')})
	first, err := objects.List(within(t))
	if err != nil || len(first) != 1 {
		t.Fatalf("%d objects, %v", len(first), err)
	}
	after := put(&history.Event{Name: "e", ID: "2"})
	last := entry('c', entry('b', 0))
	if _, err := objects.PutBytes(within(t), "entry/durable-archive.default.nobody/0", []byte("orphan")); err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(within(t), "DURABLE_default")
	if err != nil {
		t.Fatal(err)
	}
	m, err := st.GetMsg(within(t), after)
	if err != nil {
		t.Fatal(err)
	}
	margin := m.Time.Sub(first[0].ModTime) // what is as old as that when the second message is the first
	if err := b.SweepNow(margin); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 2 {
		t.Errorf("%d objects are left, want that of the log and that of the newest entry", n)
	}
	if _, err := await(t, func(done func(struct{}, error)) { b.Shorten(after, func(err error) { done(struct{}{}, err) }) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.SweepNow(margin); err != nil {
			t.Fatal(err)
		}
	}
	if n := left(); n != 1 {
		t.Errorf("%d objects are left, want that of the entry", n)
	}
	a, err := await(t, func(done func(backend.Archive, error)) {
		b.GetArchive(anna, func(a backend.Archive, seq uint64, err error) { done(a, err) })
	})
	if err != nil || len(a.Messages) != 1 || last == 0 {
		t.Errorf("the entry: %d messages, %v", len(a.Messages), err)
	}
	o, err := js.Stream(within(t), "OBJ_durable_default_payloads")
	if err != nil {
		t.Fatal(err)
	}
	if n := o.CachedInfo().State.Msgs; n > 5 { // a description, and chunks of 128 KiB
		t.Errorf("the object store has %d messages, want those of one object", n)
	}
}
