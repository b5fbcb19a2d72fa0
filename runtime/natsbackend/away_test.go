package natsbackend

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// TestAStuckPayloadIsReadAgain: an object whose parts are being replaced is not there for a moment, and the object store says so
// with the time-out of a pipe. A message must not be dropped for that.
func TestAStuckPayloadIsReadAgain(t *testing.T) {
	t.Parallel()
	r, w := net.Pipe()
	defer w.Close()
	if err := r.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err := r.Read(make([]byte, 1))
	if err = fmt.Errorf("read an object: %w", err); !away(err) {
		t.Errorf("%v is taken for good", err)
	}
}
