package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Field is one header of a message.
type Field struct{ Key, Value string }

// Headers of records. The first one of a record tells what it is; each more costs, so there are few.
const (
	headStart   = "Durable-Start"   // <run> <orchestrator>
	headDone    = "Durable-Done"    // <run-execution-slot> <attempt> <hash of the arguments in hex> <name> [<file:line of the call>, of a local activity]
	headFired   = "Durable-Fired"   // <run-execution-slot> <due>
	headEvent   = "Durable-Event"   // <id> <name>
	headControl = "Durable-Control" // <id> <verb>
	headTurn    = "Durable-Turn"    // <run>-<execution> <at> <base> <end, or -> [json]
	headTask    = "Durable-Task"    // <run-execution-slot> <attempt> <name> [<file:line of the call>]

	headVersion = "Durable-Version"
	headParent  = "Durable-Parent" // <run-execution-slot> <group> <id>
	headRoot    = "Durable-Root"
	headNotify  = "Durable-Notify"
	headClaim   = "Durable-Claim"
	headTags    = "Durable-Tags"   // <key>=<value> …
	headPrior   = "Durable-Prior"  // the body of a start has a prior history beside the input
	headRewind  = "Durable-Rewind" // of a rewind: <run> <orchestrator of the child>
	headAlone   = "Durable-Alone"  // of a terminate: the children go on
	headAt      = "Durable-At"     // of a start: when the program begins; of a task: when it is to run
	headPolicy  = "Durable-Policy" // timeout=10s attempts=3 …
	headError   = "Durable-Error"
	headSince   = "Durable-Since"  // when the first attempt was stored
	headLapsed  = "Durable-Lapsed" // the attempt before was not completed from outside in its time
	headFailed  = "Durable-Failed" // the body of a Done is a failure
	headTrace   = "Durable-Trace"  // of a start, a task and an event: W3C traceparent
)

// Most bytes that a record may hold of what others choose. Encode refuses more, so that Decode reads all it wrote.
const (
	mostName  = 256      // wire names
	mostID    = 1 << 10  // ids of instances, events, topics, tokens
	mostTags  = 16 << 10 // all tags, escaped
	mostError = 1 << 10  // Task.LastErr; more is cut off
)

// ErrUnstorable is in every error of Encode: no repetition mends it.
var ErrUnstorable = errors.New("history: the record cannot be stored as it is")

// Encode writes a record as the headers and body of a message. The body is the user's payload as it is, or text, or
// JSON where there is no payload; it shares memory with the record. A Timer is written as the record that it will
// store, without its due time if that is a Task: schedules carry it themselves.
func Encode(r Record) (header []Field, body []byte, err error) { return encode(nil, r) }

// encode appends the headers to h, which may be on the caller's stack.
func encode(h []Field, r Record) (header []Field, body []byte, err error) {
	switch r := r.(type) {
	case *Task:
		header, err = taskFields(h, r)
		body = r.Args
	case *Done:
		header, body, err = encodeDone(h, r)
	case *Start:
		header, body, err = encodeStart(h, r)
	case *Turn:
		header, body, err = encodeTurn(h, r)
	case *Fired:
		header, err = firedFields(h, r.Ref, r.Due)
	case *Event:
		header, err = pair(h, headEvent, r.ID, r.Name, mostName)
		header, body = withTrace(header, r.Trace), r.Payload
	case *Control:
		header, body, err = encodeControl(h, r)
	case *Timer:
		if r.Task != nil {
			return encode(h, r.Task)
		}
		header, err = firedFields(h, r.Ref, r.Due)
	default:
		err = fmt.Errorf("there is no such record")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: encode %T: %w", ErrUnstorable, r, err)
	}
	if len(body) == 0 {
		body = nil
	}
	return header, body, nil
}

// Decode reads a record of a known kind. The record shares memory with body. Whatever it is given, it does not panic.
func Decode(kind Kind, h Head, body []byte) (Record, error) {
	r, err := decode(kind, &h, body)
	if err != nil {
		return nil, fmt.Errorf("history: decode %s: %w", kind, err)
	}
	return r, nil
}

func decode(kind Kind, h *Head, body []byte) (Record, error) {
	if len(body) == 0 {
		body = nil
	}
	switch kind {
	case KindTask:
		return decodeTask(h, body)
	case KindDone:
		return decodeDone(h, body)
	case KindStart:
		return decodeStart(h, body)
	case KindTurn:
		return decodeTurn(h, body)
	case KindFired:
		return decodeFired(h)
	case KindEvent:
		id, name, err := unpair(h.get(headEvent))
		return &Event{Name: name, ID: id, Payload: body, Trace: readTrace(h)}, err
	case KindControl:
		id, verb, err := unpair(h.get(headControl))
		c := &Control{Verb: Verb(verb), ID: id, Reason: strings.ToValidUTF8(string(body), "\uFFFD")}
		if err == nil {
			err = c.rewinds(h)
		}
		return c, err
	case KindTimer:
		return decodeTimer(h, body)
	}
	return nil, fmt.Errorf("there is no such record")
}

// one appends the header of most records.
func one(h []Field, key string, value []byte) []Field { return append(h, Field{key, string(value)}) }

func pair(h []Field, key, id, name string, most int) ([]Field, error) {
	if err := check("name", name, most); err != nil {
		return nil, err
	}
	if err := check("id", id, mostID); err != nil {
		return nil, err
	}
	var buf [128]byte
	b := appendWord(buf[:0], id)
	b = append(b, ' ')
	return one(h, key, appendWord(b, name)), nil
}

func unpair(value string) (id, name string, err error) {
	w := words{rest: value}
	id = w.text("id", mostID)
	name = w.text("name", mostName)
	return id, name, w.end()
}

func check(what, s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("%s %q has %d bytes, at most %d can be stored", what, bounded(s), len(s), most)
	}
	return nil
}

func taskFields(h []Field, t *Task) ([]Field, error) {
	if err := check("name", t.Name, mostName); err != nil {
		return nil, err
	}
	if t.Attempt < 0 {
		return nil, fmt.Errorf("attempt %d", t.Attempt)
	}
	if err := check("site", t.Site, mostID); err != nil {
		return nil, err
	}
	var buf [160]byte
	b := t.AppendTo(buf[:0])
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(t.Attempt), 10)
	b = append(b, ' ')
	b = appendWord(b, t.Name)
	if t.Site != "" {
		b = appendWord(append(b, ' '), t.Site)
	}
	h = one(h, headTask, b)
	if t.Policy != nil {
		p, err := t.Policy.text()
		if err != nil {
			return nil, err
		}
		h = append(h, Field{headPolicy, p})
	}
	if t.LastErr != "" {
		h = append(h, Field{headError, errorText(t.LastErr)})
	}
	if !t.Since.IsZero() {
		since, err := appendTime(buf[:0], t.Since)
		if err != nil {
			return nil, err
		}
		h = append(h, Field{headSince, string(since)})
	}
	if t.Lapsed {
		h = append(h, Field{headLapsed, "1"})
	}
	if !t.NotBefore.IsZero() {
		at, err := appendTime(buf[:0], t.NotBefore)
		if err != nil {
			return nil, err
		}
		h = append(h, Field{headAt, string(at)})
	}
	return withTrace(h, t.Trace), nil
}

func decodeTask(h *Head, body []byte) (Record, error) {
	w := words{rest: h.get(headTask)}
	t := &Task{Ref: w.ref(), Attempt: int(w.uint("attempt", 31)), Name: w.text("name", mostName), Args: body}
	if w.rest != "" {
		t.Site = w.text("site", mostID)
	}
	err := w.end()
	if p := h.get(headPolicy); p != "" && err == nil {
		t.Policy, err = parsePolicy(p)
	}
	if e := h.get(headError); e != "" && err == nil {
		t.LastErr, err = unescapeText(e)
	}
	if s := h.get(headSince); s != "" && err == nil {
		t.Since, err = parseTime(s)
	}
	if at := h.get(headAt); at != "" && err == nil {
		t.NotBefore, err = parseTime(at)
	}
	t.Lapsed, t.Trace = h.get(headLapsed) != "", readTrace(h)
	return t, err
}

func encodeDone(h []Field, d *Done) ([]Field, []byte, error) {
	if err := check("name", d.Name, mostName); err != nil {
		return nil, nil, err
	}
	if d.Attempt < 0 {
		return nil, nil, fmt.Errorf("attempt %d", d.Attempt)
	}
	if err := check("site", d.Site, mostID); err != nil {
		return nil, nil, err
	}
	var buf [128]byte
	b := d.AppendTo(buf[:0])
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(d.Attempt), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(d.Hash), 16)
	b = append(b, ' ')
	b = appendWord(b, d.Name)
	if d.Local {
		b = appendWord(append(b, ' '), d.Site)
	}
	h = one(h, headDone, b)
	if d.Failure == nil {
		return h, d.Result, nil
	}
	body, err := json.Marshal(d.Failure)
	return append(h, Field{headFailed, "1"}), body, err
}

func decodeDone(h *Head, body []byte) (Record, error) {
	w := words{rest: h.get(headDone)}
	d := &Done{Ref: w.ref(), Attempt: int(w.uint("attempt", 31))}
	hash := w.next()
	n, err := strconv.ParseUint(hash, 16, 32)
	if err != nil {
		err = fmt.Errorf("%q is not hexadecimal", bounded(hash))
	}
	w.fail("hash", err)
	d.Hash, d.Name = uint32(n), w.text("name", mostName)
	if w.rest != "" {
		d.Local, d.Site = true, w.text("site", mostID)
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	if h.get(headFailed) == "" {
		d.Result = body
		return d, nil
	}
	d.Failure, err = parseFailure(body)
	return d, err
}

func parseFailure(body []byte) (*Failure, error) {
	f := &Failure{}
	if err := json.Unmarshal(body, f); err != nil {
		return nil, fmt.Errorf("failure: %w", err)
	}
	return f, nil
}

func firedFields(h []Field, ref Ref, due time.Time) ([]Field, error) {
	var buf [64]byte
	b := ref.AppendTo(buf[:0])
	b = append(b, ' ')
	b, err := appendTime(b, due)
	return one(h, headFired, b), err
}

// appendTime writes a time to the nanosecond, in UTC. It refuses a year that the form has no place for.
func appendTime(b []byte, t time.Time) ([]byte, error) {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("a time in the year %d cannot be stored", y)
	}
	return t.AppendFormat(b, time.RFC3339Nano), nil
}

func decodeFired(h *Head) (Record, error) {
	w := words{rest: h.get(headFired)}
	f := &Fired{Ref: w.ref(), Due: w.time("due")}
	return f, w.end()
}

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time as RFC 3339 writes it", bounded(text))
	}
	return t.UTC(), nil
}

func decodeTimer(h *Head, body []byte) (Record, error) {
	if h.get(headTask) != "" {
		r, err := decodeTask(h, body)
		if err != nil {
			return nil, err
		}
		t := r.(*Task)
		return &Timer{Ref: t.Ref, Task: t}, nil
	}
	r, err := decodeFired(h)
	if err != nil {
		return nil, err
	}
	f := r.(*Fired)
	return &Timer{Ref: f.Ref, Due: f.Due}, nil
}

// kinds are the words for the kinds of records.
var kinds = [...]string{
	KindStart: "start", KindDone: "done", KindFired: "fired", KindEvent: "event", KindControl: "control",
	KindTurn: "turn", KindTask: "task", KindTimer: "timer",
}

// String gives the word for a kind, as in a history file.
func (k Kind) String() string {
	if int(k) < len(kinds) && kinds[k] != "" {
		return kinds[k]
	}
	return "kind " + strconv.Itoa(int(k))
}
