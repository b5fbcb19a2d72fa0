package durabletest

import (
	"context"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// NextBuild says what the build that comes after the present one has, to see whether it goes on where that one stood.
// register fills the environment anew, by [Env.Register] and [Env.Registry]: what it does not name, the next build does not
// have. It is called once per environment, and calls register when the next build takes over.
//
//	env.Register(OrderOrchestrator.Bind(orderBefore), PackActivity.Bind(pack))
//	env.NextBuild(func() { env.Register(OrderOrchestrator.Bind(Order), PackActivity.Bind(pack)) })
//
// In a scenario of [Explore] the next build takes over after each record that a worker writes, in a run each, then at drawn
// ones with misfortune besides. The scenario must succeed in all of these runs. What it leaves live must not be parked, and
// must replay with the next build; nothing may fail because a payload does not fit that did. Results are not compared with
// those of the run of the present build alone: the next one may have others. In an environment of [New] the next build takes
// over at the next moment that time passes.
func (e *Env) NextBuild(register func()) {
	e.t.Helper()
	if e.next != nil {
		e.t.Fatal("durabletest: NextBuild is called twice: an environment has one next build")
		return
	}
	e.next = register
	switch {
	case e.luck == nil:
		e.due, e.stale = true, true
	case e.luck.has(takeOver, atOnce) != nil:
		e.luck.note("the next build takes over before anything is written")
		e.due, e.stale = true, true
	}
}

// atOnce is the number of the record before the first.
const atOnce = -1

// takeOver fills the environment with the next build, in place of a worker of the one before.
func (e *Env) takeOver() error {
	e.due, e.took = false, true
	e.base, e.fakes = durable.Registry{}, nil
	if err := e.forgetSources(); err != nil {
		return err
	}
	e.next()
	e.stale = false
	return nil
}

// forgetSources has names belong to nobody: the code of one of the builds is a copy, in a package of another path.
func (e *Env) forgetSources() error {
	meta, ctx := e.world.look.Meta(), context.Background()
	names, err := meta.List(ctx, "name")
	for key := range names {
		if err == nil {
			var rev uint64
			if _, rev, err = meta.Get(ctx, key); err == nil {
				err = meta.Delete(ctx, key, rev)
			}
		}
	}
	return err
}

// standing says what the next build cannot go on with, of what a scenario has left.
func (e *Env) standing(calm outcome, ends map[string]end) error {
	if err := e.world.drive(context.Background(), goal{}, always); err != nil { // it may have died with its last record
		return err
	}
	for id, is := range ends {
		if is.unread && !calm.ends[id].unread {
			return fmt.Errorf("instance %q ended as %s", id, is.text)
		}
	}
	var live []backend.State
	err := e.world.look.ListStates(context.Background(), func(s backend.State) bool {
		if !s.Status.Final() {
			live = append(live, s)
		}
		return true
	})
	for _, s := range live {
		if err == nil {
			err = e.goesOn(s)
		}
	}
	return err
}

// goesOn says why an instance cannot go on with the present code, nil if it can.
func (e *Env) goesOn(s backend.State) error {
	if s.Parked != "" {
		return fmt.Errorf("instance %q, %s, is parked: %s", s.ID, s.Name, s.Parked)
	}
	saved, err := e.history(s.ID)
	if errors.Is(err, durable.ErrNotFound) {
		return nil // it has not begun
	}
	var text []byte
	if err == nil {
		text, err = saved.Text()
	}
	if err == nil {
		err = replayOf(text, e.code, e.around)
	}
	if err != nil {
		return fmt.Errorf("instance %q, %s, cannot go on: %w", s.ID, s.Name, err)
	}
	return nil
}

// unreadable reports whether a run failed of a payload that did not fit.
func unreadable(e *history.End) bool {
	for f := e.Failure; f != nil; f = f.Cause {
		if f.Kind == history.FailDecode {
			return true
		}
	}
	return false
}
