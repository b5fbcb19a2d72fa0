package history

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Header values are words with single spaces between them, so that `nats sub` reads like a log. What users or other
// programs name is escaped as in a URL: a space, a '%', a control character and what is not UTF-8 is %HH, so no value can end a
// header line or begin another. "" is a lone '%'.

// appendWord appends s as one word.
func appendWord(b []byte, s string) []byte {
	if s == "" {
		return append(b, '%')
	}
	return appendText(b, s, "")
}

// appendText escapes s; the bytes of also are escaped, too.
func appendText(b []byte, s, also string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c > ' ' && c < utf8.RuneSelf-1 && c != '%' && strings.IndexByte(also, c) < 0 {
			b = append(b, c)
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); n > 1 && unicode.IsPrint(r) {
				b = append(b, s[i:i+n]...)
				i += n
				continue
			}
		}
		b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		i++
	}
	return b
}

// unescape reads what appendWord or appendText wrote.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 || s == "%" {
		return strings.TrimSuffix(s, "%"), nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			var ok bool
			if c, ok = unhex(s[i+1:]); !ok {
				return "", fmt.Errorf("%q has a %% that is not followed by two upper-case hexadecimal digits", bounded(s))
			}
			i += 2
		}
		b = append(b, c)
	}
	return string(b), nil
}

// words reads a header value from left to right. The first error stays.
type words struct {
	rest string
	err  error
}

func (w *words) next() string {
	word, rest, _ := strings.Cut(w.rest, " ")
	if word == "" && w.err == nil {
		w.err = fmt.Errorf("a word is missing")
	}
	w.rest = rest
	return word
}

// text reads a word of at most most bytes that was escaped.
func (w *words) text(what string, most int) string {
	s, err := unescape(w.next())
	if err == nil && len(s) > most {
		err = fmt.Errorf("it has %d bytes, more than %d", len(s), most)
	}
	w.fail(what, err)
	return s
}

func (w *words) uint(what string, bits int) uint64 {
	word := w.next()
	n, err := strconv.ParseUint(word, 10, bits)
	if err != nil {
		err = fmt.Errorf("%q is not a number of %d bits", bounded(word), bits)
	}
	w.fail(what, err)
	return n
}

func (w *words) ref() Ref {
	word := w.next()
	r, err := ParseRef(word)
	w.fail("slot", err)
	return r
}

func (w *words) time(what string) time.Time {
	t, err := parseTime(w.next())
	w.fail(what, err)
	return t
}

func (w *words) fail(what string, err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s: %w", what, err)
	}
}

// end reports the first error, or that something is left over.
func (w *words) end() error {
	if w.err == nil && w.rest != "" {
		return fmt.Errorf("%q is left over", bounded(w.rest))
	}
	return w.err
}

// AppendTo appends the wire form, "run-execution-slot".
func (r Ref) AppendTo(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(r.Run), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(r.Execution), 10)
	b = append(b, '-')
	return strconv.AppendUint(b, uint64(r.Slot), 10)
}

// ParseRef reads the wire form.
func ParseRef(s string) (Ref, error) {
	run, rest, _ := strings.Cut(s, "-")
	execution, slot, _ := strings.Cut(rest, "-")
	r, err1 := strconv.ParseUint(run, 10, 32)
	e, err2 := strconv.ParseUint(execution, 10, 32)
	n, err3 := strconv.ParseUint(slot, 10, 32)
	if err1 != nil || err2 != nil || err3 != nil {
		return Ref{}, fmt.Errorf("%q is not run-execution-slot", bounded(s))
	}
	return Ref{Run: uint32(r), Execution: uint32(e), Slot: uint32(n)}, nil
}
