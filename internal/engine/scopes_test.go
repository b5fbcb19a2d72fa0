package engine_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// failed is an error that knows its failure, as those of package durable do.
type failed struct{ *history.Failure }

func (f failed) Error() string { return f.Message }

// encode is Config.Fail of the scripts.
func encode(err error) *history.Failure {
	var f failed
	if !errors.As(err, &f) {
		return nil
	}
	return &history.Failure{Kind: f.Kind, Message: err.Error()}
}

// result is get that keeps the failure.
func result(c *co, f *future) error {
	c.Await(f)
	if _, failure := f.Result(); failure != nil {
		return failed{failure}
	}
	return nil
}

// scopePrograms are the orchestrators of cancel.txt.
func scopePrograms(say func(format string, args ...any)) map[string]engine.Program {
	activityIn := func(c *co, s *engine.Scope, name string) *future {
		return c.ScheduleIn(s, history.Slot{Kind: history.SlotActivity, Name: name})
	}
	timerIn := func(c *co, s *engine.Scope) *future {
		return c.ScheduleIn(s, history.Slot{Kind: history.SlotTimer, Due: c.Now().Add(time.Minute)})
	}
	cause := &history.Failure{Kind: history.FailCanceled, Message: "enough"}
	return map[string]engine.Program{
		"cancellable": func(c *co, in payloadT) (_ payloadT, err error) {
			a, t, k := activity(c, "club.Check", ""), timer(c, time.Minute), child(c, "")
			defer func() {
				undo := activityIn(c, c.Detached(), "club.Undo")
				say("undo: %v", result(c, undo))
			}()
			if n := c.AwaitIn(nil, c.Receive("go"), a); n == 0 {
				say("goes on: %v", result(c, c.Receive("go")))
			}
			say("activity %v, timer %v stopped %v, child %v", result(c, a), t.Done(), t.Stopped(), k.Done())
			say("a new timer: %v", result(c, timer(c, time.Hour)))
			send(c, "bob")
			return nil, fmt.Errorf("join: %w", result(c, a))
		},
		"handles": func(c *co, in payloadT) (payloadT, error) { // ends well although it was cancelled
			err := result(c, activity(c, "club.Check", ""))
			say("%v", err)
			return payload(`"partly"`), nil
		},
		"fails-otherwise": func(c *co, in payloadT) (payloadT, error) {
			_ = result(c, activity(c, "club.Check", ""))
			return nil, errors.New("no money")
		},
		"continues": func(c *co, in payloadT) (payloadT, error) {
			say("cancelled %v", c.Cause(nil) != nil)
			c.Await(c.Cancelled(nil))
			if string(in) == "2" {
				return payload("2"), nil
			}
			return nil, &engine.ContinueAsNew{Input: payload("2")}
		},
		"scopes": func(c *co, in payloadT) (payloadT, error) { // a scope, one below it, and one beside
			outer := c.Scope(nil)
			inner, beside := c.Scope(outer), c.Scope(nil)
			c.Go(func(c *co) { say("inner is over: %v", result(c, c.Cancelled(inner))) })
			c.Go(func(c *co) {
				n := c.AwaitIn(outer, timerIn(c, beside), c.Promise())
				say("a wait in outer for what is not: %d", n)
			})
			c.Go(func(c *co) { say("note in inner: %v", result(c, c.ReceiveIn(inner, "note"))) })
			both := []*future{timerIn(c, outer), activityIn(c, inner, "club.Check")}
			unawaited := c.ReceiveIn(inner, "note")
			c.Await(c.Receive("enough"))
			c.CancelScope(outer, cause)
			c.CancelScope(outer, &history.Failure{Message: "again"})
			c.CancelScope(c.Detached(), cause)
			say("both done: %v %v", both[0].Done(), both[1].Done())
			say("note nobody waited for: %v", result(c, unawaited))
			say("below it: %v", result(c, timerIn(c, c.Scope(inner))))
			say("note: %v", result(c, c.Receive("note")))
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"at-its-turn": func(c *co, in payloadT) (payloadT, error) { // what was begun in the same turn
			s := c.Scope(nil)
			c.ScheduleIn(s, history.Slot{Kind: history.SlotChild, Name: "club.Fee", Target: history.Address{Group: "club", ID: "fee"}})
			activityIn(c, s, "club.Check")
			timerIn(c, s)
			c.CancelScope(s, cause)
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"spins": func(c *co, in payloadT) (payloadT, error) { // does not look at what it gets
			for {
				c.AwaitIn(nil, c.Promise())
			}
		},
	}
}
