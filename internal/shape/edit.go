package shape

import (
	"bytes"
	"go/token"
	"slices"
	"strings"
)

// edits are the places of an orchestrator's code that are not as they were when the old lock was written.
type edits []edited

// edited is one declaration in which something was changed.
type edited struct {
	from, to token.Position // where it begins and ends
	places   []token.Position
}

// editsOf compares declarations piece by piece. Where something is gone, that is what stands there now.
func editsOf(old, now []Written) (all edits) {
	if len(old) == 0 {
		return nil
	}
	left := slices.Clone(old)
	take := func(like func(Written) bool) (Written, bool) {
		i := slices.IndexFunc(left, like)
		if i < 0 {
			return Written{}, false
		}
		found := left[i]
		left = slices.Delete(left, i, i+1)
		return found, true
	}
	changed := slices.DeleteFunc(slices.Clone(now), func(w Written) bool {
		_, same := take(func(o Written) bool { return o.Name == w.Name && o.Pieces == w.Pieces })
		return same || len(w.Places) == 0
	})
	for _, w := range changed {
		was, ok := take(func(o Written) bool { return o.Name == w.Name })
		if !ok {
			was, _ = take(w.mostly)
		}
		if places := w.since(was); len(places) > 0 {
			all = append(all, edited{w.Places[0], w.Places[len(w.Places)-1], places})
		}
	}
	return all
}

// mostly reports whether more than half of a declaration is in another one: it was moved, or has another name.
func (w Written) mostly(o Written) bool {
	a, b := strings.Fields(o.Pieces), strings.Fields(w.Pieces)
	return 2*common(a, b)[0][0] > max(len(a), len(b))
}

// common gives, for each pair of ends of two lists, how many members they have in common in order.
func common(a, b []string) [][]int {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for k := len(b) - 1; k >= 0; k-- {
			if n[i][k] = max(n[i+1][k], n[i][k+1]); a[i] == b[k] {
				n[i][k] = max(n[i][k], n[i+1][k+1]+1)
			}
		}
	}
	return n
}

// since gives the places of a declaration that are not in an older form of it.
func (w Written) since(was Written) (places []token.Position) {
	a, b := strings.Fields(was.Pieces), strings.Fields(w.Pieces)
	n := common(a, b)
	i, k := 0, 0
	for i < len(a) || k < len(b) {
		if i < len(a) && k < len(b) && a[i] == b[k] && n[i][k] == n[i+1][k+1]+1 {
			i, k = i+1, k+1
			continue
		}
		come, gone := k, false
		for i < len(a) || k < len(b) { // a run that differs
			if i < len(a) && k < len(b) && a[i] == b[k] && n[i][k] == n[i+1][k+1]+1 {
				break
			}
			if k < len(b) && (i == len(a) || n[i][k+1] >= n[i+1][k]) {
				k++
			} else {
				i, gone = i+1, true
			}
		}
		if come == k && gone && k < len(b) {
			places = append(places, w.Places[k])
		}
		places = append(places, w.Places[come:k]...)
	}
	return places
}

// nearest gives the edited place that a change which is felt at pos is most likely due to: in the same declaration, if it
// was changed, else in the same file.
func (all edits) nearest(pos token.Position) token.Position {
	return all.near(pos, func(edited) bool { return true })
}

// within is the same in the declaration of pos alone.
func (all edits) within(pos token.Position) token.Position {
	return all.near(pos, func(e edited) bool { return e.holds(pos) })
}

func (e *edited) holds(pos token.Position) bool {
	return pos.Filename == e.from.Filename && pos.Line >= e.from.Line && pos.Line <= e.to.Line
}

func (all edits) near(pos token.Position, in func(edited) bool) token.Position {
	best, least := pos, -1
	for _, e := range all {
		if !in(e) {
			continue
		}
		for _, p := range e.places {
			far := 2 * abs(p.Line-pos.Line)
			if far == 0 && p.Filename == pos.Filename {
				return pos // it tells the column, too
			}
			switch {
			case p.Filename != pos.Filename:
				far += 2_000_000
			case !e.holds(pos):
				far += 1_000_000
			case p.Line > pos.Line:
				far++ // what comes before is more likely the cause
			}
			if least < 0 || far < least {
				best, least = p, far
			}
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// Rewritten gives what a lock is to say of how its code is written: what it said before, as long as nothing else in it has
// changed, or something that was is not taken over.
func Rewritten(old, now *Lock, kept bool) []Written {
	if !kept {
		a, b := *old, *now
		a.Written, b.Written = nil, nil
		kept = bytes.Equal(a.Text(), b.Text())
	}
	if kept && len(old.Written) > 0 {
		return old.Written
	}
	return now.Written
}
