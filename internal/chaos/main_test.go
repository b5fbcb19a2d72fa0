// Package chaos_test kills, freezes, cuts off and locks out the parts of a running hub, on real processes and real
// servers, and counts afterwards: every effect, every record, every end.
//
// The tests of package sim try many more orders of events, with a clock of their own; these show that the parts are
// wired to what really happens. Times are logged, never judged.
package chaos_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/chaos/harness"
	durable "github.com/durablegen/durablegen/runtime"
)

var seed = flag.Uint64("seed", 1, "decides who is killed and when")

// patience bounds every wait of a test. Reaching it is a failure, never a measure.
const patience = 100 * time.Second

func TestMain(m *testing.M) {
	harness.Main()
	os.Exit(m.Run())
}

// quick makes a worker whose death is noticed fast.
var quick = durable.WorkerConfig{Heartbeat: 100 * time.Millisecond, Dead: 500 * time.Millisecond}
