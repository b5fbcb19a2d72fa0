package holes

import (
	"errors"

	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// delivered: the receiver gets the event and ends; the sender's worker dies before it has stored so. Who tries again finds
// the receiver ended, and the event in its history.
func delivered(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := co.Schedule(history.Slot{Kind: history.SlotSend, Name: "gift", Args: encode(7), Target: history.Address{ID: "j"}, Confirm: true})
		co.Await(f)
		if _, failure := f.Result(); failure != nil {
			return result(failure.Kind)
		}
		return result("delivered")
	}
	gift := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "gift"))
	}
	code := programs{"prog": prog, "gift": gift}
	t, g := w.worker(code)
	w.owns(g)
	w.start("j", "gift", nil)
	t.OnAppend(fateOf(history.KindDone, backendtest.Drop))
	w.start("i", "prog", nil)
	if err := w.ends("j", history.Completed, 7); err != nil {
		return err
	}
	if w.state("i").Status.Final() {
		return errors.New("the sender has ended before it was told")
	}
	t.Kill()
	w.worker(code)
	return w.ends("i", history.Completed, "delivered")
}
