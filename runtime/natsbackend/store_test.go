package natsbackend_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
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

func putState(t *testing.T, b backend.Backend, s backend.State, rev uint64) (uint64, error) {
	t.Helper()
	return await(t, func(done func(uint64, error)) { b.PutState(s, rev, done) })
}

func getState(t *testing.T, b backend.Backend, id string) (s backend.State, rev uint64, err error) {
	t.Helper()
	s, err = await(t, func(done func(backend.State, error)) {
		b.GetState(id, func(s backend.State, r uint64, err error) { rev = r; done(s, err) })
	})
	return s, rev, err
}

func TestStates(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	if _, _, err := getState(t, b, anna.ID); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("of nobody: %v, want not found", err)
	}
	s := backend.State{Address: anna, Name: "membership.SignUp", Status: history.Running, Run: 1, Created: time.Unix(1_700_000_000, 5).UTC(), Tags: map[string]string{"club": "chess"}}
	rev, err := putState(t, b, s, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := putState(t, b, s, 0); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("creating it twice: %v, want a conflict", err)
	}
	got, gotRev, err := getState(t, b, anna.ID)
	if diff := cmp.Diff(s, got); diff != "" || gotRev != rev || err != nil {
		t.Errorf("revision %d, %v (-want +got):\n%s", gotRev, err, diff)
	}
	s.Status = history.Completed
	if _, err := putState(t, b, s, rev); err != nil {
		t.Errorf("update: %v", err)
	}
	if _, err := putState(t, b, s, rev); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a stale update: %v, want a conflict", err)
	}
	for n := range 600 { // several pages
		if _, err := putState(t, b, backend.State{Address: history.Address{Group: "g", ID: fmt.Sprint("more ", n)}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]history.Status{}
	if err := b.ListStates(within(t), func(s backend.State) bool { all[s.ID] = s.Status; return true }); err != nil {
		t.Fatal(err)
	}
	if len(all) != 601 || all[anna.ID] != history.Completed {
		t.Errorf("%d states, of anna %q", len(all), all[anna.ID])
	}
	calls := 0
	if err := b.ListStates(within(t), func(backend.State) bool { calls++; return false }); err != nil || calls != 1 {
		t.Errorf("after the first: %d calls, %v", calls, err)
	}
}

func TestArchives(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	get := func() (a backend.Archive, seq uint64, err error) {
		a, err = await(t, func(done func(backend.Archive, error)) {
			b.GetArchive(anna, func(a backend.Archive, n uint64, err error) { seq = n; done(a, err) })
		})
		return a, seq, err
	}
	store := func(a backend.Archive, expect uint64) (uint64, error) {
		return await(t, func(done func(uint64, error)) { b.PutArchive(a, expect, done) })
	}
	if _, _, err := get(); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("of nobody: %v, want not found", err)
	}
	a := backend.Archive{Address: anna, Run: 1, Status: history.Failed, Messages: []history.Message{
		{Seq: 1, Time: time.Unix(1_700_000_000, 0).UTC(), Record: start(1)},
		{Seq: 2, Time: time.Unix(1_700_000_001, 0).UTC(), Record: turn(1, 0, 1, 0, &history.End{Status: history.Failed, Failure: &history.Failure{Message: "no"}})},
	}}
	seq, err := store(a, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store(a, 0); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a second first entry: %v, want a conflict", err)
	}
	got, gotSeq, err := get()
	if diff := cmp.Diff(a, got); diff != "" || gotSeq != seq || err != nil {
		t.Errorf("entry %d, %v (-want +got):\n%s", gotSeq, err, diff)
	}
	m, err := stream(t, s, "DURABLE_default_ARCHIVE").GetMsg(within(t), seq)
	if err != nil || m.Header.Get("Nats-TTL") != "2592000" {
		t.Errorf("time to live %q, %v", m.Header.Get("Nats-TTL"), err)
	}
	a.Run, a.Status, a.At, a.Messages = 2, history.Running, 1, a.Messages[:1] // a snapshot is all that is left of a live run
	if seq, err = store(a, seq); err != nil {
		t.Fatalf("replacing it: %v", err)
	}
	m, err = stream(t, s, "DURABLE_default_ARCHIVE").GetMsg(within(t), seq)
	if err != nil || m.Header.Get("Nats-TTL") != "" {
		t.Errorf("time to live of a snapshot %q, %v", m.Header.Get("Nats-TTL"), err)
	}
}

func TestMeta(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	m := b.Meta()
	ctx := within(t)
	if _, err := m.Put(ctx, "names.first", nil, 0); err != nil {
		t.Fatal(err)
	}
	changes := watch(t, b, "names")
	seen := func(want string) { // one by one: a change that is overtaken by the next need not be seen
		t.Helper()
		if got := receive(t, changes); got != want {
			t.Errorf("watched %s, want %s", got, want)
		}
	}
	seen("names.first=@1")
	if err := m.Delete(ctx, "names.first", 1); err != nil {
		t.Fatal(err)
	}
	seen("names.first deleted@2")
	if _, _, err := m.Get(ctx, "names.a"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("a key that is not there: %v", err)
	}
	rev, err := m.Put(ctx, "names.a", []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	seen("names.a=1@3")
	if _, err := m.Put(ctx, "names.a", []byte("2"), 0); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("creating it twice: %v, want a conflict", err)
	}
	if v, r, err := m.Get(ctx, "names.a"); string(v) != "1" || r != rev || err != nil {
		t.Errorf("got %q at %d, %v", v, r, err)
	}
	if _, err := m.Put(ctx, "other.b", []byte("3"), 0); err != nil {
		t.Fatal(err)
	}
	if err := m.Delete(ctx, "names.a", rev+7); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("deleting another revision: %v, want a conflict", err)
	}
	if err := m.Delete(ctx, "names.a", rev); err != nil {
		t.Fatal(err)
	}
	seen("names.a deleted@5")
	if _, _, err := m.Get(ctx, "names.a"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("a deleted key: %v", err)
	}
	if _, err := m.Put(ctx, "names.a", []byte("again"), 0); err != nil {
		t.Errorf("creating it again: %v", err)
	}
	seen("names.a=again@6")
	all, err := m.List(ctx, "names")
	if diff := cmp.Diff(map[string][]byte{"names.a": []byte("again")}, all); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if all, err := m.List(ctx, ""); len(all) != 2 || err != nil {
		t.Errorf("all keys: %v, %v", all, err)
	}
	late := watch(t, b, "names")
	if got := receive(t, late); got != "names.a=again@6" {
		t.Errorf("a later watch got %s", got)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	a, b := open(t, s, natsbackend.Config{}), open(t, s, natsbackend.Config{})
	topic := a.Topic()
	if topic == a.Topic() {
		t.Error("a topic came twice")
	}
	got := make(chan string, 10)
	stop, err := a.Listen(topic, func(data []byte) { got <- string(data) })
	if err != nil {
		t.Fatal(err)
	}
	put(t, a, anna, start(1)) // the subscription has reached the server
	b.Signal(topic, []byte("hello"))
	b.Signal("another topic.*", []byte("no"))
	b.Signal(topic, []byte("again"))
	for _, want := range []string{"hello", "again"} {
		if v := receive(t, got); v != want {
			t.Errorf("signal %q, want %q", v, want)
		}
	}
	stop()
	if !a.Connected() {
		t.Error("not connected")
	}
}

func TestBigPayloads(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{InlinePayload: 1 << 10, MaxPayload: 500 << 10})
	_, got, _ := inbox(t, b, anna)
	big := history.Payload(`"` + string(bytes.Repeat([]byte("x"), 300<<10)) + `"`) // several chunks of an object
	r := start(1)
	r.Input = big
	seq := put(t, b, anna, r)
	same := func(what string, want, got any) {
		t.Helper()
		if !reflect.DeepEqual(want, got) { // cmp.Diff takes seconds for so much
			t.Errorf("%s: %.200v, want %.200v", what, got, want)
		}
	}
	same("delivery", r, receive(t, got).Message.Record)
	same("load", r, load(t, b, anna, seq).Start.Record)
	task := &history.Task{Ref: history.Ref{Run: 1}, Name: "a", Attempt: 2, Args: big} // a retry: the product of a schedule
	_, tasks := queue(t, b, task.Name, 1)
	put(t, b, anna, &history.Timer{Ref: task.Ref, Due: time.Now(), Task: task})
	same("retry", task, receive(t, tasks).Task)
	m, err := stream(t, s, "DURABLE_default").GetMsg(within(t), seq)
	if err != nil || len(m.Data) > 100 || m.Header.Get("Durable-Payload") == "" {
		t.Errorf("stored with %d bytes and header %v, %v", len(m.Data), m.Header, err)
	}
	st := backend.State{Address: anna, Custom: big}
	if _, err := putState(t, b, st, 0); err != nil {
		t.Fatal(err)
	}
	state, _, err := getState(t, b, anna.ID)
	if err != nil {
		t.Fatal(err)
	}
	same("state", st, state)
	r.Input = append(history.Payload(nil), bytes.Repeat([]byte("1"), 600<<10)...)
	if _, err := await(t, func(done func(uint64, error)) { b.Append(backend.Append{To: anna, Record: r}, done) }); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("beyond MaxPayload: %v, want too large", err)
	}
}

// The header of a message whose body is elsewhere says so; those that are stored like it do not.
func TestBigPayloadsAreNotInOtherHeaders(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{InlinePayload: 1 << 10})
	for _, size := range []int{2 << 10, 10} {
		to := history.Address{Group: anna.Group, ID: fmt.Sprint(size)}
		r := start(1)
		r.Input = history.Payload(`"` + strings.Repeat("x", size) + `"`)
		seq, err := await(t, func(done func(uint64, error)) {
			b.Append(backend.Append{To: to, Record: r, Fenced: true}, done)
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := stream(t, s, "DURABLE_default").GetMsg(within(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		if elsewhere := m.Header.Get("Durable-Payload") != ""; elsewhere != (size > 1<<10) {
			t.Errorf("%d bytes: stored with header %v", size, m.Header)
		}
	}
}

// TestHistoriesAreLargerThanPayloads: an archive entry, and the start of a rewound run.
func TestHistoriesAreLargerThanPayloads(t *testing.T) {
	t.Parallel()
	b := open(t, serve(t, embedded.Config{}), natsbackend.Config{MaxPayload: 100 << 10, MaxHistory: 400 << 10})
	messages := history.Messages{{Seq: 1, Record: start(1)}}
	for n := range uint64(3) {
		messages = append(messages, history.Message{Seq: n + 2, Record: &history.Event{
			Name: "e", ID: fmt.Sprint(n), Payload: history.Payload(`"` + string(bytes.Repeat([]byte("x"), 90<<10)) + `"`)}})
	}
	store := func(messages history.Messages, expect uint64) (uint64, error) {
		return await(t, func(done func(uint64, error)) {
			b.PutArchive(backend.Archive{Address: anna, Run: 1, Status: history.Completed, Messages: messages}, expect, done)
		})
	}
	entry, err := store(messages, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := await(t, func(done func(backend.Archive, error)) {
		b.GetArchive(anna, func(a backend.Archive, _ uint64, err error) { done(a, err) })
	})
	if err != nil || !reflect.DeepEqual(messages, got.Messages) {
		t.Errorf("%d messages, %v, want %d", len(got.Messages), err, len(messages))
	}
	if _, err := store(append(messages, messages[1:]...), entry); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("beyond MaxHistory: %v, want too large", err)
	}
	again := start(2)
	again.Prior = &history.Prior{Messages: messages}
	seq := put(t, b, anna, again)
	if l := load(t, b, anna, seq); l.Start == nil || len(l.Start.Record.(*history.Start).Prior.Messages) != len(messages) {
		t.Errorf("the start of the rewound run is %v", l.Start)
	}
}

func TestALostPayloadIsAnError(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(objects jetstream.ObjectStore, o *jetstream.ObjectInfo) error{
		"gone": func(objects jetstream.ObjectStore, o *jetstream.ObjectInfo) error {
			return objects.Delete(t.Context(), o.Name)
		},
		"another of the same size": func(objects jetstream.ObjectStore, o *jetstream.ObjectInfo) error {
			_, err := objects.PutBytes(t.Context(), o.Name, make([]byte, o.Size))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, embedded.Config{})
			b := open(t, s, natsbackend.Config{InlinePayload: 10})
			seq := put(t, b, anna, start(1))
			nc, err := nats.Connect("", s.Option())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			objects, err := js.ObjectStore(within(t), "durable_default_payloads")
			if err != nil {
				t.Fatal(err)
			}
			list, err := objects.List(within(t))
			if err != nil || len(list) != 1 {
				t.Fatalf("%d objects, %v", len(list), err)
			}
			if err := harm(objects, list[0]); err != nil {
				t.Fatal(err)
			}
			_, got, _ := inbox(t, b, anna)
			if d := receive(t, got); d.Err == nil || d.Message.Seq != seq || d.Message.Record != nil {
				t.Errorf("delivery %+v, want an error", d)
			}
			if _, err := await(t, func(done func(backend.Loaded, error)) { b.Load(anna, seq, done) }); err == nil {
				t.Error("the load succeeded")
			}
		})
	}
}

// TestCompressed: what is kept for long is kept small; a hello is promised to cost 1.6 kB.
func TestCompressed(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	open(t, s, natsbackend.Config{})
	nc, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]jetstream.StoreCompression{
		"DURABLE_default": jetstream.NoCompression, "DURABLE_default_ARCHIVE": jetstream.S2Compression, "KV_durable_default_instances": jetstream.S2Compression,
	} {
		stream, err := js.Stream(within(t), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := stream.CachedInfo().Config.Compression; got != want {
			t.Errorf("%s: compression %v, want %v", name, got, want)
		}
	}
}

// TestListHeedsItsContext, whatever the server does.
func TestListHeedsItsContext(t *testing.T) {
	t.Parallel()
	s := serve(t, embedded.Config{})
	b := open(t, s, natsbackend.Config{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Meta().List(ctx, "names"); !errors.Is(err, context.Canceled) || !errors.Is(err, backend.ErrUnavailable) {
		t.Errorf("a list without a server, for somebody who does not wait: %v", err)
	}
}
