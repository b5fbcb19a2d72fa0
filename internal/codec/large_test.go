package codec_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// TestPayloadsOfAllSizes: what stands in the message, what goes to the object store, what goes there only before it is
// compressed, and what is as large as can be.
func TestPayloadsOfAllSizes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	hub, err := server.Backend(ctx, natsbackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close() })
	memory := membackend.New(membackend.Config{Live: true})
	t.Cleanup(func() { memory.Close() })

	noise := make([]byte, 1<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	random, err := json.Marshal(noise)
	if err != nil {
		t.Fatal(err)
	}
	gz := codec.Gzip{Min: 1 << 10, Limit: 16<<20 + 1<<10}
	for _, store := range []struct {
		name string
		hub  backend.Backend
	}{{"memory", memory.View("client")}, {"JetStream", hub}} {
		for _, codecs := range []struct {
			name string
			list []codec.Codec
		}{{"gzip", []codec.Codec{gz}}, {"aes", []codec.Codec{aesgcm(t, "k1")}}, {"both", []codec.Codec{gz, aesgcm(t, "k1")}}} {
			b, err := codec.New(store.hub, codecs.list...)
			if err != nil {
				t.Fatal(err)
			}
			for n, payload := range []history.Payload{
				history.Payload("1"), random[:300_000], random, history.Payload(`"` + strings.Repeat("a", 16<<20-2) + `"`),
			} {
				if codecs.name == "aes" && len(payload) == 16<<20 {
					continue // as large as can be stored, and the nonce comes on top
				}
				of := history.Address{Group: "large", ID: fmt.Sprint(codecs.name, n)}
				put(t, b, backend.Append{To: of, Record: &history.Start{Run: 1, Orchestrator: "o", Input: payload}})
				put(t, b, backend.Append{To: of, Record: &history.Done{Name: "a", Hash: 7, Attempt: 1, Result: payload}})
				l := load(t, b, of)
				if l.Err != nil || len(l.Tail) != 1 || !bytes.Equal(l.Start.Record.(*history.Start).Input, payload) {
					t.Fatalf("%s, %s, %d bytes: loaded with error %v, %d messages", store.name, codecs.name, len(payload), l.Err, len(l.Tail))
				}
				done := l.Tail[0].Record.(*history.Done)
				if !bytes.Equal(done.Result, payload) || done.Hash != 7 {
					t.Errorf("%s, %s, %d bytes: the result has %d bytes, hash %d", store.name, codecs.name, len(payload), len(done.Result), done.Hash)
				}
				raw := load(t, store.hub, of)
				if _, _, sealed := raw.Start.Record.(*history.Start).Input.Unseal(); sealed != (codecs.name != "gzip" || len(payload) > 1) {
					t.Errorf("%s, %s, %d bytes: sealed %t", store.name, codecs.name, len(payload), sealed)
				}
			}
		}
	}
}

func put(t *testing.T, b backend.Backend, a backend.Append) {
	t.Helper()
	got := make(chan error, 1)
	b.Append(a, func(_ uint64, err error) { got <- err })
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, b backend.Backend, of history.Address) backend.Loaded {
	t.Helper()
	got := make(chan backend.Loaded, 1)
	b.Load(of, 0, func(l backend.Loaded, err error) {
		if err != nil {
			t.Error(err)
		}
		got <- l
	})
	return <-got
}
