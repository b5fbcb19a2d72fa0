package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/durabletest"
)

var trip, book, paid = flow("Trip"), task("Book"), task("Pay")

// tripThat books a hotel and pays, unless it does something else.
func tripThat(do func(ctx durable.Context, to string) (string, error)) durable.Binding {
	if do == nil {
		do = func(ctx durable.Context, to string) (string, error) {
			if err := call(ctx, book, to); err != nil {
				return "", err
			}
			durable.Sleep(ctx, time.Hour)
			return "been to " + to, call(ctx, paid, 100)
		}
	}
	return durable.BindOrchestrator(trip, do)
}

func call(ctx durable.Context, a *durable.Activity, args any) error {
	return durable.StartActivity[durable.None](ctx, a, args).Err(ctx)
}

// travel gives the history of a trip.
func travel(t testing.TB) []byte {
	env := travelling(t)
	_, err := durabletest.Run(durable.StartInstance[string](t.Context(), env.Client(), trip, "Rome", durable.InstanceID("rome")))
	must(t, err)
	return env.History("rome")
}

func travelling(t testing.TB) *durabletest.Env {
	env := durabletest.New(t)
	env.Register(
		tripThat(nil),
		durable.BindActivity(book, func(context.Context, string) (durable.None, error) { return durable.None{}, nil }),
		durable.BindActivity(paid, func(context.Context, int) (durable.None, error) { return durable.None{}, nil }),
	)
	return env
}

// fatalOf runs what is to fail the test, and gives the text; nil when it does not.
func fatalOf(t testing.TB, fn func(t testing.TB)) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			err = errors.New(string(p.(fatal)))
		}
	}()
	fn(&recorder{TB: t})
	return nil
}

func TestReplayOfTheSameCode(t *testing.T) {
	t.Parallel()
	durabletest.Replay(t, travel(t), tripThat(nil))

	env := travelling(t)
	_, err := durable.StartInstance[string](t.Context(), env.Client(), trip, "Oslo", durable.InstanceID("oslo"))
	must(t, err)
	env.Advance(time.Minute)
	path := filepath.Join(t.TempDir(), "oslo.json")
	env.SaveHistory("oslo", path) // it is on its way
	durabletest.Replay(t, path, tripThat(nil))
	durabletest.Replay(t, path, tripThat(func(ctx durable.Context, to string) (string, error) {
		err := call(ctx, book, to)
		durable.Sleep(ctx, 2*time.Hour)
		return "", errors.Join(err, call(ctx, paid, 200))
	}))
}

func TestReplayOfOtherCode(t *testing.T) {
	t.Parallel()
	saved := travel(t)
	for _, c := range []struct {
		name string
		do   func(ctx durable.Context, to string) (string, error)
		says []string
	}{
		{"another activity", func(ctx durable.Context, to string) (string, error) { return "", call(ctx, paid, to) },
			[]string{`activity flow.Book with "Rome"`, `activity flow.Pay with "Rome"`, "history_test.go:"}},
		{"other arguments", func(ctx durable.Context, to string) (string, error) { return "", call(ctx, book, to+"!") },
			[]string{`activity flow.Book with "Rome"`, `activity flow.Book with "Rome!"`}},
		{"something before it", func(ctx durable.Context, to string) (string, error) {
			durable.Sleep(ctx, time.Second)
			return "", call(ctx, book, to)
		}, []string{"activity flow.Book", "timer until"}},
		{"less", func(ctx durable.Context, to string) (string, error) { return "", call(ctx, book, to) },
			[]string{"timer until", "has ended as Completed"}},
		{"an event first", func(ctx durable.Context, to string) (string, error) {
			return durable.ReceiveEvent[string](ctx, "go").Get(ctx)
		}, []string{"activity flow.Book", "waits for", "go"}},
		{"a failure at the end", func(ctx durable.Context, to string) (string, error) {
			err := call(ctx, book, to)
			durable.Sleep(ctx, time.Hour)
			return "", errors.Join(err, call(ctx, paid, 100), errors.New("bad food"))
		}, []string{"ended as Completed", "ends it as Failed: bad food"}},
		{"a panic", func(ctx durable.Context, to string) (string, error) { panic("lost") },
			[]string{"activity flow.Book", "has ended as Failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, saved, tripThat(c.do)) }), c.says...)
		})
	}
	says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, saved) }), "flow.Trip", "no binding")
}

// TestReplayAfterContinueAsNew: the history of an execution begins with what the one before has left to it.
func TestReplayAfterContinueAsNew(t *testing.T) {
	t.Parallel()
	count := func(step int) durable.Binding {
		return durable.BindOrchestrator(flow("Count"), func(ctx durable.Context, n int) (int, error) {
			if err := call(ctx, book, n*step); err != nil {
				return 0, err
			}
			if n == 5 {
				return n, nil
			}
			return 0, durable.ContinueWith(ctx, n+1)
		})
	}
	env := travelling(t)
	env.Register(count(1), durable.BindActivity(book, func(context.Context, int) (durable.None, error) { return durable.None{}, nil }))
	_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), flow("Count"), 0, durable.InstanceID("c")))
	must(t, err)
	saved := env.History("c")
	durabletest.Replay(t, saved, count(1))
	says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, saved, count(2)) }), "flow.Book with 5", "flow.Book with 10")
}

// TestReplayOfABrokenFile: a clear error, whatever the file holds.
func TestReplayOfABrokenFile(t *testing.T) {
	t.Parallel()
	good := string(travel(t))
	lines := strings.Split(good, "\n")
	for _, c := range []struct {
		name, text string
		says       []string
	}{
		{"empty", "", []string{"cannot be read"}},
		{"no JSON", "history", []string{"cannot be read"}},
		{"half", good[:len(good)/2], []string{"cannot be read"}},
		{"another JSON", `[1,2]`, []string{"cannot be read"}},
		{"null", `null`, []string{"does not begin with a start"}},
		{"no messages", `{"group":"flow","id":"rome","orchestrator":"flow.Trip","messages":[]}`, []string{"does not begin with a start"}},
		{"without its start", lines[0] + "\n" + strings.Join(lines[2:], "\n"), []string{"history"}},
		{"a record of no kind", lines[0] + `{"wish":"1"}]}`, []string{"message 0"}},
		{"another orchestrator", strings.Replace(good, `"flow.Trip"`, `"flow.Trap"`, 1), []string{"flow.Trap", "flow.Trip"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, []byte(c.text), tripThat(nil)) }), append(c.says, "replay of a history")...)
		})
	}
	says(t, fatalOf(t, func(t testing.TB) { durabletest.Replay(t, "testdata/none.json", tripThat(nil)) }), "testdata/none.json")
	says(t, fatalOf(t, func(t testing.TB) { newEnv(t).History("nobody") }), "nobody", "no such instance")
}

func newEnv(t testing.TB) *durabletest.Env {
	env := durabletest.New(t)
	env.Register(tripThat(nil))
	return env
}

// FuzzReplay: no file makes Replay panic.
func FuzzReplay(f *testing.F) {
	f.Add(travel(f))
	f.Add([]byte(`{"group":"flow","id":"a","orchestrator":"flow.Trip","messages":[{"start":"1 flow.Trip","v":"Rome","n":1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		err := fatalOf(t, func(t testing.TB) { durabletest.Replay(t, text, tripThat(nil)) })
		if err != nil && strings.Contains(err.Error(), "panic") && strings.Contains(err.Error(), "goroutine ") {
			t.Fatal(fmt.Errorf("it panicked: %w", err))
		}
	})
}

// TestHistoryOfLongAgo: it is there when the log does not hold it any more.
func TestHistoryOfLongAgo(t *testing.T) {
	t.Parallel()
	env, o := durabletest.New(t), flow("Say")
	code := durable.BindOrchestrator(o, func(ctx durable.Context, n int) (int, error) { return n, nil })
	env.Register(code)
	for n := range 3 {
		_, err := durabletest.Run(durable.StartInstance[int](t.Context(), env.Client(), o, n, durable.InstanceID(fmt.Sprint("x", n))))
		must(t, err)
		env.Advance(time.Hour)
	}
	durabletest.Replay(t, env.History("x0"), code)
}
