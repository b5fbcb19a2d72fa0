package durable

import "time"

// StartAt has an instance begin at a time: durable.StartAt(t). The start is stored at once, so the instance exists from
// then on: it is Pending, with its time in [Instance].ScheduledFor, keeps the events that it is sent, and can be
// suspended and terminated. It begins up to 250 ms late and never early, by the server's clock; a time that has passed is
// at once. The last of StartAt and [StartAfter] counts. Years above 9999 cannot be stored.
type StartAt time.Time

// StartAfter has an instance begin a duration from now, by the clock of the client: as [StartAt].
type StartAfter time.Duration

func (t StartAt) applyStart(o *startOptions)    { o.at, o.after = time.Time(t), 0 }
func (d StartAfter) applyStart(o *startOptions) { o.at, o.after = time.Time{}, time.Duration(d) }

// begins gives when an instance that is started now begins; zero: at once.
func (o *startOptions) begins(now time.Time) time.Time {
	at := o.at
	if o.after > 0 {
		at = now.Add(o.after)
	}
	if !at.After(now) {
		return time.Time{}
	}
	return at.Round(0).UTC()
}
