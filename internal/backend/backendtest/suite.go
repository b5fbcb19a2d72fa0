package backendtest

import (
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
)

// Hub is an empty task hub, made for one test.
type Hub interface {
	// View connects another, independent client to the hub. The hub closes it when the test is over; the test may have
	// closed it before.
	View() backend.Backend
}

// promise is something that the seam promises.
type promise struct {
	name string
	keep func(t *testing.T, h Hub)
}

// Run checks that a backend keeps all promises of the seam, each in a parallel subtest with a hub of its own. newHub
// cleans up through t. Tests wait on channels; time passes by itself, and nothing is expected to be faster than a
// deadline that only a failure reaches.
func Run(t *testing.T, newHub func(t *testing.T) Hub) {
	for _, chapter := range []struct {
		name     string
		promises []promise
	}{
		{"Append", appends},
		{"Inbox", inboxes},
		{"Tasks", tasks},
		{"Timers", timers},
		{"Load", loads},
		{"Follow", follows},
		{"Retention", retentions},
		{"Expiry", expiries},
		{"Stores", stores},
		{"Meta", metas},
		{"Signals", signals},
		{"Edges", edges},
		{"Close", closes},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			for _, p := range chapter.promises {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					p.keep(t, newHub(t))
				})
			}
		})
	}
}
