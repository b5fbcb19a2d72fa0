package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// start starts an instance. An id whose instance has ended is used again, as in the reference server.
func (a *api) start(c *call) error {
	limit, err := a.waitTime(c.q)
	if err != nil {
		return err
	}
	opts, err := c.q.startOptions()
	if err != nil {
		return err
	}
	if c.id != "" {
		if err := history.CheckID(c.id); err != nil {
			return incorrect(err.Error())
		}
		opts = append(opts, durable.InstanceID(c.id), durable.ReplaceFinished)
	}
	input, err := c.body()
	if err != nil {
		return err
	}
	id, err := a.client.StartByName(c.r.Context(), c.r.PathValue("function"), input, opts...)
	if err != nil {
		return err
	}
	return a.started(c, id, limit)
}

// restart starts an instance again, beside the old one unless restartWithNewInstanceId=false.
func (a *api) restart(c *call) error {
	limit, err := a.waitTime(c.q)
	if err != nil {
		return err
	}
	var opts []durable.RestartOption
	if c.q.flag("restartWithNewInstanceId", true) {
		opts = append(opts, durable.FreshID())
	}
	if history.CheckID(c.id) != nil {
		return incorrect(fmt.Sprintf("there is no instance %q", c.id))
	}
	id, err := a.client.Restart(c.r.Context(), c.id, opts...)
	if errors.Is(err, durable.ErrNotFound) { // not 404, as the contract has it
		return incorrect(err.Error())
	}
	if err != nil {
		return err
	}
	return a.started(c, id, limit)
}

// waitTime reads how long a start is to be waited for, before anything is started; 0: not at all. The API is told of ends,
// so pollingInterval is only checked.
func (a *api) waitTime(q query) (time.Duration, error) {
	timeout, waits, err := q.seconds("timeout")
	poll, polls, errPoll := q.seconds("pollingInterval")
	switch {
	case cmp.Or(err, errPoll) != nil:
		return 0, cmp.Or(err, errPoll)
	case !waits:
		return 0, nil
	case polls && poll > timeout:
		return 0, incorrect(fmt.Sprintf("pollingInterval=%s is longer than timeout=%s", q.text("pollingInterval"), q.text("timeout")))
	}
	return min(timeout, a.cfg.MaxWait), nil
}

// started answers with the result of an instance that ends within the limit, else with the links to it. What goes wrong
// while it waits is no error of the start, which is stored.
func (a *api) started(c *call, id string, limit time.Duration) error {
	if limit > 0 {
		// Where the server cannot have its deadline changed, that holds.
		_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(limit + time.Minute))
		ctx, cancel := context.WithTimeout(c.whole, limit)
		defer cancel()
		inst, err := a.client.Wait(ctx, id)
		switch {
		case err == nil && inst.Status == durable.Completed:
			writeJSON(c.w, http.StatusOK, embedded(inst.Result))
			return nil
		case err == nil:
			return a.tell(c, statusOf(inst, true))
		}
	}
	c.accepted(a.client.Hub(), id)
	return nil
}
