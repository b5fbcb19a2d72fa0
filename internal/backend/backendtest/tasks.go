package backendtest

import (
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

var tasks = []promise{
	{"as many come as are granted", grantTasks},
	{"kept until the activity has a consumer", keepTasks},
	{"two workers share", shareTasks},
	{"nak brings it again", nakTask},
	{"a delivery tells when the task was stored", timeOfTask},
	{"what is not acknowledged comes again, unless there is progress", ackWaitOfTasks},
	{"concurrency", limitTasks},
	{"activities are independent", activitiesApart},
	{"stop leaves the rest to others", stopTasks},
}

// queue is a task queue and what it got.
type queue struct {
	backend.TaskQueue
	t   *testing.T
	got chan backend.TaskDelivery
}

// tasks makes an activity and opens its queue.
func (c *client) tasks(name string, a backend.Activity) *queue {
	c.t.Helper()
	if err := c.EnsureActivity(within(c.t), a); err != nil {
		c.t.Fatalf("EnsureActivity: %v", err)
	}
	q := &queue{t: c.t, got: make(chan backend.TaskDelivery, roomy)}
	var err error
	if q.TaskQueue, err = c.Tasks(name, func(d backend.TaskDelivery) { q.got <- d }); err != nil {
		c.t.Fatalf("open a task queue: %v", err)
	}
	return q
}

func (q *queue) next() backend.TaskDelivery {
	q.t.Helper()
	d := receive(q.t, q.got, "a task")
	if d.Err != nil {
		q.t.Errorf("task %d: %v", d.Seq, d.Err)
	}
	return d
}

// want receives tasks, in this order, each for the given time.
func (q *queue) want(attempts int, seqs ...uint64) []backend.TaskDelivery {
	q.t.Helper()
	var ds []backend.TaskDelivery
	for _, seq := range seqs {
		d := q.next()
		if d.Seq != seq || d.Attempts != attempts {
			q.t.Fatalf("task %d for the %d. time, want task %d for the %d. time", d.Seq, d.Attempts, seq, attempts)
		}
		ds = append(ds, d)
	}
	return ds
}

func (q *queue) silent() {
	q.t.Helper()
	select {
	case d := <-q.got:
		q.t.Errorf("task %d, to one that must not get it", d.Seq)
	default:
	}
}

const charge = "bank.Charge"

// putTasks appends n tasks of the activity charge and gives their sequences.
func (c *client) putTasks(n int) (seqs []uint64) {
	c.t.Helper()
	for i := range n {
		seqs = append(seqs, c.put(anna, task(charge, uint32(i))))
	}
	return seqs
}

func grantTasks(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	one, two := a.tasks(charge, backend.Activity{Name: charge}), b.tasks(charge, backend.Activity{Name: charge})
	seqs := a.putTasks(4)
	one.Grant(2)
	one.want(1, seqs[:2]...)
	two.Grant(1)
	two.want(1, seqs[2]) // one has had what it may have
	one.silent()
	one.Grant(1)
	one.want(1, seqs[3])
	one.Grant(2)
	one.want(1, a.putTasks(2)...) // granted before they were there
}

func keepTasks(t *testing.T, h Hub) {
	c := connect(t, h)
	seqs := c.putTasks(3)
	q := c.tasks(charge, backend.Activity{Name: charge})
	q.Grant(3)
	q.want(1, seqs...)
}

func shareTasks(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	one, two := a.tasks(charge, backend.Activity{Name: charge}), b.tasks(charge, backend.Activity{Name: charge})
	const n = 20
	one.Grant(n)
	two.Grant(n)
	want := map[uint64]int{}
	for _, seq := range a.putTasks(n) {
		want[seq] = 1
	}
	got := map[uint64]int{}
	for range n {
		var d backend.TaskDelivery
		select {
		case d = <-one.got:
		case d = <-two.got:
		case <-time.After(patience):
			t.Fatal("waited in vain for a task")
		}
		got[d.Seq]++
		d.Ack()
	}
	differs(t, "deliveries of each task", want, got)
}

func nakTask(t *testing.T, h Hub) {
	c := connect(t, h)
	q := c.tasks(charge, backend.Activity{Name: charge})
	seqs := c.putTasks(1)
	q.Grant(2)
	first := q.want(1, seqs...)[0]
	first.Nak()
	again := q.want(2, seqs...)[0]
	differs(t, "the task", first.Task, again.Task)
}

func timeOfTask(t *testing.T, h Hub) {
	c := connect(t, h)
	c.put(anna, start(1))
	seq := c.putTasks(1)[0]
	q := c.tasks(charge, backend.Activity{Name: charge})
	q.Grant(2)
	first := q.want(1, seq)[0]
	first.Nak()
	stored := c.load(anna, seq).Tail[0].Time
	if again := q.want(2, seq)[0]; !first.Time.Equal(stored) || !again.Time.Equal(stored) || stored.IsZero() {
		t.Errorf("the task was stored at %v; its deliveries say %v and %v", stored, first.Time, again.Time)
	}
}

// ackWaitOfTasks shows by order, not by a clock: of three tasks delivered together one is acknowledged, one reports
// progress, and only the third is to come again.
func ackWaitOfTasks(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	old := a.tasks(charge, backend.Activity{Name: charge})
	seqs := a.putTasks(3)
	old.Grant(3)
	ds := old.want(1, seqs...)
	ds[0].Ack()
	longest := report(t, a.Clock(), ds[1].Progress)
	old.Stop(t.Context())

	other := b.tasks(charge, backend.Activity{Name: charge})
	other.Grant(3)
	d := other.next()
	if d.Seq == seqs[1] && longest() > time.Second {
		t.Logf("the machine stood still for %v: nothing is shown of progress", longest())
		d = other.next()
	}
	if d.Seq != seqs[2] || d.Attempts != 2 {
		t.Errorf("task %d for the %d. time, want task %d for the 2. time", d.Seq, d.Attempts, seqs[2])
	}
}

// report reports progress until the test ends. longest tells the longest time between two reports.
func report(t *testing.T, clock backend.Clock, progress func()) (longest func() time.Duration) {
	gaps := make(chan time.Duration, 1)
	gaps <- 0
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	last := clock.Now()
	var again func()
	again = func() {
		select {
		case <-over:
			return
		default:
		}
		now := clock.Now()
		gaps <- max(<-gaps, now.Sub(last))
		last = now
		progress()
		clock.After(100*time.Millisecond, again)
	}
	again()
	return func() time.Duration {
		gap := <-gaps
		gaps <- gap
		return gap
	}
}

func limitTasks(t *testing.T, h Hub) {
	c := connect(t, h)
	q := c.tasks(charge, backend.Activity{Name: charge, Concurrency: 2})
	seqs := c.putTasks(4)
	q.Grant(4)
	ds := q.want(1, seqs[:2]...)
	q.silent()
	ds[0].Ack()
	q.want(1, seqs[2])
	q.silent()
	// A higher limit counts for what is there already.
	if err := c.EnsureActivity(within(t), backend.Activity{Name: charge, Concurrency: 3}); err != nil {
		t.Fatal(err)
	}
	q.want(1, seqs[3])
}

func activitiesApart(t *testing.T, h Hub) {
	c := connect(t, h)
	names := []string{"bank.Charge", "bank", "bank.Charge.Again", "bank.*", ">", "банк"}
	for n, name := range names {
		c.put(anna, task(name, uint32(n)))
	}
	for n, name := range names {
		q := c.tasks(name, backend.Activity{Name: name})
		q.Grant(2)
		differs(t, "the task", task(name, uint32(n)), q.next().Task)
		q.silent()
	}
}

func stopTasks(t *testing.T, h Hub) {
	a, b := connect(t, h), connect(t, h)
	old := a.tasks(charge, backend.Activity{Name: charge})
	seqs := a.putTasks(1)
	old.Grant(3)
	old.want(1, seqs...)[0].Ack()
	old.Stop(t.Context()) // with two grants left
	later := b.putTasks(2)
	other := b.tasks(charge, backend.Activity{Name: charge})
	other.Grant(2)
	got := map[uint64]bool{other.next().Seq: true, other.next().Seq: true}
	differs(t, "tasks", map[uint64]bool{later[0]: true, later[1]: true}, got)
	old.silent()
}
