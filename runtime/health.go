package durable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/runtime/observe"
)

// slack is how much later than planned a loop of the worker may run before it counts as stuck.
const slack = 30 * time.Second

// Status tells how the worker is now, for metrics. It may be called at any time, and waits for nothing.
func (w *Worker) Status() observe.Status {
	info := w.be.Info()
	s := observe.Status{Worker: w.name, Hub: info.Hub, Partitions: info.Partitions, Store: observe.StoreStatus{Connected: w.be.Connected()}}
	if l, ok := backend.As[backend.Linked](w.be); ok {
		s.Store = l.Status()
	}
	p := w.seen.Load()
	for _, g := range p.groups {
		s.Groups = append(s.Groups, g.Status())
	}
	for _, q := range p.queues {
		s.Activities = append(s.Activities, q.Status())
	}
	return s
}

// Live reports whether restarting the process would help: the worker's own loops have stood still for half a minute,
// which is how an orchestrator that does not return shows, or its connection is lost for good ([ErrClosed]). nil while the
// server is away: the worker waits for it. nil before Start and after Stop too.
func (w *Worker) Live() error {
	if w.seen.Load().state != workerStarted {
		return nil
	}
	if err := w.lost(); err != nil {
		return err
	}
	var errs []error
	now := w.be.Clock().Now()
	for _, g := range w.Status().Groups {
		for _, l := range g.Loops {
			if late := now.Sub(l.Ran) - l.Every; late > slack && !l.Reads {
				errs = append(errs, fmt.Errorf("durable: worker: group %q: %q has not run for %v: does an orchestrator not return? the goroutines of the process tell", g.Group, l.Name, late.Round(time.Second)))
			}
		}
	}
	return errors.Join(errs...)
}

// Ready reports whether the worker does its work: it has started, is connected, the server lets it own partitions of a hub
// that is provisioned, and the names of its registry are claimed. It asks the server: [ErrUnavailable] or [ErrPermission]
// when the answer is no.
func (w *Worker) Ready(ctx context.Context) error {
	switch w.seen.Load().state {
	case workerNew:
		return errors.New("durable: worker: not started yet")
	case workerStopped:
		return errors.New("durable: worker: stopped")
	}
	status := w.Status()
	if !status.Store.Connected {
		return fmt.Errorf("durable: worker: %w: not connected to NATS, connecting again", ErrUnavailable)
	}
	for _, g := range status.Groups {
		if err := w.be.MayOwn(ctx, g.Group); err != nil {
			return fmt.Errorf("durable: worker: %w", err)
		}
		if g.Resigned {
			return fmt.Errorf("durable: worker: group %q: %w: it owns nothing until the server permits it to", g.Group, ErrPermission)
		}
	}
	return w.claimed(ctx)
}

// claimed looks for the claim of one of the registry's names. It is gone with all others when the hub was made anew behind
// the worker's back.
func (w *Worker) claimed(ctx context.Context) error {
	kind, names := "orchestrator", slices.Collect(maps.Keys(w.registry.orchestrators))
	if len(names) == 0 {
		kind, names = "activity", slices.Collect(maps.Keys(w.registry.activities))
	}
	name := slices.Min(names)
	switch _, _, err := w.be.Meta().Get(ctx, nameKey(kind, name)); {
	case errors.Is(err, backend.ErrNotFound):
		return fmt.Errorf("durable: worker: nobody has claimed the %s name %q in this hub any more: was it made anew? start the worker anew", kind, name)
	case err != nil:
		return fmt.Errorf("durable: worker: read the claim of the name %q: %w", name, err)
	}
	return nil
}

// lost is why there is no connection any more; nil while there is.
func (w *Worker) lost() error {
	l, ok := backend.As[backend.Linked](w.be)
	if !ok || l.Err() == nil {
		return nil
	}
	if errors.Is(l.Err(), ErrClosed) {
		return fmt.Errorf("durable: worker: the connection to the hub is closed: %w", ErrClosed)
	}
	return fmt.Errorf("durable: worker: %w for good: %w", ErrClosed, l.Err())
}
