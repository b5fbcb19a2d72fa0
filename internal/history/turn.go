package history

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// envelope is the body of a turn that has more to tell than its end.
type envelope struct {
	Slots   []Slot   `json:"slots,omitempty"`
	Result  Payload  `json:"result,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
	Base    *Base    `json:"base,omitempty"`
}

const (
	noEnd    = "-"
	asJSON   = "json" // the body is an envelope although there is an end
	mostEnds = len(ContinuedAsNew)
)

// check refuses a turn that nothing can go on from.
func (t *Turn) check() error {
	for _, s := range t.Slots {
		if s.Kind < SlotActivity || s.Kind > SlotVersion {
			return fmt.Errorf("slot %d is of kind %d: there is no such kind", s.N, s.Kind)
		}
	}
	if t.End == nil {
		return nil
	}
	switch s := t.End.Status; {
	case !s.Final() && s != ContinuedAsNew:
		return fmt.Errorf("%q ends nothing", bounded(string(s)))
	case (s == ContinuedAsNew) != (t.End.Base != nil):
		return fmt.Errorf("a base belongs to %s and to nothing else", ContinuedAsNew)
	case s.Fails() && t.End.Failure == nil:
		return fmt.Errorf("%s without a failure", s)
	}
	return nil
}

func encodeTurn(h []Field, t *Turn) ([]Field, []byte, error) {
	if err := t.check(); err != nil {
		return nil, nil, err
	}
	var buf [96]byte
	b := strconv.AppendUint(buf[:0], uint64(t.Run), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(t.Execution), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, t.At, 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, t.Base, 10)
	b = append(b, ' ')
	if t.End == nil {
		body, err := json.Marshal(envelope{Slots: t.Slots})
		return one(h, headTurn, append(b, noEnd...)), body, err
	}
	b = append(b, t.End.Status...)
	end := t.End
	switch {
	case len(t.Slots) == 0 && end.Status == Completed && end.Failure == nil:
		return one(h, headTurn, b), end.Result, nil
	case len(t.Slots) == 0 && end.Status != ContinuedAsNew && end.Status != Completed && len(end.Result) == 0:
		body, err := json.Marshal(end.Failure)
		return one(h, headTurn, b), body, err
	}
	b = append(append(b, ' '), asJSON...)
	body, err := json.Marshal(envelope{t.Slots, end.Result, end.Failure, end.Base})
	return one(h, headTurn, b), body, err
}

func decodeTurn(h *Head, body []byte) (Record, error) {
	w := words{rest: h.get(headTurn)}
	t := &Turn{}
	number := w.next()
	run, execution, _ := strings.Cut(number, "-")
	r, err1 := strconv.ParseUint(run, 10, 32)
	e, err2 := strconv.ParseUint(execution, 10, 32)
	if err1 != nil || err2 != nil {
		w.fail("execution", fmt.Errorf("%q is not run-execution", bounded(number)))
	}
	t.Run, t.Execution = uint32(r), uint32(e)
	t.At, t.Base = w.uint("at", 64), w.uint("base", 64)
	status := Status(w.text("end", mostEnds))
	inJSON := status == noEnd
	if w.rest == asJSON {
		inJSON, w.rest = true, ""
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	if status != noEnd {
		t.End = &End{Status: status}
	}
	if err := t.body(inJSON, body); err != nil {
		return nil, err
	}
	return t, t.check()
}

func (t *Turn) body(inJSON bool, body []byte) (err error) {
	switch {
	case inJSON:
		var v envelope
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		t.Slots = v.Slots
		if t.End != nil {
			t.End.Result, t.End.Failure, t.End.Base = v.Result, v.Failure, v.Base
		}
	case t.End.Status == Completed:
		t.End.Result = body
	case t.End.Status.Fails():
		t.End.Failure, err = parseFailure(body)
	}
	return err
}
