package history

import "bytes"

// A payload that a codec wrote is sealed: "\x00durable/<codec>\x00<body>". No JSON begins with a zero byte, so a clear
// payload is never taken for a sealed one.
var sealMark = []byte("\x00durable/")

// Seal marks body as what a codec wrote.
func Seal(codec string, body []byte) Payload {
	p := make(Payload, 0, len(sealMark)+len(codec)+1+len(body))
	p = append(append(p, sealMark...), codec...)
	return append(append(p, 0), body...)
}

// Unseal tells which codec wrote a payload, and what; ok is false for a clear one. body shares memory with p.
func (p Payload) Unseal() (codec string, body []byte, ok bool) {
	if len(p) == 0 || p[0] != sealMark[0] {
		return "", nil, false
	}
	rest, ok := bytes.CutPrefix(p, sealMark)
	if !ok {
		return "", nil, false
	}
	id, body, ok := bytes.Cut(rest, sealMark[:1])
	if !ok {
		return "", nil, false
	}
	return string(id), body, true
}

// SealedBy names the codec of a part of a record that is sealed; "" when all that code will see is clear.
func SealedBy(r Record) string {
	switch r := r.(type) {
	case *Task:
		return r.Args.sealedBy()
	case *Done:
		return first(r.Result.sealedBy(), r.Failure.sealedBy())
	case *Start:
		return first(r.Input.sealedBy(), r.Prior.sealedBy())
	case *Event:
		return r.Payload.sealedBy()
	case *Turn:
		for n := range r.Slots {
			if id := r.Slots[n].Args.sealedBy(); id != "" {
				return id
			}
		}
		if r.End != nil {
			return first(r.End.Result.sealedBy(), first(r.End.Failure.sealedBy(), r.End.Base.sealedBy()))
		}
	}
	return ""
}

func (p Payload) sealedBy() string {
	id, _, _ := p.Unseal()
	return id
}

func (f *Failure) sealedBy() string {
	if f == nil {
		return ""
	}
	return f.Sealed.sealedBy()
}

func (p *Prior) sealedBy() string {
	if p == nil {
		return ""
	}
	for _, m := range p.Messages {
		if id := SealedBy(m.Record); id != "" {
			return id
		}
	}
	return ""
}

func (b *Base) sealedBy() string {
	if b == nil {
		return ""
	}
	for n := range b.Buffered {
		if id := b.Buffered[n].Payload.sealedBy(); id != "" {
			return id
		}
	}
	for _, m := range b.Held {
		if id := SealedBy(m.Record); id != "" {
			return id
		}
	}
	return first(b.Canceled.sealedBy(), first(b.Start.Input.sealedBy(), b.Status.sealedBy()))
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
