package backend

import (
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Retention says how long a hub keeps runs that have ended, by their status, counted from their end: result, history and
// state. After that the instance is gone, and its id may be used again. Zero fields are 30 days; negative ones are for ever.
type Retention struct {
	Completed  time.Duration `json:"completed"`
	Failed     time.Duration `json:"failed"`
	Terminated time.Duration `json:"terminated"`
	Canceled   time.Duration `json:"canceled"`
}

// Ever is how long a status is kept that is never removed.
const Ever = time.Duration(-1)

// LateStart is how long it takes at most until a start is stored, if the answer says that it is.
const LateStart = 30 * time.Second

const keepByDefault = 30 * 24 * time.Hour

// WithDefaults fills in zero fields, and makes negative ones Ever.
func (r Retention) WithDefaults() Retention {
	for _, d := range r.fields() {
		switch {
		case *d == 0:
			*d = keepByDefault
		case *d < 0:
			*d = Ever
		}
	}
	return r
}

func (r *Retention) fields() []*time.Duration {
	return []*time.Duration{&r.Completed, &r.Failed, &r.Terminated, &r.Canceled}
}

// For is how long runs of a status are kept, or Ever. The status is final.
func (r Retention) For(s history.Status) time.Duration {
	switch s {
	case history.Completed:
		return r.Completed
	case history.Failed:
		return r.Failed
	case history.Terminated:
		return r.Terminated
	case history.Canceled:
		return r.Canceled
	}
	return Ever
}

// Shortest is how long whatever has ended is kept at least.
func (r Retention) Shortest() time.Duration {
	shortest := time.Duration(1<<63 - 1)
	for _, d := range r.fields() {
		if *d != Ever {
			shortest = min(shortest, *d)
		}
	}
	return shortest
}

// Memory is for how long after its end the hub surely knows of a run, though clocks differ and requests are under way:
// what is told later than that of an instance that nobody knows may be of one that is over.
func (r Retention) Memory() time.Duration { return r.Shortest() / 2 }

// Grace is how much longer than its archive entry the state of a run stays, and a tombstone than a run: while the entry is
// there, nobody may take the id for one that never was.
func (r Retention) Grace() time.Duration { return min(r.Shortest()/4, time.Minute) }

// Expired reports whether a run that ended then is not to be kept any more.
func (r Retention) Expired(s history.Status, ended, now time.Time) bool {
	keep := r.For(s)
	return keep != Ever && now.Sub(ended) > keep
}

// Forgotten reports whether what log and archive hold of an instance is of a run that has ended and expired: the log may
// show it for longer than it is kept.
func (r Retention) Forgotten(k Known, now time.Time) bool {
	if k.Entry > 0 && k.Archive.Run >= k.Run() {
		return false
	}
	for _, m := range k.Tail {
		if t, ok := m.Record.(*history.Turn); ok && t.Run == k.Run() && t.End != nil && t.End.Status.Final() {
			return r.Expired(t.End.Status, m.Time, now)
		}
	}
	return false
}

// OfArchive is how long an entry that is stored now stays there; 0: until it is replaced. A snapshot is all that is left of
// a live instance.
func (r Retention) OfArchive(a *Archive, now time.Time) time.Duration {
	switch {
	case a.Snapshot() || r.For(a.Status) == Ever:
		return 0
	case a.Purged:
		return r.For(a.Status) + r.Grace()
	}
	return r.left(a.Status, a.Ended, now)
}

// OfState is how long a state that is stored now stays there; 0: until it is replaced.
func (r Retention) OfState(s *State, now time.Time) time.Duration {
	if !s.Status.Final() || r.For(s.Status) == Ever {
		return 0
	}
	return r.left(s.Status, s.Ended, now) + r.Grace()
}

// OfMark is how long the revision of a deleted state is known; 0: for ever. The tombstone goes before it.
func (r Retention) OfMark() time.Duration {
	longest := time.Duration(0)
	for _, d := range r.fields() {
		if *d == Ever {
			return 0
		}
		longest = max(longest, *d)
	}
	return longest + 2*r.Grace()
}

// left is what remains of the time that a run is kept; what comes too late stays for as long as a store can tell.
func (r Retention) left(s history.Status, ended, now time.Time) time.Duration {
	if ended.IsZero() {
		ended = now
	}
	return max(r.For(s)-now.Sub(ended), time.Second)
}
