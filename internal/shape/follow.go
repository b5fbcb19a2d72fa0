package shape

import (
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// eventName is how the engine takes the name of an event: without regard to case.
func eventName(name string) string { return strings.ToLower(name) }

// follow moves the new program one step towards what the old one has decided.
func (w *walk) follow(s *state) {
	n := &w.new.Nodes[s.new.at]
	together := w.together(s)
	switch n.Kind {
	case Join, Branch:
		w.turn(s, false)
	case Now:
		s.give(false, w.point(s.new.now, s.new.now))
		w.advance(s, false, 0)
	case Await:
		fs := w.t.elements(w.evals(s, false, n.Args))
		switch {
		case together && s.new.hasAll(w.t, fs):
			w.pass(s, false)
		case together:
			w.meet(s)
		case w.pastWait(s, fs):
			w.pass(s, false)
		default:
			w.fail(s, failWaits)
		}
	case AwaitAny:
		if together {
			w.meet(s)
			return
		}
		w.newAny(s)
	case Receive:
		if together {
			w.meet(s)
			return
		}
		s.give(false, w.point(w.receive(s, false, eventName(n.Target)), s.new.now))
		w.advance(s, false, 0)
	case UUID, Random:
		if w.shared(s, n.Kind) {
			w.meet(s)
			return
		}
		w.draw(s, false)
		w.advance(s, false, 0)
	case Marker:
		w.newMarker(s)
	default:
		w.meet(s)
	}
}

// newMarker has the new program ask for a version. Where the log has something else it is told no, and so is whoever asks
// for the same one later, in coroutines too.
func (w *walk) newMarker(s *state) {
	id := w.new.Nodes[s.new.at].Target
	known, ok := s.new.markers[id]
	if !ok {
		if o := &w.old.Nodes[s.old.at]; o.Kind == Marker && o.Target == id {
			w.meet(s)
			return
		}
		if w.j.askers[id] > 1 {
			w.fail(s, failOther)
			return
		}
		known = w.t.truth(false)
		s.new.markers[id] = known
	}
	s.give(false, w.point(known, s.new.now))
	w.advance(s, false, 0)
}

// pastWait has the new program wait, for what the old one has waited for before it decided. It reports whether that is
// all.
func (w *walk) pastWait(s *state, fs []term) bool {
	var got []term
	for _, f := range fs {
		if name := w.t.event[f]; name != "" {
			e, ok := w.take(s, name)
			if !ok {
				return false
			}
			w.bind(s, false, f, e)
			s.new.known[e] = true
			got = append(got, e)
			continue
		}
		if s.new.has(w.t, f) {
			continue
		}
		if !s.old.has(w.t, f) {
			return false
		}
		s.new.known[f] = true
		got = append(got, f)
	}
	w.catchUp(s, got)
	return true
}

// take gives the new program the next event of a name that the old one has taken.
func (w *walk) take(s *state, name string) (term, bool) {
	events := s.mail[name]
	if len(events) == 0 || events[0] == uncounted {
		return 0, false
	}
	s.mail[name] = events[1:]
	return events[0], true
}

// catchUp sets the clock of the new program after it has waited for got: it is that of the old one after the same waits.
func (w *walk) catchUp(s *state, got []term) {
	if len(got) == 0 {
		return
	}
	for _, f := range got {
		for i := range s.waits {
			p := &s.waits[i]
			p.left = slices.DeleteFunc(p.left, func(x term) bool { return x == f })
		}
	}
	done := 0
	for i, p := range s.waits {
		born := slices.ContainsFunc(got, func(f term) bool { return w.t.birth[f] == p.after && p.after != 0 })
		if born { // what was made after a wait is complete after it
			done = i + 1
		}
	}
	for done < len(s.waits) && len(s.waits[done].left) == 0 && !(s.waits[done].any && s.waits[done].chosen < 0) {
		done++
	}
	early := slices.ContainsFunc(s.waits[done:], func(p waited) bool { return p.lost || len(p.left) == 0 })
	switch {
	case done == 0 || early:
		s.new.now = w.t.symbol("time")
	case s.waits[done-1].lost && len(s.waits[done-1].left) > 0:
		s.new.now = w.t.symbol("time")
	default:
		s.new.now = s.waits[done-1].after
	}
	s.waits = s.waits[done:]
}

// newAny has the new program wait for the first of several.
func (w *walk) newAny(s *state) {
	n := &w.new.Nodes[s.new.at]
	fs := w.t.elements(w.evals(s, false, n.Args))
	if len(s.waits) > 0 {
		if p := s.waits[0]; p.any && !p.lost {
			if place, ok := w.sameAny(s, &p, fs); ok {
				w.repeatAny(s, &p, fs, place)
				return
			}
		}
	}
	w.otherAny(s, fs)
}

// sameAny finds the futures of an any of the old program among those of the new one. place tells, for what was chosen,
// where the new one has it.
func (w *walk) sameAny(s *state, p *waited, fs []term) (place int, ok bool) {
	if p.chosen < 0 {
		return -1, slices.Equal(p.fs, fs)
	}
	mine := make([]int, 0, len(fs)) // those that there may have been then
	for i, f := range fs {
		if !w.fresh(w.t.event[f]) {
			mine = append(mine, i)
		}
	}
	if len(mine) != len(p.fs) {
		return 0, false
	}
	place = -1
	used := map[int]bool{}
	for k, f := range p.fs {
		at := -1
		for m, i := range mine {
			if !used[i] && (!p.order || m == k) && w.sameFuture(s, f, fs[i], k == p.chosen) {
				at = i
				break
			}
		}
		if at < 0 {
			return 0, false
		}
		used[at] = true
		if k == p.chosen {
			place = at
		}
	}
	return place, true
}

// sameFuture compares futures of the two programs. One that waits for an event has not got it in the new program yet.
func (w *walk) sameFuture(s *state, old, new term, chosen bool) bool {
	if old == new {
		return true
	}
	name := w.t.event[new]
	if name == "" {
		return false
	}
	if chosen {
		events := s.mail[name]
		return len(events) > 0 && events[0] == old
	}
	return w.t.event[old] == name
}

func (w *walk) repeatAny(s *state, p *waited, fs []term, place int) {
	if place < 0 {
		s.give(false, w.point(p.left[0], p.after))
		s.new.now, s.waits = p.after, s.waits[1:]
		w.advance(s, false, 0)
		return
	}
	f := p.fs[p.chosen]
	if name := w.t.event[fs[place]]; name != "" {
		w.take(s, name)
		w.bind(s, false, fs[place], f)
	}
	s.new.known[f] = true
	s.new.now, s.waits = p.after, s.waits[1:]
	s.give(false, w.point(w.which(place, f), s.new.now))
	w.advance(s, false, 0)
}

// otherAny is a wait for the first of several that the old program has not made in this way: all that could have been
// complete then can be the answer.
func (w *walk) otherAny(s *state, fs []term) {
	certain := false
	for _, f := range fs {
		certain = certain || s.old.has(w.t, f) || len(s.mail[w.t.event[f]]) > 0
	}
	if !certain || len(fs) > mostOpen {
		w.fail(s, failWaits)
		return
	}
	for i, f := range fs {
		name := w.t.event[f]
		if w.fresh(name) {
			continue
		}
		fork := s.clone()
		if name != "" {
			e, ok := w.take(fork, name)
			if !ok { // an event that the old program has not taken yet may be there
				w.fail(fork, failTakes)
				continue
			}
			w.bind(fork, false, f, e)
			f = e
		}
		there := fork.new.has(w.t, f)
		fork.old.known[f], fork.new.known[f] = true, true
		if !there {
			w.catchUp(fork, []term{f})
		}
		fork.give(false, w.point(w.which(i, f), fork.new.now))
		w.move(fork, false, 0)
		fork.path.guess = true
		w.put(fork)
		if there {
			break
		}
	}
}

// fresh reports whether an event is one that nobody could send to an instance of the old code.
func (w *walk) fresh(event string) bool { return event != "" && w.j.freshEvent(event) }
