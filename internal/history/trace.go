package history

import "strings"

// What a W3C context may come to here: the limits of its recommendations. A tracestate has 32 members in 512 bytes, baggage
// 64 in 8,192.
const (
	mostStateMembers, mostState     = 32, 512
	mostBaggageMembers, mostBaggage = 64, 8192
)

// validTrace reports whether s is a trace context as the W3C writes it (traceparent, version 00). Anybody may have written
// one, and nothing depends on it: what is not is left out, never an error.
func validTrace(s string) bool {
	const traceAt, spanAt, flagsAt, end = 3, 36, 53, 55
	return len(s) == end && s[:traceAt] == "00-" && s[spanAt-1] == '-' && s[flagsAt-1] == '-' &&
		hexID(s[traceAt:spanAt-1]) && hexID(s[spanAt:flagsAt-1]) && lowerHex(s[flagsAt:])
}

// hexID reports whether s is a number in lower-case hexadecimal that is not zero.
func hexID(s string) bool {
	zero := true
	for i := range len(s) {
		zero = zero && s[i] == '0'
	}
	return !zero && lowerHex(s)
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// withTrace adds the header of a trace context, if it is one.
func withTrace(h []Field, trace string) []Field {
	if trace == "" || !validTrace(trace) {
		return h
	}
	return append(h, Field{headTrace, trace})
}

func readTrace(h *Head) string {
	if s := h.get(headTrace); validTrace(s) {
		return s
	}
	return ""
}

// withContext adds the headers of a trace context, of its tracestate, and of baggage.
func withContext(h []Field, trace, state, baggage string) []Field {
	n := len(h)
	h = withTrace(h, trace)
	if state = members(state, mostStateMembers, mostState); state != "" && len(h) > n { // a tracestate alone says nothing
		h = append(h, Field{headState, state})
	}
	if baggage = members(baggage, mostBaggageMembers, mostBaggage); baggage != "" {
		h = append(h, Field{headBaggage, baggage})
	}
	return h
}

func readContext(h *Head) (trace, state, baggage string) {
	if trace = readTrace(h); trace != "" {
		state = members(h.get(headState), mostStateMembers, mostState)
	}
	return trace, state, members(h.get(headBaggage), mostBaggageMembers, mostBaggage)
}

// members gives the members of a list, key=value with commas between, as far as the limits allow: both recommendations say
// that whole members are dropped, from the end. What is no such list is left out, as [validTrace] says.
func members(list string, most, mostBytes int) string {
	if list == "" {
		return ""
	}
	kept := make([]string, 0, 8)
	size := -1 // no comma before the first
	for m := range strings.SplitSeq(list, ",") {
		m = strings.Trim(m, " \t")
		if m == "" {
			continue
		}
		if !isMember(m) {
			return ""
		}
		if size += len(m) + 1; len(kept) == most || size > mostBytes {
			break
		}
		kept = append(kept, m)
	}
	return strings.Join(kept, ",")
}

// isMember reports whether s is a key and a value in printable ASCII; what may stand in which is for those who read it.
func isMember(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return strings.IndexByte(s, '=') > 0
}
