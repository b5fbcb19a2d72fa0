package natsbackend_test

import (
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/natsbackend/embedded"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, d := range []struct {
		name string
		embedded.Durability
	}{{"relaxed", embedded.Relaxed}, {"strict", embedded.Strict}, {"always", embedded.StrictAlways}} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			backendtest.Run(t, func(t *testing.T) backendtest.Hub {
				return hub{t, serve(t, embedded.Config{Durability: d.Durability})}
			})
		})
	}
}

type hub struct {
	t *testing.T
	s *embedded.Server
}

func (h hub) View() backend.Backend { return open(h.t, h.s, natsbackend.Config{}) }
