package harness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// Account is what a load came to.
type Account struct {
	Errands int      // with a child each
	Effects int      // of activities on the world
	Again   int      // effects that came more than once
	Tasks   int      // that the log holds more than once
	Results int      // that the log holds more than once
	Slow    []string // what waited longer than any fault should cost
}

const told = 10 // of what is wrong

const slow = 15 * time.Second

// Audit looks at everything that is left of a load that has finished, and gives whatever is wrong: effects that did not
// happen or that nobody ordered, records that contradict each other, runs that have not one end, a projection or an
// archive that does not agree with the log, messages that are not acknowledged.
func (l *Load) Audit(ctx context.Context, js jetstream.JetStream) (Account, error) {
	all := l.begun()
	a := Account{Errands: len(all)}
	children, err := l.listed(ctx, len(all))
	if err != nil {
		return a, err
	}
	var wrong []error
	want := map[string]int{}
	for id, o := range all {
		for slot, v := range o.Own {
			want[Key(id, slot)] = v
		}
		want[Key(children[id], 0)] = o.Child
		wrong = append(wrong, l.instance(&a, id), l.instance(&a, children[id]))
	}
	again, misses := l.Ledger.Check(want)
	a.Effects, a.Again = len(want), again
	wrong = append(wrong, misses...)
	wrong = append(wrong, acknowledged(ctx, js))
	wrong = slices.DeleteFunc(wrong, func(err error) bool { return err == nil })
	if more := len(wrong) - told; more > 0 {
		wrong = append(wrong[:told], fmt.Errorf("and %d more", more))
	}
	return a, errors.Join(wrong...)
}

// listed waits until the projection shows every errand and its child as completed, and gives the children by parent.
func (l *Load) listed(ctx context.Context, errands int) (children map[string]string, err error) {
	children = map[string]string{}
	err = until(ctx, func(ctx context.Context) string {
		all, err := l.Clients[0].Durable.List(ctx, durable.Filter{Limit: 10 * errands})
		if err != nil {
			return err.Error()
		}
		clear(children)
		parents := 0
		for _, inst := range all {
			if inst.Status != durable.Completed {
				return fmt.Sprintf("the list has %+v", inst)
			}
			if inst.ParentID == "" {
				parents++
			} else {
				children[inst.ParentID] = inst.ID
			}
		}
		if parents != errands || len(children) != errands || len(all) != 2*errands {
			return fmt.Sprintf("the list has %d errands and %d of their parents among %d, want %d", parents, len(children), len(all), errands)
		}
		return ""
	})
	return children, err
}

// instance checks what log and archive hold of an instance: one final record, which both have, each slot recorded once,
// one result a slot.
func (l *Load) instance(a *Account, id string) error {
	type answer struct {
		backend.Loaded
		archive backend.Archive
		err     error
	}
	answers := make(chan answer, 1)
	be, of := l.Clients[0].Backend, history.Address{Group: Group, ID: id}
	be.Load(of, 0, func(got backend.Loaded, err error) {
		be.GetArchive(of, func(archive backend.Archive, _ uint64, archived error) {
			answers <- answer{got, archive, errors.Join(err, archived)}
		})
	})
	k := <-answers
	if k.err != nil || k.Start == nil {
		return fmt.Errorf("%s: the log has the start %v: %w", id, k.Start, k.err)
	}
	h := recorded{id: id, slots: map[history.Ref]int{}, tasks: map[history.Ref]*history.Task{}, results: map[history.Ref]string{}}
	for _, m := range k.Tail {
		h.take(a, m)
	}
	h.judge(k.archive)
	if h.gap > slow {
		a.Slow = append(a.Slow, fmt.Sprintf("%s of partition %d waited %s", id, history.Partition(id, be.Info().Partitions), h.wait))
	}
	return errors.Join(h.wrong...)
}

// recorded is what the log holds of an instance.
type recorded struct {
	id      string
	ends    []*history.Turn
	slots   map[history.Ref]int
	tasks   map[history.Ref]*history.Task
	results map[history.Ref]string
	wrong   []error

	last history.Message
	gap  time.Duration // longest between two messages
	wait string        // between which
}

func (h *recorded) bad(format string, args ...any) {
	h.wrong = append(h.wrong, fmt.Errorf(h.id+": "+format, args...))
}

func (h *recorded) take(a *Account, m history.Message) {
	if gap := m.Time.Sub(h.last.Time); h.last.Seq > 0 && gap > h.gap && len(h.ends) == 0 {
		h.gap = gap
		h.wait = fmt.Sprintf("%.1f s from %T %d at %s to %T %d", gap.Seconds(), h.last.Record, h.last.Seq, h.last.Time.Format(time.TimeOnly), m.Record, m.Seq)
	}
	h.last = m
	switch r := m.Record.(type) {
	case *history.Start:
		h.bad("a second start at %d", m.Seq)
	case *history.Turn:
		for _, s := range r.Slots {
			h.slots[history.Ref{Run: r.Run, Execution: r.Execution, Slot: s.N}]++
		}
		if r.End != nil {
			h.ends = append(h.ends, r)
		}
	case *history.Task:
		if had := h.tasks[r.Ref]; had != nil {
			a.Tasks++
			if !reflect.DeepEqual(had, r) {
				h.bad("two tasks of slot %v: %+v and %+v", r.Ref, had, r)
			}
		}
		h.tasks[r.Ref] = r
	case *history.Done:
		if r.Failure != nil {
			h.bad("slot %v failed: %+v", r.Ref, r.Failure)
		}
		if had, ok := h.results[r.Ref]; ok {
			a.Results++
			if had != string(r.Result) {
				h.bad("two results of slot %v: %s and %s", r.Ref, had, r.Result)
			}
		}
		h.results[r.Ref] = string(r.Result)
	}
}

func (h *recorded) judge(archive backend.Archive) {
	for ref, times := range h.slots {
		if times != 1 || h.tasks[ref] != nil {
			h.bad("slot %v is recorded %d times, task %v", ref, times, h.tasks[ref])
		}
	}
	if len(h.ends) != 1 {
		h.bad("%d final records", len(h.ends))
		return
	}
	if archive.Run != h.ends[0].Run || archive.Status != h.ends[0].End.Status {
		h.bad("the archive has run %d, %v; the log has run %d, %v", archive.Run, archive.Status, h.ends[0].Run, h.ends[0].End.Status)
	}
	if n := len(archive.Messages); n == 0 || !reflect.DeepEqual(archive.Messages[n-1].Record, history.Record(h.ends[0])) {
		h.bad("the archive of %d messages does not close with the final record of the log, %+v", n, h.ends[0])
	}
}

// acknowledged waits until no consumer of the hub holds anything back: all that a message caused is stored (I4).
func acknowledged(ctx context.Context, js jetstream.JetStream) error {
	return until(ctx, func(ctx context.Context) string {
		s, err := js.Stream(ctx, LogStream)
		if err != nil {
			return err.Error()
		}
		n, left := 0, ""
		consumers := s.ListConsumers(ctx)
		for c := range consumers.Info() {
			n++
			if c.NumAckPending > 0 || c.NumPending > 0 {
				left = fmt.Sprintf("consumer %s has %d pending and %d unacknowledged", c.Name, c.NumPending, c.NumAckPending)
			}
		}
		if err := consumers.Err(); err != nil {
			return err.Error()
		}
		if n < 9 {
			return fmt.Sprintf("%d consumers", n)
		}
		return left
	})
}
