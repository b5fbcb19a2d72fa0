package main

import (
	"testing"

	"github.com/durablegen/durablegen/bench/peer"
)

// TestOthers runs every workload a few times with every system that this machine can start, and checks the results.
func TestOthers(t *testing.T) {
	for _, s := range others() {
		for _, m := range s.Modes {
			t.Run(s.ID+"/"+string(m), func(t *testing.T) {
				if s.Missing != nil {
					if err := s.Missing(); err != nil {
						t.Log(err)
						return
					}
				}
				for _, d := range []peer.Durability{peer.Relaxed, peer.Strict} {
					if err := peer.TryOut(t.Context(), s, peer.Setup{Dir: t.TempDir(), Mode: m, Durability: d, InFlight: 5}); err != nil {
						t.Errorf("%s: %v", d, err)
					}
				}
			})
		}
	}
}
