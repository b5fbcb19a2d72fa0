package natsbackend

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
)

// stored is a message read from a stream.
type stored struct {
	subject string
	seq     uint64
	time    time.Time
	header  nats.Header
	body    []byte
}

// source is a stream to read from. With one replica a direct get is answered by the leader, because there is nobody
// else. With more, any of them may answer, so that "not there" is asked of the leader (I5).
type source struct {
	b      *Backend
	stream string
	single bool // one replica
}

// query is a read request, of both APIs.
type query struct {
	Seq      uint64   `json:"seq,omitempty"`
	Last     string   `json:"last_by_subj,omitempty"`
	Next     string   `json:"next_by_subj,omitempty"`
	Multi    []string `json:"multi_last,omitempty"`
	Batch    int      `json:"batch,omitempty"`
	MaxBytes int      `json:"max_bytes,omitempty"`

	Since *time.Time `json:"start_time,omitempty"` // of any replica
}

// several reports whether the answer has several messages, closed by one with a status.
func (q *query) several() bool { return q.Batch > 0 || q.Multi != nil }

const (
	pageMessages = 1000
	pageBytes    = 8 << 20
)

// answer is what comes back for a read.
type answer struct {
	msgs []*nats.Msg
	err  error
}

// ask sends a read; its answer comes through the channel, also when the backend is closed.
func (s source) ask(api string, q query) <-chan answer {
	subject := s.b.api + api + "." + s.stream
	var body []byte
	if q.Last != "" && api == directGet && !strings.ContainsAny(q.Last, "*>") {
		subject += "." + q.Last // so that permissions can tell subjects apart
	} else {
		body, _ = json.Marshal(q) // of strings and numbers
	}
	c := make(chan answer, 1)
	s.b.calls.get(subject, body, q.several(), func(msgs []*nats.Msg, err error) { c <- answer{msgs, err} })
	return c
}

const (
	directGet = "DIRECT.GET"
	leaderGet = "STREAM.MSG.GET"
)

// last reads the newest message of a subject on the leader; the error is ErrNotFound when there is none. The function
// it returns waits for the answer.
func (s source) last(subject string) func() (stored, error) { return s.one(query{Last: subject}) }

// at reads the message with a sequence on the leader, or ErrNotFound.
func (s source) at(seq uint64) func() (stored, error) { return s.one(query{Seq: seq}) }

// since reads the first message that is not older than a time, or ErrNotFound.
func (s source) since(t time.Time) func() (stored, error) {
	return s.one(query{Since: &t, Next: ">"})
}

func (s source) one(q query) func() (stored, error) {
	api, read := directGet, readDirect
	if !s.single && q.Since == nil {
		api, read = leaderGet, readLeader
	}
	c, end := s.ask(api, q), time.Now().Add(or(s.b.cfg.readFor, giveUp)) // of those that are asked at once, not of one after the other
	return func() (stored, error) {
		for ; ; c = s.ask(api, q) {
			a := <-c
			if a.err != nil {
				return stored{}, a.err
			}
			m, err := read(a.msgs[0])
			var e *apiError
			if !errors.As(err, &e) || !e.temporary() {
				return m, err
			}
			if time.Now().After(end) {
				return m, fmt.Errorf("natsbackend: read the stream %s: %w: %w", s.stream, backend.ErrUnavailable, err)
			}
			if err := s.b.pause(tick); err != nil {
				return m, err
			}
		}
	}
}

// atOnce is how many messages are asked for at once, singly: what others ask for waits behind them.
const atOnce = 512

// each reads the messages with some sequences, calls yield for those that are there until it fails, and gives those that are
// gone for ever. With several replicas only a later message proves that: a leader that has been deposed may not have yet what
// it is asked for.
func (s source) each(seqs []uint64, yield func(stored) error) (gone []uint64, err error) {
	for batch := range slices.Chunk(seqs, atOnce) {
		answers := make([]func() (stored, error), len(batch))
		for n, seq := range batch {
			if s.single {
				answers[n] = s.at(seq)
			} else {
				answers[n] = s.next(seq, ">")
			}
		}
		for n, answer := range answers { // all of them, also behind one that fails
			m, e := answer()
			switch {
			case errors.Is(e, backend.ErrNotFound) && !s.single:
			case errors.Is(e, backend.ErrNotFound), e == nil && m.seq != batch[n]:
				gone = append(gone, batch[n])
			case err == nil && e == nil:
				err = yield(m)
			case err == nil:
				err = e
			}
		}
		if err != nil {
			break
		}
	}
	return gone, err
}

// pause waits, unless the backend is closed.
func (b *Backend) pause(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-b.ctx.Done():
		return backend.ErrClosed
	}
}

// scan calls yield for the messages of filter from seq on, in order, until it returns false. It reaches the end of the
// stream: with several replicas the pages come from any of them, which hold a beginning of the log without holes, and
// the rest from the leader.
func (s source) scan(seq uint64, filter string, yield func(stored) bool) error {
	for {
		page, more, err := s.page(seq, filter)
		if err != nil {
			return err
		}
		for _, m := range page {
			seq = m.seq + 1
			if !yield(m) {
				return nil
			}
		}
		if !more {
			break
		}
	}
	if s.single {
		return nil
	}
	return s.rest(seq, math.MaxUint64, filter, yield)
}

// rest reads what there is up to end on the leader, one by one.
func (s source) rest(seq, end uint64, filter string, yield func(stored) bool) error {
	for seq <= end {
		m, err := s.one(query{Seq: max(seq, 1), Next: filter})()
		if errors.Is(err, backend.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		seq = m.seq + 1
		if !yield(m) {
			return nil
		}
	}
	return nil
}

// page reads some messages at once. Every message of the answer tells its predecessor, so that a lost one shows.
func (s source) page(seq uint64, filter string) (page []stored, more bool, err error) {
	for range 10 {
		a := <-s.ask(directGet, query{Seq: max(seq, 1), Next: filter, Batch: pageMessages, MaxBytes: pageBytes})
		if a.err != nil {
			return nil, false, a.err
		}
		page, more, err = readPage(a.msgs)
		if !errors.Is(err, errHole) {
			return page, more, err
		}
	}
	return nil, false, fmt.Errorf("natsbackend: read the stream %s: %w: %w", s.stream, backend.ErrUnavailable, err)
}

var errHole = errors.New("natsbackend: a message of the answer was lost on the way")

func readPage(msgs []*nats.Msg) (page []stored, more bool, err error) {
	var before uint64
	for _, m := range msgs {
		switch statusOf(m) {
		case "":
			d, err := readDirect(m)
			if err != nil {
				return nil, false, err
			}
			if told(m.Header, "Nats-Last-Sequence") != strconv.FormatUint(before, 10) {
				return nil, false, errHole
			}
			before = d.seq
			page = append(page, d)
		case "204":
			if told(m.Header, "Nats-Last-Sequence") != strconv.FormatUint(before, 10) {
				return nil, false, errHole
			}
			return page, m.Header.Get("Nats-Num-Pending") != "0", nil
		case "404":
			return page, false, nil
		default:
			return nil, false, statusError(m)
		}
	}
	return nil, false, errHole
}

// told is what the server says of a message in a header: it stands behind what the message itself has under that name.
func told(h nats.Header, key string) string {
	values := h[key]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// statusOf is the status that an answer is; "" for a message, of which the server names the stream.
func statusOf(m *nats.Msg) string {
	if len(m.Header[headerStream]) > 0 {
		return ""
	}
	return m.Header.Get("Status")
}

func statusError(m *nats.Msg) error {
	code, _ := strconv.Atoi(m.Header.Get("Status"))
	return &apiError{Code: code, Description: m.Header.Get("Description")}
}

// readDirect reads an answer of the direct API: the message itself, with more headers.
func readDirect(m *nats.Msg) (stored, error) {
	switch statusOf(m) {
	case "":
	case "404":
		return stored{}, backend.ErrNotFound
	default:
		return stored{}, statusError(m)
	}
	seq, err := strconv.ParseUint(told(m.Header, "Nats-Sequence"), 10, 64)
	if err != nil {
		return stored{}, fmt.Errorf("natsbackend: the answer to a read has no sequence: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, told(m.Header, "Nats-Time-Stamp"))
	if err != nil {
		return stored{}, fmt.Errorf("natsbackend: the answer to a read has no time: %w", err)
	}
	subject := told(m.Header, "Nats-Subject")
	if len(m.Header[headerStream]) == 1 { // the server's own: another one is the message's
		delete(m.Header, headerStream)
	}
	return stored{subject: subject, seq: seq, time: at.UTC(), header: m.Header, body: m.Data}, nil
}

// readLeader reads an answer of the leader's API: the message inside a JSON envelope.
func readLeader(m *nats.Msg) (stored, error) {
	var a struct {
		Error   *apiError `json:"error"`
		Message *struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Header  []byte    `json:"hdrs"`
			Body    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return stored{}, fmt.Errorf("natsbackend: the answer to a read is not understood: %w", err)
	}
	switch {
	case a.Error != nil && a.Error.ErrCode == codeNoMessage:
		return stored{}, backend.ErrNotFound
	case a.Error != nil:
		return stored{}, a.Error
	case a.Message == nil:
		return stored{}, errors.New("natsbackend: the answer to a read is empty")
	}
	s := stored{subject: a.Message.Subject, seq: a.Message.Seq, time: a.Message.Time.UTC(), body: a.Message.Body}
	if len(a.Message.Header) > 0 {
		h, err := nats.DecodeHeadersMsg(a.Message.Header)
		if err != nil {
			return s, fmt.Errorf("natsbackend: the header of message %d: %w", s.seq, err)
		}
		s.header = h
	}
	return s, nil
}
