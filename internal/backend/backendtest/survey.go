package backendtest

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

var surveys = []promise{
	{"queues of activities tell what waits, is open, and was repeated", surveyTasks},
	{"tasks that nobody has ever served are a queue, too", surveyUnknown},
	{"queues of partitions tell whether anybody takes from them", surveyInboxes},
	{"timers are listed until they have fired or are cancelled", surveyTimers},
	{"usage measures every store", surveyUsage},
}

// queueIs waits until a queue is as wanted, as far as fits looks: acknowledgements have no answer.
func (c *client) queueIs(which func(q backend.Queue) bool, what string, fits func(q backend.Queue) bool) {
	c.t.Helper()
	end := within(c.t)
	for {
		queues, err := c.Queues(end)
		if err != nil {
			c.t.Fatalf("%s: %v", what, err)
		}
		n := slices.IndexFunc(queues, which)
		if n >= 0 && fits(queues[n]) {
			return
		}
		if end.Err() != nil || n < 0 {
			c.t.Fatalf("%s: not among %+v", what, queues)
		}
	}
}

func surveyTasks(t *testing.T, h Hub) {
	c := connect(t, h)
	if err := c.EnsureActivity(within(t), backend.Activity{Name: charge, Concurrency: 7}); err != nil {
		t.Fatal(err)
	}
	ours := func(q backend.Queue) bool { return q.Activity == charge && q.Group == "" }
	c.queueIs(ours, "an empty queue without a worker", func(q backend.Queue) bool {
		return q.Limit == 7 && !q.Waits() && !q.Served && q.Oldest.IsZero() && q.OldestID == ""
	})
	before := c.Clock().Now().Add(-time.Minute)
	c.putTasks(3)
	c.queueIs(ours, "three tasks without a worker", func(q backend.Queue) bool {
		return q.Pending == 3 && q.Open == 0 && !q.Served && q.OldestID == anna.ID && q.Oldest.After(before)
	})
	worker := c.tasks(charge, backend.Activity{Name: charge, Concurrency: 7})
	worker.Grant(2)
	first, second := worker.next(), worker.next()
	c.queueIs(ours, "two of them delivered", func(q backend.Queue) bool {
		return q.Pending == 1 && q.Open == 2 && q.Repeated == 0 && q.Served && q.OldestID == anna.ID
	})
	first.Ack()
	second.Nak()
	worker.Grant(2)
	third, fourth := worker.next(), worker.next() // the last one, and one of the first again
	c.queueIs(ours, "one of them delivered again", func(q backend.Queue) bool {
		return q.Pending == 0 && q.Open == 2 && q.Repeated == 1
	})
	third.Ack()
	fourth.Ack()
	c.queueIs(ours, "all of them done", func(q backend.Queue) bool { return !q.Waits() && q.Oldest.IsZero() })
}

func surveyUnknown(t *testing.T, h Hub) {
	c := connect(t, h)
	c.putTasks(2)
	c.put(odd, task("bank.Refund", 1))
	for activity, want := range map[string]backend.Queue{
		charge:        {Activity: charge, Pending: 2, OldestID: anna.ID},
		"bank.Refund": {Activity: "bank.Refund", Pending: 1, OldestID: odd.ID},
	} {
		c.queueIs(func(q backend.Queue) bool { return q.Activity == activity }, activity, func(q backend.Queue) bool {
			stored := !q.Oldest.IsZero()
			q.Oldest = time.Time{}
			return stored && q == want
		})
	}
}

func surveyInboxes(t *testing.T, h Hub) {
	c := connect(t, h)
	if err := c.EnsureGroup(within(t), odd.Group); err != nil {
		t.Fatal(err)
	}
	ours := func(q backend.Queue) bool {
		return q.Activity == "" && q.Group == odd.Group && q.Partition == c.partition(odd)
	}
	queues, err := c.Queues(within(t))
	if err != nil || len(queues) != c.Info().Partitions {
		t.Fatalf("%d queues, %v, want one a partition: %d", len(queues), err, c.Info().Partitions)
	}
	c.put(odd, event("1"))
	c.queueIs(ours, "without an owner", func(q backend.Queue) bool {
		return q.Pending == 1 && q.Open == 0 && !q.Served && q.OldestID == odd.ID && !q.Oldest.IsZero()
	})
	idle := c.open(anna)
	c.queueIs(func(q backend.Queue) bool { return q.Group == anna.Group && q.Partition == c.partition(anna) }, "with an owner and nothing to do",
		func(q backend.Queue) bool { return q.Served })
	idle.release()
	b := c.open(odd)
	d := b.next()
	c.queueIs(ours, "with an owner", func(q backend.Queue) bool { return q.Pending == 0 && q.Open == 1 && q.Served })
	d.Ack()
	c.queueIs(ours, "with nothing left", func(q backend.Queue) bool { return !q.Waits() && q.Served })
	b.release()
	c.queueIs(ours, "released", func(q backend.Queue) bool { return !q.Served })
}

// listTimers gives the schedules of an instance, or all.
func (c *client) listTimers(of history.Address) (all []backend.Due) {
	c.t.Helper()
	if err := c.ListTimers(within(c.t), of, func(d backend.Due) bool { all = append(all, d); return true }); err != nil {
		c.t.Fatalf("list timers: %v", err)
	}
	slices.SortFunc(all, func(a, b backend.Due) int { return cmp.Compare(a.Slot, b.Slot) })
	return all
}

func surveyTimers(t *testing.T, h Hub) {
	c := connect(t, h)
	b := c.open(anna)
	due := c.Clock().Now().Add(away).UTC().Round(0)
	again := task(charge, 5)
	again.Attempt, again.LastErr, again.Args = 4, "declined: ключ, 100 %", blob
	c.put(anna, &history.Timer{Ref: slot(1), Due: due})
	c.put(anna, &history.Timer{Ref: slot(2), Due: due})
	c.put(odd, &history.Timer{Ref: again.Ref, Due: due, Task: again})
	one := backend.Due{Address: anna, Ref: slot(1), At: due}
	two := backend.Due{Address: anna, Ref: slot(2), At: due}
	retry := backend.Due{Address: odd, Ref: again.Ref, At: due, Activity: charge, Attempt: 4}
	differs(t, "all timers", []backend.Due{one, two, retry}, c.listTimers(history.Address{}))
	differs(t, "timers of one instance", []backend.Due{one, two}, c.listTimers(anna))
	n := 0
	if err := c.ListTimers(within(t), history.Address{}, func(backend.Due) bool { n++; return false }); err != nil || n != 1 {
		t.Errorf("%d timers, %v, want one for who has enough", n, err)
	}
	c.cancel(anna, slot(1))
	b.fired(slot(3), c.arm(slot(3), near))
	differs(t, "timers that are left", []backend.Due{two}, c.listTimers(anna))
	over, cancel := context.WithCancel(within(t))
	cancel()
	if err := c.ListTimers(over, history.Address{}, func(backend.Due) bool { return true }); err == nil {
		t.Error("a list goes on when nobody waits for it")
	}
}

func surveyUsage(t *testing.T, h Hub) {
	c := connect(t, h)
	measure := func() map[string]backend.Store {
		t.Helper()
		u, err := c.Usage(within(t))
		if err != nil {
			t.Fatal(err)
		}
		if u.Server == "" || u.MaxMessage == 0 || u.Skew > time.Minute || u.Skew < -time.Minute {
			t.Errorf("usage %+v, want a server that has a limit and this machine's clock", u)
		}
		stores := map[string]backend.Store{}
		for _, s := range u.Stores {
			stores[s.Holds] = s
		}
		return stores
	}
	before := measure()
	if s := before[backend.HoldsLog]; s.Messages != 0 || !s.First.IsZero() || s.Replicas < 1 {
		t.Errorf("the log of an empty hub: %+v", s)
	}
	c.put(anna, start(1))
	c.put(anna, event("1"))
	if _, err := c.putArchive(backend.Archive{Address: odd, Run: 1, Status: history.Completed, Messages: history.Messages{{Seq: 1, Record: start(1)}}}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Meta().Put(within(t), "key", []byte("value"), 0); err != nil {
		t.Fatal(err)
	}
	after := measure()
	for holds, more := range map[string]uint64{backend.HoldsLog: 2, backend.HoldsArchive: 1, backend.HoldsMeta: 1, backend.HoldsInstances: 0} {
		s := after[holds]
		if s.Messages != before[holds].Messages+more || more > 0 && s.Bytes <= before[holds].Bytes {
			t.Errorf("what holds the %s: %+v, want %d messages more than %+v", holds, s, more, before[holds])
		}
	}
	if s := after[backend.HoldsLog]; s.First.IsZero() || s.Last.Before(s.First) {
		t.Errorf("the log: %+v, want to know when its messages were stored", s)
	}
}
