package durable

import (
	"encoding/json"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// Status is the state of an instance.
type Status string

// The states, as Durable Functions names them.
const (
	Pending    Status = "Pending" // claimed and not started yet, or scheduled for later
	Running    Status = "Running"
	Suspended  Status = "Suspended"
	Completed  Status = "Completed"
	Failed     Status = "Failed"
	Terminated Status = "Terminated"
	Canceled   Status = "Canceled" // it was asked to, and ended with ErrCanceled
)

// Final reports whether an instance in this state has ended.
func (s Status) Final() bool { return history.Status(s).Final() }

// Instance is what the hub knows of an instance. A live one is projected at most every quarter of a second.
type Instance struct {
	ID           string
	Name         string // wire name of its orchestrator
	Version      string
	Status       Status
	Run          uint32 // counts the starts of its id, from 1; 0 of a claim whose start is not in the log yet
	Created      time.Time
	Updated      time.Time
	Finished     time.Time       // zero while it is live
	ScheduledFor time.Time       // when a Pending one begins; zero for any other, and for one that only waits for a worker
	Input        json.RawMessage // left out by List
	Result       json.RawMessage // of a completed one; left out by List
	CustomStatus json.RawMessage // left out by List when this program has no codec or key for it
	Failure      string          // why it failed, or was terminated or canceled
	Waiting      string          // what it waits for, in words
	Parked       string          // why no worker runs it: its code is unknown or does not fit its history, or it cannot be decoded
	ParentID     string          // "" when a client started it
	RootID       string          // topmost instance of its family: that of its parent, or else itself
	Tags         map[string]string
}

// Nondeterministic reports whether the instance is parked because its code does not repeat what it has decided before.
func (i Instance) Nondeterministic() bool { return engine.IsNondeterminism(i.Parked) }

func instanceOf(s backend.State) Instance {
	inst := Instance{
		ID: s.ID, Name: s.Name, Version: s.Version, Status: Status(s.Status), Run: s.Run,
		Created: s.Created, Updated: s.Updated, Finished: s.Finished, CustomStatus: json.RawMessage(s.Custom),
		Failure: s.Failure, Waiting: s.Waiting, Parked: s.Parked, Tags: s.Tags,
		ScheduledFor: s.Scheduled, RootID: history.RootID(s.Root, s.Parent, s.ID),
	}
	if s.Unreadable() != nil {
		inst.CustomStatus = nil
	}
	if s.Parent != nil {
		inst.ParentID = s.Parent.ID
	}
	return inst
}

// youngState describes an instance that only the log knows.
func youngState(a history.Address, start *history.Message, now time.Time) backend.State {
	s := start.Record.(*history.Start)
	state := backend.State{
		Address: a, Name: s.Orchestrator, Version: s.Version, Status: history.Running, Run: s.Run,
		Created: start.Time, Updated: start.Time, Parent: s.Parent, Root: s.Root, Tags: s.Tags,
	}
	if s.At.After(now) {
		state.Status, state.Scheduled = history.Pending, s.At
	}
	return state
}

// fill adds input and result from a history.
func (i *Instance) fill(messages []history.Message) {
	var newest uint32 // execution that a base begins; records of older ones may follow it
	for _, m := range messages {
		switch r := m.Record.(type) {
		case *history.Start:
			i.Input = json.RawMessage(r.Input)
		case *history.Turn:
			if r.End == nil {
				continue
			}
			if r.End.Base != nil && r.Execution+1 > newest {
				newest = r.Execution + 1
				i.Input = json.RawMessage(r.End.Base.Start.Input)
			}
			if r.End.Status.Final() {
				i.Status = Status(r.End.Status)
				i.Result = json.RawMessage(r.End.Result)
				if r.End.Failure != nil {
					i.Failure = r.End.Failure.Message
				}
			}
		}
	}
}
