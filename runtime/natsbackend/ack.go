package natsbackend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// Error codes of the JetStream API that mean something to us.
const (
	codeWrongLastSequence = 10071
	codeInFlight          = 10164 // another message for the fenced subject has been proposed and is not decided (several replicas)
	codeTooLarge          = 10054
	codeTooManyRequests   = 10167
	codeNoMessage         = 10037
	codeNoConsumer        = 10014
	codeNoStream          = 10059
)

// apiError is the error part of a JetStream answer.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.ErrCode) }

// temporary reports an error that passes by itself: no leader, no resources now.
func (e *apiError) temporary() bool { return e.Code == 503 || e.ErrCode == codeTooManyRequests }

var (
	seqField   = []byte(`"seq":`)
	errorField = []byte(`"error":`)
)

// parseAck reads the answer to a publish. again: nothing was stored and the same message may be stored later.
func parseAck(answer []byte, subject string) (seq uint64, err error, again bool) {
	if i := bytes.Index(answer, seqField); i >= 0 && !bytes.Contains(answer, errorField) {
		digits := bytes.TrimLeft(answer[i+len(seqField):], " ")
		for _, d := range digits {
			if d < '0' || d > '9' {
				break
			}
			seq = seq*10 + uint64(d-'0')
		}
		if seq > 0 {
			return seq, nil, false
		}
	}
	var a struct {
		Seq   uint64    `json:"seq"`
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.Error == nil && a.Seq == 0 {
		return 0, fmt.Errorf("natsbackend: store %s: the answer %.100q is not JetStream's: another service listens on this subject", subject, answer), false
	}
	if a.Error == nil {
		return a.Seq, nil, false
	}
	err = fmt.Errorf("natsbackend: store %s: %w", subject, a.Error)
	switch {
	case a.Error.ErrCode == codeInFlight:
		// What is proposed may be our own earlier try, and may never be stored: its leader may be deposed. Whoever took
		// this for a conflict would believe in a record that does not exist.
		return 0, err, true
	case a.Error.ErrCode == codeWrongLastSequence:
		return 0, fmt.Errorf("%w: %w", backend.ErrConflict, err), false
	case a.Error.ErrCode == codeTooLarge:
		return 0, fmt.Errorf("%w: %w", backend.ErrTooLarge, err), false
	}
	return 0, err, a.Error.temporary()
}

// delivered is what the reply subject of a delivery says.
type delivered struct {
	attempts int
	stream   uint64 // sequence in the stream
	order    uint64 // sequence in the consumer
	time     time.Time
}

// parseDelivery reads $JS.ACK.<stream>.<consumer>.<attempts>.<stream seq>.<consumer seq>.<time>.<pending>, or its newer
// form with <domain>.<account> after ACK and possibly more at the end.
func parseDelivery(reply string) (d delivered, ok bool) {
	const short, long, skip = 9, 11, 4
	first := skip
	switch n := strings.Count(reply, ".") + 1; {
	case n >= long:
		first += 2
	case n != short:
		return d, false
	}
	if !strings.HasPrefix(reply, "$JS.ACK.") {
		return d, false
	}
	for range first {
		_, reply, _ = strings.Cut(reply, ".")
	}
	var words [4]uint64
	for i := range words {
		var word string
		word, reply, _ = strings.Cut(reply, ".")
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return d, false
		}
		words[i] = n
	}
	return delivered{attempts: int(words[0]), stream: words[1], order: words[2], time: time.Unix(0, int64(words[3])).UTC()}, true
}
