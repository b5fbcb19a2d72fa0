package changes_test

import (
	"context"
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
