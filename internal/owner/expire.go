package owner

import (
	"errors"
	"math"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// The hub forgets runs that have ended: archive entry and state expire, and the log is shortened. Whoever comes after that,
// with a message that was under way or with an instance in memory, must not bring them back.

// expired reports whether a run has ended longer ago than it is kept. What follows from its end is stored all the same, but
// in the archive and the projection only over what still tells that it lives.
func (i *instance) expired() bool {
	return i.final != nil && i.p.cfg.keeps(ForgetExpired) && !i.over.IsZero() &&
		i.retention().Expired(i.final.End.Status, i.over, i.p.be.Clock().Now())
}

func (i *instance) retention() backend.Retention { return i.p.be.Info().Retention }

// doubtful reports whether it is long ago that this worker was shown that the instance lives. It may have been asleep, and
// the run have ended elsewhere and expired: nothing would be in the way of what it writes.
func (i *instance) doubtful() bool {
	return i.p.cfg.keeps(DoubtGone) && i.p.be.Clock().Now().Sub(i.proven) > i.retention().Memory()
}

// onlyStarted reports whether only a start tells of a run, one that was stored so late that it may be a copy, of one that has
// run, ended and expired (H10). Earlier the first copy is in the log, and in its way.
func (i *instance) onlyStarted(k backend.Known) bool {
	if k.Start == nil || k.Base != nil || k.Archive.Run >= k.Run() && k.Entry > 0 || !i.p.cfg.keeps(DoubtUnknown) {
		return false
	}
	if EndedIn(k.Tail, k.Run()) {
		return false
	}
	start := k.Start.Record.(*history.Start)
	if start.Born.IsZero() && start.Parent == nil && start.Prior == nil {
		return false // whoever made it does not say
	}
	return k.Start.Time.Sub(start.Born) > i.p.cfg.Retention.Late
}

// doubt asks the projection whether the run is to be begun. If that does not know it, the parent does.
func (i *instance) doubt(k backend.Known) {
	start := k.Start.Record.(*history.Start)
	i.run = start.Run
	i.p.begin()
	i.p.be.GetState(i.addr.ID, func(s backend.State, rev uint64, err error) {
		i.locked(func() {
			claimed := err == nil && s.Run == start.Run && s.Claim != nil
			if err != nil || s.Status.Final() {
				i.run = math.MaxUint32 // no run lives; if it is begun after all, rebuild sets it
			}
			switch {
			case err != nil && !errors.Is(err, backend.ErrNotFound):
				i.retry(err, func() { i.doubt(k) })
			case err == nil && s.Run < start.Run, err == nil && s.Run == start.Run && s.Begun():
				i.rebuild(k)
			case claimed && s.Claim.Parent == nil && s.Stored.Sub(s.Claim.Born) <= i.p.cfg.Retention.Late:
				i.rebuild(k) // whoever met the claim has begun it, however late
			case start.Parent != nil && (err != nil || claimed):
				i.doubtParent(k, func() { i.disclaim(claimed, rev) })
			default:
				i.disclaim(claimed, rev)
			}
		})
	})
}

// doubtParent begins a child unless its parent had been answered for it when the start was stored: that was a late copy. Is
// the slot open, it had not; nor if what answers it comes behind, which is read after that.
func (i *instance) doubtParent(k backend.Known, drop func()) {
	parent := k.Start.Record.(*history.Start).Parent
	again := func(err error) { i.retry(err, func() { i.doubtParent(k, drop) }) }
	i.p.begin()
	backend.Read(i.p.be, parent.Address, backend.TheEnd, func(of backend.Known, err error) {
		i.locked(func() {
			switch {
			case err != nil:
				again(err)
				return
			case waits(of, parent.Ref):
				i.rebuild(k)
				return
			}
			i.p.begin()
			i.p.be.LoadAfter(parent.Address, k.Start.Seq, backend.TheEnd, func(after backend.Loaded, err error) {
				i.locked(func() {
					switch {
					case err != nil:
						again(err)
					case answered(after.Tail, parent.Ref):
						i.rebuild(k)
					default:
						drop()
					}
				})
			})
		})
	})
}

// waits reports whether a slot is of the present execution, and open.
func waits(k backend.Known, ref history.Ref) bool {
	over := k.Entry > 0 && k.Archive.Run >= ref.Run && !k.Archive.Snapshot()
	return k.Run() == ref.Run && k.Execution() == ref.Execution && !over && !answered(k.Tail, ref)
}

func answered(messages []history.Message, ref history.Ref) bool {
	return slices.ContainsFunc(messages, func(m history.Message) bool { return answers(m.Record, ref) })
}

// answers reports whether a record completes a slot, or ends the execution that it belongs to.
func answers(r history.Record, ref history.Ref) bool {
	switch r := r.(type) {
	case *history.Done:
		return r.Ref == ref
	case *history.Turn:
		return r.Run == ref.Run && r.Execution >= ref.Execution && r.End != nil
	}
	return false
}

// disclaim drops a start that is not to be begun, with the claim that may have come as late.
func (i *instance) disclaim(claimed bool, rev uint64) {
	if !claimed {
		i.absent = true
		i.acknowledgeAll()
		return
	}
	i.p.begin()
	i.p.be.DeleteState(i.addr.ID, rev, func(err error) {
		i.locked(func() {
			if err != nil && !errors.Is(err, backend.ErrConflict) {
				i.retry(err, func() { i.disclaim(true, rev) })
				return
			}
			i.disclaim(false, 0)
		})
	})
}
