package httpapi

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// raise sends an event. A body may be left out, which is null.
func (a *api) raise(c *call) error {
	if !c.isJSON() {
		return &problem{status: http.StatusBadRequest, message: onlyJSON, detail: "send the header Content-Type: application/json"}
	}
	name := c.r.PathValue("event")
	if err := history.CheckName(name); err != nil {
		return incorrect(fmt.Sprintf("the event cannot be called %q: %v", name, err))
	}
	value, err := c.body()
	if err != nil {
		return err
	}
	return c.steered(func() error { return a.client.Raise(c.r.Context(), c.id, name, value) })
}

// steered answers to what was asked of an instance.
func (c *call) steered(do func() error) error {
	if history.CheckID(c.id) != nil {
		return durable.ErrNotFound
	}
	if err := do(); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// terminate ends an instance, and its children unless recursive=false.
func (a *api) terminate(c *call) error {
	var opts []durable.TerminateOption
	if !c.q.flag("recursive", true) {
		opts = append(opts, durable.KeepChildren())
	}
	return c.steered(func() error { return a.client.Terminate(c.r.Context(), c.id, c.q.text("reason"), opts...) })
}

func (a *api) suspend(c *call) error {
	return c.steered(func() error {
		if err := a.suspended(c, false); err != nil {
			return err
		}
		return a.client.Suspend(c.r.Context(), c.id, c.q.text("reason"))
	})
}

func (a *api) resume(c *call) error {
	return c.steered(func() error {
		if err := a.suspended(c, true); err != nil {
			return err
		}
		return a.client.Resume(c.r.Context(), c.id, c.q.text("reason"))
	})
}

// suspended refuses when a live instance is suspended and should not be, or the other way round: with 500, as the
// contract has it.
func (a *api) suspended(c *call, want bool) error {
	inst, err := a.client.Get(c.r.Context(), c.id)
	switch {
	case err != nil:
		return err
	case inst.Status.Final():
		return durable.ErrFinished
	case (inst.Status == durable.Suspended) == want:
		return nil
	}
	// What was accepted a moment ago is not projected yet.
	h, err := a.client.History(c.r.Context(), c.id)
	if err != nil {
		return err
	}
	is, other := inst.Status, "suspended"
	switch held := held(h.Steps); {
	case held == want:
		return nil
	case held:
		is, other = durable.Suspended, "resumed"
	case is == durable.Suspended:
		is = durable.Running
	}
	return &problem{status: http.StatusInternalServerError, message: wentWrong, detail: fmt.Sprintf("the instance is %s: it can be %s", is, other)}
}

// held reports whether the last suspend holds.
func held(steps []durable.Step) bool {
	for _, s := range slices.Backward(steps) {
		switch s.Kind {
		case durable.StepSuspended:
			return true
		case durable.StepResumed:
			return false
		}
	}
	return false
}

func (a *api) rewind(c *call) error {
	return c.steered(func() error { return a.client.Rewind(c.r.Context(), c.id, c.q.text("reason")) })
}

type purged struct {
	Deleted int `json:"instancesDeleted"`
}

// purge removes an instance that has ended, with recursive=true its children too.
func (a *api) purge(c *call) error {
	if history.CheckID(c.id) != nil {
		return durable.ErrNotFound
	}
	result, err := a.client.Purge(c.r.Context(), c.id, c.purgeOptions()...)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, purged{result.Purged})
	return nil
}

func (c *call) purgeOptions() (opts []durable.PurgeOption) {
	if c.q.flag("recursive", false) {
		opts = append(opts, durable.PurgeChildren())
	}
	return opts
}

// purgeAll removes what fits and has ended: the client leaves alone what has not, whatever statuses are named or not.
func (a *api) purgeAll(c *call) error {
	f, err := c.q.filter()
	if err != nil {
		return err
	}
	if f.CreatedFrom.IsZero() {
		writeJSON(c.w, http.StatusBadRequest, "Please provide value for 'createdTimeFrom' parameter.")
		return nil
	}
	result, err := a.client.PurgeAll(c.whole, f, c.purgeOptions()...)
	switch {
	case err != nil && result.Purged > 0:
		p := *problemOf(err)
		p.message, p.detail = wentWrong, fmt.Sprintf("%d instances were purged, then: %v", result.Purged, err)
		return &p
	case err != nil:
		return err
	case result.Purged == 0:
		return durable.ErrNotFound
	}
	writeJSON(c.w, http.StatusOK, purged{result.Purged})
	return nil
}
