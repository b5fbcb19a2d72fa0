package owner

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/history"
)

// Outcome is what the hint of an end tells: no status when the result is large.
type Outcome struct {
	ID      string
	Run     uint32
	Status  history.Status
	Result  history.Payload
	Failure *history.Failure
}

// encode writes the id as a word, and then the end as the log holds it: every instance ends, and text is cheaper than JSON.
func (o *Outcome) encode() ([]byte, error) {
	turn := history.Turn{Run: o.Run}
	if o.Status != "" {
		turn.End = &history.End{Status: o.Status, Result: o.Result, Failure: o.Failure}
	}
	fields, body, err := history.Encode(&turn)
	if err != nil {
		return nil, err
	}
	id := append(history.AppendID(make([]byte, 0, len(o.ID)+1), o.ID), ' ')
	return append(append(id, history.Frame(fields, len(body))...), body...), nil
}

// ParseOutcome reads a hint. Anybody may have sent it.
func ParseOutcome(data []byte) (o Outcome, err error) {
	id, rest, ok := bytes.Cut(data, []byte(" "))
	if !ok {
		return o, errors.New("owner: a hint without an id")
	}
	if o.ID, err = history.DecodeID(string(id)); err != nil {
		return o, fmt.Errorf("owner: hint: %w", err)
	}
	head, body, err := history.Unframe(history.KindTurn, rest)
	if err != nil {
		return o, fmt.Errorf("owner: hint: %w", err)
	}
	r, err := history.Decode(history.KindTurn, head, body)
	if err != nil {
		return o, fmt.Errorf("owner: hint: %w", err)
	}
	turn := r.(*history.Turn)
	if o.Run = turn.Run; turn.End != nil {
		o.Status, o.Result, o.Failure = turn.End.Status, turn.End.Result, turn.End.Failure
	}
	if o.Status != "" && !o.Status.Final() {
		return Outcome{}, fmt.Errorf("owner: hint: %q ends nothing", o.Status)
	}
	return o, nil
}
