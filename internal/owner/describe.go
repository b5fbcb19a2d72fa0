package owner

import (
	"fmt"
	"strings"
)

// String tells what this worker holds of the group, for people who look for what does not go on.
func (g *Group) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "worker %s of group %s owns %v\n", g.cfg.Worker, g.cfg.Group, g.Owned())
	for _, p := range g.partitions {
		p.mu.Lock()
		fmt.Fprintf(&b, "partition %d: owned %t, fenced %t, order %d, delivered %d, horizon %d, calls %d, dirty %d\n", p.number, p.owned, p.fenced, p.order, p.delivered, p.horizon, p.open, len(p.dirty))
		for e := p.recent.Front(); e != nil; e = e.Next() {
			fmt.Fprintln(&b, " ", e.Value.(*instance))
		}
		p.mu.Unlock()
	}
	return b.String()
}

func (i *instance) String() string {
	causes := make([]string, 0, len(i.causes))
	for _, c := range i.causes {
		causes = append(causes, fmt.Sprintf("%d(%d,%t)", c.seq, c.open, c.receipt != nil))
	}
	return fmt.Sprintf("%s: %s, run %d, applied %d, projected %d, projecting %t, queue %d, causes %v, commits %d, recording %t, open %d, local %d, unknown %d, fence %d",
		i.addr.ID, [...]string{"loading", "live", "ending", "ended", "parked"}[i.phase], i.run, i.applied, i.projected, i.projecting, len(i.queue), causes, len(i.commits), i.recording, i.open, len(i.locals), len(i.unknown), i.fence)
}
