package history

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"unicode/utf8"
)

// Payload is a user's value as its codec wrote it: JSON by default, any bytes in general. Inside a JSON record it
// stands as it is when it is JSON, else as {"$base64":"…"}. nil and empty mean null.
type Payload []byte

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	null       = []byte("null")
	base64Key  = []byte(`"$base64"`)
)

// ArgsHash tells arguments apart, for Done.Hash. Nothing and null are the same.
func ArgsHash(p Payload) uint32 {
	if len(p) == 0 {
		p = null
	}
	return crc32.Checksum(p, castagnoli)
}

// MarshalJSON implements json.Marshaler. The bytes survive: completions name their arguments by a hash of them.
func (p Payload) MarshalJSON() ([]byte, error) {
	switch {
	case len(p) == 0:
		return null, nil
	case p.stands():
		return p, nil
	}
	return json.Marshal(struct {
		B []byte `json:"$base64"`
	}{p})
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Payload) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.Equal(b, null):
		*p = nil
		return nil
	case standIn(b):
		var v struct {
			B []byte `json:"$base64"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		*p = v.B
		return nil
	}
	*p = append((*p)[:0], b...)
	return nil
}

// standIn reports whether b is a base64 object, however it is spaced.
func standIn(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("{"))
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), base64Key)
}

// stands reports whether p is JSON that package json copies without a change, and no stand-in itself.
func (p Payload) stands() bool {
	if PlainText(p) {
		return true
	}
	if !json.Valid(p) || !utf8.Valid(p) || standIn(p) {
		return false
	}
	inString, escaped := false, false
	for n, c := range p {
		switch {
		case c == '<' || c == '>' || c == '&':
			return false // json.Marshal escapes them
		case c == 0xE2 && n+2 < len(p) && p[n+1] == 0x80 && p[n+2]&^1 == 0xA8:
			return false // and U+2028, U+2029
		case inString:
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				inString = false
			}
		case c == '"':
			inString = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			return false // json.Marshal leaves them out
		}
	}
	return true
}

// PlainText reports whether data is a JSON string that stands for the bytes between its quotes, and for which json.Marshal
// has no other spelling.
func PlainText(data []byte) bool {
	last := len(data) - 1
	if last < 1 || data[0] != '"' || data[last] != '"' {
		return false
	}
	for _, c := range data[1:last] {
		if !bare(c) {
			return false
		}
	}
	return true
}

// bare reports whether json.Marshal writes a byte of a string as it is.
func bare(c byte) bool {
	return ' ' <= c && c <= '~' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}
