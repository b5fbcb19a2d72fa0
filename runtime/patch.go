package durable

import (
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
)

// made is the record of a marker that was there when its place was passed.
var made = history.Payload("true")

// Version tells a change within an orchestrator from what was there before, so that what runs goes on as it began:
//
//	if ctx.Version("charge-before-pack") {
//		// the new way
//	} else {
//		// the old way
//	}
//
// It is true in executions that come here for the first time with this code, which records that, and in those that have it
// recorded. It is false in those whose history was beyond this place before the change. The first answer for a change stays
// for the whole execution; ContinueAsNew begins another one. The name of the change is stored: a constant of letters, digits,
// '.', '_' and '-', at most 128 bytes, used for this change alone; it panics with anything else. Remove the old way when no
// instance of before the change is left, and the call only when none is left that has it recorded.
func (c Context) Version(change string) bool {
	if err := history.CheckName(change); err != nil {
		panic(fmt.Sprintf("durable: Context.Version(%q): the name of a change: %v", change, err))
	}
	result, _ := c.co.ScheduleIn(c.scope, history.Slot{Kind: history.SlotVersion, Name: change, Args: made}).Result()
	return len(result) > 0
}
