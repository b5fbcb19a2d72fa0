package changes

import (
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
)

// replayed runs code over a saved history and says what does not fit, as durabletest.Replay does, which wants a binding
// of each function.
func replayed(code Code, text []byte) (err error) {
	s, err := history.ReadSaved(text)
	if err != nil {
		return err
	}
	return replayedTo(code, s, len(s.Messages))
}

// replayedTo replays only the first messages of a history.
func replayedTo(code Code, s history.Saved, most int) (err error) {
	var r durable.Registry
	if err := code.register(&r); err != nil {
		return err
	}
	group, ok := inside.Group(&r, s.Orchestrator)
	if !ok {
		return fmt.Errorf("there is no orchestrator %s", s.Orchestrator)
	}
	if group != s.Group {
		return fmt.Errorf("orchestrator %s is of group %s now, and the instance of group %s", s.Orchestrator, group, s.Group)
	}
	_, err = owner.Rehearsal{Code: inside.Code(&r, group), Fail: inside.Fail}.Replay(history.Address{Group: s.Group, ID: s.ID}, s.Messages[:most])
	return err
}
