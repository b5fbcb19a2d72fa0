package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// errands and atOnce are the load of a test: enough at once to have every step under way when something happens.
const (
	errands = 300
	atOnce  = 100
)

// hire starts n worker processes, which end with the test.
func hire(t *testing.T, n int, url string, l *ledger) *harness.Team {
	t.Helper()
	role := harness.WorkerRole{Ledger: l.URL, Heartbeat: quick.Heartbeat, Dead: quick.Dead}
	team := harness.Hire(role, func(int) string { return url }, t.Logf)
	t.Cleanup(func() {
		if t.Failed() {
			for _, p := range team.Workers {
				t.Logf("%s said:\n%s", p.Name, p.Said())
			}
		}
		team.Close()
	})
	if err := team.JoinAll(within(t), n); err != nil {
		t.Fatal(err)
	}
	return team
}

// TestKilledWorkerLosesNothing kills workers in the middle of everything, five times, at last both.
func TestKilledWorkerLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 1))
	s := serve(t)
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: s.URL()}, ledger)
	workers := hire(t, 2, s.URL(), ledger)
	replace := func(n int) {
		t.Helper()
		if _, err := workers.Replace(n); err != nil {
			t.Fatal(err)
		}
	}
	load.begin(errands, atOnce)
	const all = errands * harness.EffectsOfErrand
	for n := range 4 {
		at := all*(n+1)/6 + rng.IntN(all/12)
		ledger.allow(at + 150) // they run freely when it happens
		ledger.reach(t, at)
		replace(rng.IntN(2))
		if n == 3 {
			replace(0)
		}
	}
	load.finish()
}

// TestFrozenWorker stops a worker's process for longer than its dead time, while others take its partitions over, and
// lets it go on in the middle of the load. It believes that it owns what it owned (I3).
func TestFrozenWorker(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 2))
	s := serve(t)
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: s.URL()}, ledger)
	workers := hire(t, 2, s.URL(), ledger)
	load.begin(errands, atOnce)
	const all = errands * harness.EffectsOfErrand
	for n := range 2 {
		at := all*(n+1)/4 + rng.IntN(all/12)
		ledger.allow(at + 150)
		ledger.reach(t, at)
		frozen := workers.Workers[n]
		begin := time.Now()
		signal(t, frozen, syscall.SIGSTOP)
		load.everyPartition(fmt.Sprint(n))
		signal(t, frozen, syscall.SIGCONT)
		t.Logf("%s was frozen for %v", frozen.Name, time.Since(begin).Round(time.Millisecond))
	}
	load.finish()
}

func signal(t *testing.T, p *harness.Process, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Error(err)
	}
}

// everyPartition runs an errand in each partition, so that each is seen to have an owner that works.
func (l *load) everyPartition(name string) {
	l.t.Helper()
	ctx := within(l.t)
	var all sync.WaitGroup
	for p := range l.be.Info().Partitions {
		all.Go(func() {
			if err := l.Run(ctx, 0, 1000+p, l.idIn(p, harness.Probe+name)); err != nil {
				l.t.Error(err)
			}
		})
	}
	all.Wait()
}

// idIn makes an id of a partition.
func (l *load) idIn(partition int, prefix string) string {
	for n := 0; ; n++ {
		if id := fmt.Sprintf("%s-%d", prefix, n); history.Partition(id, l.be.Info().Partitions) == partition {
			return id
		}
	}
}
