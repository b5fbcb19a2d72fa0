package activity

import (
	"encoding/json"
	"errors"

	"github.com/durablegen/durablegen/internal/backend"
)

// ErrCanceled is the cause of the context of an activity that its orchestration does not wait for any more.
var ErrCanceled = errors.New("durable: canceled")

// abort ends the context of a task that runs here.
func (q *Queue) abort(data []byte) {
	var a backend.Abort
	if json.Unmarshal(data, &a) != nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for r := range q.running {
		if r.d.From == a.From && r.d.Task.Ref == a.Ref {
			r.own.cancel(ErrCanceled)
		}
	}
}
