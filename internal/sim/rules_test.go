package sim

import (
	"flag"
	"testing"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/owner"
)

var ablate = flag.Int("ablate", 0, "how many seeds may be tried until the lack of a rule shows; 0: of the quick ones only")

// enough is how many seeds show the lack of a quick rule for sure; each showed within fifteen, several times over.
const enough = 400

// rules are those of the protocol whose lack a random world shows; the quick ones in every run.
var rules = []struct {
	name  string
	off   switches
	quick bool
}{
	{"H1 ReachDelivered", switches{owner: owner.ReachDelivered}, false},
	{"H2 SettleBeforeEnd", switches{owner: owner.SettleBeforeEnd}, false},
	{"H3 OutboxBeforeEnd", switches{owner: owner.OutboxBeforeEnd}, true},
	{"H4 ResendOutputs", switches{owner: owner.ResendOutputs}, true},
	{"H5 OrderTargets", switches{owner: owner.OrderTargets}, true},
	{"H6 DropSeen", switches{engine: engine.DropSeen}, false},
	{"H7 TimerTokens", switches{owner: owner.TimerTokens}, true},
	{"H8 BaseAt", switches{owner: owner.BaseAt}, false},
	{"H10 CheckRun", switches{owner: owner.CheckRun}, true},
	{"H12 ProjectForward", switches{owner: owner.ProjectForward}, true},
	{"H13 ProjectArchived", switches{owner: owner.ProjectArchived}, true},
	{"H14 FenceArchive", switches{owner: owner.FenceArchive}, false},
	{"H19 FenceFinal", switches{owner: owner.FenceFinal}, false},
	{"H20 MarkParked", switches{owner: owner.MarkParked}, true},
	{"H21 IgnoreEarly", switches{engine: engine.IgnoreEarly}, false},
	{"H24 SettleTarget", switches{owner: owner.SettleTarget}, false},
	{"H26 RereadParked", switches{owner: owner.RereadParked}, true},
	{"HonourPurge", switches{owner: owner.HonourPurge}, false},
	{"I4 AckAfterStore", switches{owner: owner.AckAfterStore}, true},
	{"I5 ContiguousOrder", switches{owner: owner.ContiguousOrder}, false},
	{"I5 NakOnFlush", switches{owner: owner.NakOnFlush}, false},
}

// TestEveryRuleIsNeeded: with a rule switched off, some world ends badly.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		limit := *ablate
		if limit == 0 && r.quick {
			limit = enough
		}
		found := false
		for n := 0; n < limit && !found; n++ {
			if err := newWorld(*first+uint64(n), r.off).simulate(); err != nil {
				found = true
				t.Logf("%s: after %d seeds: %.100s", r.name, n+1, err.Error())
			}
		}
		switch {
		case found || limit == 0:
		case r.quick:
			t.Errorf("%s: %d worlds end well without it", r.name, limit)
		default:
			t.Logf("%s: %d worlds end well without it", r.name, limit)
		}
	}
}
