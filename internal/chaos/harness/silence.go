package harness

import (
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Silence is how long nothing happened for the first time: no activity had an effect that it had not had before.
type Silence struct {
	Hub       time.Duration // in all partitions
	Partition time.Duration // in the one that was silent longest
	Which     int           // that partition
	After     time.Duration // when it fell silent
}

// Silence gives the longest silences between two moments.
func (l *Ledger) Silence(from, to time.Time, partitions int) (s Silence) {
	last, lastOf := from, make([]time.Time, partitions)
	for p := range lastOf {
		lastOf[p] = from
	}
	heard := func(p int, at time.Time) {
		if gap := at.Sub(lastOf[p]); gap > s.Partition {
			s.Partition, s.Which, s.After = gap, p, lastOf[p].Sub(from)
		}
		lastOf[p] = at
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.firsts {
		if f.at.Before(from) || f.at.After(to) {
			continue
		}
		s.Hub, last = max(s.Hub, f.at.Sub(last)), f.at
		heard(history.Partition(instanceOf(f.key), partitions), f.at)
	}
	s.Hub = max(s.Hub, to.Sub(last))
	for p := range lastOf {
		heard(p, to)
	}
	return s
}

// Busiest gives the worker with the most effects.
func (l *Ledger) Busiest() (worker string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := map[string]int{}
	for _, f := range l.firsts {
		if count[f.worker]++; count[f.worker] > count[worker] {
			worker = f.worker
		}
	}
	return worker
}

// instanceOf gives the id in an idempotency key.
func instanceOf(key string) string {
	_, id, _ := strings.Cut(key, "/")
	if end := strings.LastIndexByte(id, '/'); end >= 0 {
		id = id[:end]
	}
	return id
}
