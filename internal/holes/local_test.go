package holes

import (
	"errors"
	"sync"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// byHand is an owner's local activities, which come to their end when the scenario says so.
type byHand struct {
	mu   sync.Mutex
	task *history.Task
	done func(uint64, history.Record)
}

func (b *byHand) Run(_ history.Address, task *history.Task, done func(uint64, history.Record)) (cancel func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.task, b.done = task, done
	return func() {}, true
}

func (b *byHand) running() *history.Task {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.task
}

// ownResult is the completion of a local activity.
func ownResult(t *history.Task, v any) *history.Done {
	return &history.Done{Ref: t.Ref, Name: t.Name, Hash: history.ArgsHash(t.Args), Attempt: 1, Local: true, Result: encode(v)}
}

// h22: two owners have run a local activity, and the result of the one that is frozen comes second.
func h22(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := co.Schedule(history.Slot{Kind: history.SlotActivity, Name: "X", Args: encode(1), Local: true})
		co.Await(f)
		return result(value(f))
	}
	code, own := programs{"prog": prog}, &byHand{}
	w.local = own
	t, g := w.worker(code)
	w.owns(g)
	w.start("i", "prog", nil)
	if !w.until(func() bool { return own.running() != nil }) {
		return errors.New("the activity does not run")
	}
	t.freeze()
	w.put("i", ownResult(own.running(), 1)) // of the other owner
	second := ownResult(own.running(), 2)
	seq, err := wait(w, func(done func(uint64, error)) { t.Append(backend.Append{To: at("i"), Record: second}, done) })
	if err != nil {
		return err
	}
	own.done(seq, second)
	if w.without != 0 {
		w.has("i", isTurn)
	}
	t.Kill()
	_, h := w.worker(code)
	w.owns(h)
	return w.ends("i", history.Completed, 1)
}
