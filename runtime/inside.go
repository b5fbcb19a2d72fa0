package durable

import (
	"context"
	"encoding/json"

	"github.com/durablegen/durablegen/internal/activity"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/owner"
)

func init() {
	inside.Override = func(r, b any) { r.(*Registry).override(b.(Binding)) }
	inside.Merge = func(into, from any) {
		for _, l := range from.(*Registry).orchestrators {
			for _, b := range l {
				into.(*Registry).override(b)
			}
		}
		for _, b := range from.(*Registry).activities {
			into.(*Registry).override(b)
		}
	}
	inside.Serves = func(r any, name string) bool {
		_, ok := r.(*Registry).activities[name]
		return ok
	}
	inside.Name = func(b any) string { return b.(Binding).name() }
	inside.Group = func(r any, name string) (string, bool) {
		l := r.(*Registry).orchestrators[name]
		if l == nil {
			return "", false
		}
		return l.newest().Group, true
	}
	inside.Groups = func(r any) []string { return r.(*Registry).groups() }
	inside.Intercept = func(r any, begin func(string, history.Address, history.Ref) (func(), error)) {
		r.(*Registry).intercept(begin)
	}
	inside.Code = func(r any, group string) owner.Code { return newGroupCode(r.(*Registry), group) }
	inside.Around = func(code owner.Code, interceptors any) {
		code.(*groupCode).interceptors = interceptors.([]OrchestratorInterceptor)
	}
	inside.Fail = failureOf
	inside.Crash = func(w any) { w.(*Worker).crash() }
}

// override replaces all bindings that have a name of b, but for other versions of it.
func (r *Registry) override(b Binding) {
	for _, name := range b.names() {
		if b.orchestrator == nil {
			if had, ok := r.activities[name]; ok {
				for _, other := range had.names() {
					delete(r.activities, other)
				}
			}
		} else if had := r.orchestrators[name]; had != nil && had.newest().Name != b.orchestrator.Name {
			for _, other := range had.names() {
				delete(r.orchestrators, other)
			}
		}
	}
	r.put(b)
}

// intercept puts begin, and what it returns, around the function of each activity.
func (r *Registry) intercept(begin func(string, history.Address, history.Ref) (func(), error)) {
	for name, b := range r.activities {
		run := b.run
		b.run = func(ctx context.Context, c activity.Call, around []ActivityInterceptor) (history.Payload, *activity.Failure) {
			returned, err := begin(b.activity.Name, c.From, c.Ref)
			defer returned()
			if err != nil {
				return runActivity(ctx, b.activity, c, around, func(context.Context, json.RawMessage) (None, error) { return None{}, err })
			}
			return run(ctx, c, around)
		}
		r.activities[name] = b
	}
}

func (b Binding) name() string {
	if b.orchestrator == nil && b.activity == nil {
		return ""
	}
	return b.names()[0]
}

// crash ends the orchestrations of a worker whose backend is dead. Its activities are left to themselves.
func (w *Worker) crash() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = workerStopped
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, g := range w.groups {
		_ = g.Stop(ctx) // it has nothing to hand over
	}
	for _, q := range w.queues {
		q.Leave()
	}
}
