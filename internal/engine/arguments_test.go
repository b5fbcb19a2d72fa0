package engine_test

import (
	"errors"
	"testing"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// TestArgumentPolicies: where arguments need not be those of the record, the recorded ones stand, and the completion that
// names them counts. Another task is another task.
func TestArgumentPolicies(t *testing.T) {
	t.Parallel()
	queued := func(args string) history.Slot {
		return history.Slot{Kind: history.SlotActivity, Name: "a", Args: payload(args)}
	}
	local := (&history.Done{Name: "a", Hash: history.ArgsHash(payload("1")), Local: true}).LocalSlot()
	child := history.Slot{Kind: history.SlotChild, Name: "a", Args: payload("1"), Target: history.Address{ID: "kid"}, Child: &history.ChildOptions{OwnID: true}}
	toKid := child
	toKid.Args = payload("2")
	other := toKid
	other.Target.ID = "another"
	for _, test := range []struct {
		name          string
		recorded, now history.Slot
		policy        engine.Arguments
		fits          bool
		told          int
	}{
		{"strict", queued("1"), queued("2"), engine.Strict, false, 0},
		{"warn", queued("1"), queued("2"), engine.Warn, true, 1},
		{"warn of nothing", queued("1"), queued("1.0"), engine.Warn, true, 0},
		{"ignore", queued("1"), queued("2"), engine.Ignore, true, 0},
		{"ignore, and another kind", child, queued("2"), engine.Ignore, false, 0},
		{"local, strict", local, queued("2"), engine.Strict, false, 0},
		{"local, warn", local, queued("2"), engine.Warn, true, 1},
		{"local, ignore", local, queued("2"), engine.Ignore, true, 0},
		{"child, strict", child, toKid, engine.Strict, false, 0},
		{"child, ignore", child, toKid, engine.Ignore, true, 0},
		{"child of another id", child, other, engine.Ignore, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			told := 0
			m := engine.New(engine.Config{
				Self: self, Changed: func(string, *engine.NondeterminismError) { told++ },
				Program: func(c *co, _ payloadT) (payloadT, error) {
					f := c.ScheduleArgs(nil, test.now, test.policy)
					c.Await(f)
					result, _ := f.Result()
					return result, nil
				},
			}, startOf(1, nil))
			t.Cleanup(m.Close)
			m.Expect([]engine.Recorded{{Slot: test.recorded, Seq: 2}})
			_, err := m.Begin()
			if _, differs := errors.AsType[*engine.NondeterminismError](err); differs == test.fits || told != test.told {
				t.Fatalf("error %v and told %d times, want it to fit: %v, told %d", err, told, test.fits, test.told)
			}
			if !test.fits {
				return
			}
			done := &history.Done{Ref: history.Ref{Run: 1}, Name: "a", Result: payload("7")}
			if test.recorded.Kind == history.SlotActivity {
				done.Hash = history.ArgsHash(payload("1"))
			}
			turn := must(t)(m.Apply(history.Message{Seq: 3, Time: began, Record: done}))
			if turn.End == nil || string(turn.End.Result) != "7" {
				t.Errorf("the completion of what is recorded gives %+v, want it to end with 7", turn)
			}
		})
	}
}
