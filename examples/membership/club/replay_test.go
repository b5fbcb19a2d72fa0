package club

import (
	"flag"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

var update = flag.Bool("update", false, "save the histories in testdata anew")

// TestReplayJoin: the present code can go on with what an older version began. When it fails after a change, instances
// that run when it is deployed would be parked.
func TestReplayJoin(t *testing.T) {
	t.Parallel()
	const path = "testdata/join.json"
	if *update {
		env := durabletest.New(t)
		w, a := newTown(t, env), good()
		w.answers(t, a, day/24)
		w.rules(t, a, 5*day/2, BoardRuling{Approve: true})
		_, err := w.join(t, a)
		must(t, err)
		env.SaveHistory(string(JoinID(a.ID)), path)
	}
	durabletest.Replay(t, path, JoinOrchestrator.Bind(Join))
}

// TestReplayHistories replays every history that is kept, such as those that durablegen check -export has saved.
func TestReplayHistories(t *testing.T) {
	t.Parallel()
	var code durable.Registry
	must(t, RegisterDurable(&code, DurableReceivers{Notifier: &Notifier{}, Secretary: &Secretary{}, Treasurer: &Treasurer{}}))
	durabletest.ReplayDir(t, "testdata", &code)
}
