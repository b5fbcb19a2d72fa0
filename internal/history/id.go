package history

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what users name.
const (
	MaxID   = 200 // bytes of an instance id
	MaxName = 128 // bytes of a wire name
)

const hexDigits = "0123456789ABCDEF"

// EncodeID writes any text as one token that is safe in a NATS subject and in a KV key: letters, digits, '-' and '_'
// stand as they are, every other byte is =HH, and "" is "=". The form is canonical: one text has one token.
func EncodeID(id string) string {
	if id != "" && escapes(id) == 0 {
		return id
	}
	return string(AppendID(make([]byte, 0, len(id)+2*escapes(id)+1), id))
}

// AppendID appends what EncodeID gives.
func AppendID(b []byte, id string) []byte {
	switch {
	case id == "":
		return append(b, '=')
	case escapes(id) == 0:
		return append(b, id...)
	}
	for i := range len(id) {
		if c := id[i]; plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '=', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

// escapes counts the bytes that do not stand for themselves.
func escapes(id string) (n int) {
	for i := range len(id) {
		if !plain(id[i]) {
			n++
		}
	}
	return n
}

// DecodeID reads what EncodeID wrote. Anything else, also another spelling of the same text, is an error.
func DecodeID(token string) (string, error) {
	if token == "=" {
		return "", nil
	}
	if token == "" {
		return "", fmt.Errorf("token %q is empty", token)
	}
	if id := token; strings.IndexByte(id, '=') < 0 {
		for i := range len(id) {
			if !plain(id[i]) {
				return "", badToken(token, i)
			}
		}
		return id, nil
	}
	b := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c == '=' {
			var ok bool
			if c, ok = unhex(token[i+1:]); !ok || plain(c) {
				return "", badToken(token, i)
			}
			i += 2
		} else if !plain(c) {
			return "", badToken(token, i)
		}
		b = append(b, c)
	}
	return string(b), nil
}

func badToken(token string, at int) error {
	return fmt.Errorf("token %q, byte %d: not what an id is encoded as (letters, digits, '-', '_', and =HH for the rest)", bounded(token), at)
}

// plain reports whether a byte stands for itself in a token.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// unhex reads two upper-case hexadecimal digits.
func unhex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, s[0]), strings.IndexByte(hexDigits, s[1])
	return byte(hi<<4 | lo&15), hi >= 0 && lo >= 0
}

// CheckID says what is wrong with an instance id: it has 1 to MaxID bytes of valid UTF-8 without control characters.
func CheckID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("instance id is empty: give at least one character")
	case len(id) > MaxID:
		return fmt.Errorf("instance id %q has %d bytes, at most %d are allowed: use a shorter one, or a hash of it", bounded(id), len(id), MaxID)
	case !utf8.ValidString(id):
		return fmt.Errorf("instance id %q is not valid UTF-8: encode it as text first", id)
	}
	for i, r := range id {
		if unicode.IsControl(r) {
			return fmt.Errorf("instance id %q has the control character %U at byte %d: leave it out", id, r, i)
		}
	}
	return nil
}

// CheckName says what is wrong with a wire name of an orchestrator, activity, event or error: it has 1 to MaxName
// letters, digits, '.', '_' and '-' (ASCII).
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("wire name is empty: give at least one character")
	case len(name) > MaxName:
		return fmt.Errorf("wire name %q has %d bytes, at most %d are allowed: give a shorter one with name=", bounded(name), len(name), MaxName)
	}
	for i := range len(name) {
		if c := name[i]; !plain(c) && c != '.' {
			return fmt.Errorf("wire name %q has %q at byte %d: only letters, digits, '.', '_' and '-' are allowed, give another one with name=", name, name[i:i+1], i)
		}
	}
	return nil
}

// Partition gives the partition of an instance among partitions of them, from 0. It never changes for the same
// arguments, on any machine. One partition or fewer gives 0.
func Partition(id string, partitions int) int {
	if partitions <= 1 {
		return 0
	}
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h ^= h >> 33 // and a finish, for its low bits follow those of the last byte
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return int(h % uint64(partitions))
}

// bounded cuts untrusted text for an error.
func bounded(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
