package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// ScheduleOption changes the creation of a schedule: [UpdateIfExists].
type ScheduleOption interface{ applySchedule(*scheduleOptions) }

type scheduleOptions struct{ update bool }

// UpdateIfExists has the creation of a schedule that exists update it instead: its times and policies, what it runs, the
// version and the input. It stays paused if it is, and its counts go on. One that has ended is created anew. So a program
// can say at its start what it wants.
func UpdateIfExists() ScheduleOption { return updateIfExists{} }

type updateIfExists struct{}

func (updateIfExists) applySchedule(o *scheduleOptions) { o.update = true }

// ScheduleInfo is what the hub knows of a schedule, at most a quarter of a second old.
type ScheduleInfo struct {
	Schedule
	Orchestrator string    // wire name of what it runs
	Version      string    // that its runs are stamped with
	Created      time.Time // zero until a worker has seen it
	Paused       bool
	Note         string // of who paused or resumed it
	Problem      string // why no worker can compute its times; it is tried again every minute
	Finished     bool   // nothing is due any more, or it was terminated

	Next   []time.Time    // the next five times, in UTC; none while it is paused or has a problem
	Recent []ScheduledRun // the last ten runs, the newest last

	Runs      int // that were due and begun, made up ones too
	Triggered int
	Skipped   int // left out because of the overlap policy, or because their id was taken
	Missed    int // older than the catch-up window when a worker was there
}

// ScheduledRun is a run of a schedule.
type ScheduledRun struct {
	ID        string    // of the instance
	Time      time.Time // when it was due
	Started   time.Time
	Triggered bool
	Status    Status // "" with OverlapAllow: ask [Client.Get]
}

// scheduleInstance is the id of the instance that a schedule is.
func scheduleInstance(id string) string { return "schedule:" + id }

// CreateSchedule creates a schedule of an orchestrator; the handles' Schedule calls it. [ErrSchedule] when it is bad;
// ErrAlreadyExists when there is one with this id that has not ended, unless told [UpdateIfExists].
func CreateSchedule(ctx context.Context, c *Client, o *Orchestrator, s Schedule, args any, opts ...ScheduleOption) error {
	var so scheduleOptions
	for _, opt := range opts {
		opt.applySchedule(&so)
	}
	input, failure := encode(args)
	if failure != nil {
		return fmt.Errorf("durable: schedule %q of %s: %w", s.ID, o.Name, errorOf(failure))
	}
	if err := s.check(); err != nil {
		return err
	}
	op := &Operation{Verb: "schedule", Instance: scheduleInstance(s.ID), Name: o.Name}
	err := c.around(ctx, op, func(ctx context.Context) error {
		err := c.createSchedule(ctx, o, s, input)
		for tries := 0; so.update && errors.Is(err, ErrAlreadyExists) && tries < 3; tries++ {
			err = c.replaceSchedule(ctx, o, s, input)
			if errors.Is(err, ErrFinished) || errors.Is(err, ErrNotFound) { // it has just ended
				err = c.createSchedule(ctx, o, s, input)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("durable: schedule %q of %s: %w", s.ID, o.Name, err)
	}
	return nil
}

func (c *Client) createSchedule(ctx context.Context, o *Orchestrator, s Schedule, input history.Payload) error {
	state := scheduleState{Schedule: s, Orchestrator: o.Name, Version: o.Version}
	_, err := c.startNow(ctx, &Orchestrator{Name: scheduleName, Group: o.Group}, scheduleInput{scheduleState: state, Input: json.RawMessage(input)},
		[]StartOption{InstanceID(scheduleInstance(s.ID)), ReplaceFinished})
	if errors.Is(err, ErrAlreadyExists) {
		err = fmt.Errorf("%w: delete it, choose another ID, or pass UpdateIfExists", ErrAlreadyExists)
	}
	return err
}

func (c *Client) replaceSchedule(ctx context.Context, o *Orchestrator, s Schedule, input history.Payload) error {
	had, err := c.anyState(ctx, scheduleInstance(s.ID))
	if err != nil {
		return err
	}
	if had.Name != scheduleName {
		return fmt.Errorf("%w: instance %q is no schedule: choose another ID", ErrAlreadyExists, had.ID)
	}
	if had.Group != o.Group {
		return fmt.Errorf("%w: it belongs to group %q, and this orchestrator to %q: delete it first", ErrAlreadyExists, had.Group, o.Group)
	}
	return c.putOrder(ctx, s.ID, scheduleOrder{Verb: orderUpdate, Schedule: &s, Orchestrator: o.Name, Version: o.Version, Input: json.RawMessage(input)})
}

// UpdateSchedule replaces the times and policies of the schedule with this ID, all of them; what it runs with which input
// stays. A run that was due before is not made up for if the times are others. [ErrSchedule], ErrNotFound, ErrFinished.
func (c *Client) UpdateSchedule(ctx context.Context, s Schedule) error {
	if err := s.check(); err != nil {
		return err
	}
	return c.order(ctx, s.ID, scheduleOrder{Verb: orderUpdate, Schedule: &s})
}

// PauseSchedule keeps a schedule from starting runs until [Client.ResumeSchedule]. What is due meanwhile is dropped, and
// counted nowhere; [Client.TriggerSchedule] works all the same. The note, at most 1 KiB as JSON, tells others why.
// ErrNotFound, ErrFinished.
func (c *Client) PauseSchedule(ctx context.Context, id, note string) error {
	return c.order(ctx, id, scheduleOrder{Verb: orderPause, Note: note})
}

// ResumeSchedule ends a pause, and replaces the note. ErrNotFound, ErrFinished.
func (c *Client) ResumeSchedule(ctx context.Context, id, note string) error {
	return c.order(ctx, id, scheduleOrder{Verb: orderResume, Note: note})
}

// TriggerSchedule has a schedule start a run now, beside those that are due, also while it is paused. The overlap policy
// holds: with OverlapSkip nothing happens while another run is under way. ErrNotFound, ErrFinished.
func (c *Client) TriggerSchedule(ctx context.Context, id string) error {
	return c.order(ctx, id, scheduleOrder{Verb: orderTrigger})
}

// order tells a schedule something. It returns when that is stored; a worker does it then.
func (c *Client) order(ctx context.Context, id string, o scheduleOrder) error {
	err := checkNote(o.Note)
	if err == nil {
		err = c.around(ctx, &Operation{Verb: "schedule " + o.Verb, Instance: scheduleInstance(id)}, func(ctx context.Context) error {
			return c.putOrder(ctx, id, o)
		})
	}
	if err != nil {
		return fmt.Errorf("durable: %s schedule %q: %w", o.Verb, id, err)
	}
	return nil
}

func checkNote(note string) error {
	if n := jsonSize(note); n > mostNote {
		return fmt.Errorf("%w: the note has %d bytes as JSON, at most %d are kept", ErrPayload, n, mostNote)
	}
	return nil
}

func (c *Client) putOrder(ctx context.Context, id string, o scheduleOrder) error {
	payload, failure := encode(o)
	if failure != nil {
		return errorOf(failure)
	}
	return c.tellNow(ctx, scheduleInstance(id), &history.Event{Name: scheduleEvent, ID: c.newID(), Payload: payload})
}

// DeleteSchedule ends a schedule and waits until it has ended, which needs a worker of its group; its runs go on. Then
// the id is free. One that has ended already is forgotten. ErrNotFound; the error of ctx.
//
// [Client.Terminate] and [Client.Cancel] of the instance "schedule:<id>" end a schedule together with its runs.
func (c *Client) DeleteSchedule(ctx context.Context, id string) error {
	err := c.around(ctx, &Operation{Verb: "schedule delete", Instance: scheduleInstance(id)}, func(ctx context.Context) error {
		return c.deleteSchedule(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("durable: delete schedule %q: %w", id, err)
	}
	return nil
}

func (c *Client) deleteSchedule(ctx context.Context, id string) error {
	of := scheduleInstance(id)
	if err := c.putOrder(ctx, id, scheduleOrder{Verb: orderDelete}); errors.Is(err, ErrFinished) {
		return c.purgeOne(ctx, chosen{id: of})
	} else if err != nil {
		return err
	}
	if _, err := c.outcomeNow(ctx, of); err != nil {
		return err
	}
	for { // the projection follows the hint within milliseconds
		s, _, err := c.state(ctx, of)
		if err != nil || s.Status.Final() {
			return err
		}
		if err := c.rest(ctx, soon); err != nil {
			return err
		}
	}
}

// DescribeSchedule tells what the hub knows of a schedule. ErrNotFound, also for one that was deleted.
func (c *Client) DescribeSchedule(ctx context.Context, id string) (ScheduleInfo, error) {
	var info ScheduleInfo
	of := scheduleInstance(id)
	err := history.CheckID(of)
	if err == nil {
		err = c.around(ctx, &Operation{Verb: "get", Instance: of}, func(ctx context.Context) (err error) {
			info, err = c.describe(ctx, of)
			return err
		})
	}
	if err != nil {
		return ScheduleInfo{}, fmt.Errorf("durable: describe schedule %q: %w", id, err)
	}
	return info, nil
}

func (c *Client) describe(ctx context.Context, of string) (ScheduleInfo, error) {
	inst, err := c.get(ctx, of)
	if err != nil {
		return ScheduleInfo{}, err
	}
	if inst.Name != scheduleName {
		return ScheduleInfo{}, fmt.Errorf("%w: instance %q is no schedule", ErrNotFound, of)
	}
	about := inst.CustomStatus
	if len(about) == 0 { // no worker has seen it yet
		about = inst.Input
	}
	return c.scheduleInfo(inst, about)
}

func (c *Client) scheduleInfo(inst Instance, about json.RawMessage) (ScheduleInfo, error) {
	st, err := decode[scheduleState](history.Payload(about))
	if err != nil {
		return ScheduleInfo{}, err
	}
	if st.Ended == endDeleted {
		return ScheduleInfo{}, ErrNotFound
	}
	info := ScheduleInfo{
		Schedule: st.Schedule, Orchestrator: st.Orchestrator, Version: st.Version, Created: st.Created, Paused: st.Paused, Note: st.Note,
		Problem: st.Problem, Finished: st.Ended != "" || inst.Status.Final(),
		Runs: st.Runs, Triggered: st.Triggered, Skipped: st.Skipped, Missed: st.Missed,
	}
	for _, r := range st.Recent {
		info.Recent = append(info.Recent, ScheduledRun{ID: scheduledID(st.Schedule.ID, r.At), Time: r.At, Started: r.Started, Triggered: r.Triggered, Status: r.Status})
	}
	if info.Paused || info.Finished || info.Problem != "" {
		return info, nil
	}
	shown := 5
	if st.Schedule.MaxRuns > 0 {
		shown = min(shown, st.Schedule.MaxRuns-st.Runs)
	}
	if info.Next, err = st.Schedule.Next(c.be.Clock().Now(), shown); err != nil {
		info.Problem = err.Error()
	}
	return info, nil
}

// ListSchedules tells of all schedules that were not deleted, by their ids; finished ones for as long as the hub keeps
// ended instances.
func (c *Client) ListSchedules(ctx context.Context) ([]ScheduleInfo, error) {
	all, err := c.List(ctx, Filter{Name: scheduleName, Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	var list []ScheduleInfo
	for _, inst := range all {
		if inst.Name != scheduleName {
			continue
		}
		var info ScheduleInfo
		if len(inst.CustomStatus) > 0 {
			info, err = c.scheduleInfo(inst, inst.CustomStatus)
		} else { // no worker has seen it yet, or its status cannot be read here
			info, err = c.describe(ctx, inst.ID)
		}
		switch {
		case err == nil:
			list = append(list, info)
		case !errors.Is(err, ErrNotFound):
			return nil, fmt.Errorf("durable: list schedules: %q: %w", inst.ID, err)
		}
	}
	slices.SortFunc(list, func(a, b ScheduleInfo) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}
