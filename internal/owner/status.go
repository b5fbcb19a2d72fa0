package owner

import (
	"sync/atomic"
	"time"

	"github.com/durablegen/durablegen/runtime/observe"
)

// loop is what a group does again and again.
type loop struct {
	name  string
	every time.Duration
	reads bool
	ran   atomic.Int64 // when its last round ended, in nanoseconds of Unix time
}

// Status tells how the group is now. It waits for nothing that a program could hold up.
func (g *Group) Status() observe.GroupStatus {
	s := observe.GroupStatus{Group: g.cfg.Group, Resigned: g.members.resigned(), Partitions: len(g.Owned())}
	for _, p := range g.partitions {
		s.Instances += int(p.cached.Load())
	}
	for _, l := range g.loops {
		s.Loops = append(s.Loops, observe.LoopStatus{Name: l.name, Every: l.every, Ran: time.Unix(0, l.ran.Load()), Reads: l.reads})
	}
	return s
}
