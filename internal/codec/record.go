package codec

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// pass takes records through the codecs in one direction. It changes copies. Its first error stays in err, and what it
// is about stays as it was.
type pass struct {
	*layers
	opening   bool
	redacting bool // no codec: everything is left out
	err       error
}

func (w *pass) failed(err error) bool {
	if err != nil && w.err == nil {
		w.err = err
	}
	return err != nil
}

func (w *pass) payload(p history.Payload) history.Payload {
	if w.redacting {
		if len(p) == 0 || string(p) == "null" {
			return p
		}
		return redactedPayload
	}
	code := w.seal
	if w.opening {
		code = w.open
	}
	q, err := code(p)
	if w.failed(err) {
		return p
	}
	return q
}

// text is for what people read and no code does: one that cannot be decoded is no error.
func (w *pass) text(s string) string {
	if w.redacting {
		if s == "" {
			return ""
		}
		return redacted
	}
	if w.opening {
		return w.openText(s)
	}
	sealed, err := w.sealText(s)
	if w.failed(err) {
		return s
	}
	return sealed
}

// record takes every payload and text of a record through the codecs. nil stays nil.
func (w *pass) record(r history.Record) history.Record {
	switch r := r.(type) {
	case *history.Start:
		return w.start(r)
	case *history.Done:
		return w.done(r)
	case *history.Event:
		e := w.event(*r)
		return &e
	case *history.Control:
		c := *r
		c.Reason = w.text(c.Reason)
		return &c
	case *history.Task:
		return w.task(r)
	case *history.Timer:
		if r.Task == nil {
			return r
		}
		t := *r
		t.Task = w.task(r.Task)
		return &t
	case *history.Turn:
		return w.turn(r)
	}
	return r
}

func (w *pass) start(r *history.Start) *history.Start {
	if r == nil {
		return nil
	}
	s := *r
	s.Input = w.payload(s.Input)
	if r.Prior != nil {
		prior := *r.Prior
		prior.Messages = w.messages(prior.Messages)
		s.Prior = &prior
	}
	return &s
}

func (w *pass) event(e history.Event) history.Event {
	e.Payload = w.payload(e.Payload)
	return e
}

func (w *pass) messages(ms []history.Message) []history.Message {
	if ms == nil {
		return nil
	}
	out := make([]history.Message, len(ms))
	for n, m := range ms {
		m.Record = w.record(m.Record)
		out[n] = m
	}
	return out
}

func (w *pass) task(r *history.Task) *history.Task {
	t := *r
	t.Args = w.payload(t.Args)
	t.LastErr = w.lastErr(t.LastErr)
	return &t
}

// history cuts a task's LastErr to storedErr bytes, which would destroy a sealed one: it is cut before.
const (
	clearErr  = 512
	storedErr = 1024
)

func (w *pass) lastErr(s string) string {
	t := w.text(s)
	if w.opening || t == s || len(t) <= storedErr {
		return t
	}
	if t = w.text(strings.ToValidUTF8(s[:min(len(s), clearErr)], "")); len(t) > storedErr {
		return ""
	}
	return t
}

func (w *pass) turn(r *history.Turn) *history.Turn {
	t := *r
	if t.Slots != nil {
		t.Slots = make([]history.Slot, len(r.Slots))
		for n, s := range r.Slots {
			s.Args = w.payload(s.Args)
			t.Slots[n] = s
		}
	}
	if r.End == nil {
		return &t
	}
	end := *r.End
	end.Result = w.payload(end.Result)
	end.Failure = w.failure(end.Failure)
	end.Base = w.base(end.Base)
	t.End = &end
	return &t
}

func (w *pass) base(r *history.Base) *history.Base {
	if r == nil {
		return nil
	}
	b := *r
	b.Start, b.First = *w.start(&r.Start), w.payload(r.First)
	b.Status = w.payload(b.Status)
	b.Canceled = w.failure(b.Canceled)
	if b.Buffered != nil {
		b.Buffered = make([]history.Event, len(r.Buffered))
		for n, e := range r.Buffered {
			b.Buffered[n] = w.event(e)
		}
	}
	b.Held = w.messages(b.Held)
	return &b
}

// failure seals a failure as a whole: its message, stack, details and causes are one payload.
func (w *pass) failure(f *history.Failure) *history.Failure {
	if w.redacting {
		return redactFailure(f)
	}
	if w.opening {
		f, _ = w.openFailure(f, nil)
		return f
	}
	f, _ = w.sealFailure(f, nil)
	return f
}

// done hides the hash of the arguments with the result or failure: whoever could read it could confirm a guess.
func (w *pass) done(r *history.Done) *history.Done {
	d := *r
	if w.redacting {
		d.Result, d.Failure, d.Hash = w.payload(d.Result), redactFailure(d.Failure), 0
		return &d
	}
	var hash [4]byte
	if !w.opening {
		sealed := false
		binary.BigEndian.PutUint32(hash[:], d.Hash)
		if d.Failure != nil {
			d.Failure, sealed = w.sealFailure(d.Failure, hash[:])
			d.Result = w.payload(d.Result)
		} else {
			d.Result, sealed = w.sealHashed(d.Result, hash[:])
		}
		if sealed {
			d.Hash = 0
		}
		return &d
	}
	var found bool
	if d.Failure != nil {
		d.Failure, found = w.openFailure(d.Failure, hash[:])
		d.Result = w.payload(d.Result)
	} else {
		d.Result, found = w.openHashed(w.payload(d.Result), hash[:])
	}
	if found {
		d.Hash = binary.BigEndian.Uint32(hash[:])
	}
	return &d
}

// sealHashed seals a payload with a hash in front. sealed: a codec has hidden it now.
func (w *pass) sealHashed(p history.Payload, hash []byte) (_ history.Payload, sealed bool) {
	if _, _, already := p.Unseal(); already {
		return p, false
	}
	if w.failed(w.fits(p)) {
		return p, false
	}
	inner := history.Seal(hashLayer, append(hash[:len(hash):len(hash)], p...))
	q, err := w.encode(inner)
	if w.failed(err) {
		return p, false
	}
	if id, _, _ := q.Unseal(); id == hashLayer {
		return p, false // no codec wanted it
	}
	return q, true
}

func (w *pass) openHashed(p history.Payload, hash []byte) (_ history.Payload, found bool) {
	id, body, _ := p.Unseal()
	if id != hashLayer || len(body) < len(hash) {
		return p, false
	}
	copy(hash, body)
	if len(body) == len(hash) {
		return nil, true
	}
	return body[len(hash):], true
}

func (w *pass) sealFailure(f *history.Failure, hash []byte) (_ *history.Failure, sealed bool) {
	if f == nil || f.Sealed != nil {
		return f, false
	}
	text, err := json.Marshal(f)
	if w.failed(err) {
		return f, false
	}
	q, sealed := w.sealHashed(text, hash)
	if !sealed {
		return f, false
	}
	return &history.Failure{Kind: f.Kind, Name: f.Name, Attempt: f.Attempt, Slots: f.Slots, Sealed: q}, true
}

func (w *pass) openFailure(f *history.Failure, hash []byte) (_ *history.Failure, found bool) {
	if f == nil || f.Sealed == nil {
		return f, false
	}
	text, err := w.open(f.Sealed)
	if w.failed(err) {
		return f, false
	}
	text, found = w.openHashed(text, hash)
	clear := &history.Failure{}
	if err := json.Unmarshal(text, clear); err != nil {
		w.failed(fmt.Errorf("%w: a failure: %w", backend.ErrCodec, err))
		return f, false
	}
	return clear, found
}
