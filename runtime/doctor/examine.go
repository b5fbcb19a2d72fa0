package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/owner"
)

// examine looks at an instance; nil: it is well.
func (e *examination) examine(ctx context.Context, of history.Address) (*Finding, error) {
	for {
		s, err := e.state(ctx, of.ID)
		if err != nil {
			return nil, err
		}
		if of.Group == "" {
			of = s.Address
		}
		k, err := e.known(ctx, of)
		if err != nil {
			return nil, err
		}
		f, cure := e.judge(of, s, k)
		if f == nil || !e.cfg.Fix {
			return f, nil
		}
		switch err := cure(ctx); {
		case errors.Is(err, backend.ErrConflict):
			continue // it has changed meanwhile
		case ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			f.Fixed, f.Err = err == nil, err
			return f, nil
		}
	}
}

type cure func(ctx context.Context) error

// judge compares the state of an instance with its history. What is young may be on its way.
func (e *examination) judge(of history.Address, s state, k backend.Known) (*Finding, cure) {
	now := e.hub.Clock().Now()
	entry, run := k.Entry > 0 && k.Archive.Run >= k.Run(), k.Run()
	switch {
	case entry && k.Archive.Purged:
		if !s.there || s.Run > k.Archive.Run {
			return nil, nil
		}
		return e.finding(Orphaned, of, "run %d was purged, and is shown as %s", s.Run, s.Status)("remove the state"), e.remove(s)
	case entry && !k.Archive.Snapshot():
		return e.judgeEnded(of, s, k.Archive, now)
	case run == 0:
		return e.judgeUnknown(of, s, now)
	case owner.EndedIn(k.Tail, run):
		if e.keeps.Forgotten(k, now) || now.Sub(lastOf(k).Time) < young {
			return nil, nil
		}
		return e.finding(Stale, of, "run %d has ended, and is not archived", run)("have its owner see to it"), e.show(of, func(s state) bool { return s.there && s.Run >= run && s.Status.Final() })
	}
	return e.judgeLive(of, s, k, now)
}

func (e *examination) judgeEnded(of history.Address, s state, a backend.Archive, now time.Time) (*Finding, cure) {
	if s.there && (s.Run > a.Run || s.Run == a.Run && s.Status == a.Status) || now.Sub(a.Ended) < young ||
		!a.Ended.IsZero() && e.keeps.Expired(a.Status, a.Ended, now) {
		return nil, nil
	}
	f := e.finding(Missing, of, "run %d has ended as %s, and has no state", a.Run, a.Status)
	if s.there {
		f = e.finding(Stale, of, "run %d has ended as %s, and is shown as %s of run %d", a.Run, a.Status, s.Status, s.Run)
	}
	return f("project what the archive tells"), func(ctx context.Context) error {
		if err := a.Unreadable(); err != nil {
			return fmt.Errorf("its archive entry cannot be read here: %w", err)
		}
		want, ok := owner.ArchivedState(a)
		if !ok {
			return errors.New("its archive entry has no end")
		}
		return e.put(ctx, want, s.rev)
	}
}

// judgeUnknown judges a state of which neither log nor archive know anything. Archive entries expire before their states.
func (e *examination) judgeUnknown(of history.Address, s state, now time.Time) (*Finding, cure) {
	switch {
	case !s.there, s.Status.Final() && e.keeps.Expired(s.Status, s.Finished, now), now.Sub(s.Updated) < young:
		return nil, nil
	case s.Claim != nil:
		return e.finding(Claimed, of, "run %d of %s is claimed since %v, and has not begun", s.Run, s.Name, s.Updated.Format(time.RFC3339))("begin it"), e.begin(s)
	}
	return e.finding(Orphaned, of, "it is shown as %s of run %d, and neither log nor archive know it", s.Status, s.Run)("remove the state"), e.remove(s)
}

func (e *examination) judgeLive(of history.Address, s state, k backend.Known, now time.Time) (*Finding, cure) {
	run, last := k.Run(), lastOf(k)
	switch {
	case now.Sub(last.Time) < young, s.there && s.Run > run:
		return nil, nil // also: a later run is claimed
	case s.there && s.Run == run && s.Begun() && (s.At >= last.Seq || s.Parked != ""):
		return nil, nil
	}
	shown := func(s state) bool {
		return s.there && (s.Run > run || s.Run == run && (s.Status.Final() || s.Parked != "" || s.Begun() && s.At >= last.Seq))
	}
	if s.there && s.Run == run && s.Begun() {
		return e.finding(Stale, of, "it is shown as it was at message %d, and has got message %d: the state is behind, or nobody runs it", s.At, last.Seq)("have its owner project it"), e.show(of, shown)
	}
	f := e.finding(Missing, of, "run %d of %s lives, and has no state", run, k.Start.Record.(*history.Start).Orchestrator)
	if s.there {
		f = e.finding(Stale, of, "run %d lives, and is shown as %s of run %d", run, s.Status, s.Run)
	}
	return f("project what the log tells, and have its owner add the rest"), func(ctx context.Context) error {
		// What the log tells holds all of it, until the owner knows better: nothing may be lost meanwhile.
		if err := e.put(ctx, owner.LiveState(of, k), s.rev); err != nil {
			return err
		}
		return e.show(of, shown)(ctx)
	}
}

// lastOf is the newest inbox message of a live run.
func lastOf(k backend.Known) history.Message {
	last := *k.Start
	if k.Base != nil {
		last.Seq, last.Time = k.Base.Record.(*history.Turn).At, k.Base.Time
	}
	for _, m := range k.Tail {
		if m.Kind().Inbox() && m.Seq > last.Seq {
			last = m
		}
	}
	return last
}

func (e *examination) finding(kind Kind, of history.Address, what string, args ...any) func(cure string) *Finding {
	return func(cure string) *Finding {
		f := &Finding{Kind: kind, Severity: Error, Group: of.Group, ID: of.ID, What: fmt.Sprintf(what, args...), Cure: cure, Fixable: true}
		if kind == Orphaned || kind == Marked {
			f.Severity = Warning
		}
		return f
	}
}

func (e *examination) put(ctx context.Context, s backend.State, rev uint64) error {
	_, err := await(ctx, func(done func(uint64, error)) { e.hub.PutState(s, rev, done) })
	return err
}

func (e *examination) remove(s state) cure {
	return func(ctx context.Context) error {
		_, err := await(ctx, func(done func(struct{}, error)) {
			e.hub.DeleteState(s.ID, s.rev, func(err error) { done(struct{}{}, err) })
		})
		return err
	}
}

// begin publishes the start of a claim; its owner decides whether that comes too late.
func (e *examination) begin(s state) cure {
	return func(ctx context.Context) error {
		if err := s.Unreadable(); err != nil {
			return fmt.Errorf("its claim cannot be read here: %w", err)
		}
		if err := e.hub.EnsureGroup(ctx, s.Group); err != nil {
			return err
		}
		_, err := await(ctx, func(done func(uint64, error)) {
			e.hub.Append(backend.Append{To: s.Address, Record: s.Claim, Fenced: true}, done)
		})
		return err
	}
}

// show asks the owner of a live instance to project it until it has. What is asked may get lost.
func (e *examination) show(of history.Address, shown func(state) bool) cure {
	return func(ctx context.Context) error {
		topic := owner.ShowTopic(of.Group, history.Partition(of.ID, e.hub.Info().Partitions))
		for end, pause := e.hub.Clock().Now().Add(e.cfg.Patience), 50*time.Millisecond; ; pause = min(2*pause, time.Second) {
			e.hub.Signal(topic, []byte(of.ID))
			if err := rest(ctx, e.hub.Clock(), pause); err != nil {
				return err
			}
			s, err := e.state(ctx, of.ID)
			if err != nil || shown(s) {
				return err
			}
			if e.hub.Clock().Now().After(end) {
				return fmt.Errorf("no worker of group %q has projected it within %v: start one and run this again", of.Group, e.cfg.Patience)
			}
		}
	}
}

func rest(ctx context.Context, clock backend.Clock, d time.Duration) error {
	over := make(chan struct{})
	stop := clock.After(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const marksPrefix = "parked"

func (e *examination) listMarks(ctx context.Context) error {
	marks, err := e.hub.Meta().List(ctx, marksPrefix)
	e.marks = map[string]history.Address{}
	for key, value := range marks {
		var m owner.Mark
		if json.Unmarshal(value, &m) != nil || m.ID == "" {
			words := strings.Split(key, ".") // prefix, group, id
			if len(words) == 3 {
				m.Group, _ = history.DecodeID(words[1])
				m.ID, _ = history.DecodeID(words[2])
			}
		}
		e.marks[key] = m.Address
	}
	return err
}

// examineMark looks whether who is marked as parked lives.
func (e *examination) examineMark(ctx context.Context, key string, of history.Address) (*Finding, error) {
	value, rev, err := e.hub.Meta().Get(ctx, key)
	if errors.Is(err, backend.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k, err := e.known(ctx, of)
	if err != nil {
		return nil, err
	}
	var m owner.Mark
	_ = json.Unmarshal(value, &m) // one that is broken tells of no message
	entry := k.Entry > 0 && k.Archive.Run >= k.Run() && !k.Archive.Snapshot()
	switch {
	case k.Run() > 0 && !entry && !owner.EndedIn(k.Tail, k.Run()):
		return nil, nil
	case k.Run() > 0 && m.Acked > lastOf(k).Seq:
		return nil, nil // it may tell of the start of the next run
	}
	f := e.finding(Marked, of, "it is marked as parked, and does not live")("remove the mark")
	if e.cfg.Fix {
		err := e.hub.Meta().Delete(ctx, key, rev)
		if errors.Is(err, backend.ErrConflict) || errors.Is(err, backend.ErrNotFound) {
			return nil, nil // a worker has seen to it
		}
		f.Fixed, f.Err = err == nil, err
	}
	return f, nil
}
