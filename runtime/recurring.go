package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // a worker in an image without time zones would otherwise stop every schedule of its group; 450 KB

	"github.com/durablegen/durablegen/internal/cron"
	"github.com/durablegen/durablegen/internal/history"
)

// Schedule says when orchestrations are started again and again. It is created by the Schedule method of an
// orchestrator's handle, with the arguments that every run gets:
//
//	err := ReportOrchestrator.Schedule(ctx, client, durable.Schedule{
//		ID: "report", Cron: []string{"0 6 * * mon-fri"}, TimeZone: "Europe/Berlin",
//	}, "sales")
//
// A run at a time is an instance with the id "<schedule>-<time>", such as report-2026-01-05T05:00:00Z, and reads its
// time with [ScheduledTime]. What other systems call so: Temporal's Schedules, the timer triggers of Azure Functions.
type Schedule struct {
	ID string `json:"id"` // 1 to [MaxScheduleID] bytes, as an instance id

	// Cron says when; several expressions are due when one of them is, once at a time. Five fields (minute, hour, day of
	// month, month, day of week), six with the second before them, @hourly, @daily, @weekly, @monthly, @yearly, or
	// "@every 90m": the multiples of a duration of whole seconds since 1970, UTC. If day of month and day of week are both
	// given, one of them is enough.
	//
	// On the days when clocks change: a time that they skip is due at the change, one that comes twice is due the first
	// time. An hour of * or */n follows the time that passes instead.
	Cron []string `json:"cron"`

	TimeZone string    `json:"zone,omitempty"` // IANA name, such as Europe/Berlin; "": UTC
	StartAt  time.Time `json:"from,omitzero"`  // no run before; zero: from its creation on
	EndAt    time.Time `json:"to,omitzero"`    // no run after; zero: for ever
	MaxRuns  int       `json:"max,omitempty"`  // the schedule ends after so many runs, triggered ones not counted; 0: no limit

	Overlap Overlap `json:"overlap,omitempty"` // what to do when a run is due and another has not ended; "": OverlapSkip

	// CatchupWindow is how late a run may begin: when no worker was there in time, what is younger is made up for, what is
	// older is dropped and counted as missed. At least [MinCatchupWindow]; 0: [DefaultCatchupWindow].
	CatchupWindow time.Duration `json:"catchup,omitempty"`

	Tags Tags `json:"tags,omitempty"` // of every run, at most 4 KiB as JSON
}

// Overlap says what a schedule does when a run is due while another has not ended.
type Overlap string

// The overlap policies.
const (
	OverlapSkip   Overlap = "skip"   // the default: it is left out
	OverlapBuffer Overlap = "buffer" // one run follows when the other has ended, for the last time that was due
	OverlapAllow  Overlap = "allow"  // they run side by side; the schedule does not look how they end
)

// Limits and defaults of schedules.
const (
	MaxScheduleID        = 160 // bytes: the id of a run has the time behind it
	DefaultCatchupWindow = 24 * time.Hour
	MinCatchupWindow     = 10 * time.Second

	mostCrons    = 32      // expressions of a schedule
	mostSchedule = 8 << 10 // bytes of a schedule as JSON: its status shows it
	mostRunTags  = 4 << 10
	mostNote     = 1 << 10 // bytes of a note as JSON
	mostNext     = 1000    // times that Schedule.Next gives
)

// ErrSchedule says that a schedule cannot be kept: the text names the field, what is wrong with it and what would do.
var ErrSchedule = errors.New("durable: bad schedule")

// Tags of every run of a schedule, for [Filter].Tags.
const (
	TagSchedule      = "durable.schedule"  // id of the schedule
	TagScheduledTime = "durable.scheduled" // the time it was due, RFC 3339 in UTC; of a triggered run, when that was
)

// ScheduledTime is the time at which this run of a schedule was due, of a triggered one the time of the trigger, in UTC;
// ok is false when no schedule has started this instance.
func ScheduledTime(ctx Context) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, ctx.co.Start().Tags[TagScheduledTime])
	return at, err == nil
}

// Next gives the next n times, at most 1,000, at which the schedule is due after a time; fewer when it ends. Overlaps and
// MaxRuns do not count. [ErrSchedule] when the schedule is bad, so it also checks one.
func (s Schedule) Next(after time.Time, n int) ([]time.Time, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c, err := s.calendar()
	if err != nil {
		return nil, err
	}
	var list []time.Time
	for n = min(n, mostNext); len(list) < n; {
		if after = c.next(after); after.IsZero() {
			break
		}
		list = append(list, after)
	}
	return list, nil
}

// check says what is wrong with a schedule, all of it.
func (s Schedule) check() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w %q: %s", ErrSchedule, s.ID, fmt.Sprintf(format, args...)))
	}
	if len(s.ID) > MaxScheduleID {
		bad("its ID has %d bytes, at most %d are allowed, for that of a run has the time behind it", len(s.ID), MaxScheduleID)
	} else if err := history.CheckID(s.ID); err != nil {
		bad("its ID: %v", err)
	}
	switch {
	case len(s.Cron) == 0:
		bad("its Cron is empty: give at least one expression, such as \"0 6 * * *\"")
	case len(s.Cron) > mostCrons:
		bad("its Cron has %d expressions, at most %d are allowed: use lists within them, or several schedules", len(s.Cron), mostCrons)
	}
	if _, err := s.calendar(); err != nil {
		errs = append(errs, err)
	}
	switch {
	case !storable(s.StartAt) || !storable(s.EndAt):
		bad("its StartAt or EndAt is not in the years 1 to 9999")
	case !s.EndAt.IsZero() && s.EndAt.Before(s.StartAt):
		bad("its EndAt is %v and its StartAt %v: it would never run", s.EndAt, s.StartAt)
	}
	if s.MaxRuns < 0 {
		bad("its MaxRuns is %d, want a positive number, or 0 for no limit", s.MaxRuns)
	}
	switch s.Overlap {
	case "", OverlapSkip, OverlapBuffer, OverlapAllow:
	default:
		bad("its Overlap is %q, want %q, %q or %q", s.Overlap, OverlapSkip, OverlapBuffer, OverlapAllow)
	}
	if s.CatchupWindow != 0 && s.CatchupWindow < MinCatchupWindow {
		bad("its CatchupWindow is %v, want at least %v (no timer is exact), or 0 for %v", s.CatchupWindow, MinCatchupWindow, DefaultCatchupWindow)
	}
	if n := jsonSize(s.Tags); n > mostRunTags {
		bad("its Tags have %d bytes as JSON, at most %d are allowed: put what is long into the input", n, mostRunTags)
	}
	for _, own := range []string{TagSchedule, TagScheduledTime} {
		if _, taken := s.Tags[own]; taken {
			bad("its Tags have %s, which every run gets by itself: leave it out", own)
		}
	}
	if n := jsonSize(s); len(errs) == 0 && n > mostSchedule {
		bad("it has %d bytes as JSON, at most %d are allowed: use fewer or shorter expressions and tags", n, mostSchedule)
	}
	return errors.Join(errs...)
}

func storable(t time.Time) bool { return t.Year() >= 1 && t.UTC().Year() <= 9999 }

func jsonSize(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0 // it says so when it is stored
	}
	return len(data)
}

func (s Schedule) overlap() Overlap {
	if s.Overlap == "" {
		return OverlapSkip
	}
	return s.Overlap
}

func (s Schedule) window() time.Duration {
	if s.CatchupWindow == 0 {
		return DefaultCatchupWindow
	}
	return s.CatchupWindow
}

// calendar knows when a schedule is due.
type calendar struct {
	exprs    []cron.Expr
	loc      *time.Location
	from, to time.Time
}

// calendar reads the expressions and the time zone; the latter this machine may not know.
func (s Schedule) calendar() (calendar, error) {
	c := calendar{loc: time.UTC, from: s.StartAt, to: s.EndAt}
	var errs []error
	for n, text := range s.Cron {
		e, err := cron.Parse(text)
		if err == nil && e.Next(time.Unix(0, 0), time.UTC).IsZero() {
			err = errors.New("no day is like that, it would never run")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%w %q: its Cron[%d] %q: %w", ErrSchedule, s.ID, n, text, err))
		}
		c.exprs = append(c.exprs, e)
	}
	if s.TimeZone == "Local" {
		errs = append(errs, fmt.Errorf("%w %q: its TimeZone is Local, which is another one on every machine: name one, such as Europe/Berlin", ErrSchedule, s.ID))
	} else if loc, err := time.LoadLocation(s.TimeZone); err != nil {
		errs = append(errs, fmt.Errorf("%w %q: its TimeZone: %w: use an IANA name, such as Europe/Berlin, that this machine's time zone data has", ErrSchedule, s.ID, err))
	} else {
		c.loc = loc
	}
	return c, errors.Join(errs...)
}

// next gives the first time after a time; zero: never.
func (c calendar) next(after time.Time) (next time.Time) {
	if before := c.from.Add(-1); !c.from.IsZero() && after.Before(before) {
		after = before
	}
	for _, e := range c.exprs {
		if t := e.Next(after, c.loc); next.IsZero() || !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if !c.to.IsZero() && next.After(c.to) || next.Year() > 9999 {
		return time.Time{}
	}
	return next.UTC()
}

// last gives the last time that is after one time and not after another; zero: none. It costs as much for a second of
// a schedule as for a year of it.
func (c calendar) last(after, until time.Time) time.Time {
	due := func(after time.Time) (time.Time, bool) {
		next := c.next(after)
		return next, !next.IsZero() && !next.After(until)
	}
	found, ok := due(after)
	if !ok {
		return time.Time{}
	}
	for from, to := found.Unix(), until.Unix(); from < to; { // the last is in [from, to]
		middle := from + (to-from)/2
		if next, ok := due(time.Unix(middle, 0)); ok {
			found, from = next, next.Unix()
		} else {
			to = middle
		}
	}
	return found
}

// mostCounted bounds how long a worker may look at the past: a tenth of a second for each expression.
const mostCounted = 10_000

// count tells how many times are after one time and not after another, [mostCounted] at most.
func (c calendar) count(after, until time.Time) (n int) {
	for n < mostCounted {
		if after = c.next(after); after.IsZero() || after.After(until) {
			break
		}
		n++
	}
	return n
}
