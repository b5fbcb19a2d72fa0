package backendtest_test

import (
	"context"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

type nhub struct {
	t *testing.T
	s *embedded.Server
}

func (h nhub) View() backend.Backend {
	b, err := h.s.Backend(context.Background(), natsbackend.Config{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { b.Close() })
	return b
}

func TestScratch(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backendtest.Hub {
		s, err := embedded.Start(context.Background(), embedded.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return nhub{t, s}
	})
}
