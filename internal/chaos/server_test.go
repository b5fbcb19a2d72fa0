package chaos_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// TestServerRestartUnderLoad stops the server and starts it again, twice, under a worker and a client that are not
// touched: what they had under way goes on.
func TestServerRestartUnderLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 3))
	dir := t.TempDir()
	s := start(t, dir, "127.0.0.1:0")
	t.Cleanup(func() { s.Close() }) // whichever is the last one, after those that use it
	url := s.URL()
	underLoad(t, rng, url, func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
		s = start(t, dir, address(url))
	})
}

// TestServerKilledUnderLoad does the same with a server process and SIGKILL.
func TestServerKilledUnderLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 4))
	role := harness.ServerRole{Dir: t.TempDir(), Listen: "127.0.0.1:0"}
	var p *harness.Process
	launch := func() (url string) {
		t.Helper()
		var err error
		if p, err = harness.Launch("server", harness.Role{Server: &role}); err == nil {
			url, err = p.Ready(within(t))
		}
		if err != nil {
			t.Fatal(err)
		}
		return url
	}
	url := launch()
	t.Cleanup(func() { p.Kill() })
	role.Listen = address(url)
	underLoad(t, rng, url, func() {
		p.Kill()
		launch()
	})
}

// underLoad runs the load and lets something happen in the middle of it, twice.
func underLoad(t *testing.T, rng *rand.Rand, url string, happen func()) {
	t.Helper()
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: url}, ledger)
	work(t, connect(t, natsbackend.Config{URL: url}), ledger)
	load.begin(errands, atOnce)
	const all = errands * harness.EffectsOfErrand
	for n := range 2 {
		at := all*(n+1)/4 + rng.IntN(all/4)
		ledger.allow(at + 150)
		ledger.reach(t, at)
		begin := time.Now()
		happen()
		t.Logf("the server was away for %v", time.Since(begin).Round(time.Millisecond))
	}
	load.finish()
}
