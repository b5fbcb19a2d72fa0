package engine

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Recorded is a slot as the log holds it.
type Recorded struct {
	Slot history.Slot
	Seq  uint64 // of the record
}

// decided is a position at which the decision had been made: that of its record, but a completion is behind it.
func (r Recorded) decided() uint64 {
	if r.Slot.Local {
		return r.Seq - 1
	}
	return r.Seq
}

// Expect gives, before Begin, the recorded slots of this run and execution: what the program produces is compared with
// them (I6). Of several records of a slot the first one counts (I2). Code that produces more than is recorded is fine.
func (m *Machine) Expect(slots []Recorded) {
	if len(slots) > 0 && m.expected == nil {
		m.expected = make(map[uint32]Recorded, len(slots))
	}
	for _, r := range slots {
		m.recorded = max(m.recorded, r.decided())
		if _, ok := m.expected[r.Slot.N]; !ok {
			m.expected[r.Slot.N] = r
		}
	}
}

// Replayed is to be called when the recorded inbox has been applied: every recorded slot must have been produced by
// then, else a [*NondeterminismError] tells the first that was not.
func (m *Machine) Replayed() error {
	if m.broken != nil || len(m.expected) == 0 {
		return m.broken
	}
	r := m.expected[slices.Min(slices.Collect(maps.Keys(m.expected)))]
	e := m.mismatch(r, history.Slot{})
	e.Position = ""
	switch e.Waiting = m.Waiting(); {
	case m.end != nil:
		e.Waiting = "has ended as " + string(m.end.Status)
	case e.Waiting == "":
		e.Waiting = "waits for nothing that is recorded"
	default:
		e.Waiting = "waits for " + e.Waiting
	}
	m.broken = e
	return e
}

// NondeterminismError tells that a program does not repeat what its instance has decided before.
type NondeterminismError struct {
	Instance history.Address
	Ref      history.Ref  // the slot
	Expected history.Slot // as recorded
	Actual   history.Slot // as the program has it now; Kind 0: it did not come to this slot
	Recorded uint64       // sequence of the record
	Position string       // file:line of the call that made Actual; "" when it is not known. Expected.Site is the other side
	Waiting  string       // what the program did instead of coming to the slot
}

func (e *NondeterminismError) Error() string {
	at := ""
	if e.Expected.Site != "" {
		at = " at " + e.Expected.Site
	}
	now := "the program " + e.Waiting
	if e.Actual.Kind != 0 {
		now = "the program now has " + describe(&e.Actual)
		if e.Position != "" {
			now += " at " + e.Position
		}
	}
	return fmt.Sprintf("durable: orchestration %s/%s %s: slot %s is recorded (message %d) as %s%s, but %s. "+
		"Deploy code that fits the history, or tell the change with a version", e.Instance.Group, e.Instance.ID, unlike, e.Ref, e.Recorded, describe(&e.Expected), at, now)
}

// Sides tells in words what is recorded, and what the program has now.
func (e *NondeterminismError) Sides() (expected, actual string) {
	if actual = "nothing: the program " + e.Waiting; e.Actual.Kind != 0 {
		actual = describe(&e.Actual)
	}
	return describe(&e.Expected), actual
}

const unlike = "does not repeat its history"

// IsNondeterminism reports whether a text, such as why an instance is parked, is that of a [*NondeterminismError].
func IsNondeterminism(text string) bool { return strings.Contains(text, unlike+": slot ") }

func (m *Machine) mismatch(r Recorded, actual history.Slot) *NondeterminismError {
	return &NondeterminismError{
		Instance: m.cfg.Self, Ref: m.ref(r.Slot.N), Expected: r.Slot, Actual: actual, Recorded: r.Seq, Position: cmp.Or(actual.Site, position()),
	}
}

// describe names a slot in an error.
func describe(s *history.Slot) string {
	const most = 200
	args := s.Args
	if len(args) > most {
		args = append(args[:most:most], "…"...)
	}
	with := fmt.Sprintf("%s with %s", s.Name, args)
	if len(args) == 0 {
		with = s.Name
	}
	switch s.Kind {
	case history.SlotActivity:
		if s.Local && s.Hash != 0 {
			return fmt.Sprintf("activity %s, run by its owner, with arguments of checksum %x", s.Name, s.Hash)
		}
		return "activity " + with
	case history.SlotTimer:
		return "timer until " + s.Due.UTC().Format(time.RFC3339Nano)
	case history.SlotChild:
		return fmt.Sprintf("child %q, orchestrator %s", s.Target.ID, with)
	case history.SlotSend:
		return fmt.Sprintf("event to %q, %s", s.Target.ID, with)
	case history.SlotVersion:
		return "version marker " + s.Name
	}
	return "a slot of unknown kind " + strconv.Itoa(int(s.Kind))
}

// matches compares a decision with its record: kind, name, target and, if they are to be, arguments. Due times, call options
// and the version of a marker are not compared, the recorded ones stand.
func (m *Machine) matches(r, s *history.Slot, args Arguments) bool {
	return m.sameTask(r, s) && (args != Strict || m.cfg.Redacted || sameArgs(r, s))
}

// sameTask compares all but the arguments.
func (m *Machine) sameTask(r, s *history.Slot) bool {
	if r.Kind != s.Kind || !m.sameName(s.Kind, r.Name, s.Name) {
		return false
	}
	switch s.Kind {
	case history.SlotChild, history.SlotSend:
		if r.Target.ID != s.Target.ID && !m.hidden(r) || r.Target.Group != s.Target.Group && r.Target.Group != "" && s.Target.Group != "" {
			return false
		}
	}
	return true
}

// hidden reports whether the id of a target may have been made of what was left out of the history.
func (m *Machine) hidden(r *history.Slot) bool {
	return m.cfg.Redacted && (r.Kind == history.SlotSend || r.Child != nil && r.Child.OwnID)
}

func sameArgs(r, s *history.Slot) bool {
	switch {
	case r.Kind == history.SlotTimer || r.Kind == history.SlotVersion:
		return true
	case r.Local:
		return r.Hash == history.ArgsHash(s.Args)
	}
	return sameJSON(r.Args, s.Args)
}

// recordedAs gives a decision as its record r has it. One that is a completion does not hold the arguments.
func recordedAs(r, s *history.Slot) history.Slot {
	slot := *r
	if r.Local {
		slot.Args, slot.Policy = s.Args, s.Policy
	}
	return slot
}

// sameJSON compares two payloads as JSON values, by their bytes first; what is not JSON has only bytes.
func sameJSON(a, b history.Payload) bool {
	if bytes.Equal(a, b) {
		return true
	}
	va, ok := valueOf(a)
	if !ok {
		return false
	}
	vb, ok := valueOf(b)
	return ok && reflect.DeepEqual(va, vb)
}

// valueOf reads a payload as JSON, with numbers in one spelling.
func valueOf(p history.Payload) (v any, ok bool) {
	if len(p) == 0 {
		return nil, true
	}
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	if d.Decode(&v) != nil || d.InputOffset() != int64(len(bytes.TrimRight(p, " \t\r\n"))) {
		return nil, false
	}
	return plainNumbers(v), true
}

// plainNumbers makes 1, 1.0 and 1e0 equal, and leaves what a float64 cannot hold exactly as it is spelled.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = plainNumbers(e)
		}
	case []any:
		for n, e := range v {
			v[n] = plainNumbers(e)
		}
	case json.Number:
		const exact = 1 << 53
		if f, err := v.Float64(); err == nil && (-exact < f && f < exact || strings.ContainsAny(v.String(), ".eE")) {
			return f
		}
	}
	return v
}
