package backend

import (
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Happening is what people want to know of a record of the log: that an instance started, was sent something, or ended.
type Happening struct {
	history.Address
	Seq     uint64
	Time    time.Time
	Kind    history.Kind     // KindStart, KindEvent, KindControl, or KindTurn of one that ends a run
	Name    string           // orchestrator, event, or verb of a control
	Parent  string           // of a start: id of the instance that made it; "" for a client
	Reason  string           // of a control
	Status  history.Status   // of an end
	Failure *history.Failure // of an end that is not Completed
}

// HappeningOf tells what a record is to people; ok is false when it is nothing.
func HappeningOf(of history.Address, m history.Message) (h Happening, ok bool) {
	h = Happening{Address: of, Seq: m.Seq, Time: m.Time}
	switch r := m.Record.(type) {
	case *history.Start:
		h.Kind, h.Name = history.KindStart, r.Orchestrator
		if r.Parent != nil {
			h.Parent = r.Parent.ID
		}
	case *history.Event:
		h.Kind, h.Name = history.KindEvent, r.Name
	case *history.Control:
		h.Kind, h.Name, h.Reason = history.KindControl, string(r.Verb), r.Reason
	case *history.Turn:
		if r.End == nil || !r.End.Status.Final() {
			return h, false
		}
		h.Kind, h.Status, h.Failure = history.KindTurn, r.End.Status, r.End.Failure
	default:
		return h, false
	}
	return h, true
}
