package backup

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// TestReadIsExact reads a stream whose values are replaced before the reader gets to them: what was read must be what the stream
// has at its end.
func TestReadIsExact(t *testing.T) {
	t.Parallel()
	l := link(t)
	_, err := l.JetStream.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.*"}, MaxMsgsPerSubject: 1})
	if err != nil {
		t.Fatal(err)
	}
	const keys, replaced = 50, 30
	want, got := map[string]string{}, map[string]string{}
	put := func(key int, value string) error {
		subject := fmt.Sprint("s.", key)
		want[subject] = value
		_, err := l.JetStream.Publish(t.Context(), subject, []byte(value))
		return err
	}
	for key := range keys {
		if err := put(key, "old"); err != nil {
			t.Fatal(err)
		}
	}
	read := 0
	r := reader{link: l, stream: "S", together: 2, each: func(m *nats.Msg, _ uint64, _ time.Time) error {
		got[m.Subject] = string(m.Data)
		if read++; read <= replaced {
			return put(keys-read, "new") // the last is replaced first
		}
		return nil
	}}
	if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was read (-want +got):\n%s", diff)
	}
}
