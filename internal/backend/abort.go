package backend

import (
	"encoding/json"

	"github.com/durablegen/durablegen/internal/history"
)

// Abort names a task that nobody waits for any more. It is signalled on AbortTopic and may get lost: then the task runs
// to its end, and what comes of it changes nothing.
type Abort struct {
	From history.Address `json:"from"`
	Ref  history.Ref     `json:"ref"`
}

// AbortTopic is where the tasks of an activity are aborted.
func AbortTopic(activity string) string { return "abort." + history.EncodeID(activity) }

// Encode writes the signal.
func (a Abort) Encode() []byte {
	data, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return data
}
