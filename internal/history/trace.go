package history

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
