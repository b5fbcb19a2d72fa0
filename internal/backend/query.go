package backend

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Query chooses states. Zero fields choose all.
type Query struct {
	Name     string           // orchestrator: wire name, or its last part
	Statuses []history.Status // any of these
	IDPrefix string
	ParentID string            // its children
	RootID   string            // it and all its descendants
	Tags     map[string]string // all of these

	CreatedFrom, CreatedBefore   time.Time
	FinishedFrom, FinishedBefore time.Time // only of instances that have ended

	After *Place // only what stands behind this in the list; nil: from its beginning
	Limit int    // most states, 1 to MostFound
}

// MostFound is more than a hub can have.
const MostFound = 1 << 28

// Fits reports whether a state is one of those that are chosen, wherever it stands.
func (q *Query) Fits(s *State) bool {
	for k, v := range q.Tags {
		if had, ok := s.Tags[k]; !ok || had != v {
			return false
		}
	}
	return q.FitsName(s.Name) && q.FitsStatus(s.Status) &&
		strings.HasPrefix(s.ID, q.IDPrefix) &&
		(q.ParentID == "" || s.Parent != nil && s.Parent.ID == q.ParentID) &&
		(q.RootID == "" || history.RootID(s.Root, s.Parent, s.ID) == q.RootID) &&
		within(s.Created, q.CreatedFrom, q.CreatedBefore) && within(s.Finished, q.FinishedFrom, q.FinishedBefore)
}

// FitsName reports whether instances of this orchestrator are chosen.
func (q *Query) FitsName(name string) bool {
	return q.Name == "" || name == q.Name || strings.HasSuffix(name, "."+q.Name)
}

// FitsStatus reports whether instances in this state are chosen.
func (q *Query) FitsStatus(s history.Status) bool {
	return len(q.Statuses) == 0 || slices.Contains(q.Statuses, s)
}

// within reports whether t lies in [from, before); a zero bound bounds nothing, a zero t lies in no bounds.
func within(t, from, before time.Time) bool {
	if from.IsZero() && before.IsZero() {
		return true
	}
	return !t.IsZero() && !t.Before(from) && (before.IsZero() || t.Before(before))
}

// Place is where an instance stands in a list: the newest first, then by id.
type Place struct {
	Created time.Time
	ID      string
}

// Place is where s stands in a list.
func (s *State) Place() Place { return Place{s.Created, s.ID} }

// Compare is negative when p stands before q.
func (p Place) Compare(q Place) int {
	return cmp.Or(q.Created.Compare(p.Created), cmp.Compare(p.ID, q.ID))
}

// Newest collects the first states that a query chooses, in the order of the list. It holds no more than two pages and a bit,
// however many fit.
type Newest struct {
	q   Query
	all []State
}

// NewNewest begins a collection.
func NewNewest(q Query) *Newest { return &Newest{q: q} }

// Add takes a state if it is chosen.
func (n *Newest) Add(s State) {
	if !n.q.Fits(&s) || n.q.After != nil && s.Place().Compare(*n.q.After) <= 0 {
		return
	}
	n.all = append(n.all, s)
	if len(n.all) > 2*n.q.Limit+100 {
		n.cut(n.q.Limit + 1)
	}
}

// Page gives what has been collected, at most the limit; more tells that there is more.
func (n *Newest) Page() (page []State, more bool) {
	n.cut(n.q.Limit + 1)
	return n.all[:min(len(n.all), n.q.Limit)], len(n.all) > n.q.Limit
}

func (n *Newest) cut(most int) {
	slices.SortFunc(n.all, func(a, b State) int { return a.Place().Compare(b.Place()) })
	n.all = n.all[:min(most, len(n.all))]
}
