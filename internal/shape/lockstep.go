package shape

import "slices"

// level reports whether both programs have taken and waited for the same so far, and it is the same time in both.
func (s *state) level() bool {
	if s.behind || s.old.now != s.new.now || len(s.waits) > 0 {
		return false
	}
	for _, events := range s.mail {
		if len(events) > 0 {
			return false
		}
	}
	for _, d := range s.pending {
		if d.lost || len(d.values) > 0 {
			return false
		}
	}
	return true
}

// lockstep has both programs wait at once, if they are level and wait for the same. What they get then is the same.
func (w *walk) lockstep(s *state) bool {
	o, n := &w.old.Nodes[s.old.at], &w.new.Nodes[s.new.at]
	if o.Kind != n.Kind || !s.level() || w.together(s) {
		return false
	}
	fs := w.t.elements(w.evals(s, true, o.Args))
	if !slices.Equal(fs, w.t.elements(w.evals(s, false, n.Args))) {
		return false
	}
	if o.Kind == Await {
		w.awaitBoth(s, fs)
	} else {
		w.anyOfBoth(s, fs)
	}
	return true
}

func (w *walk) awaitBoth(s *state, fs []term) {
	if !slices.ContainsFunc(fs, func(f term) bool { return !s.old.has(w.t, f) || w.t.event[f] != "" }) {
		w.pass(s, true) // the other one passes by itself
		return
	}
	for _, f := range fs {
		w.completed(s, f, f)
	}
	w.afterWaits(s, w.t.symbol("all"))
}

func (w *walk) anyOfBoth(s *state, fs []term) {
	if len(fs) > mostOpen || !w.plain(fs) {
		w.afterWaits(s, w.t.symbol("which"))
		return
	}
	for i, f := range fs {
		fork := s.clone()
		there := w.t.event[f] == "" && fork.old.has(w.t, f)
		now := fork.old.now
		value := w.which(i, w.completed(fork, f, f))
		if there {
			fork.old.now, fork.new.now = now, now
			w.share(fork, value)
			return // those behind it are not looked at
		}
		w.afterWaits(fork, value)
	}
}
