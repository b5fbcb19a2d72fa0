package holes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// purge: a frozen worker's projection of the end lands after another has projected it and a client has purged it.
func purge(w *world) error {
	prog := func(co *engine.Coroutine, _ history.Payload) (history.Payload, error) {
		return result(receive(co, "e"))
	}
	code := programs{"prog": prog}
	t, g := w.worker(code)
	w.owns(g)
	held := make(chan struct{}, 9)
	t.OnPutState(func(s backend.State) backendtest.Fate {
		if !s.Status.Final() {
			return backendtest.Pass // one that is under way holds up the end
		}
		held <- struct{}{}
		return backendtest.Hold
	})
	w.start("i", "prog", nil)
	w.event("i", "e", "1", 4)
	if !w.until(func() bool { return len(held) > 0 }) {
		return errors.New("the end is not projected")
	}
	replace(w, t, code)
	if err := w.ends("i", history.Completed, 4); err != nil {
		return err
	}
	c := durable.NewClient(w.client, durable.ClientConfig{})
	if err := w.beside("purge", func() error { _, err := c.Purge(context.Background(), "i"); return err }); err != nil {
		return err
	}
	t.OnPutState(nil)
	t.Release()
	w.after(3 * time.Second)
	if s := w.state("i"); s.Status != "" {
		return fmt.Errorf("projected as %s", s.Status)
	}
	return nil
}
