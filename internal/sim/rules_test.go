package sim

import (
	"flag"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

var ablate = flag.Int("ablate", 0, "how many seeds may be tried until the lack of a rule shows; 0: of the quick ones only")

// enoughSeeds is how many seeds show the lack of a quick rule for sure; each showed within twenty-five.
const enoughSeeds = 400

// rule is one that the protocol needs, as far as anybody knows.
type rule struct {
	name  string
	says  string
	off   switches
	quick bool // its lack shows in a few worlds: every test run sees to it
}

var rules = []rule{
	{"H1 ReachDelivered", "a load reads up to what was delivered", switches{owner: owner.ReachDelivered}, false},
	{"H2 SettleBeforeEnd", "the outbox of all decisions comes before the end", switches{owner: owner.SettleBeforeEnd}, true},
	{"H3 OutboxBeforeEnd", "an ending turn records last", switches{owner: owner.OutboxBeforeEnd}, true},
	{"H4 ResendOutputs", "outputs to others are sent again", switches{owner: owner.ResendOutputs}, true},
	{"H5 OrderTargets", "outputs to one target go in order", switches{owner: owner.OrderTargets}, true},
	{"H6 DropSeen", "a repeated event or control changes nothing", switches{engine: engine.DropSeen}, true},
	{"H6 CarrySeen", "so after continue-as-new", switches{engine: engine.CarrySeen}, true},
	{"H7 TimerTokens", "a schedule names run and execution", switches{owner: owner.TimerTokens}, true},
	{"H8 BaseAt", "the inbox goes on after the base's cause", switches{owner: owner.BaseAt}, true},
	{"H9 EarlyHidden", "a load begins at the start", switches{store: func(f *membackend.Faults) { f.ShowEarly = true }}, true},
	{"H10 CheckRun", "a start of an archived run is dropped", switches{owner: owner.CheckRun}, true},
	{"H11 FinishClaims", "whoever meets a claim finishes it", switches{claims: true}, true},
	{"H12 ProjectForward", "a projection never goes back", switches{owner: owner.ProjectForward}, false},
	{"H13 ProjectArchived", "an archived end is projected again", switches{owner: owner.ProjectArchived}, true},
	{"H14 FenceArchive", "an archive entry is not replaced by an older one", switches{owner: owner.FenceArchive}, true},
	{"H15 TailFirst", "the log is read before the snapshot", switches{owner: owner.TailFirst}, false},
	{"H16 RearmFirst", "timers are armed again before the snapshot", switches{owner: owner.RearmFirst}, true},
	{"H17 NeedTasks", "the log keeps the tasks of open slots", switches{owner: owner.NeedTasks}, true},
	{"H18 FloorsFirst", "floors are read before the projection", switches{owner: owner.FloorsFirst}, false},
	{"H10 DoubtLate", "a late copy of a start is not new", switches{owner: owner.DoubtLate}, true},
	{"H10 DoubtPurged", "a purged child is not started again", switches{owner: owner.DoubtPurged}, false},
	{"I4 HonourFloors", "the log keeps what is not acknowledged", switches{owner: owner.HonourFloors}, true},
	{"I4 DoubtEnded", "who has ended refuses no event that it has", switches{owner: owner.DoubtEnded}, false},
	{"H10 DoubtUnknown", "a late start is begun if somebody knows of it", switches{owner: owner.DoubtUnknown}, true},
	{"ForgetExpired", "what has expired is not stored anew", switches{owner: owner.ForgetExpired}, false},
	{"DoubtGone", "what is gone is not written as if it lived", switches{owner: owner.DoubtGone}, false},
	{"ListAnew", "a late list of the projection is a whole one", switches{owner: owner.ListAnew}, false},
	{"KeepLate", "a rewind finds events behind the end", switches{owner: owner.KeepLate}, false},
	{"TellSettled", "what is settled is not sent again", switches{owner: owner.TellSettled}, false},
	{"H19 FenceFinal", "the first end of a run counts", switches{owner: owner.FenceFinal}, false},
	{"H20 MarkParked", "parking is marked, and taken up", switches{owner: owner.MarkParked}, true},
	{"H21 IgnoreEarly", "a timer that fires early is ignored", switches{engine: engine.IgnoreEarly}, false},
	{"H22 ApplyDelivered", "what the owner makes is applied on delivery", switches{owner: owner.ApplyDelivered}, true},
	{"H23 ArchiveByLeader", "the archive is read on the leader", switches{store: func(f *membackend.Faults) { f.LagArchives = 0.05 }}, false},
	{"H24 SettleTarget", "what a crash kept back goes first", switches{owner: owner.SettleTarget}, false},
	{"H26 RereadParked", "a mark is read before it is removed", switches{owner: owner.RereadParked}, true},
	{"H27 ReachEnd", "a load after a gap reads to the end", switches{owner: owner.ReachEnd}, false},
	{"HonourPurge", "a purged run is not projected again", switches{owner: owner.HonourPurge}, true},
	{"I2 CheckExecution", "a completion counts for its execution", switches{engine: engine.CheckExecution}, true},
	{"I4 AckAfterStore", "an ack follows what the message caused", switches{owner: owner.AckAfterStore}, true},
	{"I5 ContiguousOrder", "a gap in the deliveries drops the cache", switches{owner: owner.ContiguousOrder}, true},
	{"I5 FlushOnTake", "a change of owner drops the cache", switches{owner: owner.FlushOnTake}, false},
	{"I5 NakOnFlush", "a flush gives back what it held", switches{owner: owner.NakOnFlush}, false},
	{"I5 LoadsReach", "a load shows what was asked for", switches{store: func(f *membackend.Faults) { f.LagLoads = 0.05 }}, false},
	{"CarryOver", "events survive continue-as-new", switches{engine: engine.CarryOver}, true},
	{"StatesByLeader", "states are read on the leader", switches{store: func(f *membackend.Faults) { f.LagStates = 0.05 }}, false},
}

// find looks for a world that ends badly without the rule, and well with it.
func (r rule) find(first uint64, limit int) (s setup, f *failure, tried int) {
	for n := range limit {
		s := setup{seed: first + uint64(n), off: r.off}
		if _, f := simulate(s); f != nil {
			if _, always := simulate(setup{seed: s.seed}); always == nil {
				return s, f, n + 1
			}
		}
	}
	return setup{}, nil, limit
}

// TestEveryRuleIsNeeded: with a rule switched off, some world ends badly. With -ablate it tells after how many worlds, and
// how many mishaps of that world it takes.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	t.Logf("%-20s %-50s %6s %8s  %s", "without", "which says that", "worlds", "mishaps", "what happens")
	for _, r := range rules {
		if !strings.HasPrefix(r.name, *lacking) {
			continue
		}
		limit := *ablate
		if limit == 0 && r.quick {
			limit = enoughSeeds
		}
		s, f, tried := r.find(*first, limit)
		switch {
		case limit == 0:
		case f != nil && *ablate > 0:
			x := shrink(s, f, *runs)
			t.Logf("%-20s %-50s %6d %3d of %3d  %s", r.name, r.says, tried, len(x.keep), x.mishaps, f.kind)
		case f != nil:
			t.Logf("%-20s %-50s %6d %8s  %s", r.name, r.says, tried, "", f.kind)
		case r.quick:
			t.Errorf("%s: %d worlds end well without it", r.name, limit)
		default:
			t.Logf("%-20s %-50s %6s %8s  %d worlds end well", r.name, r.says, "", "", limit)
		}
	}
}

// TestShrinks: what is left of a world that ends badly is little, and still ends in the same way.
func TestShrinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"H3", "H6 DropSeen", "H8"} {
		r := ruleOf(name)
		s, f, _ := r.find(1, enoughSeeds)
		if f == nil {
			t.Errorf("%s: no world ends badly", r.name)
			continue
		}
		x := shrink(s, f, 300)
		x.name = r.name
		w, again := simulate(x.setup)
		if again == nil || again.kind != f.kind {
			t.Errorf("%s: what is left ends in %v, want %v", r.name, again, f)
			continue
		}
		told := x.Error()
		t.Log(told)
		if 5*len(w.mishaps) > x.mishaps || len(w.wanted) > instances/2 || !strings.Contains(told, "→ "+f.id) || !strings.Contains(told, x.command()) {
			t.Errorf("%s: %d of %d mishaps and %d of %d instances are left, want few, and all of it told", r.name, len(w.mishaps), x.mishaps, len(w.wanted), instances)
		}
	}
}

// ruleOf finds a rule by the beginning of its name.
func ruleOf(name string) *rule {
	for n := range rules {
		if strings.HasPrefix(rules[n].name, name) {
			return &rules[n]
		}
	}
	return nil
}
