package history

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Check says what Encode would refuse of a start.
func (s *Start) Check() error {
	_, err := startFields(nil, s)
	return err
}

func startFields(h []Field, s *Start) ([]Field, error) {
	err := errors.Join(check("name", s.Orchestrator, mostName), check("version", s.Version, mostID),
		check("notify", s.Notify, mostID), check("claim", s.Claim, mostID), check("root", s.Root, mostID))
	if err != nil {
		return nil, err
	}
	var buf [128]byte
	b := strconv.AppendUint(buf[:0], uint64(s.Run), 10)
	b = append(b, ' ')
	b = appendWord(b, s.Orchestrator)
	if !s.Born.IsZero() {
		b = strconv.AppendInt(append(b, ' '), s.Born.UnixMilli(), 10)
	}
	h = one(h, headStart, b)
	for _, f := range [...]Field{{headVersion, s.Version}, {headRoot, s.Root}, {headNotify, s.Notify}, {headClaim, s.Claim}} {
		if f.Value != "" {
			h = append(h, Field{f.Key, string(appendWord(buf[:0], f.Value))})
		}
	}
	if s.Parent != nil {
		p, err := s.Parent.text()
		if err != nil {
			return nil, err
		}
		h = append(h, Field{headParent, p})
	}
	if !s.At.IsZero() {
		at, err := appendTime(nil, s.At)
		if err != nil {
			return nil, err
		}
		h = append(h, Field{headAt, string(at)})
	}
	if len(s.Tags) > 0 {
		tags := tagsText(s.Tags)
		if len(tags) > mostTags {
			return nil, fmt.Errorf("the tags have %d bytes as they are stored, at most %d are kept: they are for searching, give the rest as input", len(tags), mostTags)
		}
		h = append(h, Field{headTags, tags})
	}
	return withTrace(h, s.Trace), nil
}

func decodeStart(h *Head, body []byte) (Record, error) {
	w := words{rest: h.get(headStart)}
	s := &Start{Run: uint32(w.uint("run", 32)), Orchestrator: w.text("name", mostName), Input: body, Trace: readTrace(h)}
	if w.rest != "" {
		s.Born = time.UnixMilli(int64(w.uint("born", 63))).UTC()
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	for _, f := range [...]struct {
		key  string
		into *string
	}{{headVersion, &s.Version}, {headRoot, &s.Root}, {headNotify, &s.Notify}, {headClaim, &s.Claim}} {
		if v := h.get(f.key); v != "" {
			w := words{rest: v}
			*f.into = w.text(f.key, mostID)
			if err := w.end(); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if v := h.get(headParent); v != "" {
		s.Parent, err = parseParent(v)
	}
	if v := h.get(headAt); v != "" && err == nil {
		w := words{rest: v}
		s.At = w.time("at")
		err = w.end()
	}
	if v := h.get(headTags); v != "" && err == nil {
		s.Tags, err = parseTags(v)
	}
	if h.get(headPrior) != "" && err == nil {
		err = s.readPrior(body)
	}
	return s, err
}

func (p *Parent) text() (string, error) {
	if err := errors.Join(check("parent's group", p.Group, mostID), check("parent's id", p.ID, mostID)); err != nil {
		return "", err
	}
	b := append(p.AppendTo(nil), ' ')
	b = append(appendWord(b, p.Group), ' ')
	return string(appendWord(b, p.ID)), nil
}

func parseParent(text string) (*Parent, error) {
	w := words{rest: text}
	p := &Parent{Ref: w.ref()}
	p.Group = w.text("parent's group", mostID)
	p.ID = w.text("parent's id", mostID)
	return p, w.end()
}

// tagsText writes tags in the order of their keys, so that equal tags are equal text.
func tagsText(tags map[string]string) string {
	var b []byte
	for n, k := range slices.Sorted(maps.Keys(tags)) {
		if n > 0 {
			b = append(b, ' ')
		}
		b = append(appendText(b, k, "="), '=')
		b = appendText(b, tags[k], "")
	}
	return string(b)
}

func parseTags(text string) (map[string]string, error) {
	if len(text) > mostTags {
		return nil, fmt.Errorf("tags have %d bytes, more than %d", len(text), mostTags)
	}
	tags := map[string]string{}
	for word := range strings.SplitSeq(text, " ") {
		k, v, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("tag %q has no '='", bounded(word))
		}
		var err error
		if k, err = unescape(k); err != nil {
			return nil, fmt.Errorf("tag: %w", err)
		}
		if tags[k], err = unescape(v); err != nil {
			return nil, fmt.Errorf("tag: %w", err)
		}
	}
	return tags, nil
}

// text writes the fields that are set, in the words of the //durable: directives.
func (p *Policy) text() (string, error) {
	if p.Backoff != p.Backoff || p.Jitter != p.Jitter {
		return "", fmt.Errorf("policy: the factors are %v and %v, want numbers", p.Backoff, p.Jitter)
	}
	var b []byte
	duration := func(key string, d time.Duration) {
		if d != 0 {
			b = append(append(append(b, key...), d.String()...), ' ')
		}
	}
	factor := func(key string, f float64) {
		if f != 0 {
			b = append(strconv.AppendFloat(append(b, key...), f, 'g', -1, 64), ' ')
		}
	}
	duration("timeout=", p.Timeout)
	if p.Attempts != 0 {
		b = append(strconv.AppendInt(append(b, "attempts="...), int64(p.Attempts), 10), ' ')
	}
	duration("first=", p.First)
	factor("backoff=", p.Backoff)
	duration("max=", p.MaxInterval)
	factor("jitter=", p.Jitter)
	duration("deadline=", p.Deadline)
	duration("heartbeat=", p.Heartbeat)
	if len(b) == 0 {
		return "-", nil
	}
	return string(b[:len(b)-1]), nil
}

func parsePolicy(text string) (*Policy, error) {
	p := &Policy{}
	if text == "-" {
		return p, nil
	}
	for word := range strings.SplitSeq(text, " ") {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "timeout":
			p.Timeout, err = time.ParseDuration(value)
		case "attempts":
			p.Attempts, err = strconv.Atoi(value)
		case "first":
			p.First, err = time.ParseDuration(value)
		case "backoff":
			p.Backoff, err = parseFactor(value)
		case "max":
			p.MaxInterval, err = time.ParseDuration(value)
		case "jitter":
			p.Jitter, err = parseFactor(value)
		case "deadline":
			p.Deadline, err = time.ParseDuration(value)
		case "heartbeat":
			p.Heartbeat, err = time.ParseDuration(value)
		default:
			err = fmt.Errorf("unknown word")
		}
		if err != nil {
			return nil, fmt.Errorf("policy: %q: %w", bounded(word), err)
		}
	}
	return p, nil
}

func parseFactor(value string) (float64, error) {
	f, err := strconv.ParseFloat(value, 64)
	if err == nil && f != f {
		err = fmt.Errorf("not a number")
	}
	return f, err
}

// errorText writes text that may have spaces within; it is cut to mostError bytes.
func errorText(s string) string {
	if len(s) > mostError {
		s = s[:mostError]
		for len(s) > mostError-utf8.UTFMax && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
			s = s[:len(s)-1]
		}
	}
	b := make([]byte, 0, len(s)+8)
	for n, word := range strings.Split(s, " ") {
		if n > 0 {
			b = append(b, ' ')
		}
		b = appendText(b, word, "")
	}
	// A header's value is trimmed on its way: a space at its ends is escaped.
	if b[0] == ' ' {
		b = append([]byte("%20"), b[1:]...)
	}
	if b[len(b)-1] == ' ' {
		b = append(b[:len(b)-1], "%20"...)
	}
	return string(b)
}

func unescapeText(s string) (string, error) {
	if len(s) > 3*mostError {
		return "", fmt.Errorf("error text has %d bytes, more than %d", len(s), 3*mostError)
	}
	return unescape(s)
}
