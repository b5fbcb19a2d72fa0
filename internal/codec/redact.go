package codec

import "github.com/durablegen/durablegen/internal/history"

// redacted stands for what was left out.
const redacted = "redacted"

var redactedPayload = history.Payload(`"` + redacted + `"`)

// Redact leaves payloads and texts out of a history; what is null or empty stays so. The messages themselves are not changed.
func Redact(messages []history.Message) []history.Message {
	return (&pass{redacting: true}).messages(messages)
}

// redactFailure leaves the texts of a failure out, and what its errors carry.
func redactFailure(f *history.Failure) *history.Failure {
	if f == nil {
		return nil
	}
	r := &history.Failure{Message: redacted, Kind: f.Kind, Name: f.Name, Attempt: f.Attempt, Slots: f.Slots, Omitted: f.Omitted, After: f.After, Final: f.Final}
	for _, n := range f.Names {
		r.Names = append(r.Names, history.Named{Name: n.Name})
	}
	r.Cause = redactFailure(f.Cause)
	for _, cause := range f.Causes {
		r.Causes = append(r.Causes, redactFailure(cause))
	}
	return r
}
