package engine_test

import (
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// deliver is a send that waits for its Done.
func deliver(c *co, s *engine.Scope, to string) *future {
	return c.ScheduleIn(s, history.Slot{
		Kind: history.SlotSend, Name: "Club.Greeting", Args: payload(`"hi"`), Target: history.Address{ID: to}, Confirm: true,
	})
}

// deliverPrograms are the orchestrators of deliver.txt.
func deliverPrograms(say func(format string, args ...any)) map[string]engine.Program {
	return map[string]engine.Program{
		"deliverer": func(c *co, in payloadT) (payloadT, error) { // one after the other
			for _, to := range []string{"bob", "cid"} {
				say("to %s: %v", to, result(c, deliver(c, nil, to)))
			}
			return payload(`"both"`), nil
		},
		"sends-twice": func(c *co, in payloadT) (payloadT, error) { // what deliverer was before it waited
			send(c, "bob")
			send(c, "cid")
			return payload(`"both"`), nil
		},
		"deliverer-in-scope": func(c *co, in payloadT) (payloadT, error) {
			s := c.Scope(nil)
			f := deliver(c, s, "bob")
			c.Go(func(c *co) { say("to bob: %v", result(c, f)) })
			c.Await(c.Receive("enough"))
			c.CancelScope(s, &history.Failure{Kind: history.FailCanceled, Message: "enough"})
			say("afterwards: %v", result(c, deliver(c, s, "cid")))
			c.Await(c.Receive("end"))
			return nil, nil
		},
		"leaves-deliveries": func(c *co, in payloadT) (payloadT, error) {
			deliver(c, nil, "bob")
			c.Await(c.Receive("end"))
			return payload(`"gone"`), nil
		},
	}
}
