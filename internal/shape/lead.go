package shape

import "slices"

// oldAwait has the old program wait. What it has waited for then is there, at the latest now.
func (w *walk) oldAwait(s *state) {
	fs := w.t.elements(w.evals(s, true, w.old.Nodes[s.old.at].Args))
	if w.together(s) {
		if s.old.hasAll(w.t, fs) {
			w.pass(s, true)
			return
		}
		w.lead(s)
		return
	}
	var left []term
	for _, f := range fs {
		if f, new := w.arrive(s, f); new {
			left = append(left, f)
		}
	}
	if len(left) > 0 {
		s.old.now = w.t.symbol("time")
		w.wait(s, waited{left: left, after: s.old.now})
	}
	w.pass(s, true)
}

// pass goes on behind a wait.
func (w *walk) pass(s *state, old bool) {
	now := s.side(old).now
	s.give(old, w.point(now, now))
	w.advance(s, old, 0)
}

// arrive tells that a future of the old program is complete. That of an event has got one then.
func (w *walk) arrive(s *state, f term) (got term, new bool) {
	if name := w.t.event[f]; name != "" {
		e := w.t.symbol("event")
		w.bind(s, true, f, e)
		switch events := s.mail[name]; {
		case len(events) == mostMail:
			s.mail[name] = []term{uncounted}
		case len(events) == 0 || events[0] != uncounted:
			s.mail[name] = append(events, e)
		}
		s.old.known[e] = true
		return e, true
	}
	if s.old.has(w.t, f) {
		return f, false
	}
	s.old.known[f] = true
	return f, true
}

// receive makes a future of an event. It is the same as one that the other program has made, if both have taken as many
// events so far: what is asked of it before it has got one is then the same, too.
func (w *walk) receive(s *state, old bool, name string) term {
	const most = 4
	d := s.pending[name]
	if len(d.values) > 0 && d.ahead == old {
		f := d.values[0]
		d.values = d.values[1:]
		s.pending[name] = d
		if w.t.event[f] == name && len(s.mail[name]) == 0 {
			return f
		}
		return w.t.receive(name)
	}
	f := w.t.receive(name)
	d.values, d.ahead = append(d.values, f), !old
	if len(d.values) > most {
		d.values, d.lost = d.values[1:], true
	}
	s.pending[name] = d
	return f
}

// uncounted stands for events of a name of which the old program has taken so many more that they are not told apart.
const uncounted term = 0

// bind puts an event into the place of a future that waited for it.
func (w *walk) bind(s *state, old bool, from, to term) {
	done := map[term]term{}
	c := s.side(old)
	for r, x := range c.env {
		if x != unset {
			c.env[r] = w.t.replace(x, from, to, done)
		}
	}
	if !old {
		return
	}
	for i := range s.waits {
		s.waits[i].fs = slices.Clone(s.waits[i].fs)
		for k, f := range s.waits[i].fs {
			s.waits[i].fs[k] = w.t.replace(f, from, to, done)
		}
	}
}

// has reports whether a future is known to be complete: itself, or all of the list that it is an element of.
func (c *cursor) has(t *terms, f term) bool {
	if c.known[f] {
		return true
	}
	m := t.all[f]
	return (m.op == opIndex || m.op == "element") && len(m.args) > 0 && c.known[m.args[0]]
}

func (c *cursor) hasAll(t *terms, fs []term) bool {
	return !slices.ContainsFunc(fs, func(f term) bool { return !c.has(t, f) })
}

// wait notes what the new program has to wait for to be at the same time.
func (w *walk) wait(s *state, p waited) {
	s.waits = append(s.waits, p)
	if len(s.waits) <= mostWaits {
		return
	}
	first, second := &s.waits[0], &s.waits[1]
	left := slices.Concat(first.left, second.left)
	if len(left) > mostOpen {
		left = left[len(left)-mostOpen:]
	}
	*second = waited{lost: true, left: left, after: second.after}
	s.waits = s.waits[1:]
}

// oldAny has the old program wait for the first of several: any that can be.
func (w *walk) oldAny(s *state) {
	if w.together(s) {
		w.lead(s)
		return
	}
	args := w.evals(s, true, w.old.Nodes[s.old.at].Args)
	fs := w.t.elements(args)
	if len(fs) > mostOpen || !w.plain(fs) {
		s.old.now = w.t.symbol("time")
		which := w.t.symbol("which")
		w.wait(s, waited{any: true, fs: fs, left: []term{which}, chosen: -1, after: s.old.now})
		s.give(true, w.point(which, s.old.now))
		w.advance(s, true, 0)
		return
	}
	order := w.ready(s, fs) > 1
	for i := range fs {
		fork := s.clone()
		there := fork.old.has(w.t, fs[i])
		f, _ := w.arrive(fork, fs[i])
		if !there {
			fork.old.now = w.t.symbol("time")
		}
		list := slices.Clone(fs)
		list[i] = f
		w.wait(fork, waited{any: true, order: order, fs: list, left: []term{f}, chosen: i, after: fork.old.now})
		fork.give(true, w.point(w.which(i, f), fork.old.now))
		w.advance(fork, true, 0)
		if there {
			break // those behind it are not looked at
		}
	}
}

func (w *walk) which(i int, f term) term { return w.t.keep(opWhich, itoa(i), "", []term{f}) }

// plain reports whether all futures are known one by one, not by a list that was put together elsewhere.
func (w *walk) plain(fs []term) bool {
	return !slices.ContainsFunc(fs, func(f term) bool { return w.t.birth[f] == 0 && w.t.event[f] == "" && w.t.all[f].op != opSymbol })
}

// ready counts the futures that may have been complete before they are waited for.
func (w *walk) ready(s *state, fs []term) (n int) {
	for _, f := range fs {
		n += btoi(w.t.birth[f] != s.old.now)
	}
	return n
}

// draw takes the next of a sequence: the same number gives the same on both sides.
func (w *walk) draw(s *state, old bool) {
	c, g := s.side(old), w.graph(old)
	n := &g.Nodes[c.at]
	d := &s.draws[btoi(n.Kind == Random)]
	shape := w.t.of("draw", n.Target, "", w.evals(s, old, n.Args)...)
	value := w.t.symbol("drawn")
	if len(d.values) > 0 && d.ahead == old { // the other one has drawn it before
		if d.shapes[0] == shape {
			value = d.values[0]
		} else {
			d.lost = true
		}
		d.values, d.shapes = d.values[1:], d.shapes[1:]
	} else if !d.lost {
		d.values, d.shapes, d.ahead = append(d.values, value), append(d.shapes, shape), !old
	}
	if len(d.values) > mostDraws || d.lost {
		d.lost, d.values, d.shapes = true, nil, nil
	}
	if len(d.values) == 0 {
		d.ahead = false
	}
	s.give(old, w.point(value, c.now))
}

// oldMarker has the old program ask for a version. It may have been told no, by a history that is older still, unless
// the new one has the call only to repeat the marker: who takes the old way away says that no such history is left.
func (w *walk) oldMarker(s *state) {
	id := w.old.Nodes[s.old.at].Target
	if known, ok := s.old.markers[id]; ok {
		s.give(true, w.point(known, s.old.now))
		w.advance(s, true, 0)
		return
	}
	if w.j.stays(id) {
		w.lead(s)
		return
	}
	no := s.clone()
	no.old.markers[id] = w.t.truth(false)
	no.give(true, w.point(w.t.truth(false), no.old.now))
	w.advance(no, true, 0)
	w.lead(s)
}
