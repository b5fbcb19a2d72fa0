package durabletest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

// orderOf is an input, result or event as it was, and other forms of it.
type (
	orderOf   struct{ Name string }
	renamedOf struct{ Title string }
	typedOf   struct{ Name int }
	emptyOf   struct{}
	moreOf    struct {
		Name string
		Note string
	}
)

// TestReplayReadsEveryPayload: what the code cannot read fails a replay although the code does not ask for it, swallows the
// error, ends by it, or has not begun. What it has no field for any more is no matter, and neither is a new field.
func TestReplayReadsEveryPayload(t *testing.T) {
	t.Parallel()
	quote := task("Quote")
	for _, where := range []string{"input", "result", "unread result", "event", "unread event", "buffered event", "held event", "child", "later"} {
		was := runsWith[orderOf](where, quote)
		env := durabletest.New(t)
		env.Register(was, kid[orderOf](), durable.BindActivity(quote, quoting))
		opts := []durable.StartOption{durable.InstanceID("x")}
		if where == "later" {
			opts = append(opts, durable.StartAfter(time.Hour))
		}
		_, err := durable.StartInstance[string](t.Context(), env.Client(), trip, orderOf{"a"}, opts...)
		must(t, err)
		env.Advance(time.Second)
		if where == "held event" {
			must(t, env.Client().Suspend(t.Context(), "x", "wait"))
		}
		if strings.Contains(where, "event") {
			must(t, env.Client().Raise(t.Context(), "x", "note", orderOf{"b"}))
		}
		env.Advance(time.Second)
		saved := env.History("x")
		for _, c := range []struct {
			name string
			now  durable.Binding
			says string // "": it fits
		}{
			{"the same", was, ""},
			{"another type", runsWith[typedOf](where, quote), "is a JSON string"},
			{"renamed", runsWith[renamedOf](where, quote), `no field "Name"`},
			{"no field", runsWith[emptyOf](where, quote), ""},
			{"one more", runsWith[moreOf](where, quote), ""},
		} {
			t.Run(where+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				err := fatalOf(t, func(t testing.TB) { durabletest.Replay(t, saved, c.now, kid[orderOf]()) })
				if c.says == "" {
					must(t, err)
					return
				}
				says(t, err, "cannot read", c.says)
			})
		}
	}
}

func kid[T any]() durable.Binding {
	return durable.BindOrchestrator(flow("Kid"), func(_ durable.Context, v T) (T, error) { return v, nil })
}

// runsWith is a program that gets a T from somewhere, and in the end waits.
func runsWith[T any](where string, quote *durable.Activity) durable.Binding {
	wait := func(ctx durable.Context) (string, error) { return "", durable.Sleep(ctx, 24*time.Hour) }
	if where == "input" || where == "later" {
		return durable.BindOrchestrator(trip, func(ctx durable.Context, _ T) (string, error) { return wait(ctx) })
	}
	return durable.BindOrchestrator(trip, func(ctx durable.Context, _ orderOf) (string, error) {
		switch where {
		case "result":
			_, _ = durable.StartActivity[T](ctx, quote, 1).Get(ctx) // the error is swallowed
		case "unread result":
			durable.StartActivity[T](ctx, quote, 1)
		case "event", "held event":
			if _, err := durable.ReceiveEvent[T](ctx, "note").Get(ctx); err != nil {
				return "", err
			}
		case "unread event":
			f := durable.ReceiveEvent[T](ctx, "note")
			durable.Any(ctx, f, durable.NewTimer(ctx, time.Minute))
		case "buffered event":
			durable.ReceiveEvent[T](ctx, "note")
		case "child":
			durable.StartChild[T](ctx, flow("Kid"), orderOf{"c"})
		}
		return wait(ctx)
	})
}

// TestReplayOfPanics: code that panics where the history goes on, or ended well, does not fit it, whatever it had decided.
func TestReplayOfPanics(t *testing.T) {
	t.Parallel()
	env := travelling(t)
	_, err := durable.StartInstance[string](t.Context(), env.Client(), trip, "Oslo", durable.InstanceID("oslo"))
	must(t, err)
	env.Advance(time.Minute)
	for name, saved := range map[string][]byte{"live": env.History("oslo"), "ended": travel(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says(t, fatalOf(t, func(t testing.TB) {
				durabletest.Replay(t, saved, tripThat(func(ctx durable.Context, to string) (string, error) {
					err := call(ctx, book, to)
					timer := durable.NewTimer(ctx, time.Hour)
					if name == "ended" {
						err = errors.Join(err, timer.Wait(ctx), call(ctx, paid, 100))
					}
					panic(err)
				}))
			}), "panics where it did not")
		})
	}
}

// TestReplayOfALaterExecution: the newest execution in a history is the one that is compared.
func TestReplayOfALaterExecution(t *testing.T) {
	t.Parallel()
	count := func(last string) durable.Binding {
		return durable.BindOrchestrator(trip, func(ctx durable.Context, n int) (string, error) {
			if n < 2 {
				return "", errors.Join(call(ctx, book, "x"), durable.ContinueWith(ctx, n+1))
			}
			return "", errors.Join(call(ctx, book, last), durable.Sleep(ctx, time.Hour))
		})
	}
	env := travelling(t)
	env.Register(count("y"))
	_, err := durable.StartInstance[string](t.Context(), env.Client(), trip, 0, durable.InstanceID("n"))
	must(t, err)
	env.Advance(time.Minute)
	saved := env.History("n")
	durabletest.Replay(t, saved, count("y"))
	says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, saved, count("z")) }), `flow.Book with "y"`, `flow.Book with "z"`)
}

// TestReplayOfARedactedHistory: names and their order are compared, and no payload.
func TestReplayOfARedactedHistory(t *testing.T) {
	t.Parallel()
	saved, err := durable.RedactHistory(travel(t))
	must(t, err)
	if !strings.Contains(strings.SplitN(string(saved), "\n", 2)[0], "names and their order only") {
		t.Errorf("its header does not say what a replay compares: %s", saved)
	}
	durabletest.Replay(t, saved, tripThat(nil))
	durabletest.Replay(t, saved, tripThat(func(ctx durable.Context, to string) (string, error) {
		return "", errors.Join(call(ctx, book, 7), durable.Sleep(ctx, time.Hour), call(ctx, paid, 200))
	}))
	says(t, fatalOf(t, func(t testing.TB) {
		durabletest.Replay(t, saved, tripThat(func(ctx durable.Context, to string) (string, error) {
			return "", errors.Join(call(ctx, paid, 100), durable.Sleep(ctx, time.Hour), call(ctx, book, to))
		}))
	}), "flow.Book", "flow.Pay")
}

// TestReplayDir: every history of a folder is replayed, one a file or one a line; a file that is none, and no file, fail.
func TestReplayDir(t *testing.T) {
	t.Parallel()
	var code durable.Registry
	must(t, code.Add(tripThat(nil)))
	dir := t.TempDir()
	saved := travel(t)
	write := func(name string, text []byte) { must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600)) }
	write("one.json", saved)
	write("two.jsonl", append(saved[:len(saved):len(saved)], saved...))
	write("notes.txt", []byte("no history"))
	durabletest.ReplayDir(t, dir, &code)

	var other durable.Registry
	must(t, other.Add(tripThat(func(ctx durable.Context, to string) (string, error) { return "", call(ctx, paid, 1) })))
	for _, text := range [][]byte{saved, append(saved[:len(saved):len(saved)], "no history"...), nil} {
		if err := durabletest.ReplayFile(text, &other); err == nil {
			t.Errorf("other code fits %q", text)
		}
	}
}

func quoting(context.Context, int) (orderOf, error) { return orderOf{"q"}, nil }

// TestReplayOfARewoundRun: what was decided after the rewind is compared; what came before it may have been otherwise.
func TestReplayOfARewoundRun(t *testing.T) {
	t.Parallel()
	refuses := true
	code := func(second *durable.Activity) durable.Binding {
		return tripThat(func(ctx durable.Context, to string) (string, error) {
			if err := call(ctx, book, to); err != nil {
				return "", err
			}
			if err := call(ctx, second, 100); err != nil {
				return "", err
			}
			return "", durable.Sleep(ctx, time.Hour)
		})
	}
	env := travelling(t)
	env.Register(code(paid), durable.BindActivity(paid, func(context.Context, int) (durable.None, error) {
		if refuses {
			return durable.None{}, errors.New("declined")
		}
		return durable.None{}, nil
	}))
	_, err := durable.StartInstance[string](t.Context(), env.Client(), trip, "Oslo", durable.InstanceID("oslo"))
	must(t, err)
	env.Advance(time.Minute)
	refuses = false
	must(t, env.Client().Rewind(t.Context(), "oslo", "the card works now"))
	env.Advance(time.Minute)
	saved := env.History("oslo")
	durabletest.Replay(t, saved, code(paid))
	says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, saved, code(book)) }), "slot 2-0-")
}

// TestReplayInAnotherGroup: workers of another group do not serve the instance.
func TestReplayInAnotherGroup(t *testing.T) {
	t.Parallel()
	moved := durable.BindOrchestrator(&durable.Orchestrator{Name: trip.Name, Group: "elsewhere"}, func(durable.Context, string) (string, error) { return "", nil })
	says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, travel(t), moved) }), "of group flow", "of group elsewhere")
}

// TestReplayOfASuspendedInstance: what came before the suspension is compared.
func TestReplayOfASuspendedInstance(t *testing.T) {
	t.Parallel()
	env := travelling(t)
	_, err := durable.StartInstance[string](t.Context(), env.Client(), trip, "Oslo", durable.InstanceID("oslo"))
	must(t, err)
	env.Advance(time.Minute)
	must(t, env.Client().Suspend(t.Context(), "oslo", "strike"))
	env.Advance(2 * time.Hour) // the timer fires meanwhile
	saved := env.History("oslo")
	durabletest.Replay(t, saved, tripThat(nil))
	says(t, fatalOf(t, func(t testing.TB) {
		durabletest.Replay(t, saved, tripThat(func(ctx durable.Context, to string) (string, error) { return "", call(ctx, book, to) }))
	}), "timer until", "has ended as Completed")
}
