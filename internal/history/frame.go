package history

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A record in the log is text: the value of its first header, which the subject names, the other headers under their short
// names, an empty line, and the body:
//
//	1-0-2 1 club.SendCard card.go:42
//	Policy: timeout=10s
//
//	"Ada"
//
// It is no NATS header, although it reads like one: a server looks for some twenty of its own in every message that has a
// header, and a client parses each that it is given. No value has a line break in it.

// mostHead is the most bytes before the body.
const mostHead = 64 << 10

var headEnd = []byte("\n\n")

const headPrefix = "Durable-"

// heads are the headers that come first.
var heads = [...]string{
	KindStart: headStart, KindDone: headDone, KindFired: headFired, KindEvent: headEvent, KindControl: headControl,
	KindTurn: headTurn, KindTask: headTask,
}

// Frame writes what stands before the body, with room for a body of so many bytes.
func Frame(fields []Field, room int) []byte {
	size := len(headEnd) + room
	for n, f := range fields {
		if size += len(f.Value); n > 0 {
			size += len(f.Key) - len(headPrefix) + len("\n: ")
		}
	}
	b := make([]byte, 0, size)
	for n, f := range fields {
		if n > 0 {
			b = append(append(append(b, '\n'), strings.TrimPrefix(f.Key, headPrefix)...), ": "...)
		}
		b = append(b, f.Value...)
	}
	return append(b, headEnd...)
}

// Framed is what Encode and Frame make of a record: what stands before the body, and the body.
func Framed(r Record) (head, body []byte, err error) {
	var few [4]Field
	fields, body, err := encode(few[:0], r)
	if err != nil {
		return nil, nil, err
	}
	return Frame(fields, len(body)), body, nil
}

// Head is what stands before the body of a record.
type Head struct {
	kind  Kind
	first string
	rest  string                  // lines
	from  func(key string) string // nil: the text above
}

// HeadOf is the head of what Encode has taken apart.
func HeadOf(fields []Field) Head {
	return Head{from: func(key string) string {
		for _, f := range fields {
			if f.Key == key {
				return f.Value
			}
		}
		return ""
	}}
}

func (h *Head) get(key string) string {
	switch {
	case h.from != nil:
		return h.from(key)
	case key == heads[h.kind]:
		return h.first
	}
	return valueIn(h.rest, strings.TrimPrefix(key, headPrefix))
}

// Unframe takes a record of a known kind apart, for Decode. body shares memory with data.
func Unframe(kind Kind, data []byte) (h Head, body []byte, err error) {
	if int(kind) >= len(heads) || heads[kind] == "" {
		return Head{}, nil, fmt.Errorf("history: a %s is not read", kind)
	}
	head, body, ok := bytes.Cut(data, headEnd)
	switch {
	case !ok:
		return Head{}, nil, errors.New("history: no empty line ends what stands before the body")
	case len(head) > mostHead:
		return Head{}, nil, fmt.Errorf("history: %d bytes before the body, more than %d", len(head), mostHead)
	}
	h.kind = kind
	h.first, h.rest, _ = strings.Cut(string(head), "\n")
	return h, body, nil
}

// valueIn finds the value of a header among lines, "" when there is none.
func valueIn(lines, name string) string {
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\n")
		if key, value, _ := strings.Cut(line, ": "); key == name {
			return value
		}
	}
	return ""
}
