package sim

import (
	"flag"
	"fmt"
	"testing"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/owner"
)

var ablate = flag.Int("ablate", 60, "how many seeds may be tried until the lack of a rule shows")

// rules are those of the protocol whose lack a random world shows.
var rules = []struct {
	name string
	off  switches
}{
	{"H1 ReachDelivered", switches{owner: owner.ReachDelivered}},
	{"H2 SettleBeforeEnd", switches{owner: owner.SettleBeforeEnd}},
	{"H3 OutboxBeforeEnd", switches{owner: owner.OutboxBeforeEnd}},
	{"H4 ResendOutputs", switches{owner: owner.ResendOutputs}},
	{"H5 OrderTargets", switches{owner: owner.OrderTargets}},
	{"H6 DropSeen", switches{engine: engine.DropSeen}},
	{"H7 TimerTokens", switches{owner: owner.TimerTokens}},
	{"H8 BaseAt", switches{owner: owner.BaseAt}},
	{"H10 CheckRun", switches{owner: owner.CheckRun}},
	{"H12 ProjectForward", switches{owner: owner.ProjectForward}},
	{"H13 ProjectArchived", switches{owner: owner.ProjectArchived}},
	{"H14 FenceArchive", switches{owner: owner.FenceArchive}},
	{"H19 FenceFinal", switches{owner: owner.FenceFinal}},
	{"H20 MarkParked", switches{owner: owner.MarkParked}},
	{"H21 IgnoreEarly", switches{engine: engine.IgnoreEarly}},
	{"H24 SettleTarget", switches{owner: owner.SettleTarget}},
	{"H26 RereadParked", switches{owner: owner.RereadParked}},
	{"I4 AckAfterStore", switches{owner: owner.AckAfterStore}},
	{"I5 ContiguousOrder", switches{owner: owner.ContiguousOrder}},
	{"I5 NakOnFlush", switches{owner: owner.NakOnFlush}},
}

func TestAblate(t *testing.T) {
	for _, r := range rules {
		found := "not found"
		for n := range *ablate {
			if err := newWorld(*first+uint64(n), r.off).simulate(); err != nil {
				text := err.Error()
				if len(text) > 100 {
					text = text[:100]
				}
				found = fmt.Sprintf("after %d seeds: %.100s", n+1, text)
				break
			}
		}
		t.Logf("%s: %s", r.name, found)
	}
}
