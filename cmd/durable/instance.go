package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/cmd/durable/internal/output"
	durable "github.com/durablegen/durablegen/runtime"
)

// instance is what programs are told of an instance. Fields are only added.
type instance struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Version      string            `json:"version,omitempty"`
	Status       durable.Status    `json:"status"`
	Created      time.Time         `json:"created"`
	Updated      time.Time         `json:"updated"`
	Finished     time.Time         `json:"finished,omitzero"`
	ScheduledFor time.Time         `json:"scheduledFor,omitzero"`
	Parent       string            `json:"parent,omitempty"`
	Root         string            `json:"root"`
	Tags         map[string]string `json:"tags,omitempty"`
	Waiting      string            `json:"waiting,omitempty"`
	Parked       string            `json:"parked,omitempty"`
	Failure      string            `json:"failure,omitempty"`
	CustomStatus json.RawMessage   `json:"customStatus,omitempty"`

	run uint32
}

func instanceOf(i durable.Instance) instance {
	return instance{
		ID: i.ID, Name: i.Name, Version: i.Version, Status: i.Status, Created: i.Created.UTC(), Updated: i.Updated.UTC(), Finished: i.Finished.UTC(),
		ScheduledFor: i.ScheduledFor.UTC(), Parent: i.ParentID, Root: i.RootID, Tags: i.Tags, Waiting: i.Waiting, Parked: i.Parked,
		Failure: i.Failure, CustomStatus: payload(i.CustomStatus), run: i.Run,
	}
}

// stamp is a time with how long ago it is; "" of the zero time.
func stamp(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return clock(t) + " (" + ago(now, t) + ")"
}

func nameOf(i instance) string { return i.ID }

// columns is how people see instances.
func columns(now time.Time) []output.Column[instance] {
	return []output.Column[instance]{
		{Head: "ID", Cell: nameOf},
		{Head: "NAME", Cell: func(i instance) string { return i.Name }},
		{Head: "STATUS", Cell: func(i instance) string { return state(i) }, Style: func(i instance) output.Style { return styleOf(i) }},
		{Head: "CREATED", Cell: func(i instance) string { return ago(now, i.Created) }},
		{Head: "UPDATED", Cell: func(i instance) string { return ago(now, i.Updated) }},
	}
}

// state is the status, and whether nobody runs the instance.
func state(i instance) string {
	if i.Parked != "" {
		return string(i.Status) + " (parked)"
	}
	return string(i.Status)
}

func styleOf(i instance) output.Style {
	switch {
	case i.Parked != "", i.Status == durable.Failed:
		return output.Red
	case i.Status == durable.Completed:
		return output.Green
	case i.Status == durable.Running:
		return output.Blue
	case i.Status == durable.Suspended, i.Status == durable.Pending:
		return output.Yellow
	}
	return output.Faint
}

// ago tells how long ago a time is, or how far ahead; "" of the zero time.
func ago(now, t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.After(now.Add(time.Second)):
		return "in " + span(t.Sub(now))
	}
	return span(max(now.Sub(t), 0)) + " ago"
}

// span tells a duration in its largest unit, rounded down.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
