package membackend_test

import (
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/membackend"
)

// hub is a live hub for the suite of all backends.
type hub struct{ *membackend.Memory }

func (h hub) View() backend.Backend { return h.Memory.View("client") }

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backendtest.Hub {
		m := membackend.New(membackend.Config{Live: true})
		t.Cleanup(func() { m.Close() })
		return hub{m}
	})
}
