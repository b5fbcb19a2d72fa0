package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

// approving is an activity that is completed from outside, and an orchestrator that calls it.
type approving struct {
	*hub
	a      *durable.Activity
	o      *durable.Orchestrator
	tokens chan string
	did    notes
	all    []durable.Binding
}

func inApproval(t *testing.T, policy durable.RetryPolicy, test func(t *testing.T, p *approving)) {
	t.Helper()
	inHub(t, func(t *testing.T, h *hub) {
		p := &approving{hub: h, a: task("Approve"), o: flow("Call"), tokens: make(chan string, 100)}
		p.a.Timeout, p.a.Retry = durable.Timeout(6*time.Minute), policy
		p.all = []durable.Binding{
			durable.BindActivity(p.a, func(ctx context.Context, _ string) (string, error) {
				info, _ := durable.InfoOf(ctx)
				p.did.addf("%d %q", info.Attempt, info.LastError)
				token, err := durable.CompleteLater(ctx)
				if err != nil {
					return "", err
				}
				p.tokens <- token
				return "", durable.ErrCompleteLater
			}),
			durable.BindOrchestrator(p.o, func(ctx durable.Context, what string) (string, error) { return call[string](ctx, p.a, what) }),
		}
		test(t, p)
	})
}

func TestCompleteActivityFromOutside(t *testing.T) {
	inApproval(t, durable.RetryPolicy{Attempts: 3}, func(t *testing.T, p *approving) {
		w := p.work(p.all...)
		handle := start[string](p.hub, p.o, "the boat")
		token := <-p.tokens
		p.pass(time.Minute)
		p.stop(w) // the worker is gone, another one has only the orchestrator
		p.work(p.all[1])
		must(t, p.newClient().CompleteActivity(t.Context(), token, "yes"))
		want(p.hub, handle, "yes")
		p.work(p.all[0])
		p.pass(20 * time.Minute) // nothing is left that would run it again
		if diff := cmp.Diff([]string{`1 ""`}, p.did.all()); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if got := len(p.m.Unacked()); got != 0 {
			t.Errorf("%d messages are not acknowledged", got)
		}
	})
}

func TestFailActivityFromOutside(t *testing.T) {
	inApproval(t, durable.RetryPolicy{Attempts: 3}, func(t *testing.T, p *approving) {
		p.work(p.all...)
		handle := start[string](p.hub, p.o, "the boat")
		must(t, p.client.FailActivity(t.Context(), <-p.tokens, fmt.Errorf("the board: %w", errors.Join(errGone, limitError{7}))))
		err := fails(p.hub, handle)
		var limit limitError
		var failed *durable.ActivityError
		if !errors.Is(err, errGone) || !errors.As(err, &limit) || limit.Limit != 7 || !errors.As(err, &failed) || failed.Activity != p.a.Name || failed.Attempt != 1 {
			t.Errorf("got %+v", err)
		}
		says(t, err, "the board", "flow.Approve")
		if got := p.did.all(); len(got) != 1 {
			t.Errorf("attempts %q, want one: whoever completes has decided", got)
		}
	})
}

// TestNobodyCompletes: the policy goes on with the next attempt, and an older token is still good.
func TestNobodyCompletes(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   durable.RetryPolicy
		attempts int
		takes    time.Duration
		is       error
		says     string
	}{
		{"a last attempt fails", durable.RetryPolicy{}, 1, 6 * time.Minute, durable.ErrTimeout, "not completed from outside within 6m0s"},
		{"the policy goes on", durable.RetryPolicy{Attempts: 3, First: time.Minute}, 3, 21 * time.Minute, durable.ErrTimeout, "attempt 3"},
		{"until the deadline", durable.RetryPolicy{Attempts: 9, First: time.Second, Deadline: 9 * time.Minute}, 2, 9 * time.Minute, durable.ErrDeadline, "9m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inApproval(t, c.policy, func(t *testing.T, p *approving) {
				p.work(p.all...)
				begin := time.Now()
				err := fails(p.hub, start[string](p.hub, p.o, "the boat"))
				if took := taken(begin).Round(time.Minute); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
				if !errors.Is(err, durable.ErrTimeout) || !errors.Is(err, c.is) {
					t.Errorf("got %v, want %v", err, c.is)
				}
				says(t, err, c.says, "flow.Approve")
				if got := p.did.all(); len(got) != c.attempts {
					t.Errorf("attempts %q, want %d", got, c.attempts)
				}
			})
		})
	}
	t.Run("and an older token is good", func(t *testing.T) {
		inApproval(t, durable.RetryPolicy{Attempts: 3}, func(t *testing.T, p *approving) {
			p.work(p.all...)
			handle := start[string](p.hub, p.o, "the boat")
			first := <-p.tokens
			second := <-p.tokens
			if first == second {
				t.Error("both attempts have the same token")
			}
			must(t, p.client.CompleteActivity(t.Context(), first, "yes"))
			want(p.hub, handle, "yes")
			if err := p.client.CompleteActivity(t.Context(), second, "no"); !errors.Is(err, durable.ErrFinished) {
				t.Errorf("the second completion gives %v, want ErrFinished", err)
			}
			p.pass(20 * time.Minute)
			if diff := cmp.Diff([]string{`1 ""`, `2 "not completed from outside within 6m0s"`}, p.did.all()); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	})
}

// TestCompletedBeforeTheActivityReturns: whoever has the token may be faster than the function that gave it out.
func TestCompletedBeforeTheActivityReturns(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		a, o := task("Approve"), flow("Call")
		a.Timeout, a.Retry = durable.Timeout(time.Minute), durable.RetryPolicy{Attempts: 3}
		var did notes
		h.work(
			durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
				did.addf("run")
				token, err := durable.CompleteLater(ctx)
				again, _ := durable.CompleteLater(ctx)
				if err != nil || token != again {
					t.Errorf("tokens %q and %q, %v", token, again, err)
				}
				must(t, h.client.CompleteActivity(ctx, token, "yes"))
				<-time.After(10 * time.Second)
				return "", durable.ErrCompleteLater
			}),
			durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) { return call[string](ctx, a, nil) }),
		)
		want(h, start[string](h, o, nil), "yes")
		h.pass(5 * time.Minute)
		if got := did.all(); len(got) != 1 {
			t.Errorf("it ran %d times", len(got))
		}
	})
}

// TestTokenIsNotNeededAfterAll: an activity that has its outcome after all is not run again by what stood in for it.
func TestTokenIsNotNeededAfterAll(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(attempt int) (string, error)
		runs int
	}{
		{"a result", func(int) (string, error) { return "at once", nil }, 1},
		{"a failure", func(int) (string, error) { return "", durable.NonRetryable(errGone) }, 1},
		{"a failure that is tried again", func(n int) (string, error) { return fmt.Sprint(n), []error{errGone, nil}[n-1] }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(t *testing.T, h *hub) {
				a, o := task("Approve"), flow("Call")
				a.Timeout, a.Retry = durable.Timeout(time.Minute), durable.RetryPolicy{Attempts: 3}
				var did notes
				h.work(
					durable.BindActivity(a, func(ctx context.Context, _ durable.None) (string, error) {
						did.addf("run")
						_, err := durable.CompleteLater(ctx)
						must(t, err)
						return c.end(len(did.all()))
					}),
					durable.BindOrchestrator(o, func(ctx durable.Context, _ durable.None) (string, error) { return call[string](ctx, a, nil) }),
				)
				_, _ = start[string](h, o, nil).Wait(t.Context())
				h.pass(5 * time.Minute)
				if got := len(did.all()); got != c.runs {
					t.Errorf("it ran %d times, want %d", got, c.runs)
				}
			})
		})
	}
}

func TestLaterWithoutAToken(t *testing.T) {
	inHub(t, func(t *testing.T, h *hub) {
		at, err := failing(t, h, task("Approve"), func(context.Context, int) error { return durable.ErrCompleteLater }, durable.RetryPolicy{Attempts: 3})
		says(t, err, "flow.Approve", "no token", "CompleteLater")
		if len(at) != 1 {
			t.Errorf("%d attempts", len(at))
		}
	})
}

func TestCompleteActivityRefuses(t *testing.T) {
	inApproval(t, durable.RetryPolicy{}, func(t *testing.T, p *approving) {
		p.work(p.all...)
		handle := start[string](p.hub, p.o, "the boat")
		token := <-p.tokens
		parsed, err := history.ParseToken(token)
		must(t, err)
		other := func(change func(*history.Token)) string {
			o := parsed
			change(&o)
			return o.String()
		}
		for _, c := range []struct {
			name, token string
			is          error
		}{
			{"no token", "yes please", durable.ErrPayload},
			{"a token with something after it", token + "A", durable.ErrPayload},
			{"of no instance", other(func(t *history.Token) { t.ID = "nobody" }), durable.ErrNotFound},
			{"of another group", other(func(t *history.Token) { t.Group = "other" }), durable.ErrNotFound},
			{"of no slot", other(func(t *history.Token) { t.Slot = 7 }), durable.ErrNotFound},
			{"of other arguments", other(func(t *history.Token) { t.Hash++ }), durable.ErrNotFound},
			{"of another activity", other(func(t *history.Token) { t.Name = "flow.Other" }), durable.ErrNotFound},
			{"of a later run", other(func(t *history.Token) { t.Run++ }), durable.ErrNotFound},
			{"of a later execution", other(func(t *history.Token) { t.Execution++ }), durable.ErrNotFound},
			{"of an older run", other(func(t *history.Token) { t.Run-- }), durable.ErrFinished},
		} {
			for verb, err := range map[string]error{
				"complete": p.client.CompleteActivity(t.Context(), c.token, "no"), "fail": p.client.FailActivity(t.Context(), c.token, errGone),
			} {
				if !errors.Is(err, c.is) {
					t.Errorf("%s: %s gives %v, want %v", c.name, verb, err, c.is)
				}
				says(t, err, verb+" activity")
			}
		}
		if err := p.client.CompleteActivity(t.Context(), token, strings.Repeat("x", durable.MaxPayload)); !errors.Is(err, durable.ErrPayload) {
			t.Errorf("a result that is too large gives %v", err)
		}
		must(t, p.client.CompleteActivity(t.Context(), token, "yes"))
		want(p.hub, handle, "yes")
		for range 2 {
			if err := p.client.CompleteActivity(t.Context(), token, "no"); !errors.Is(err, durable.ErrFinished) {
				t.Errorf("completing it again gives %v, want ErrFinished", err)
			}
		}
		if inst := p.get(handle.ID()); string(inst.Result) != `"yes"` {
			t.Errorf("the result is %s", inst.Result)
		}
	})
}

func TestCompleteActivityOfAnInstanceThatEnded(t *testing.T) {
	inApproval(t, durable.RetryPolicy{}, func(t *testing.T, p *approving) {
		p.work(p.all...)
		handle := start[string](p.hub, p.o, "the boat")
		token := <-p.tokens
		must(t, handle.Terminate(t.Context(), "enough"))
		_ = fails(p.hub, handle)
		if err := p.client.CompleteActivity(t.Context(), token, "yes"); !errors.Is(err, durable.ErrFinished) {
			t.Errorf("got %v, want ErrFinished", err)
		}
	})
}
