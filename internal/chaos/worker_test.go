package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// errands and atOnce are the load of a test: enough at once to have every step under way when something happens.
const (
	errands = 300
	atOnce  = 100
)

// team is a number of worker processes.
type team struct {
	t       *testing.T
	env     []string
	hired   int
	workers []*process
}

func hire(t *testing.T, n int, url string, l *ledger) *team {
	t.Helper()
	m := &team{t: t, env: []string{envRole + "=worker", envURL + "=" + url, envLedger + "=" + l.url}}
	t.Cleanup(func() {
		for _, p := range m.workers {
			p.kill()
		}
	})
	for range n {
		m.join()
	}
	for _, p := range m.workers {
		p.ready()
	}
	return m
}

func (m *team) join() {
	m.t.Helper()
	m.hired++
	m.workers = append(m.workers, launch(m.t, fmt.Sprintf("worker %d", m.hired), m.env...))
}

// replace kills a worker and starts another in its place.
func (m *team) replace(n int) {
	m.t.Helper()
	m.t.Logf("kill %s", m.workers[n].name)
	m.workers[n].kill()
	m.workers = append(m.workers[:n], m.workers[n+1:]...)
	m.join()
}

// TestKilledWorkerLosesNothing kills workers in the middle of everything, five times, at last both.
func TestKilledWorkerLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(*seed, 1))
	s := serve(t)
	ledger := openLedger(t)
	load := newLoad(t, natsbackend.Config{URL: s.URL()}, ledger)
	workers := hire(t, 2, s.URL(), ledger)
	load.begin(errands, atOnce)
	const all = errands * effectsOfErrand
	for n := range 4 {
		at := all*(n+1)/6 + rng.IntN(all/12)
		ledger.allow(at + 150) // they run freely when it happens
		ledger.reach(t, at)
		workers.replace(rng.IntN(2))
		if n == 3 {
			workers.replace(0)
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
	const all = errands * effectsOfErrand
	for n := range 2 {
		at := all*(n+1)/4 + rng.IntN(all/12)
		ledger.allow(at + 150)
		ledger.reach(t, at)
		frozen := workers.workers[n]
		begin := time.Now()
		frozen.signal(syscall.SIGSTOP)
		load.everyPartition(fmt.Sprint(n))
		frozen.signal(syscall.SIGCONT)
		t.Logf("%s was frozen for %v", frozen.name, time.Since(begin).Round(time.Millisecond))
	}
	load.finish()
}

// everyPartition runs an errand in each partition, so that each is seen to have an owner that works.
func (l *load) everyPartition(name string) {
	l.t.Helper()
	ctx := within(l.t)
	var all sync.WaitGroup
	for p := range l.be.Info().Partitions {
		all.Go(func() { l.run(ctx, 1000+p, durable.InstanceID(l.idIn(p, probe+name))) })
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
