package chaos_test

import (
	"math/rand/v2"
	"testing"
	"time"

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
	env := []string{envRole + "=server", envDir + "=" + t.TempDir(), envListen + "=127.0.0.1:0"}
	p := launch(t, "server", env...)
	t.Cleanup(func() { p.kill() })
	url := p.ready()
	env = append(env, envListen+"="+address(url))
	underLoad(t, rng, url, func() {
		p.kill()
		p = launch(t, "server", env...)
		p.ready()
	})
}

// underLoad runs the load and lets something happen in the middle of it, twice.
func underLoad(t *testing.T, rng *rand.Rand, url string, happen func()) {
	t.Helper()
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: url}, ledger)
	work(t, connect(t, natsbackend.Config{URL: url}), ledger)
	load.begin(errands, atOnce)
	const all = errands * effectsOfErrand
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
