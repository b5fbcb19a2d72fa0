package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// inspect judges what serves the hub, and what waits for workers.
func (e *examination) inspect(u backend.Usage, queues []backend.Queue) []Finding {
	return slices.Concat(clocks(u), limits(u), replicas(u), e.inboxes(queues), e.tasks(queues), e.parkedFindings())
}

const (
	skewNoticed = 5 * time.Second // what the clocks may differ by
	skewBad     = backend.LateStart
)

func clocks(u backend.Usage) []Finding {
	skew := max(u.Skew, -u.Skew)
	if skew < skewNoticed {
		return nil
	}
	f := Finding{Kind: Skewed, Severity: Warning, Cure: "synchronise both machines, with chrony or ntpd"}
	if skew >= skewBad {
		f.Severity = Error
	}
	f.What = fmt.Sprintf("the clock of this machine is %v ahead of the server's", skew.Round(time.Millisecond))
	if u.Skew < 0 {
		f.What = fmt.Sprintf("the clock of this machine is %v behind the server's", skew.Round(time.Millisecond))
	}
	return []Finding{f}
}

// limits finds those of which more than so many percent are used.
func limits(u backend.Usage) (found []Finding) {
	const noticed, bad = 80, 95
	for _, l := range u.Limits {
		if l.Most <= 0 || l.Used*100 < l.Most*noticed {
			continue
		}
		f := Finding{
			Kind: Full, Severity: Warning, What: fmt.Sprintf("%s: %d of %d are used", l.Name, l.Used, l.Most),
			Cure: "raise the limit in the server's configuration or the account; `durable stats` tells what takes the room, and `durable purge` makes some",
		}
		if l.Used*100 >= l.Most*bad {
			f.Severity = Error
		}
		found = append(found, f)
	}
	return found
}

func replicas(u backend.Usage) (found []Finding) {
	for _, s := range u.Stores {
		if len(s.Behind) > 0 {
			found = append(found, Finding{
				Kind: Lagging, Severity: Warning, What: fmt.Sprintf("the stream %s has %d replicas, and those on %s are not current", s.Name, s.Replicas, strings.Join(s.Behind, ", ")),
				Cure: "wait a moment, then restart those servers, one at a time; `nats stream report` shows when they are current",
			})
		}
	}
	return found
}

// group is what the inboxes of a group tell.
type group struct {
	partitions, unserved int
	waiting              uint64        // messages, in those partitions that nobody serves
	oldest               backend.Queue // of them
	slow                 []backend.Queue
}

// inboxes finds groups whose instances do not go on.
func (e *examination) inboxes(queues []backend.Queue) (found []Finding) {
	groups := map[string]*group{}
	for _, q := range queues {
		if q.Activity != "" {
			continue
		}
		g := groups[q.Group]
		if g == nil {
			g = &group{}
			groups[q.Group] = g
		}
		g.partitions++
		switch {
		case !q.Served:
			g.unserved++
			g.waiting += q.Pending + uint64(q.Open)
			if q.Waits() && (g.oldest.Oldest.IsZero() || q.Oldest.Before(g.oldest.Oldest)) {
				g.oldest = q
			}
		case q.Open > 0 && e.old(q):
			g.slow = append(g.slow, q)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		found = append(found, e.ofGroup(name, groups[name])...)
	}
	return found
}

func (e *examination) ofGroup(name string, g *group) (found []Finding) {
	start := fmt.Sprintf("start a worker that registers the orchestrators of group %q; `durable workers` lists those that run", name)
	switch live := e.live[name]; {
	case g.waiting > 0 && e.old(g.oldest):
		found = append(found, Finding{
			Kind: Unserved, Severity: Error, Group: name, ID: g.oldest.OldestID, Cure: start,
			What: fmt.Sprintf("no worker serves %d of the %d partitions of group %q: messages wait there (%d), the oldest for %v", g.unserved, g.partitions, name, g.waiting, e.age(g.oldest)),
		})
	case g.unserved == g.partitions && live > 0:
		found = append(found, Finding{
			Kind: Unserved, Severity: Warning, Group: name, Cure: start,
			What: fmt.Sprintf("group %q has live instances (%d) and no worker", name, live),
		})
	}
	for _, q := range g.slow {
		found = append(found, Finding{
			Kind: Stuck, Severity: Error, Group: name, ID: q.OldestID,
			What: fmt.Sprintf("the worker that owns partition %d of group %q has not finished with a message of %v ago", q.Partition, name, e.age(q)),
			Cure: "look into the log of that worker, which `durable workers` names, and restart it",
		})
	}
	return found
}

// tasks finds activities that do not run, or whose workers die. One that merely runs for long is in order.
func (e *examination) tasks(queues []backend.Queue) (found []Finding) {
	for _, q := range queues {
		switch {
		case q.Activity == "" || !q.Waits() || !e.old(q):
		case !q.Served && e.ended(q.OldestID): // its tasks are still in the log
		case !q.Served:
			found = append(found, Finding{
				Kind: Unserved, Severity: Error, ID: q.OldestID,
				What: fmt.Sprintf("no worker serves the activity %s: tasks wait (%d), the oldest for %v", q.Activity, q.Pending, e.age(q)),
				Cure: "start a worker that registers it; `durable workers` lists those that run",
			})
		case q.Repeated > 0:
			found = append(found, Finding{
				Kind: Stuck, Severity: Warning, ID: q.OldestID,
				What: fmt.Sprintf("tasks of the activity %s have been delivered more than once (%d): their workers have died, or were silent", q.Activity, q.Repeated),
				Cure: "look into the logs of the workers, which `durable workers` names; a task that kills its workers fails after 10 deliveries",
			})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return cmp.Compare(a.What, b.What) })
	return found
}

// ended reports whether an instance is shown as over.
func (e *examination) ended(id string) bool { return e.seen[id] != nil && e.seen[id].final }

func (e *examination) age(q backend.Queue) time.Duration {
	return e.hub.Clock().Now().Sub(q.Oldest).Round(time.Second)
}

func (e *examination) old(q backend.Queue) bool {
	return !q.Oldest.IsZero() && e.hub.Clock().Now().Sub(q.Oldest) >= e.cfg.Silence
}

// parked is what parked instances have in common.
type parked struct{ group, name, version, why string }

type parkedOnes struct {
	count int
	first string // id of one
}

// count takes a state into account.
func (e *examination) count(s backend.State) {
	if s.Status.Final() {
		return
	}
	e.live[s.Group]++
	if s.Parked == "" {
		return
	}
	of := parked{s.Group, s.Name, s.Version, s.Parked}
	if e.parked[of] == nil {
		e.parked[of] = &parkedOnes{first: s.ID}
	}
	e.parked[of].count++
}

func (e *examination) parkedFindings() (found []Finding) {
	for of, ones := range e.parked {
		name := of.name
		if of.version != "" {
			name += " version " + of.version
		}
		found = append(found, Finding{
			Kind: Parked, Severity: Error, Group: of.group, ID: ones.first,
			What: fmt.Sprintf("instances of %s are parked (%d): %s", name, ones.count, of.why),
			Cure: "deploy a worker whose code fits, and they go on by themselves; or `durable terminate` them",
		})
	}
	slices.SortFunc(found, func(a, b Finding) int { return cmp.Compare(a.What, b.What) })
	return found
}
