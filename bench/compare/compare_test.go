package main

import (
	"os"
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
					if err := peer.TryOut(t.Context(), s, peer.Setup{Dir: folder(t), Mode: m, Durability: d, InFlight: 5}); err != nil {
						t.Errorf("%s: %v", d, err)
					}
				}
			})
		}
	}
}

// folder gives an empty folder that a database's own user gets into, too; t.TempDir is for us alone.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "compare-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
