package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// An operator looks after the instances that the client has started: those that failed are rewound, and some of those
// that completed are purged, started again, or both. It makes the requests that durable.Client makes, one step at a time,
// and may be interrupted between any two: whatever it finds the next time, it goes on from there.

const mostRuns = 30 // that the operator rewinds

// plan is what the operator is to do with an instance that has ended well, or as somebody asked.
type plan struct {
	purge, again bool
	order        *order
	mark         string // of the script that it is started again with: its events are not those of the first run
	started      uint32 // run that it has started; 0: not yet
	purged       bool
}

// fulfilled reports whether nothing is left to do; end is that of the last run.
func (p *plan) fulfilled(end *history.Turn) bool {
	return end != nil && end.End.Status != history.Failed && (!p.again || p.started > 0 && end.Run >= p.started) && (!p.purge || p.purged)
}

func (p *plan) String() string {
	return fmt.Sprintf("purge %t, again %t, started %d, purged %t", p.purge, p.again, p.started, p.purged)
}

// tend looks at all instances, again and again.
func (w *world) tend() {
	for _, id := range slices.Sorted(maps.Keys(w.plans)) {
		w.access(w.client).GetState(id, func(s backend.State, rev uint64, err error) { w.look(id, s, rev, err) })
	}
	w.later(700*time.Millisecond, w.tend)
}

func (w *world) look(id string, s backend.State, rev uint64, err error) {
	p := w.plans[id]
	switch {
	case errors.Is(err, backend.ErrNotFound) && rev > 0:
		p.purged = true
		if p.again && p.started == 0 {
			w.claimPurged(id, rev)
		}
	case err != nil:
	case s.Claim != nil:
		if s.Run > 1 {
			w.startClaimed(s)
		}
	case s.Status == history.Failed && s.Run > mostRuns: // it fails for another reason than those that a rewind mends
	case s.Status == history.Failed:
		w.put(backend.Append{To: s.Address, Record: &history.Control{Verb: history.Rewind, ID: fmt.Sprint("rewind", s.Run), Run: s.Run}}, func() {})
	case !s.Status.Final():
	case p.purge && !p.purged:
		w.purge(s, rev)
	case p.again && p.started == 0:
		w.claimRun(id, s.Run+1, rev)
	}
}

func (w *world) purge(s backend.State, rev uint64) {
	w.access(w.client).GetArchive(s.Address, func(a backend.Archive, seq uint64, err error) {
		remove := func(_ uint64, err error) {
			if err == nil {
				w.access(w.client).DeleteState(s.ID, rev, func(error) {})
			}
		}
		switch {
		case err != nil || a.Run > s.Run:
		case a.Purged:
			remove(0, nil)
		default:
			w.access(w.client).PutArchive(backend.Archive{Address: s.Address, Run: s.Run, Status: s.Status, Purged: true}, seq, remove)
		}
	})
}

// claimPurged claims the id of a purged instance.
func (w *world) claimPurged(id string, rev uint64) {
	w.access(w.client).GetArchive(history.Address{Group: group, ID: id}, func(a backend.Archive, _ uint64, err error) {
		if err == nil {
			w.claimRun(id, a.Run+1, rev)
		}
	})
}

func (w *world) claimRun(id string, run uint32, rev uint64) {
	p := w.plans[id]
	input := encode(script{ID: id + p.mark, Mark: p.mark, Steps: p.order.program})
	start := &history.Start{Run: run, Orchestrator: p.order.start.Orchestrator, Input: input, Claim: fmt.Sprint("operator", run), Born: w.m.Now()}
	w.access(w.client).PutState(backend.State{Address: history.Address{Group: group, ID: id}, Name: start.Orchestrator, Status: history.Pending, Run: run, Claim: start}, rev, func(uint64, error) {})
}

// startClaimed publishes the start of a claim, and then the events that its run waits for.
func (w *world) startClaimed(s backend.State) {
	backend.Read(w.access(w.client), s.Address, backend.TheEnd, func(k backend.Known, err error) {
		if err != nil || k.Run() >= s.Run {
			return
		}
		w.access(w.client).Append(backend.Append{To: s.Address, Record: s.Claim, Fenced: true, Fence: k.Fence}, func(uint64, error) {})
	})
	p := w.plans[s.ID]
	if p.started == 0 {
		p.started = s.Run
		w.later(10*time.Second, func() { w.feed(s.Address, p.mark, p.order.program, w.source("feed", s.ID)) })
	}
}
