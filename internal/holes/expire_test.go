package holes

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// Runs are kept for a minute here, and the log is shortened to what lives.

var expiries = []hole{
	{name: "H10 a copy of a start comes when its run has expired", rule: owner.DoubtUnknown, play: copyOfExpired},
	{name: "H10 a copy of a child's start comes when the child has expired", rule: owner.DoubtUnknown, play: copyOfExpiredChild},
	{name: "H10 a copy of a claim comes when its run has expired", rule: owner.DoubtUnknown, play: claimOfExpired},
	{name: "a zombie projects the end of a run that has expired", rule: owner.ForgetExpired, play: zombieEnds},
	{name: "the log shows a run that has expired, and a message comes", rule: owner.ForgetExpired, play: lateMessage},
	{name: "a zombie projects what has ended and expired as running", rule: owner.DoubtGone, play: zombieRuns},
	{name: "who lists the projection seldom does not see what ends and expires", rule: owner.ListAnew, play: seldomListed},
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	for _, h := range expiries {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if err := h.play(keeping(t, time.Minute)); err != nil {
				t.Errorf("with all rules: %v", err)
			}
			w := keeping(t, time.Minute)
			w.without = h.rule
			if err := h.play(w); err == nil {
				t.Errorf("without its rule it ends just as well")
			} else {
				t.Logf("without its rule: %v", err)
			}
		})
	}
}

// shortening has workers shorten the log all the time.
var shortening = owner.Retention{Every: time.Second, Age: 4 * time.Second, Late: 2 * time.Second}

// gone waits until nothing is left of an instance.
func gone(w *world, id string) error {
	if !w.until(func() bool {
		w.after(time.Second)
		_, err := w.archive(id)
		return w.state(id).Status == "" && errors.Is(err, backend.ErrNotFound)
	}) {
		return fmt.Errorf("%s does not expire: %+v", id, w.state(id))
	}
	return nil
}

// stays waits a while and reports if something is there again.
func stays(w *world, id string) error {
	for range 20 {
		w.after(500 * time.Millisecond)
		if s := w.state(id); s.Status != "" {
			return fmt.Errorf("it is back, as %s of run %d", s.Status, s.Run)
		}
		if a, err := w.archive(id); !errors.Is(err, backend.ErrNotFound) {
			return fmt.Errorf("it is back in the archive, as %s (%v)", a.Status, err)
		}
	}
	return nil
}

func one(*engine.Coroutine, history.Payload) (history.Payload, error) { return result(1) }

func copyOfExpired(w *world) error {
	w.retention = shortening
	_, g := w.worker(programs{"prog": one})
	w.owns(g)
	start := &history.Start{Run: 1, Orchestrator: "prog", Born: w.memory.Now()}
	w.put("i", start)
	if err := errors.Join(w.ends("i", history.Completed, 1), gone(w, "i")); err != nil {
		return err
	}
	w.put("i", start)
	if err := stays(w, "i"); err != nil {
		return err
	}
	start.Born = w.memory.Now() // the id is free
	w.put("i", start)
	return w.ends("i", history.Completed, 1)
}

func copyOfExpiredChild(w *world) error {
	w.retention = shortening
	parent := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := child(co, "c", "prog", nil)
		co.Await(f)
		return result(value(f) + receive(co, "e"))
	}
	_, g := w.worker(programs{"prog": one, "parent": parent})
	w.owns(g)
	w.start("p", "parent", nil)
	if err := w.ends("c", history.Completed, 1); err != nil {
		return err
	}
	start := w.load("c").Start.Record.(*history.Start)
	if err := gone(w, "c"); err != nil {
		return err
	}
	start.Born = time.Time{} // as one that a replay sends
	w.put("c", start)
	if err := stays(w, "c"); err != nil {
		return err
	}
	w.event("p", "e", "1", 10)
	return w.ends("p", history.Completed, 11)
}

func claimOfExpired(w *world) error {
	w.retention = shortening
	_, g := w.worker(programs{"prog": one})
	w.owns(g)
	start := &history.Start{Run: 1, Orchestrator: "prog", Born: w.memory.Now(), Claim: "own"}
	claim := backend.State{Address: at("i"), Name: "prog", Status: history.Pending, Run: 1, Claim: start}
	put := func() error {
		_, err := wait(w, func(done func(uint64, error)) { w.client.PutState(claim, 0, done) })
		if err == nil {
			w.put("i", start)
		}
		return err
	}
	if err := errors.Join(put(), w.ends("i", history.Completed, 1), gone(w, "i"), put()); err != nil {
		return err
	}
	w.after(time.Second)
	return stays(w, "i")
}

func zombieEnds(w *world) error {
	w.retention = shortening
	t, g := w.worker(programs{"prog": one})
	w.owns(g)
	var tried atomic.Int32
	t.OnPutArchive(func(backend.Archive) backendtest.Fate { tried.Add(1); return backendtest.Drop })
	w.start("i", "prog", nil)
	if !w.until(func() bool { return tried.Load() > 0 }) {
		return errors.New("nothing is archived")
	}
	replace(w, t, programs{"prog": one})
	if err := errors.Join(w.ends("i", history.Completed, 1), gone(w, "i")); err != nil {
		return err
	}
	t.OnPutArchive(nil) // it has tried all the time
	w.after(10 * time.Second)
	return stays(w, "i")
}

func lateMessage(w *world) error {
	_, g := w.worker(programs{"prog": one}) // which does not shorten the log
	w.owns(g)
	w.start("i", "prog", nil)
	if err := errors.Join(w.ends("i", history.Completed, 1), gone(w, "i")); err != nil {
		return err
	}
	w.event("i", "e", "1", 1)
	return stays(w, "i")
}

func zombieRuns(w *world) error {
	prog := programs{"prog": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e") + receive(co, "e"))
	}}
	w.retention = shortening
	t, g := w.worker(prog)
	w.owns(g)
	w.start("i", "prog", nil)
	if !w.until(func() bool { return w.state("i").Status == history.Running }) {
		return errors.New("it is not projected")
	}
	held := make(chan struct{}, 9)
	t.OnPutState(func(backend.State) backendtest.Fate { held <- struct{}{}; return backendtest.Hold })
	w.event("i", "e", "1", 1)
	if !w.until(func() bool { return len(held) > 0 }) {
		return errors.New("it is not projected again")
	}
	replace(w, t, prog)
	w.event("i", "e", "2", 2)
	if err := errors.Join(w.ends("i", history.Completed, 3), gone(w, "i")); err != nil {
		return err
	}
	t.OnPutState(nil)
	t.Release()
	return stays(w, "i")
}

func seldomListed(w *world) error {
	prog := programs{"prog": func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}}
	w.retention = owner.Retention{Every: 3 * time.Minute, Age: time.Second}
	_, g := w.worker(prog)
	w.owns(g)
	w.start("i", "prog", nil)
	w.after(200 * time.Second) // a round sees that it lives
	w.event("i", "e", "1", 1)
	if err := errors.Join(w.ends("i", history.Completed, 1), gone(w, "i")); err != nil {
		return err
	}
	for range 4 {
		w.after(3 * time.Minute)
		w.put("other", &history.Control{Verb: history.Suspend, ID: fmt.Sprint(w.memory.Now())})
	}
	if w.load("i").Start != nil {
		return errors.New("it holds the log")
	}
	return nil
}
