package shape

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// Compare judges what became of the orchestrators of a package: a finding for each change, sorted by position. A change is
// safe when no instance that the old code has brought to any point can break under the new code. What cannot be proved is
// rehearsed; nil: then it is unsafe.
func Compare(old, now *Lock, rehearse Rehearse) []Finding {
	c := &comparison{old: old, new: now, rehearse: rehearse, taken: map[*Orchestrator]bool{}, edited: map[*Orchestrator]edits{}}
	for i := range old.Orchestrators {
		c.orchestrator(&old.Orchestrators[i])
	}
	for i := range now.Orchestrators {
		if o := &now.Orchestrators[i]; !c.taken[o] {
			c.added(o)
		}
	}
	c.endpoints("activity", old.Activities, now.Activities)
	c.endpoints("event", old.Events, now.Events)
	sortFindings(c.findings)
	return onePerLine(c.findings)
}

type comparison struct {
	old, new *Lock
	taken    map[*Orchestrator]bool // those that stand for one of before
	rehearse Rehearse
	findings []Finding
	edited   map[*Orchestrator]edits
}

// edits are those of the code of an orchestrator, found once somebody asks: most have none to tell of.
func (c *comparison) edits(now *Orchestrator) edits {
	e, known := c.edited[now]
	if !known {
		e = editsOf(c.old.Written, now.Flow.Written)
		c.edited[now] = e
	}
	return e
}

func (c *comparison) add(f Finding) { c.findings = append(c.findings, f) }

// version is what a directive without version= means.
func version(v string) string {
	if v == "" {
		return "1"
	}
	return v
}

// orchestrator judges what became of one.
func (c *comparison) orchestrator(old *Orchestrator) {
	now := c.successor(old)
	if now == nil {
		c.gone(old)
		return
	}
	c.taken[now] = true
	before := len(c.findings)
	if now.Group != old.Group {
		c.add(Finding{
			Orchestrator: old.Name, Version: old.Version, Kind: "group", Pos: now.Directive,
			Change:  fmt.Sprintf("orchestrator %s moved from group %s to group %s", old.Name, old.Group, now.Group),
			Reason:  "instances stay in the group that they were started in, and its workers do not have the code any more",
			Breaks:  "all running instances of " + old.Name,
			WaysOut: ways(old.Name, fmt.Sprintf(wayGroup, old.Group)),
		})
	}
	if now.Name != old.Name {
		c.safe(old, now.Pos, "renamed", fmt.Sprintf("orchestrator %s is %s now", old.Name, now.Name), "it answers to the old name too")
	}
	c.input(old, now)
	several := func(o *Orchestrator) bool { return len(o.Params) > 1 }
	if len(old.Params) > 0 && several(old) != several(now) {
		c.reformed(old, now, Unsafe(c.findings[before:]))
		return
	}
	c.flow(old, now)
}

// reformed judges an input that was stored by itself and is stored by names now, or the contrary.
func (c *comparison) reformed(old, now *Orchestrator, told bool) {
	if told || c.passes(old, now) {
		return
	}
	pos := now.Pos
	if len(now.Params) > 0 && now.Params[0].Pos.IsValid() {
		pos = now.Params[0].Pos
	}
	c.add(Finding{
		Orchestrator: old.Name, Version: old.Version, Kind: "input", Pos: pos, Change: "the input is stored in another form: a single parameter by itself, several by their names",
		Reason: "what was stored is not seen any more, and what is decided depends on it",
		Breaks: "all running instances of " + old.Name, WaysOut: ways(old.Name, wayCopy),
	})
}

// successor finds the code that instances of an orchestrator go on with: that of the same version, by name or alias.
func (c *comparison) successor(old *Orchestrator) *Orchestrator {
	var found *Orchestrator
	for i := range c.new.Orchestrators {
		o := &c.new.Orchestrators[i]
		if version(o.Version) != version(old.Version) {
			continue
		}
		if o.Name == old.Name {
			return o
		}
		if slices.Contains(o.Aliases, old.Name) {
			found = o
		}
	}
	return found
}

// gone tells of an orchestrator, or a version of it, that is not there any more.
func (c *comparison) gone(old *Orchestrator) {
	f := Finding{
		Orchestrator: old.Name, Version: old.Version, Kind: "removed",
		Change:  fmt.Sprintf("orchestrator %s was removed", old.Name),
		Reason:  "instances that run have no code to go on with: they are parked",
		Breaks:  "all running instances of " + old.Name,
		WaysOut: ways(old.Name, "keep the function until none of its instances is left"),
	}
	for i := range c.new.Orchestrators {
		o := &c.new.Orchestrators[i]
		if o.Name == old.Name || slices.Contains(o.Aliases, old.Name) {
			f.Kind, f.Pos = "version", o.Directive
			f.Change = fmt.Sprintf("version %s of orchestrator %s is gone, there is version %s", version(old.Version), old.Name, version(o.Version))
			f.Breaks = fmt.Sprintf("all running instances of version %s of %s", version(old.Version), old.Name)
			f.WaysOut = ways(old.Name, wayCopy)
			break
		}
	}
	if f.Kind == "removed" {
		if o := c.renamed(old); o != nil {
			f.Kind, f.Pos = "renamed", whereNamed(o.Name, o.Func, o.Pos, o.Directive)
			f.Change = fmt.Sprintf("orchestrator %s is gone, and looks renamed to %s", old.Name, o.Name)
			f.WaysOut = ways(old.Name, fmt.Sprintf(wayAlias, old.Name, old.Name))
		}
	}
	if !f.Pos.IsValid() {
		f.Pos = c.instead(old)
	}
	c.add(f)
}

// instead gives the directive of a new activity or orchestrator that takes what an old orchestrator took, which is most
// likely what does its work now.
func (c *comparison) instead(old *Orchestrator) token.Position {
	alike := func(name string, params []Param) bool {
		return len(params) > 0 && len(params) == len(old.Params) && find(c.old.Activities, name) == nil && c.old.orchestrator(name) == nil &&
			slices.EqualFunc(params, old.Params, func(a, b Param) bool { return a.Name == b.Name && c.new.Types[a.Type].Kind == c.old.Types[b.Type].Kind })
	}
	for _, o := range c.new.Orchestrators {
		if alike(o.Name, o.Params) {
			return o.Pos
		}
	}
	for _, e := range c.new.Activities {
		if alike(e.Name, e.Params) {
			return e.Pos
		}
	}
	return token.Position{}
}

// renamed finds a new orchestrator that does what an old one did.
func (c *comparison) renamed(old *Orchestrator) *Orchestrator {
	for i := range c.new.Orchestrators {
		o := &c.new.Orchestrators[i]
		known := slices.ContainsFunc(c.old.Orchestrators, func(p Orchestrator) bool { return p.Name == o.Name })
		if !known && len(o.Params) == len(old.Params) && c.same(old, o) {
			return o
		}
	}
	return nil
}

func (c *comparison) added(o *Orchestrator) {
	change := fmt.Sprintf("orchestrator %s is new", o.Name)
	if slices.ContainsFunc(c.old.Orchestrators, func(p Orchestrator) bool { return p.Name == o.Name }) {
		change = fmt.Sprintf("version %s of orchestrator %s is new", version(o.Version), o.Name)
	}
	c.safe(o, o.Pos, "added", change, "no instance of it runs yet")
}

func (c *comparison) safe(o *Orchestrator, pos token.Position, kind, change, reason string) {
	c.add(Finding{Orchestrator: o.Name, Version: o.Version, Kind: kind, Safe: true, Pos: pos, Change: change, Reason: reason})
}

// input judges what an orchestrator takes.
func (c *comparison) input(old, now *Orchestrator) {
	for _, change := range CompareParams(c.old, old.Params, c.new, now.Params) {
		pos := change.Pos
		if !pos.IsValid() {
			pos = now.Pos
		}
		pos = c.edits(now).nearest(pos)
		unsafe := change.Fails || change.Loses && readsInput(&now.Flow, change.Path)
		if !unsafe {
			c.safe(old, pos, "input", "the input changed: "+at(change), "what was stored can be read, and nothing that is decided depends on the rest")
			continue
		}
		reason := "what was stored cannot be read any more"
		if !change.Fails {
			reason = "what was stored is not seen any more, and what is decided depends on it"
		}
		f := Finding{
			Orchestrator: old.Name, Version: old.Version, Kind: "input", Pos: pos, Change: "the input changed: " + at(change), Reason: reason,
			Breaks: "all running instances of " + old.Name, WaysOut: ways(old.Name, wayCopy),
		}
		if change.Renamed != "" {
			name := change.Path[strings.LastIndexByte(change.Path, '.')+1:]
			f.WaysOut = append([]string{fmt.Sprintf("keep the stored name of the field: `json:%q`", name)}, f.WaysOut...)
		}
		c.add(f)
	}
}

// exchanged finds the other version that an orchestrator was, if it now does exactly what that did.
func (c *comparison) exchanged(old, now *Orchestrator, failures []failure) *Orchestrator {
	if len(failures) == 0 {
		return nil
	}
	for i := range c.old.Orchestrators {
		o := &c.old.Orchestrators[i]
		if o == old || o.Name != old.Name || len(o.Params) != len(now.Params) || !c.same(o, now) {
			continue
		}
		if next := c.successor(o); next != nil && !c.passes(o, next) {
			return o
		}
	}
	return nil
}

// same reports whether each of two can go on with what the other began.
func (c *comparison) same(old, now *Orchestrator) bool {
	back := &comparison{old: c.new, new: c.old} // it only judges
	return c.passes(old, now) && back.passes(now, old)
}

// passes reports whether nothing is told of two flows.
func (c *comparison) passes(old, now *Orchestrator) bool {
	j := newJudgement(c, old, now)
	j.brief = true
	j.compareFlows()
	return j.complex == "" && len(j.failures) == 0
}

// flow judges what an orchestrator does.
func (c *comparison) flow(old, now *Orchestrator) {
	failures, rehearsal := c.judge(old, now)
	if other := c.exchanged(old, now, failures); other != nil {
		c.add(Finding{
			Orchestrator: old.Name, Version: old.Version, Kind: "version", Pos: now.Directive,
			Change:  fmt.Sprintf("version %s of orchestrator %s is what was version %s", version(old.Version), old.Name, version(other.Version)),
			Reason:  "instances stay on the version they began with, and its code is under another number now",
			Breaks:  fmt.Sprintf("running instances of version %s of %s", version(old.Version), old.Name),
			WaysOut: ways(old.Name, wayCopy),
		})
		return
	}
	for _, f := range failures {
		if !f.pos.IsValid() {
			f.pos = now.Pos
		}
		if f.declared {
			f.pos = c.edits(now).within(f.pos)
		} else {
			f.pos = c.edits(now).nearest(f.pos)
		}
		c.add(Finding{
			Orchestrator: old.Name, Version: old.Version, Kind: string(f.kind), Pos: f.pos, Change: f.change,
			Reason: f.reason() + rehearsal.doubt(), Breaks: f.breaks(old.Name), WaysOut: f.ways(old.Name),
		})
	}
	if pos, differs := firstChange(&old.Flow, &now.Flow); len(failures) == 0 && differs {
		if !pos.IsValid() {
			pos = now.Pos
		}
		c.safe(old, pos, "flow", "the code changed", "whatever an instance has decided so far, the new code decides too"+rehearsal.instead())
	}
}

func (f *failure) reason() string {
	switch f.kind {
	case failArgument, failCount, failName:
		return "a replay compares the arguments of each decision with those that were recorded"
	case failType:
		return "what was recorded is read again at each replay"
	}
	if f.expected == "" {
		return "it cannot be shown that the new code repeats what instances have decided"
	}
	return fmt.Sprintf("histories have %s at this place, and a replay has to come to it again", f.expected)
}

// breaks says which instances a failure concerns.
func (f *failure) breaks(name string) string {
	switch {
	case f.expected == "":
		return "running instances of " + name
	case f.after == "":
		return fmt.Sprintf("running instances of %s that have come to %s, the first that it decides", name, f.expected)
	}
	return fmt.Sprintf("running instances of %s that are past %s and have come to %s; those before it go on", name, f.after, f.expected)
}

// ways are those out of a failure.
func (f *failure) ways(name string) []string {
	if f.marker != "" {
		return ways(name, fmt.Sprintf(wayKeep, f.marker))
	}
	return ways(name, wayVersion, wayCopy)
}

// judge compares two flows, and rehearses them where that proves nothing.
func (c *comparison) judge(old, now *Orchestrator) ([]failure, *Rehearsal) {
	j := newJudgement(c, old, now)
	j.compareFlows()
	if j.complex != "" && len(j.failures) == 0 {
		pos, _ := firstChange(&old.Flow, &now.Flow)
		j.failures = append(j.failures, failure{kind: "complex", pos: pos, change: "the code changed, too much to prove that instances can go on: " + j.complex})
	}
	rehearsal := c.rehearsal(j)
	if rehearsal.passed() {
		return nil, rehearsal
	}
	return j.roots(), rehearsal
}

// roots leaves out arguments that are other ones because of a step that is told of.
func (j *judgement) roots() []failure {
	told := map[string]bool{"": false}
	for _, f := range j.failures {
		told[f.root] = f.root != ""
	}
	return slices.DeleteFunc(j.failures, func(f failure) bool { return told[f.behind] })
}

// ways lists ways out, those that always help last.
func ways(name string, first ...string) []string {
	return append(first, fmt.Sprintf(wayWait, name), wayAccept)
}

// endpoints tells of activities and events that came and went. Whether instances need them is seen where they are used.
func (c *comparison) endpoints(what string, old, now []Endpoint) {
	for i := range now {
		e := &now[i]
		if !slices.ContainsFunc(old, func(p Endpoint) bool { return p.Name == e.Name || slices.Contains(e.Aliases, p.Name) }) {
			c.add(Finding{Orchestrator: e.Name, Kind: "added", Safe: true, Pos: e.Pos, Change: fmt.Sprintf("%s %s is new", what, e.Name), Reason: "no history has it"})
		}
	}
	for i := range old {
		e := &old[i]
		if find(now, e.Name) == nil {
			c.add(Finding{Orchestrator: e.Name, Kind: "removed", Safe: true, Change: fmt.Sprintf("%s %s was removed", what, e.Name), Reason: "no orchestrator that may have to repeat it needs it"})
		}
	}
}

// find gives what answers to a name: by its own first.
func find(list []Endpoint, name string) *Endpoint {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	for i := range list {
		if slices.Contains(list[i].Aliases, name) {
			return &list[i]
		}
	}
	return nil
}
