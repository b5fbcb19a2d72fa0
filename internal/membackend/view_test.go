package membackend_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
)

func TestKill(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	heardOf := 0
	note := func() { heardOf++ }
	w.Append(backend.Append{To: to, Record: event("on its way")}, func(uint64, error) { note() })
	w.Clock().After(time.Second, note)
	if _, err := w.Listen("t", func([]byte) { note() }); err != nil {
		t.Fatal(err)
	}
	w.Kill()
	w.Append(backend.Append{To: to, Record: event("never sent")}, func(uint64, error) { note() })
	b.v.Signal("t", nil)
	b.RunFor(time.Minute)
	if heardOf != 0 {
		t.Errorf("a dead process heard %d things", heardOf)
	}
	w.took(t)
	if n := len(b.Log()); n != 1 {
		t.Errorf("%d messages are stored, want the one that was on its way", n)
	}
	if _, _, err := w.Meta().Get(context.Background(), "k"); !is(err, backend.ErrClosed) {
		t.Errorf("a blocking call of a dead process: %v, want ErrClosed", err)
	}
	other := b.worker("other")
	b.RunFor(time.Second)
	other.took(t, heard{1, 1, 1})
}

func TestTasksOfADeadWorkerGoToOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	var got []string
	for _, name := range []string{"dead", "alive"} {
		v := b.View(name)
		q, err := v.Tasks("a", func(d backend.TaskDelivery) {
			got = append(got, name)
			if name == "dead" {
				v.Kill()
			}
			d.Ack()
		})
		if err != nil {
			t.Fatal(err)
		}
		q.Grant(5)
		b.RunFor(time.Second)
	}
	b.put(&history.Task{Name: "a", Attempt: 1})
	b.RunFor(4 * time.Second)
	if diff := cmp.Diff([]string{"dead"}, got); diff != "" {
		t.Errorf("before the ack wait (-want +got):\n%s", diff)
	}
	b.RunFor(2 * time.Second)
	if diff := cmp.Diff([]string{"dead", "alive"}, got); diff != "" {
		t.Errorf("after the ack wait (-want +got):\n%s", diff)
	}
}

// A frozen worker comes back with what it was about to do, and with deliveries that were meant for it long ago.
func TestPause(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("zombie")
	w.Clock().After(time.Second, func() {
		w.Append(backend.Append{To: to, Record: &history.Turn{Run: 1, At: 1}}, func(uint64, error) {})
	})
	w.Pause(10 * time.Second)
	b.put(event("1"))
	b.RunFor(2 * time.Second)
	w.took(t)
	if n := len(b.Log()); n != 1 {
		t.Errorf("a frozen worker has written: %d messages", n)
	}
	other := b.worker("other")
	b.RunFor(2 * time.Second)
	other.took(t, heard{1, 2, 1})
	b.RunFor(10 * time.Second)
	w.took(t, heard{1, 1, 1}) // on its way before it was taken over from
	if n := len(b.Log()); n != 2 {
		t.Errorf("%d messages, want the zombie's too", n)
	}
	b.put(event("2"))
	b.RunFor(time.Second)
	w.took(t)
	other.took(t, heard{3, 3, 1})
}

func TestResumeEndsAPauseEarly(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	w.Pause(time.Hour)
	b.put(event("1"))
	b.RunFor(time.Second)
	w.Resume()
	b.RunFor(time.Second)
	w.took(t, heard{1, 1, 1})
	w.Pause(0) // the end of the first pause does not end this one
	b.put(event("2"))
	b.RunFor(2 * time.Hour)
	w.took(t)
	w.Resume()
	b.RunFor(time.Second)
	if len(w.got) == 0 {
		t.Error("nothing came after Resume")
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	w := b.worker("w")
	var answers []error
	note := func(_ uint64, err error) { answers = append(answers, err) }
	w.Append(backend.Append{To: to, Record: event("1")}, note)
	w.Disconnect()
	w.Append(backend.Append{To: to, Record: event("2")}, note)
	if w.Connected() {
		t.Error("connected")
	}
	b.RunFor(10 * time.Second)
	if len(answers) != 2 || !is(answers[0], backend.ErrUnavailable) || !is(answers[1], backend.ErrUnavailable) {
		t.Errorf("answers %v, want ErrUnavailable twice", answers)
	}
	if n := len(b.Log()); n != 1 {
		t.Errorf("%d messages are stored, want the one that had been sent", n)
	}
	if err := w.EnsureGroup(context.Background(), "g"); !is(err, backend.ErrUnavailable) {
		t.Errorf("a blocking call: %v, want ErrUnavailable", err)
	}
	w.took(t)
	w.Reconnect()
	b.RunFor(time.Second)
	w.took(t, heard{1, 1, 1})
	w.Append(backend.Append{To: to, Record: event("3")}, note)
	b.RunFor(time.Second)
	if len(answers) != 3 || answers[2] != nil {
		t.Errorf("after Reconnect: %v", answers)
	}
}

func TestDeliveryLostWithTheConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{Latency: time.Second, Seed: 4})
	w := b.worker("w")
	b.v.Append(backend.Append{To: to, Record: event("1")}, func(uint64, error) {})
	b.Run(func() bool { return len(b.Log()) == 1 }) // and sent to w, just now
	w.Disconnect()
	w.Reconnect()
	b.put(event("2"))
	b.RunFor(10 * time.Second)
	w.took(t, heard{2, 2, 1})
	b.RunFor(time.Minute)
	w.took(t, heard{1, 3, 2})
}

// An owner that is not heard of loses the partition to one that stands by, and stands by then itself.
func TestStandBy(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	first := b.worker("first")
	second := b.worker("second")
	second.Disconnect()
	b.put(event("1"))
	b.RunFor(4 * time.Second)
	first.took(t)
	b.RunFor(2 * time.Second)
	first.took(t, heard{1, 1, 1})
	second.Reconnect()
	b.put(event("2"))
	b.RunFor(time.Second)
	first.took(t, heard{2, 2, 1})
	first.Kill()
	b.put(event("3"))
	b.RunFor(10 * time.Second)
	second.took(t, heard{3, 3, 1})
}

func TestWatchAcrossADisconnect(t *testing.T) {
	t.Parallel()
	m := membackend.New(membackend.Config{Live: true})
	defer m.Close()
	v, other := m.View("v"), m.View("other")
	ctx := t.Context()
	got := make(chan string, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- v.Meta().Watch(ctx, "p", func(key string, value []byte, _ uint64) { got <- key + "=" + string(value) })
	}()
	put := func(key, value string, rev uint64) uint64 {
		t.Helper()
		rev, err := other.Meta().Put(ctx, key, []byte(value), rev)
		if err != nil {
			t.Fatal(err)
		}
		return rev
	}
	rev := put("p.a", "1", 0)
	want := func(want string) {
		t.Helper()
		select {
		case s := <-got:
			if s != want {
				t.Errorf("saw %q, want %q", s, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("waited in vain for %q", want)
		}
	}
	want("p.a=1")
	v.Disconnect()
	put("p.a", "3", put("p.a", "2", rev))
	v.Reconnect()
	want("p.a=3")
	v.Kill()
	select {
	case err := <-ended:
		if !is(err, backend.ErrClosed) {
			t.Errorf("the watch of a killed view ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("the watch of a killed view goes on")
	}
}

func TestSkew(t *testing.T) {
	t.Parallel()
	b := newBench(t, membackend.Config{})
	b.v.Skew(5 * time.Millisecond)
	if ahead := b.v.Clock().Now().Sub(b.Now()); ahead != 5*time.Millisecond {
		t.Errorf("the clock is %v ahead", ahead)
	}
}
