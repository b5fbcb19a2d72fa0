package durable

import (
	"cmp"
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
)

// DeliverEvent sends an event to another instance and waits until it is stored in its inbox, be that Pending or suspended;
// an instance that is not in memory need not be loaded for it. The errors, which a replay gives again:
//
//   - ErrNotFound: nobody has this id, or who had it was purged.
//   - ErrFinished: the instance has ended.
//   - that of [Context.Err] when ctx was cancelled before or meanwhile: then the event may arrive or not.
//   - ErrPayload: the event cannot be stored. An id that no instance can have is an error too.
//
// nil does not say that the orchestrator has received the event: the instance may end between the look whether it lives and
// the storing, or afterwards without receiving. Who has to know asks for an answer. An orchestrator that returns without
// waiting, in another coroutine of [Go], sends the event all the same. A rewind delivers what failed, or what nobody had
// heard of when the run failed, once more, as another event.
func DeliverEvent[E any](ctx Context, id, name string, event E) error {
	payload, failure := encode(event)
	if failure != nil {
		return fmt.Errorf("durable: deliver %s to %q: %w", name, id, errorOf(failure))
	}
	if err := cmp.Or(history.CheckName(name), history.CheckID(id)); err != nil {
		return fmt.Errorf("durable: deliver %s to %q: %w", name, id, err)
	}
	slot := history.Slot{Kind: history.SlotSend, Name: name, Args: payload, Target: history.Address{ID: id}, Confirm: true}
	return Future[None]{ctx.co.ScheduleIn(ctx.scope, slot)}.Err(ctx)
}
