package durable

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Happening is something that has happened to an instance of the hub.
type Happening struct {
	Seq      uint64    // place in the log, rising; [Client.Follow] goes on after it
	Time     time.Time // when the log had it
	Kind     StepKind  // StepStarted, StepEvent, StepEnded, or what was asked: StepSuspended, StepResumed, StepCanceled, StepTerminated, StepRewound
	ID       string    // of the instance
	Name     string    // wire name of the orchestrator that started; name of the event, in lower case
	ParentID string    // of what started; "" when a client started it
	Status   Status    // of what ended
	Failure  string    // why it ended, unless it is Completed
	Reason   string    // of what was asked
}

// followPause is how long a follower waits that has lost the store.
const followPause = 500 * time.Millisecond

// FromNow is the place in the log behind all that it has now, for [Client.Follow].
const FromNow = backend.TheEnd

// Follow tells what happens in the hub, in the order of the log: of the starts, events, requests and ends that are stored
// after the place after. 0 is before all that the log still has, [FromNow] behind it. It goes on for as long as the loop does,
// also when the store was away, which it misses nothing of. What leaves the log before it is read is not told, and what was
// asked or sent may come to nothing: the instance had ended.
//
// An error is the last: ErrPermission, ErrClosed, or the error of ctx.
func (c *Client) Follow(ctx context.Context, after uint64) iter.Seq2[Happening, error] {
	return func(yield func(Happening, error) bool) {
		left := false
		err := c.around(ctx, &Operation{Verb: "follow"}, func(ctx context.Context) error {
			return c.follow(ctx, after, func(h Happening) bool {
				left = !yield(h, nil)
				return !left
			})
		})
		if err != nil && !left {
			yield(Happening{}, fmt.Errorf("durable: follow: %w", err))
		}
	}
}

func (c *Client) follow(ctx context.Context, after uint64, tell func(Happening) bool) error {
	for {
		last, err := c.be.FollowLog(ctx, after, func(h backend.Happening) bool { return tell(happeningOf(h)) })
		if err == nil || !errors.Is(err, ErrUnavailable) {
			return err
		}
		if after = last; ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.rest(ctx, followPause); err != nil {
			return err
		}
	}
}

// asked are the steps that controls are.
var asked = map[string]StepKind{
	string(history.Suspend): StepSuspended, string(history.Resume): StepResumed, string(history.Cancel): StepCanceled,
	string(history.Terminate): StepTerminated, string(history.Rewind): StepRewound,
}

func happeningOf(h backend.Happening) Happening {
	told := Happening{Seq: h.Seq, Time: h.Time, ID: h.ID, ParentID: h.Parent}
	switch h.Kind {
	case history.KindStart:
		told.Kind, told.Name = StepStarted, h.Name
	case history.KindEvent:
		told.Kind, told.Name = StepEvent, h.Name
	case history.KindControl:
		told.Kind, told.Reason = asked[h.Name], h.Reason
	case history.KindTurn:
		told.Kind, told.Status = StepEnded, Status(h.Status)
		if h.Failure != nil {
			told.Failure = h.Failure.Message
		}
	}
	return told
}
