package holes

import (
	"errors"
	"testing"

	"github.com/durablegen/durablegen/internal/backend"
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

// claimed: whoever meant to start the receiver has died after the claim. The event begins it, for what comes before a start
// is nothing (I7), also where it is a later run.
func claimed(w *world) error {
	give := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		f := co.Schedule(history.Slot{Kind: history.SlotSend, Name: "gift", Args: encode(7), Target: history.Address{ID: "j"}, Confirm: true})
		co.Await(f)
		_, failure := f.Result()
		return result(failure == nil)
	}
	gift := func(co *engine.Coroutine, input history.Payload) (history.Payload, error) {
		return result(string(input) + ":" + string(encode(receive(co, "gift"))))
	}
	_, g := w.worker(programs{"give": give, "gift": gift})
	w.owns(g)
	for run := range uint32(2) {
		rev := uint64(0)
		if _, err := wait(w, func(done func(backend.State, error)) {
			w.client.GetState("j", func(s backend.State, r uint64, err error) { rev = r; done(s, err) })
		}); run > 0 && err != nil {
			return err
		}
		start := &history.Start{Run: run + 1, Orchestrator: "gift", Input: encode(run + 1), Claim: "somebody"}
		s := backend.State{Address: at("j"), Name: "gift", Status: history.Pending, Run: start.Run, Claim: start}
		if _, err := wait(w, func(done func(uint64, error)) { w.client.PutState(s, rev, done) }); err != nil {
			return err
		}
		sender := string('a' + rune(run))
		w.start(sender, "give", nil)
		if err := w.ends(sender, history.Completed, true); err != nil {
			return err
		}
		if err := w.ends("j", history.Completed, string(encode(run+1))+":7"); err != nil {
			return err
		}
	}
	return nil
}

func TestADeliveryBeginsWhatIsClaimed(t *testing.T) {
	t.Parallel()
	for name, world := range map[string]func(*testing.T) *world{"memory": inMemory, "JetStream": onJetStream} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := claimed(world(t)); err != nil {
				t.Error(err)
			}
		})
	}
}
