package shape

import (
	"fmt"
	"slices"
	"strings"
)

// Rehearse runs an old and a new program with inputs, results and events that are drawn. It always draws the same.
type Rehearse func(old, now Program) Rehearsal

// Program is one of two orchestrators that are compared.
type Program struct {
	Lock         *Lock
	Orchestrator *Orchestrator
	Flow         *Flow // with arguments as they are stored
}

// Rehearsal is what came of running two programs.
type Rehearsal struct {
	Runs    int
	Differs bool     // the new program has not repeated what the old one had decided
	Unseen  []string // what no run has come to, though it may matter
}

// rehearsal runs two programs of which the proof has failed. How payloads are read is not rehearsed, and how they are written only
// where their types say it all.
func (c *comparison) rehearsal(j *judgement) *Rehearsal {
	ofTypes := func(f failure) bool { return f.kind == failType && !f.shown }
	if c.rehearse == nil || len(j.failures) == 0 || slices.ContainsFunc(j.failures, ofTypes) {
		return nil
	}
	old, now := Canonical(*j.old.stored(j.from.Flow.runnable())), Canonical(*j.unborn(j.recased(j.new.stored(j.to.Flow.runnable()))))
	r := c.rehearse(Program{j.old, j.from, &old}, Program{j.new, j.to, &now})
	return &r
}

// runnable is the form of a flow that is run.
func (f *Flow) runnable() *Flow {
	if f.Run != nil {
		return f.Run
	}
	return f
}

// passed reports whether a rehearsal has come to all that may matter, and found no difference.
func (r *Rehearsal) passed() bool { return r != nil && !r.Differs && len(r.Unseen) == 0 }

// instead says that there is a rehearsal where there is no proof.
func (r *Rehearsal) instead() string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf(", in %d rehearsals; it is not proved", r.Runs)
}

// doubt says what a rehearsal that has not found anything has not come to, so that people can look at that.
func (r *Rehearsal) doubt() string {
	const most = 3
	if r == nil || r.Differs {
		return ""
	}
	unseen := strings.Join(r.Unseen[:min(most, len(r.Unseen))], ", ")
	if more := len(r.Unseen) - most; more > 0 {
		unseen += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("; no difference came up in %d rehearsals, which did not come to %s", r.Runs, unseen)
}
