package durable

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// A schedule is an orchestration that every worker of a group runs by itself. It lives in the log like any other; there
// is no server or leader of its own. The order of its slots is a storage format: a live schedule that was begun by an
// older version must be repeated by this code.

const (
	scheduleName  = "durable.Schedule" // wire name of the orchestrator
	scheduleEvent = "durable:schedule" // no name of a user's event has a colon

	mostSteps    = 100         // waits of an execution, then it continues as new
	mostRecent   = 10          // runs in the status
	mostAtOnce   = 100         // runs that OverlapAllow makes up for
	problemEvery = time.Minute // until a schedule that a worker cannot compute is tried again
	mostProblem  = 400         // bytes of the text that tells why
)

// scheduleInput is the input of a schedule's execution.
type scheduleInput struct {
	scheduleState
	Input json.RawMessage `json:"input,omitempty"` // of every run
}

// scheduleState is all that a schedule knows, and its custom status.
type scheduleState struct {
	Schedule     Schedule  `json:"schedule"`
	Orchestrator string    `json:"orchestrator"`
	Version      string    `json:"version,omitempty"`
	Created      time.Time `json:"created,omitzero"`
	After        time.Time `json:"after,omitzero"` // what was due until here is settled
	Next         time.Time `json:"next,omitzero"`  // what it waits for, if it is known
	Paused       bool      `json:"paused,omitempty"`
	Note         string    `json:"note,omitempty"`
	Problem      string    `json:"problem,omitempty"` // why it cannot be computed
	Ended        string    `json:"ended,omitempty"`   // endExhausted or endDeleted

	Overlapped  bool      `json:"overlapped,omitempty"` // since After a run was under way
	Buffered    time.Time `json:"buffered,omitzero"`    // a trigger that waits for the end of a run
	LastTrigger time.Time `json:"trigger,omitzero"`

	Runs      int           `json:"runs,omitempty"`
	Triggered int           `json:"triggered,omitempty"`
	Skipped   int           `json:"skipped,omitempty"`
	Missed    int           `json:"missed,omitempty"`
	Recent    []scheduleRun `json:"recent,omitempty"` // newest last
}

const (
	endExhausted = "exhausted"
	endDeleted   = "deleted"
)

type scheduleRun struct {
	At        time.Time `json:"at"`
	Started   time.Time `json:"started"`
	Triggered bool      `json:"triggered,omitempty"`
	Status    Status    `json:"status,omitempty"`
}

// scheduleOrder is the event that steers a schedule.
type scheduleOrder struct {
	Verb     string    `json:"verb"`
	Note     string    `json:"note,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"` // of an update
	// Of an update that names what to run:
	Orchestrator string          `json:"orchestrator,omitempty"`
	Version      string          `json:"version,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
}

const (
	orderPause   = "pause"
	orderResume  = "resume"
	orderTrigger = "trigger"
	orderUpdate  = "update"
	orderDelete  = "delete"
)

// scheduledID is the id of a run.
func scheduledID(schedule string, at time.Time) string {
	return schedule + "-" + at.UTC().Format(time.RFC3339Nano)
}

// outlook is what a schedule makes of its calendar at some moment.
type outlook struct {
	Due     []time.Time `json:"due,omitempty"` // to be run
	Skipped int         `json:"skipped,omitempty"`
	Missed  int         `json:"missed,omitempty"`
	After   time.Time   `json:"after"`
	Next    time.Time   `json:"next,omitzero"`
	Problem string      `json:"problem,omitempty"`
}

// look computes what is due. now is the time of the log; clock that of the worker, which knows how late it is when a
// timer has fired while nobody was there.
func (st *scheduleState) look(now, clock time.Time) outlook {
	c, err := st.Schedule.calendar()
	if err != nil {
		return outlook{After: st.After, Problem: shorten(err.Error(), mostProblem)}
	}
	o := outlook{After: later(st.After, now), Next: c.next(now)}
	n := c.count(st.After, now)
	policy := st.Schedule.overlap()
	switch {
	case n == 0:
	case st.Overlapped && policy == OverlapSkip:
		o.Skipped = n
	case st.Overlapped && policy == OverlapBuffer:
		o.Due, o.Skipped = []time.Time{c.last(st.After, now)}, n-1
	default:
		earliest := later(now, clock).Add(-st.Schedule.window())
		most := 1
		if policy == OverlapAllow {
			most = mostAtOnce
		}
		if limit := st.Schedule.MaxRuns; limit > 0 {
			most = min(most, limit-st.Runs)
		}
		for t := c.last(st.After, now); len(o.Due) < most && !t.IsZero() && !t.Before(earliest); t = c.last(st.After, t.Add(-1)) {
			o.Due = append(o.Due, t)
		}
		slices.Reverse(o.Due)
		rest := max(n-len(o.Due), 0)
		o.Missed = min(rest, c.count(st.After, earliest.Add(-1)))
		o.Skipped = rest - o.Missed
	}
	return o
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// runSchedule is the orchestrator of schedules. clock gives the time of this worker; nil: there is none.
func runSchedule(ctx Context, input history.Payload, clock func() time.Time) (history.Payload, error) {
	in, err := decode[scheduleInput](input)
	if err != nil {
		return nil, fmt.Errorf("input of orchestrator %s: %w", scheduleName, err)
	}
	s := &scheduler{ctx: ctx, scheduleInput: in, clock: clock}
	return nil, s.serve()
}

// scheduler is a schedule in memory.
type scheduler struct {
	scheduleInput
	ctx     Context
	clock   func() time.Time
	steps   int
	run     Future[json.RawMessage] // the run under way, if there is one that is waited for
	running bool
	timer   Timer
	due     time.Time // of timer; zero: there is none
}

// serve goes through the life of a schedule: step, wait, step, …
func (s *scheduler) serve() error {
	if s.Created.IsZero() {
		s.Created, s.After = s.ctx.Now(), s.ctx.Now()
	}
	for ; ; s.steps++ {
		if s.steps >= mostSteps && !s.running {
			return cmp.Or(s.turn(), ContinueWith(s.ctx, s.scheduleInput))
		}
		s.step()
		s.ctx.SetStatus(s.scheduleState)
		if s.Ended != "" {
			return s.turn()
		}
		if err := s.wait(); err != nil {
			return err
		}
	}
}

// turn waits for a turn of its own, in which an execution may end: what ends one is stored after what it has sent, so
// nothing of that may hang on an outlook, which is the worker's own until it is recorded (I3).
func (s *scheduler) turn() error { return Sleep(s.ctx, 0) }

// step starts what is due.
func (s *scheduler) step() {
	if s.Ended != "" || s.running {
		return
	}
	var due []time.Time
	looked := !s.Paused && !s.spent()
	if looked {
		due = s.outlook()
	}
	if b := s.Buffered; !b.IsZero() {
		s.Buffered = time.Time{}
		if len(due) == 0 || s.Schedule.overlap() == OverlapAllow {
			s.start(b, true)
		} else { // the one that is due stands for both
			s.Skipped++
		}
	}
	for _, t := range due {
		s.start(t, false)
	}
	if !s.Paused && !s.running && (s.spent() || looked && s.Next.IsZero() && s.Problem == "") {
		s.Ended = endExhausted
	}
}

// spent reports whether there have been as many runs as there may be.
func (s *scheduler) spent() bool { return s.Schedule.MaxRuns > 0 && s.Runs >= s.Schedule.MaxRuns }

// outlook computes what is due, once: time zone data and clock are those of the worker that does it first, whose result
// is recorded. Whoever repeats it takes what is recorded.
func (s *scheduler) outlook() (due []time.Time) {
	var clock time.Time
	if s.clock != nil {
		clock = s.clock()
	}
	o := s.look(s.ctx.Now(), clock)
	if made, failure := encode(o); failure == nil {
		marker := s.ctx.co.Schedule(history.Slot{Kind: history.SlotVersion, Name: fmt.Sprintf("outlook-%d", s.steps), Args: made})
		if recorded, _ := marker.Result(); recorded != nil {
			if was, err := decode[outlook](recorded); err == nil {
				o = was
			}
		}
	}
	s.After, s.Next, s.Problem, s.Overlapped = o.After, o.Next, o.Problem, false
	s.Skipped += o.Skipped
	s.Missed += o.Missed
	return o.Due
}

// start begins a run.
func (s *scheduler) start(at time.Time, triggered bool) {
	tags := Tags{TagSchedule: s.Schedule.ID, TagScheduledTime: at.UTC().Format(time.RFC3339Nano)}
	for k, v := range s.Schedule.Tags {
		tags[k] = v
	}
	target := &Orchestrator{Name: s.Orchestrator, Group: s.ctx.co.Self().Group, Version: s.Version}
	run := StartChild[json.RawMessage](s.ctx, target, s.Input, InstanceID(scheduledID(s.Schedule.ID, at)), tags)
	entry := scheduleRun{At: at, Started: s.ctx.Now(), Triggered: triggered}
	if triggered {
		s.Triggered++
	} else {
		s.Runs++
	}
	if s.Schedule.overlap() != OverlapAllow {
		s.run, s.running, entry.Status = run, true, Running
	}
	s.Recent = append(s.Recent, entry)
	s.Recent = s.Recent[max(len(s.Recent)-mostRecent, 0):]
}

// wait waits for the end of the run under way, for an order, or until something is due.
func (s *scheduler) wait() error {
	order := ReceiveEvent[scheduleOrder](s.ctx, scheduleEvent)
	waits := []Awaitable{order}
	if s.running {
		waits = append(waits, s.run)
	}
	if s.arm(); !s.due.IsZero() {
		waits = append(waits, s.timer)
	}
	switch Any(s.ctx, waits...) {
	case nil:
		return s.ctx.Err()
	case order:
		if o, err := order.Get(s.ctx); err == nil {
			s.obey(o)
		}
	case s.run:
		s.ended()
	case s.timer:
		s.due = time.Time{}
	}
	return nil
}

// arm makes the timer one for what is next. While a run under way keeps others from beginning there is none: the end of
// the run is soon enough.
func (s *scheduler) arm() {
	next := s.Next
	switch {
	case s.Paused || s.running:
		next = time.Time{}
	case s.Problem != "":
		next = s.ctx.Now().Add(problemEvery)
	}
	if next.Equal(s.due) {
		return
	}
	if !s.due.IsZero() {
		s.timer.Stop()
	}
	if s.due = next; !next.IsZero() {
		s.timer = NewTimer(s.ctx, next.Sub(s.ctx.Now()))
	}
}

// obey does what an order says.
func (s *scheduler) obey(o scheduleOrder) {
	switch o.Verb {
	case orderPause:
		s.Paused, s.Note = true, o.Note
	case orderResume:
		if s.Paused {
			s.After = later(s.After, s.ctx.Now()) // what was due meanwhile is no one's
		}
		s.Paused, s.Note = false, o.Note
	case orderTrigger:
		s.trigger()
	case orderUpdate:
		s.update(o)
	case orderDelete:
		s.Ended = endDeleted
	}
}

func (s *scheduler) trigger() {
	at := later(s.ctx.Now(), s.LastTrigger.Add(1)) // an id of its own
	s.LastTrigger = at
	switch {
	case !s.running:
		s.start(at, true)
	case s.Schedule.overlap() == OverlapSkip:
		s.Skipped++
	default:
		if !s.Buffered.IsZero() {
			s.Skipped++
		}
		s.Buffered = at
	}
}

// update takes over another schedule. One that is due at other times begins now: what it would have had to do before is
// no one's.
func (s *scheduler) update(o scheduleOrder) {
	if o.Schedule != nil {
		had := s.Schedule
		if s.Schedule = *o.Schedule; !had.sameTimes(s.Schedule) {
			s.After = later(s.After, s.ctx.Now())
			s.Next = time.Time{}
		}
	}
	if o.Orchestrator != "" {
		s.Orchestrator, s.Version, s.Input = o.Orchestrator, o.Version, o.Input
	}
	if s.running && s.Schedule.overlap() == OverlapAllow { // nobody looks how it ends any more
		s.running = false
		s.underWay().Status = ""
	}
}

func (s Schedule) sameTimes(o Schedule) bool {
	return slices.Equal(s.Cron, o.Cron) && s.TimeZone == o.TimeZone && s.StartAt.Equal(o.StartAt) && s.EndAt.Equal(o.EndAt)
}

// ended notes how the run under way has ended.
func (s *scheduler) ended() {
	s.running = false
	_, failure := s.run.f.Result()
	run := s.underWay()
	if refused(failure, scheduledID(s.Schedule.ID, run.At)) { // somebody else has its id, perhaps an older schedule of this one
		s.Skipped++
		if run.Triggered {
			s.Triggered--
		} else {
			s.Runs--
		}
		s.Recent = s.Recent[:len(s.Recent)-1]
		return
	}
	s.Overlapped = true
	switch {
	case failure == nil:
		run.Status = Completed
	case failure.Kind == history.FailTerminated:
		run.Status = Terminated
	case failure.Kind == history.FailCanceled:
		run.Status = Canceled
	default:
		run.Status = Failed
	}
}

// underWay is the entry of the run that is waited for: the newest.
func (s *scheduler) underWay() *scheduleRun { return &s.Recent[len(s.Recent)-1] }

// refused reports whether a child did not begin because its id was taken. A child that has failed of another one's id
// says something else.
func refused(f *history.Failure, id string) bool {
	return f != nil && f.Kind == history.FailConflict && f.Cause == nil && strings.HasPrefix(f.Message, fmt.Sprintf("instance %q ", id))
}
