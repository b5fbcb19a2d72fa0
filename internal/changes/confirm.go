package changes

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// Pair is a change.
type Pair struct {
	Name          string
	Earlier       Code // what instances begin with, if that is still older than Before: for [young]
	Before, After Code
	Scenarios     string // in text
}

// young is how long an instance has the code of Earlier: the first activities, and what is waited for after these.
const young = time.Minute

// begin starts a scenario with the code that is older than the change.
func (p Pair) begin(t testing.TB, s Scenario) *run {
	if p.Earlier == nil {
		return begin(t, p.Before, s)
	}
	r := begin(t, p.Earlier, s)
	r.until(r.begun.Add(young))
	if r.err == nil {
		r.err = p.Before.replace(r.env.Registry())
	}
	return r
}

// Outcome is what running a pair has shown.
type Outcome struct {
	Name   string `json:"name"`
	Runs   int    `json:"runs"`   // scenarios times the points at which the code was replaced
	Broken string `json:"broken"` // where the new code broke an instance, and how; "" if it never did
	Replay string `json:"replay"` // the same of the replay check over the histories at these points
	Error  string `json:"error"`  // what is wrong with the pair itself

	met map[string]bool // what replacements have met, in the scenarios so far
}

// Confirm runs a pair: each scenario with the old code alone, and then again for each moment at which something came into
// the history, with the new code from there on, unless it was replaced in the same state in an earlier scenario. Of the
// first scenario there are others, in which an activity fails.
func Confirm(t testing.TB, p Pair) (o Outcome) {
	o.Name, o.met = p.Name, map[string]bool{}
	if p.Earlier.hasErrors() || p.Before.hasErrors() || p.After.hasErrors() {
		errorsInUse.Lock()
		defer errorsInUse.Unlock()
		none := Errors(func() {}) // a side that has none forgets those of the other
		p.Before, p.After = append(slices.Clone(p.Before), none), append(slices.Clone(p.After), none)
		if p.Earlier != nil {
			p.Earlier = append(slices.Clone(p.Earlier), none)
		}
	}
	scenarios, err := ParseScenarios(p.Scenarios)
	if err != nil || len(scenarios) == 0 {
		o.Error = fmt.Sprintf("it has %d scenarios, %v", len(scenarios), err)
		return o
	}
	for _, s := range slices.Concat(scenarios, failing(t, p.Before, scenarios[0])) {
		if o.Error = o.scenario(t, p, s); o.Error != "" {
			o.Error = s.Name + ": " + o.Error
			return o
		}
	}
	return o
}

// errorsInUse is held by the pair whose durable errors the process knows.
var errorsInUse sync.Mutex

// ConfirmAll runs pairs at the same time and gives their outcomes in order.
func ConfirmAll(t testing.TB, pairs []Pair) []Outcome {
	outcomes := make([]Outcome, len(pairs))
	var all sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := range next {
				outcomes[n] = Confirm(t, pairs[n])
			}
		})
	}
	for n := range pairs {
		next <- n
	}
	close(next)
	all.Wait()
	return outcomes
}

// scenario runs one scenario; what comes back is wrong with the old code.
func (o *Outcome) scenario(t testing.TB, p Pair, s Scenario) string {
	old := p.begin(t, s)
	defer old.close()
	old.until(old.end)
	if wrong := old.broken(nil); wrong != "" {
		return "the old code alone: " + wrong
	}
	was := map[string]durable.Instance{}
	for _, inst := range old.instances() {
		was[inst.ID] = inst
	}
	points := old.points(s)
	if p.Earlier != nil {
		points = slices.DeleteFunc(points, func(at time.Time) bool { return at.Before(old.begun.Add(young)) })
	}
	saved, err := old.histories(was)
	if err != nil {
		return err.Error()
	}
	for _, h := range saved {
		for most := 1; most <= len(h.Messages) && o.Replay == ""; most++ {
			if most < len(h.Messages) && !h.Messages[most].Kind().Inbox() {
				continue // what one message made it decide is stored at once: nobody reads a part of that
			}
			if err := replayedTo(p.After, h, most); err != nil {
				o.Replay = fmt.Sprintf("%s, %s, %d messages: %v", s.Name, h.ID, most, err)
			}
		}
	}
	before := maps.Clone(o.met)
	for n, at := range points {
		if o.Broken != "" && o.Replay != "" {
			break // nothing more to learn
		}
		state := stateAt(saved, s, at, at.Sub(old.begun))
		if state != "" && before[state] {
			continue
		}
		o.met[state] = true
		wrong, err := o.replace(t, p, s, at, was)
		if err != nil {
			return err.Error()
		}
		if wrong != "" && o.Broken == "" {
			o.Broken = fmt.Sprintf("%s, point %d of %d: %s", s.Name, n+1, len(points), wrong)
		}
	}
	return ""
}

// failing gives scenarios like s in which one of its activities fails for good.
func failing(t testing.TB, code Code, s Scenario) (more []Scenario) {
	r := begin(t, code, s)
	defer r.close()
	r.until(r.end)
	var names []string
	for _, c := range r.env.Calls() {
		if !slices.Contains(names, c.Activity) {
			names = append(names, c.Activity)
		}
	}
	for _, name := range names {
		one := s
		one.Name += ", but " + name + " fails"
		one.Fails = append(slices.Clone(s.Fails), Fail{name, 1, true})
		more = append(more, one)
	}
	return more
}

// replace runs a scenario with the old code up to a moment and with the new code from there, and tells what breaks.
func (o *Outcome) replace(t testing.TB, p Pair, s Scenario, at time.Time, was map[string]durable.Instance) (broken string, err error) {
	o.Runs++
	r := p.begin(t, s)
	defer r.close()
	r.until(at)
	o.check(p, r, s)
	if err := p.After.replace(r.env.Registry()); err != nil {
		return "", fmt.Errorf("the new code: %w", err)
	}
	r.until(r.end)
	return r.broken(was), nil
}

// check replays the histories of the moment.
func (o *Outcome) check(p Pair, r *run, s Scenario) {
	for _, inst := range r.instances() {
		if inst.Status.Final() || o.Replay != "" {
			continue
		}
		if err := replayed(p.After, r.env.History(inst.ID)); err != nil {
			o.Replay = fmt.Sprintf("%s, %s: %v", s.Name, inst.ID, err)
		}
	}
}

// points are moments just after something has happened: the start, the begins and ends of activities, timers, events.
func (r *run) points(s Scenario) []time.Time {
	at := []time.Duration{0}
	for n, c := range r.env.Calls() {
		at = append(at, c.After, c.After+step+time.Duration(n+1)*grain)
	}
	for _, t := range r.env.Timers() {
		at = append(at, t.After)
	}
	for _, e := range s.Raises {
		at = append(at, e.After)
	}
	slices.Sort(at)
	var points []time.Time
	for _, d := range slices.Compact(at) {
		if p := r.begun.Add(d + time.Millisecond); p.Before(r.end) && len(points) < mostPoints {
			points = append(points, p)
		}
	}
	return points
}

// stateAt names what a replacement of the code at a moment meets: the histories by then, which say what is under way, and
// the events still to come. It is "" if the histories of then are not kept. After a replacement all is decided by the new
// code: that an activity is still to fail makes no difference to how it takes over.
func stateAt(saved []history.Saved, s Scenario, at time.Time, after time.Duration) string {
	h := sha256.New()
	for _, e := range s.Raises {
		if e.After >= after {
			fmt.Fprintf(h, "%s %s %d\n", e.Event, e.Payload, e.After)
		}
	}
	for _, one := range saved {
		if _, first := one.Messages[0].Record.(*history.Start); !first {
			return "" // it has continued as new
		}
		most := slices.IndexFunc(one.Messages, func(m history.Message) bool { return m.Time.After(at) })
		if most < 0 {
			most = len(one.Messages)
		}
		if most == 0 {
			continue
		}
		text, err := json.Marshal(one.Messages[:most])
		if err != nil {
			return ""
		}
		fmt.Fprintf(h, "%s %s %s\n", one.Group, one.ID, text)
	}
	return string(h.Sum(nil))
}

// histories gives what is left of each instance's, by id.
func (r *run) histories(of map[string]durable.Instance) (saved []history.Saved, err error) {
	for _, id := range slices.Sorted(maps.Keys(of)) {
		var text []byte
		r.tb.guard(func() { text = r.env.History(id) })
		if text == nil {
			return nil, fmt.Errorf("the history of %q: %s", id, r.tb.said())
		}
		h, err := history.ReadSaved(text)
		if err != nil {
			return nil, err
		}
		saved = append(saved, h)
	}
	return saved, nil
}

const mostPoints = 40 // of one scenario
