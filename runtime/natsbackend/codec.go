package natsbackend

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/history"
)

// Headers that JetStream acts upon.
const (
	headerFence          = "Nats-Expected-Last-Subject-Sequence"
	headerTTL            = "Nats-TTL"
	headerSchedule       = "Nats-Schedule"
	headerScheduleTarget = "Nats-Schedule-Target"
	headerScheduleNext   = "Nats-Schedule-Next"
	headerScheduler      = "Nats-Scheduler"
	headerPin            = "Nats-Pin-Id"
	headerStream         = "Nats-Stream" // of a message that a server has read from a stream
)

// headerPayload stands in for a body that is in the object store: "<sha256 in hex> <size in bytes> <name of the object>".
const headerPayload = "Durable-Payload"

// headers makes a header from fields with few allocations: it is on the hot path. It is not to be changed: what a run writes
// for the first time has the same header as that of all others.
func headers(fields ...history.Field) nats.Header {
	switch {
	case len(fields) == 0:
		return nil
	case fields[0] != unwritten:
	case len(fields) == 1:
		return firstHeader
	case len(fields) == 2 && fields[1].Key == headerTTL:
		return firstHeaders.of(fields[1].Value)
	}
	return newHeader(fields)
}

// unwritten is the fence of what nobody has written before.
var unwritten = fence(0)

var firstHeader = newHeader([]history.Field{unwritten})

// firstHeaders are of what nobody has written before, by the time that it is kept: nearly all ends of runs have one of two.
var firstHeaders recent

// recent remembers a few headers.
type recent struct{ all atomic.Pointer[[]nats.Header] }

const mostRecent = 8

func (r *recent) of(ttl string) nats.Header {
	var all []nats.Header
	if known := r.all.Load(); known != nil {
		all = *known
	}
	for _, h := range all {
		if h[headerTTL][0] == ttl {
			return h
		}
	}
	h := newHeader([]history.Field{unwritten, {Key: headerTTL, Value: ttl}})
	all = append([]nats.Header{h}, all[:min(len(all), mostRecent-1)]...)
	r.all.Store(&all)
	return h
}

func newHeader(fields []history.Field) nats.Header {
	h := make(nats.Header, len(fields))
	values := make([]string, len(fields))
	for n, f := range fields {
		values[n] = f.Value
		h[f.Key] = values[n : n+1 : n+1]
	}
	return h
}

// encode turns a record into a message of its instance: head comes before the body, see history.Frame. A timer is stored as
// what it will publish, plus its schedule.
func (n *names) encode(a *appendOf) (subject string, h nats.Header, head, body []byte, err error) {
	if subject, err = n.subject(a.to, a.record); err != nil {
		return "", nil, nil, nil, err
	}
	var extra [3]history.Field
	more := extra[:0]
	record := a.record
	if t, ok := record.(*history.Timer); ok {
		record = &history.Fired{Ref: t.Ref, Due: t.Due}
		if t.Task != nil {
			record = t.Task
		}
		// By hand: jetstream.WithScheduleAt cuts the time to whole seconds and so fires early.
		more = append(more,
			history.Field{Key: headerSchedule, Value: "@at " + t.Due.UTC().Format(time.RFC3339Nano)},
			history.Field{Key: headerScheduleTarget, Value: n.instance(a.to) + target(t)})
	}
	if a.fenced {
		more = append(more, fence(a.fence))
	}
	head, body, err = history.Framed(record)
	if err != nil {
		return "", nil, nil, nil, fmt.Errorf("natsbackend: encode a record of %s/%s: %w", a.to.Group, a.to.ID, err)
	}
	return subject, headers(more...), head, body, nil
}

// decode turns a message of the log into its record. fetch gets a body that is in the object store; its errors come back as
// they are. The answer to a read is no record, although the asker may have named a subject of the log for it: a server does
// not check whether he may publish there.
func (pl parsed) decode(h nats.Header, data []byte, fetch func() ([]byte, error)) (history.Record, error) {
	if _, answer := h[headerStream]; answer {
		return nil, fmt.Errorf("%w: it is the answer to a read of a stream", errForeign)
	}
	head, body, err := history.Unframe(pl.kind, data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForeign, err)
	}
	if _, outside := h[headerPayload]; outside {
		if body, err = fetch(); err != nil {
			return nil, err
		}
	}
	r, err := pl.record(head, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForeign, err)
	}
	return r, nil
}

// record decodes what a message holds. The name in it must be that of the subject: permissions are given by subject, and
// whoever may only suspend must not terminate.
func (pl parsed) record(head history.Head, body []byte) (history.Record, error) {
	r, err := history.Decode(pl.kind, head, body)
	if err != nil {
		return nil, err
	}
	name := ""
	switch r := r.(type) {
	case *history.Event:
		name = r.Name
	case *history.Control:
		name = string(r.Verb)
	case *history.Task:
		name = r.Name
	default:
		return r, nil
	}
	var buf [128]byte
	if string(history.AppendID(buf[:0], name)) != pl.name {
		return nil, fmt.Errorf("it says %q, the subject %q", name, pl.name)
	}
	return r, nil
}

// reference is what a message says of a body that is in the object store.
type reference struct {
	sum  string // sha256 in hex
	size int
	name string // of the object; the sum of one that was stored before names said whose they are
}

func (r reference) String() string { return r.sum + " " + strconv.Itoa(r.size) + " " + r.name }

// referenceOf reads the payload header; ok is false when there is none.
func referenceOf(h nats.Header) (r reference, ok bool, err error) {
	v := h.Get(headerPayload)
	if v == "" {
		return r, false, nil
	}
	sum, rest, _ := strings.Cut(v, " ")
	size, name, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(size)
	if err != nil || len(sum) != 64 || n < 0 {
		return r, true, fmt.Errorf("natsbackend: the header %s: %.100q is not a hash and a size", headerPayload, v)
	}
	return reference{sum, n, or(name, sum)}, true, nil
}
