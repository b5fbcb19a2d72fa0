package changes_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/durablegen/durablegen/internal/changes"
	durable "github.com/durablegen/durablegen/runtime"
)

// side is code that calls activities one after the other, with the input.
func side(activities ...string) changes.Code { return named("test.Do", activities...) }

func named(name string, activities ...string) changes.Code {
	return changes.Code{func(r *durable.Registry) error {
		var infos []*durable.Activity
		for _, name := range activities {
			infos = append(infos, &durable.Activity{Name: name})
		}
		o := &durable.Orchestrator{Name: name, Group: "test"}
		err := r.Add(durable.BindOrchestrator(o, func(ctx durable.Context, in int) (int, error) {
			for _, a := range infos {
				if _, err := durable.StartActivity[int](ctx, a, in).Get(ctx); err != nil {
					return 0, err
				}
			}
			return in, nil
		}))
		for _, a := range infos {
			if err == nil {
				err = r.Add(durable.BindActivity(a, func(_ context.Context, n int) (int, error) { return n, nil }))
			}
		}
		return err
	}}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	const scenario = "== one\nstart test.Do 1\n"
	for name, c := range map[string]struct {
		before, after changes.Code
		broken        string
	}{
		"same":     {side("a", "b"), side("a", "b"), ""},
		"appended": {side("a", "b"), side("a", "b", "c"), ""},
		"removed":  {side("a", "b"), side("a"), "is parked"},
		"swapped":  {side("a", "b"), side("b", "a"), "is parked"},
		"no code":  {side("a"), named("test.Other", "a"), "is parked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := changes.Confirm(t, changes.Pair{Name: name, Before: c.before, After: c.after, Scenarios: scenario})
			if o.Error != "" || o.Runs == 0 {
				t.Fatalf("outcome is %+v", o)
			}
			if (o.Broken != "") != (c.broken != "") || !strings.Contains(o.Broken, c.broken) {
				t.Errorf("broken: %q, want %q in it", o.Broken, c.broken)
			}
			if (o.Replay != "") != (c.broken != "") {
				t.Errorf("the replay check says %q", o.Replay)
			}
		})
	}
}

// TestConfirmSeesAShortPark has code whose instance does not fit the new code only until it hears the next event.
func TestConfirmSeesAShortPark(t *testing.T) {
	t.Parallel()
	p := changes.Pair{Name: "short", Before: telling(true), After: telling(false), Scenarios: "== one\nstart test.Tell 1\nraise test.Other 1\nraise test.Go 1\n"}
	o := changes.Confirm(t, p)
	if o.Error != "" || !strings.Contains(o.Broken, "is parked: ") || o.Replay == "" {
		t.Errorf("outcome is %+v, want a parked instance", o)
	}
}

// telling is code that sends an event before or after it hears another.
func telling(before bool) changes.Code {
	return changes.Code{func(r *durable.Registry) error {
		o := &durable.Orchestrator{Name: "test.Tell", Group: "test"}
		return r.Add(durable.BindOrchestrator(o, func(ctx durable.Context, in int) (int, error) {
			if before {
				durable.SendEvent(ctx, "nobody", "test.Told", in)
			}
			if _, err := durable.ReceiveEvent[int](ctx, "test.Go").Get(ctx); err != nil {
				return 0, err
			}
			if !before {
				durable.SendEvent(ctx, "nobody", "test.Told", in)
			}
			return in, nil
		}))
	}}
}

// TestConfirmKnowsTheErrorsOfASide has an error of one name on both sides, which a process can register once.
func TestConfirmKnowsTheErrorsOfASide(t *testing.T) {
	t.Parallel()
	const scenario = "== one\nstart test.Try 1\n"
	for name, c := range map[string]struct {
		of     string
		broken bool
	}{
		"same name":    {"test.errGone", false},
		"another name": {"test.errLost", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := changes.Confirm(t, changes.Pair{Name: name, Before: failing("test.errGone"), After: failing(c.of), Scenarios: scenario})
			if o.Error != "" || (o.Broken != "") != c.broken || (o.Replay != "") != c.broken {
				t.Errorf("outcome is %+v, want broken: %v", o, c.broken)
			}
		})
	}
}

// failing is code that calls one of two activities when another has failed, by the error it failed with.
func failing(registered string) changes.Code {
	gone := errors.New("gone")
	try, told, other := &durable.Activity{Name: "try"}, &durable.Activity{Name: "told"}, &durable.Activity{Name: "other"}
	register := func(r *durable.Registry) error {
		o := &durable.Orchestrator{Name: "test.Try", Group: "test"}
		err := r.Add(durable.BindOrchestrator(o, func(ctx durable.Context, in int) (int, error) {
			next := other
			if _, err := durable.StartActivity[int](ctx, try, in).Get(ctx); errors.Is(err, gone) {
				next = told
			}
			return durable.StartActivity[int](ctx, next, in).Get(ctx)
		}))
		done := func(_ context.Context, n int) (int, error) { return n, nil }
		return errors.Join(err,
			r.Add(durable.BindActivity(try, func(context.Context, int) (int, error) { return 0, durable.NonRetryable(gone) })),
			r.Add(durable.BindActivity(told, done)), r.Add(durable.BindActivity(other, done)))
	}
	return changes.Code{register, changes.Errors(func() { durable.RegisterError(registered, gone) })}
}
