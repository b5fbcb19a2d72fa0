package cron

import "time"

// mostYears is how far Next looks: from one 29th of February to the next it may be eight years.
const mostYears = 9

// widest is more than any zone is off from UTC.
const widest = 26 * time.Hour

// Next gives the first time after a time at which the expression is due in a location; zero: never.
//
// Where the clocks are put forward, times that they skip are due at the moment of the change, all of them together once.
// Where they are put back, times that come twice are due the first time. That is so if the hour is given; an expression
// whose hour is * or */n follows the time that passes: it is due in both of the doubled hours, and not for a skipped one.
// As Vixie cron.
//
// @every is due at the multiples of its duration since 1970, UTC.
func (e Expr) Next(after time.Time, loc *time.Location) time.Time {
	switch {
	case e.every > 0:
		return e.nextStep(after)
	case e.anyHour:
		return e.nextPassing(after, loc)
	}
	for w := wall(after, loc).Truncate(time.Second).Add(time.Second); ; w = w.Add(time.Second) {
		var ok bool
		if w, ok = e.match(w); !ok {
			return time.Time{}
		}
		if t := reached(w, loc); t.After(after) {
			return t
		}
	}
}

// nextStep computes in whole seconds: years above 2262 have no UnixNano.
func (e Expr) nextStep(after time.Time) time.Time {
	step := int64(e.every / time.Second)
	n := after.Unix() / step
	if after.Unix() < 0 && after.Unix()%step != 0 {
		n--
	}
	return time.Unix((n+1)*step, 0).UTC()
}

// nextPassing looks for a moment whose clock shows a match, from one change of the clocks to the next.
func (e Expr) nextPassing(after time.Time, loc *time.Location) time.Time {
	last := after.AddDate(mostYears, 0, 0)
	for t := after.Truncate(time.Second).Add(time.Second); t.Before(last); {
		w, ok := e.match(wall(t, loc))
		if !ok {
			break
		}
		end, ends := change(t, loc)
		if due := w.Add(-offset(t, loc)); !ends || due.Before(end) {
			return due
		}
		t = end
	}
	return time.Time{}
}

// match gives the first time of a wall clock, not before w, that the fields allow.
func (e Expr) match(w time.Time) (time.Time, bool) {
	for last := w.Year() + mostYears; w.Year() <= last; {
		switch {
		case e.month&(1<<w.Month()) == 0:
			w = time.Date(w.Year(), w.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !e.day(w):
			w = time.Date(w.Year(), w.Month(), w.Day()+1, 0, 0, 0, 0, time.UTC)
		case e.hour&(1<<w.Hour()) == 0:
			w = w.Truncate(time.Hour).Add(time.Hour)
		case e.minute&(1<<w.Minute()) == 0:
			w = w.Truncate(time.Minute).Add(time.Minute)
		case e.second&(1<<w.Second()) == 0:
			w = w.Add(time.Second)
		default:
			return w, true
		}
	}
	return w, false
}

// day asks for one of day of month and day of week when both are restricted, else for both: as every crontab.
func (e Expr) day(w time.Time) bool {
	dom, dow := e.dom&(1<<w.Day()) != 0, e.dow&(1<<w.Weekday()) != 0
	if e.anyDom || e.anyDow {
		return dom && dow
	}
	return dom || dow
}

// wall gives what the clocks of a location show, as a time in UTC.
func wall(t time.Time, loc *time.Location) time.Time { return t.UTC().Add(offset(t, loc)) }

func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// change gives a time after t up to which the clocks run as at t; ends is false when they do for ever.
func change(t time.Time, loc *time.Location) (end time.Time, ends bool) {
	_, end = t.In(loc).ZoneBounds()
	if end.IsZero() {
		return end, false
	}
	if !end.After(t) { // Go counts 365 days in a leap year that no table covers: on December 31st, 2040, nothing would end
		end = t.Add(time.Hour)
	}
	return end.UTC(), true
}

// reached gives the first moment at which the clocks of a location show w or more.
func reached(w time.Time, loc *time.Location) time.Time {
	for t := w.Add(-widest); ; {
		end, ends := change(t, loc)
		due := w.Add(-offset(t, loc))
		if due.Before(t) { // skipped, or reached before by a clock that was ahead
			due = t
		}
		if !ends || due.Before(end) {
			return due.UTC()
		}
		t = end
	}
}
