package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A message in JSON is what the log holds of it, under short names: the kind with the value of the record's header,
// the other headers, the body, the sequence and the time:
//
//	{"task":"1-0-2 1 club.SendCard","v":"m-17","n":4711,"t":"2026-05-04T12:00:00.25Z"}
//
// "v" is the body, a control's is "reason"; "n" and "t" are left out when they are zero. In [Messages] a message tells
// only what those before it do not.

// MarshalJSON implements json.Marshaler.
func (m Message) MarshalJSON() ([]byte, error) { return new(chain).append(nil, m) }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Message) UnmarshalJSON(b []byte) error {
	got, err := new(chain).read(b)
	if err == nil {
		*m = got
	}
	return err
}

// Messages is the history of one execution in the order of the log, with a compact JSON form for archives. Each message
// stands after the ones before it:
//
//   - "n" is the difference of sequences, left out when it is 1; "t", as a number, the nanoseconds since the last
//     message that has a time;
//   - a slot of the current execution is its number alone, and an attempt is left out when it is the first;
//   - a completion of a task that the list holds names only the slot (and the attempt);
//   - a turn that follows from the last inbox message says only how it ended, "-" when it did not.
type Messages []Message

// MarshalJSON implements json.Marshaler.
func (ms Messages) MarshalJSON() ([]byte, error) {
	if ms == nil {
		return []byte("null"), nil
	}
	c := chain{linked: true, tasks: map[Ref]taskName{}}
	b := append(make([]byte, 0, 64+64*len(ms)), '[')
	for n, m := range ms {
		if n > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = c.append(b, m); err != nil {
			return nil, fmt.Errorf("message %d of the history: %w", n, err)
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (ms *Messages) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*ms = nil
	if raw != nil {
		*ms = make(Messages, 0, len(raw))
	}
	c := chain{linked: true, tasks: map[Ref]taskName{}}
	for n, r := range raw {
		m, err := c.read(r)
		if err != nil {
			return fmt.Errorf("message %d of the history: %w", n, err)
		}
		*ms = append(*ms, m)
	}
	return nil
}

// chain is what the messages so far tell of the next one.
type chain struct {
	linked         bool // false: a message of its own, nothing is known
	begun          bool // run and execution are known
	run, execution uint32
	base           uint64 // Turn.Base of this execution
	cause          uint64 // sequence of the last inbox message
	seq            uint64
	time           time.Time
	tasks          map[Ref]taskName
}

type taskName struct {
	name string
	hash uint32
}

// follow learns from a message.
func (c *chain) follow(m Message) {
	if !c.linked {
		return
	}
	c.seq = m.Seq
	if !m.Time.IsZero() {
		c.time = m.Time
	}
	if m.Kind().Inbox() {
		c.cause = m.Seq
	}
	switch r := m.Record.(type) {
	case *Start:
		c.begun, c.run, c.execution, c.base = true, r.Run, 0, 0
	case *Turn:
		if r.End != nil && r.End.Status == ContinuedAsNew {
			c.begun, c.run, c.execution, c.base, c.cause = true, r.Run, r.Execution+1, m.Seq, r.At
		}
	case *Task:
		c.tasks[r.Ref] = taskName{r.Name, ArgsHash(r.Args)}
	}
}

func (c *chain) append(b []byte, m Message) ([]byte, error) {
	if m.Record == nil {
		return nil, errors.New("history: a message without a record")
	}
	kind := m.Kind()
	if kind == KindTimer {
		return nil, errors.New("history: a schedule is no part of a history")
	}
	b = append(append(append(b, `{"`...), kinds[kind]...), `":`...)
	b, body, err := c.record(b, m.Record)
	if err != nil {
		return nil, err
	}
	switch {
	case len(body) == 0:
	case kind == KindControl:
		b = appendString(append(b, `,"reason":`...), string(body))
	case !bytes.Equal(body, null):
		value, err := Payload(body).MarshalJSON()
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"v":`...), value...)
	}
	if b, err = c.place(b, m); err != nil {
		return nil, err
	}
	c.follow(m)
	return append(b, '}'), nil
}

// record appends the headers of a record, and gives its body.
func (c *chain) record(b []byte, r Record) (all, body []byte, err error) {
	if d, ok := r.(*Done); ok && d.Failure == nil && c.named(d) { // what most of a history is
		b = append(slot(append(b, '"'), d.Ref, d.Attempt), '"')
		return b, d.Result, nil
	}
	var few [4]Field
	fields, body, err := encode(few[:0], r)
	if err != nil {
		return nil, nil, err
	}
	b = c.head(b, r, fields[0].Value)
	for _, f := range fields[1:] {
		b = append(append(append(b, `,"`...), strings.ToLower(strings.TrimPrefix(f.Key, headPrefix))...), `":`...)
		b = appendString(b, f.Value)
	}
	return b, body, nil
}

// place appends sequence and time.
func (c *chain) place(b []byte, m Message) ([]byte, error) {
	if d := int64(m.Seq - c.seq); c.linked && d != 1 || !c.linked && d != 0 {
		b = strconv.AppendInt(append(b, `,"n":`...), d, 10)
	}
	if m.Time.IsZero() {
		return b, nil
	}
	b = append(b, `,"t":`...)
	if d := m.Time.Sub(c.time); !c.time.IsZero() && c.time.Add(d).Equal(m.Time) {
		return strconv.AppendInt(b, int64(d), 10), nil
	}
	b, err := appendTime(append(b, '"'), m.Time)
	return append(b, '"'), err
}

// head appends a header value as JSON, without what the chain tells of it.
func (c *chain) head(b []byte, r Record, value string) []byte {
	if !c.begun {
		return appendString(b, value)
	}
	switch r := r.(type) {
	case *Task:
		if c.here(r.Ref) {
			_, value, _ = strings.Cut(value, " ")
			if r.Attempt == 1 && r.Site == "" {
				_, value, _ = strings.Cut(value, " ")
			}
			var few [128]byte
			return appendString(b, string(append(append(strconv.AppendUint(few[:0], uint64(r.Slot), 10), ' '), value...)))
		}
	case *Done:
		if c.named(r) {
			return append(slot(append(b, '"'), r.Ref, r.Attempt), '"')
		}
	case *Turn:
		if r.Run == c.run && r.Execution == c.execution && r.At == c.cause && r.Base == c.base {
			for range 3 {
				_, value, _ = strings.Cut(value, " ")
			}
		}
	}
	return appendString(b, value)
}

func (c *chain) here(ref Ref) bool {
	return c.begun && ref.Run == c.run && ref.Execution == c.execution
}

// named reports whether the list holds the task of a completion, whose slot then says all.
func (c *chain) named(d *Done) bool {
	return c.here(d.Ref) && d.Attempt > 0 && !d.Local && c.tasks[d.Ref] == taskName{d.Name, d.Hash}
}

// slot appends a slot, and an attempt that is not the first.
func slot(b []byte, ref Ref, attempt int) []byte {
	b = strconv.AppendUint(b, uint64(ref.Slot), 10)
	if attempt == 1 {
		return b
	}
	return strconv.AppendInt(append(b, ' '), int64(attempt), 10)
}

// lengthen is the reverse of shorten.
func (c *chain) lengthen(kind Kind, head string) (string, error) {
	first, rest, _ := strings.Cut(head, " ")
	if !c.begun || strings.IndexByte(first, '-') > 0 {
		return head, nil
	}
	switch kind {
	case KindTask, KindDone:
		slot, err := strconv.ParseUint(first, 10, 32)
		if err != nil {
			return head, nil // Decode says what is wrong
		}
		ref := Ref{Run: c.run, Execution: c.execution, Slot: uint32(slot)}
		if kind == KindTask {
			if strings.IndexByte(rest, ' ') < 0 {
				rest = "1 " + rest
			}
			return ref.String() + " " + rest, nil
		}
		task, ok := c.tasks[ref]
		if !ok {
			return "", fmt.Errorf("history: a completion of slot %d without its task", slot)
		}
		if rest == "" {
			rest = "1"
		}
		b := append(append(ref.AppendTo(nil), ' '), rest...)
		b = strconv.AppendUint(append(b, ' '), uint64(task.hash), 16)
		return string(appendWord(append(b, ' '), task.name)), nil
	case KindTurn:
		return fmt.Sprintf("%d-%d %d %d %s", c.run, c.execution, c.cause, c.base, head), nil
	}
	return head, nil
}

// line is a message in JSON. Exactly one kind is there.
type line struct {
	Start   *string `json:"start"`
	Done    *string `json:"done"`
	Fired   *string `json:"fired"`
	Event   *string `json:"event"`
	Control *string `json:"control"`
	Turn    *string `json:"turn"`
	Task    *string `json:"task"`

	Version string `json:"version"`
	Parent  string `json:"parent"`
	Root    string `json:"root"`
	Notify  string `json:"notify"`
	Claim   string `json:"claim"`
	Tags    string `json:"tags"`
	At      string `json:"at"`
	Prior   string `json:"prior"`
	Rewind  string `json:"rewind"`
	Alone   string `json:"alone"`
	Policy  string `json:"policy"`
	Error   string `json:"error"`
	Failed  string `json:"failed"`
	Since   string `json:"since"`
	Lapsed  string `json:"lapsed"`
	Most    string `json:"most"`
	Trace   string `json:"trace"`
	State   string `json:"tracestate"`
	Baggage string `json:"baggage"`

	Reason string          `json:"reason"`
	Body   Payload         `json:"v"`
	Seq    *int64          `json:"n"`
	Time   json.RawMessage `json:"t"`
}

func (l *line) head() (Kind, string, error) {
	var kind Kind
	var head string
	for k, v := range [...]*string{
		KindStart: l.Start, KindDone: l.Done, KindFired: l.Fired, KindEvent: l.Event, KindControl: l.Control,
		KindTurn: l.Turn, KindTask: l.Task,
	} {
		if v == nil {
			continue
		}
		if kind != 0 {
			return 0, "", fmt.Errorf("history: a message is both %s and %s", kind, Kind(k))
		}
		kind, head = Kind(k), *v
	}
	if kind == 0 {
		return 0, "", errors.New("history: a message says not what it is: start, done, fired, event, control, turn or task")
	}
	return kind, head, nil
}

func (l *line) get(head string) func(string) string {
	return func(key string) string {
		switch key {
		case headVersion:
			return l.Version
		case headParent:
			return l.Parent
		case headRoot:
			return l.Root
		case headNotify:
			return l.Notify
		case headClaim:
			return l.Claim
		case headTags:
			return l.Tags
		case headAt:
			return l.At
		case headPrior:
			return l.Prior
		case headRewind:
			return l.Rewind
		case headAlone:
			return l.Alone
		case headPolicy:
			return l.Policy
		case headError:
			return l.Error
		case headFailed:
			return l.Failed
		case headSince:
			return l.Since
		case headLapsed:
			return l.Lapsed
		case headMost:
			return l.Most
		case headTrace:
			return l.Trace
		case headState:
			return l.State
		case headBaggage:
			return l.Baggage
		}
		return head // of the kind that is asked for
	}
}

func (c *chain) read(b []byte) (m Message, err error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return m, err
	}
	kind, head, err := l.head()
	if err != nil {
		return m, err
	}
	if head, err = c.lengthen(kind, head); err != nil {
		return m, err
	}
	body := []byte(l.Body)
	if kind == KindControl {
		body = []byte(l.Reason)
	}
	if m.Record, err = Decode(kind, Head{from: l.get(head)}, body); err != nil {
		return m, err
	}
	if m.Seq = c.seq; l.Seq != nil {
		m.Seq += uint64(*l.Seq)
	} else if c.linked {
		m.Seq++
	}
	if m.Time, err = c.when(l.Time); err != nil {
		return m, err
	}
	c.follow(m)
	return m, nil
}

// when reads a time, or the nanoseconds since the last one.
func (c *chain) when(raw []byte) (t time.Time, err error) {
	switch {
	case len(raw) == 0:
		return t, nil
	case raw[0] == '"':
		err = json.Unmarshal(raw, &t)
		return t.UTC(), err
	case c.time.IsZero():
		return t, fmt.Errorf("history: the time %s counts from no message before", bounded(string(raw)))
	}
	d, err := strconv.ParseInt(string(raw), 10, 64)
	return c.time.Add(time.Duration(d)), err
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !bare(s[i]) {
			q, err := json.Marshal(s)
			if err != nil { // a string always has a JSON form
				panic(err)
			}
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
