package codec_test

import (
	"context"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

// coded is a hub whose views compress what gets smaller, and encrypt everything.
type coded struct {
	t    *testing.T
	view func() backend.Backend
}

func (h coded) View() backend.Backend {
	h.t.Helper()
	b, err := codec.New(h.view(), codec.Gzip{Min: 1, Limit: 16<<20 + 1<<10}, aesgcm(h.t, "k1"))
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// aesgcm has a key for every id, the first of which writes.
func aesgcm(t *testing.T, ids ...string) *codec.AESGCM {
	t.Helper()
	c := codec.NewAESGCM()
	for _, id := range ids {
		secret := make([]byte, 32)
		copy(secret, "secret of "+id)
		if err := c.Add(id, secret); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestConformanceInMemory(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backendtest.Hub {
		m := membackend.New(membackend.Config{Live: true})
		t.Cleanup(func() { m.Close() })
		return coded{t, func() backend.Backend { return m.View("client") }}
	})
}

func TestConformanceOnJetStream(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) backendtest.Hub {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		t.Cleanup(cancel)
		s, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return coded{t, func() backend.Backend {
			b, err := s.Backend(ctx, natsbackend.Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			return b
		}}
	})
}
