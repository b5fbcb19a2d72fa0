package backup

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func link(t *testing.T) *natsbackend.Link {
	t.Helper()
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := natsbackend.Dial(t.Context(), natsbackend.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// TestReadIsExact reads a stream whose values are replaced all the time, in turn: what was read must be what the stream had
// at one moment, so the newest values of all keys are successive numbers.
func TestReadIsExact(t *testing.T) {
	t.Parallel()
	l := link(t)
	_, err := l.JetStream.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.*"}, MaxMsgsPerSubject: 1})
	if err != nil {
		t.Fatal(err)
	}
	const keys = 50
	put := func(n int) error {
		_, err := l.JetStream.Publish(context.WithoutCancel(t.Context()), fmt.Sprint("s.", n%keys), []byte(strconv.Itoa(n)))
		return err
	}
	next := 0
	for ; next < keys; next++ {
		if err := put(next); err != nil {
			t.Fatal(err)
		}
	}
	stop, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				failed <- nil
				return
			default:
			}
			if err := put(next); err != nil {
				failed <- err
				return
			}
			next++
		}
	}()
	for range 20 {
		newest := map[string]int{}
		r := reader{link: l, stream: "S", each: func(m *nats.Msg, _ uint64, _ time.Time) (err error) {
			newest[m.Subject], err = strconv.Atoi(string(m.Data))
			return err
		}}
		if err := r.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		highest := 0
		for _, n := range newest {
			highest = max(highest, n)
		}
		for key, n := range newest {
			if n <= highest-keys {
				t.Errorf("%s has %d, and another key %d: the value between is missing", key, n, highest)
			}
		}
		if len(newest) != keys {
			t.Errorf("%d keys, want %d", len(newest), keys)
		}
	}
	close(stop)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}
