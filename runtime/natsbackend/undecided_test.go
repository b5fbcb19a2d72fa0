package natsbackend

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// TestUndecidedPublish: that another message for a fenced subject is under way is no conflict, because that one may never
// be stored: the publish is made again until its fence is judged by what is stored.
func TestUndecidedPublish(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	const patience = 25 * time.Second
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server did not get ready")
	}
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	answers := []string{
		`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"S","seq":0}`,
		`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"S","seq":0}`,
		`{"stream":"S","seq":7}`,
	}
	if _, err := nc.Subscribe("stream.a", func(m *nats.Msg) {
		if err := m.Respond([]byte(answers[0])); err != nil {
			t.Error(err)
		}
		answers = answers[1:]
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}

	cfg, login, err := Config{URL: s.ClientURL()}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := dial(ctx, cfg, login, roleWrite, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.shut)
	calls, err := newCalls(l, &barrier{})
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		seq uint64
		err error
	}
	got := make(chan result, 1)
	calls.publish("stream.a", headers(fence(0)), nil, func(seq uint64, err error) { got <- result{seq, err} })
	select {
	case r := <-got:
		if r.err != nil || r.seq != 7 {
			t.Errorf("stored at %d, %v, want 7", r.seq, r.err)
		}
	case <-ctx.Done():
		t.Error("it has no answer")
	}
}
