package holes

import (
	"testing"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/owner"
)

// hole is a scenario and the rule that it needs. play ends well, or tells what went wrong.
type hole struct {
	name  string
	rule  owner.Repair
	rules engine.Rule
	off   func(w *world) // for a rule that is a promise of the backend: breaks it
	play  func(w *world) error
	hours bool // it takes virtual time
}

var holes = []hole{
	{name: "H1 a load that contains its trigger can still miss the middle", rule: owner.ReachDelivered, play: h1},
	{name: "H2 redelivery out of order loses the outbox of an earlier message", rule: owner.SettleBeforeEnd, play: h2},
	{name: "H3 record first is wrong for the ending turn", rule: owner.OutboxBeforeEnd, play: h3},
	{name: "H4 a load cannot see other instances' subjects", rule: owner.ResendOutputs, play: h4},
	{name: "H5 a pipelined outbox reorders", rule: owner.OrderTargets, play: h5},
	{name: "H6 nothing dedupes events", rules: engine.DropSeen, play: h6},
	{name: "H7 a timer's token is reused by the next execution", rule: owner.TimerTokens, play: h7},
	{name: "H8 the base of ContinueAsNew is an inbox position", rule: owner.BaseAt, play: h8},
	{name: "H9 history begins at the start", off: func(w *world) { w.early = true }, play: h9},
	{name: "H10 a start whose run has ended is dropped", rule: owner.CheckRun, play: h10},
	{name: "H11 a claim without a start is finished by whoever meets it", off: func(w *world) { w.bareClaim = true }, play: h11},
	{name: "H12 a zombie's projection goes back in time", rule: owner.ProjectForward, play: h12},
	{name: "H13 crash between archive and projection", rule: owner.ProjectArchived, play: h13},
	{name: "H14 a zombie's archive overwrites a newer one", rule: owner.FenceArchive, play: h14},
	{name: "H10 a start that was decided long ago is not taken for new", rule: owner.DoubtLate, play: lateStart},
	{name: "H14 a zombie's snapshot overwrites a newer one", rule: owner.FenceArchive, play: h14snapshot},
	{name: "H15 snapshot and tail are two reads", rule: owner.TailFirst, play: h15},
	{name: "H16 timers are armed again before the snapshot", rule: owner.RearmFirst, play: h16, hours: true},
	{name: "H17 the log keeps the tasks of open slots", rule: owner.NeedTasks, play: h17},
	{name: "H18 floors are read before the projection", rule: owner.FloorsFirst, play: h18},
	{name: "H19 terminate without the code is not a function of the inbox", rule: owner.FenceFinal, play: h19},
	{name: "H20 a parked instance is taken up", rule: owner.MarkParked, play: h20},
	{name: "H21 the owner's timer is early by the log's clock", rules: engine.IgnoreEarly, play: h21},
	{name: "H22 a local result comes back through the log", rule: owner.ApplyDelivered, play: h22},
	{name: "H23 nothing found is believed from the leader only", off: func(w *world) { w.blind = true }, play: h23},
	{name: "H24 an output overtakes the one that a crash kept back", rule: owner.SettleTarget, play: h24},
	{name: "H25 an output without a record overtakes one that waits for its record", rule: owner.SettleTarget, play: h25},
	{name: "a zombie's projection lands after a purge", rule: owner.HonourPurge, play: purge},
	{name: "I4 a delivery is refused by who has got it and ended", rule: owner.DoubtEnded, play: delivered},
	{name: "I4 an ack before the store", rule: owner.AckAfterStore, play: ackAfterStore},
	{name: "I5 a gap in the deliveries", rule: owner.ContiguousOrder, play: gap},
	{name: "I5 a flush gives back what it held", rule: owner.NakOnFlush, play: giveBack},
}

func TestHoles(t *testing.T) {
	t.Parallel()
	for _, h := range holes {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if err := h.play(inMemory(t)); err != nil {
				t.Errorf("with all rules: %v", err)
			}
			w := inMemory(t)
			w.without, w.rules = h.rule, h.rules
			if h.off != nil {
				h.off(w)
			}
			if err := h.play(w); err == nil {
				t.Errorf("without its rule it ends just as well")
			} else {
				t.Logf("without its rule: %v", err)
			}
		})
	}
}

// TestHolesOnJetStream plays the scenarios that need no look into the store, with all rules in force.
func TestHolesOnJetStream(t *testing.T) {
	t.Parallel()
	for _, h := range holes {
		if h.hours {
			continue
		}
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if err := h.play(onJetStream(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBlindEndOfALaterExecution: what a worker without the code ends has ended for those with the code too.
func TestBlindEndOfALaterExecution(t *testing.T) {
	t.Parallel()
	if err := blindEnd(inMemory(t)); err != nil {
		t.Error(err)
	}
}

// TestParkedBeforeItIsProjected: it is told, and taken up.
func TestParkedBeforeItIsProjected(t *testing.T) {
	t.Parallel()
	for where, begin := range map[string]func(*testing.T) *world{"memory": inMemory, "JetStream": onJetStream} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			if err := parkedUnprojected(begin(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTheLogIsShortened past what has ended and what waits, and nothing is lost by it. What is parked holds it.
func TestTheLogIsShortened(t *testing.T) {
	t.Parallel()
	for where, begin := range map[string]func(*testing.T) *world{"memory": inMemory, "JetStream": onJetStream} {
		for what, play := range map[string]func(*world) error{"what waits": shortened, "what is parked": parkedHolds} {
			t.Run(what+", "+where, func(t *testing.T) {
				t.Parallel()
				if err := play(begin(t)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
