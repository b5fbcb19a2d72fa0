package steps

import (
	"fmt"
	"strings"
	"time"
)

// Live is what the projection tells of an instance beside its history.
type Live struct {
	Status       string // as in the projection
	Waiting      string // what it waits for, in the words of the engine: "event paid, timer until …"
	Parked       string // why no worker runs it
	Failure      string
	ScheduledFor time.Time // of one that is to begin later
}

// most is how many things a sentence tells; the rest is counted.
const most = 3

// Sentence says in one sentence what an instance is doing, or how it ended.
func (h History) Sentence(now time.Time, live Live) string {
	switch {
	case h.ended() != nil:
		return h.outcome()
	case live.Parked != "":
		return "no worker runs it: " + live.Parked
	case live.ScheduledFor.After(now):
		return fmt.Sprintf("begins at %s, in %s", live.ScheduledFor.UTC().Format(time.RFC3339), span(live.ScheduledFor.Sub(now)))
	case live.Status == "Pending":
		return "waiting for a worker" + since(now, h.Started)
	}
	if s := h.suspended(); s != nil {
		return "suspended" + since(now, s.Began) + reason(s.Reason)
	}
	doing := append(append(h.activities(now), h.waits(now, live.Waiting)...), h.children(now)...)
	if len(doing) == 0 {
		doing = h.timers(now)
	}
	switch {
	case len(doing) == 0:
		return "running" + since(now, h.last())
	case len(doing) > most:
		doing = append(doing[:most], fmt.Sprintf("and %d more", len(doing)-most))
	}
	return strings.Join(doing, "; ")
}

func (h History) ended() *Step {
	if n := len(h.Steps); n > 0 && h.Steps[n-1].Kind == Ended {
		return &h.Steps[n-1]
	}
	return nil
}

func (h History) outcome() string {
	end := h.ended()
	said := strings.ToLower(end.Status)
	if !h.Started.IsZero() && !end.Began.IsZero() {
		said += " after " + span(end.Began.Sub(h.Started))
	}
	return said + reason(end.Failure)
}

func reason(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// suspended is the suspend that holds; nil when none does.
func (h History) suspended() *Step {
	for n := len(h.Steps) - 1; n >= 0; n-- {
		switch h.Steps[n].Kind {
		case Suspended:
			return &h.Steps[n]
		case Resumed:
			return nil
		}
	}
	return nil
}

// SuspendedFor is the reason of the suspend that holds; "" when none does.
func (h History) SuspendedFor() string {
	if s := h.suspended(); s != nil {
		return s.Reason
	}
	return ""
}

// activities tells of the open ones, those in trouble first.
func (h History) activities(now time.Time) []string {
	var trouble, fine []string
	for _, s := range h.Steps {
		if s.Kind != Activity || s.State != Open {
			continue
		}
		switch {
		case s.Outside:
			fine = append(fine, fmt.Sprintf("activity %s is to be completed from outside, %s left", short(s.Name), span(s.Due.Sub(now))))
			continue
		case s.Attempt <= 1 && s.LastErr == "":
			fine = append(fine, "activity "+short(s.Name)+since(now, s.Began))
			continue
		}
		trouble = append(trouble, s.trouble(now))
	}
	return append(trouble, fine...)
}

func (s Step) trouble(now time.Time) string {
	said := fmt.Sprintf("activity %s attempt %d", short(s.Name), s.Attempt)
	if s.Attempts > 0 {
		said += fmt.Sprintf(" of %d", s.Attempts)
	}
	if s.Due.After(now) {
		said += ", next in " + span(s.Due.Sub(now))
	}
	if s.LastErr != "" {
		said += ", last error " + s.LastErr
	}
	return said
}

// waits tells of the events that are waited for. The history does not say when a wait began: nothing has happened since.
func (h History) waits(now time.Time, waiting string) []string {
	var events []string
	for word := range strings.SplitSeq(waiting, ", ") {
		if name, ok := strings.CutPrefix(word, "event "); ok {
			events = append(events, name)
		}
	}
	if len(events) == 0 {
		return nil
	}
	said := "waiting for event " + strings.Join(events, " or ") + since(now, h.last())
	if due := h.due(); !due.IsZero() {
		return []string{said + ", deadline " + until(now, due)}
	}
	return []string{said + ", no deadline"}
}

func (h History) children(now time.Time) (all []string) {
	for _, s := range h.Steps {
		if s.Kind == Child && s.State == Open {
			all = append(all, fmt.Sprintf("waiting for child %s (%s)%s", s.Instance, short(s.Name), since(now, s.Began)))
		}
	}
	return all
}

func (h History) timers(now time.Time) []string {
	if due := h.due(); !due.IsZero() {
		return []string{"waiting for a timer, due " + until(now, due)}
	}
	return nil
}

// due is when the first open timer fires; zero when there is none.
func (h History) due() (first time.Time) {
	for _, s := range h.Steps {
		if s.Kind == Timer && s.State == Open && (first.IsZero() || s.Due.Before(first)) {
			first = s.Due
		}
	}
	return first
}

// last is when something happened last.
func (h History) last() (last time.Time) {
	for _, s := range h.Steps {
		for _, t := range []time.Time{s.Began, s.Ended} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}

// short is a wire name without its package.
func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func since(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + span(now.Sub(t))
}

func until(now, t time.Time) string {
	if !t.After(now) {
		return "now"
	}
	return "in " + span(t.Sub(now))
}

// span tells a duration in its largest unit, rounded down.
func span(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d < time.Second:
		return "less than 1 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 2*day:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", d/day)
	}
}
