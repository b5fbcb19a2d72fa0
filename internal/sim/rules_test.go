package sim

import (
	"flag"
	"testing"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

var ablate = flag.Int("ablate", 0, "how many seeds may be tried until the lack of a rule shows; 0: of the quick ones only")

// enoughSeeds is how many seeds show the lack of a quick rule for sure; each showed within fifteen, several times over.
const enoughSeeds = 400

// rule is one that the protocol needs, as far as anybody knows.
type rule struct {
	name  string
	off   switches
	quick bool // its lack shows in a few worlds: every test run sees to it
}

var rules = []rule{
	{"H1 ReachDelivered", switches{owner: owner.ReachDelivered}, false},
	{"H2 SettleBeforeEnd", switches{owner: owner.SettleBeforeEnd}, false},
	{"H3 OutboxBeforeEnd", switches{owner: owner.OutboxBeforeEnd}, true},
	{"H4 ResendOutputs", switches{owner: owner.ResendOutputs}, true},
	{"H5 OrderTargets", switches{owner: owner.OrderTargets}, true},
	{"H6 DropSeen", switches{engine: engine.DropSeen}, false},
	{"H6 CarrySeen", switches{engine: engine.CarrySeen}, false},
	{"H7 TimerTokens", switches{owner: owner.TimerTokens}, true},
	{"H8 BaseAt", switches{owner: owner.BaseAt}, false},
	{"H9 history begins at the start", switches{store: func(f *membackend.Faults) { f.ShowEarly = true }}, false},
	{"H10 CheckRun", switches{owner: owner.CheckRun}, true},
	{"H11 claims are finished", switches{claims: true}, false},
	{"H12 ProjectForward", switches{owner: owner.ProjectForward}, true},
	{"H13 ProjectArchived", switches{owner: owner.ProjectArchived}, true},
	{"H14 FenceArchive", switches{owner: owner.FenceArchive}, false},
	{"H19 FenceFinal", switches{owner: owner.FenceFinal}, false},
	{"H20 MarkParked", switches{owner: owner.MarkParked}, true},
	{"H21 IgnoreEarly", switches{engine: engine.IgnoreEarly}, false},
	{"H22 ApplyDelivered", switches{owner: owner.ApplyDelivered}, false},
	{"H23 the archive is read on the leader", switches{store: func(f *membackend.Faults) { f.LagArchives = 0.05 }}, false},
	{"H24 SettleTarget", switches{owner: owner.SettleTarget}, false},
	{"H26 RereadParked", switches{owner: owner.RereadParked}, true},
	{"H27 ReachEnd", switches{owner: owner.ReachEnd}, false},
	{"HonourPurge", switches{owner: owner.HonourPurge}, false},
	{"I2 CheckExecution", switches{engine: engine.CheckExecution}, false},
	{"I4 AckAfterStore", switches{owner: owner.AckAfterStore}, true},
	{"I5 ContiguousOrder", switches{owner: owner.ContiguousOrder}, false},
	{"I5 FlushOnTake", switches{owner: owner.FlushOnTake}, false},
	{"I5 NakOnFlush", switches{owner: owner.NakOnFlush}, false},
	{"I5 a load reaches what was asked for", switches{store: func(f *membackend.Faults) { f.LagLoads = 0.05 }}, false},
	{"CarryOver", switches{engine: engine.CarryOver}, false},
	{"states are read on the leader", switches{store: func(f *membackend.Faults) { f.LagStates = 0.05 }}, false},
}

// find looks for a world that ends badly without the rule.
func (r rule) find(first uint64, limit int) (s setup, f *failure, tried int) {
	for n := range limit {
		s := setup{seed: first + uint64(n), off: r.off}
		if _, f := simulate(s); f != nil {
			return s, f, n + 1
		}
	}
	return setup{}, nil, limit
}

// TestEveryRuleIsNeeded: with a rule switched off, some world ends badly.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		limit := *ablate
		if limit == 0 && r.quick {
			limit = enoughSeeds
		}
		s, f, tried := r.find(*first, limit)
		switch {
		case limit == 0:
		case f != nil:
			x := shrink(s, f, *runs)
			w, _ := simulate(x.setup)
			t.Logf("%-40s %5d seeds, %d of %d mishaps, %s", r.name, tried, len(w.mishaps), x.mishaps, f.kind)
		case r.quick:
			t.Errorf("%s: %d worlds end well without it", r.name, limit)
		default:
			t.Logf("%-40s %5d seeds: all end well", r.name, limit)
		}
	}
}
