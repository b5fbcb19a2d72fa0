package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets this binary be what compare starts: a variant in a process of its own, and a server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == serve || os.Args[1] == "-variant") {
		Main(systemsOfTest())
	}
	os.Exit(m.Run())
}

// fake answers at once.
type fake struct {
	greeting string
	bytes    atomic.Int64
}

func (f *fake) Hello(_ context.Context, cities [3]string) (all [3]string, err error) {
	f.bytes.Add(100)
	for i, city := range cities {
		all[i] = f.greeting + " " + city + "!"
	}
	return all, nil
}

func (f *fake) FanOut(_ context.Context, width int) (sum int, err error) {
	for i := range width {
		sum += (i + 1) * (i + 1)
	}
	return sum, nil
}

func (f *fake) Chain(_ context.Context, length int) (int, error) { return length, nil }
func (f *fake) Bytes(context.Context) (int64, error)             { return f.bytes.Load(), nil }
func (f *fake) Close() error                                     { return nil }

func fakeSystem(id, greeting string) System {
	return System{ID: id, Name: id, Store: "nowhere", Modes: []Mode{Queued}, Open: func(context.Context, Setup) (Runner, error) {
		return &fake{greeting: greeting}, nil
	}}
}

func systemsOfTest() []System {
	absent := fakeSystem("absent", "Hello")
	absent.Missing = func() error { return errors.New("no such program here") }
	return append(Self(), fakeSystem("right", "Hello"), fakeSystem("wrong", "Bye"), absent)
}

// tiny is a scale at which every workload runs its fewest calls.
const tiny = 1e-9

// TestSelf runs every workload with this module's own variants.
func TestSelf(t *testing.T) {
	t.Parallel()
	for _, v := range variants(Self(), "") {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			if err := TryOut(t.Context(), v.System, Setup{Dir: t.TempDir(), Mode: v.mode, Durability: v.durability, InFlight: 5}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTryOutFindsWrongResults: a comparison that does not look at the results compares nothing.
func TestTryOutFindsWrongResults(t *testing.T) {
	t.Parallel()
	for _, l := range loads {
		err := l.run(t.Context(), wrong{}, 3)
		if err == nil || !strings.Contains(err.Error(), "wrong result") {
			t.Errorf("%s: error is %v, want a wrong result", l.name, err)
		}
	}
}

// wrong gives zero values.
type wrong struct{ Runner }

func (wrong) Hello(context.Context, [3]string) (all [3]string, err error) { return all, nil }
func (wrong) FanOut(context.Context, int) (int, error)                    { return 0, nil }
func (wrong) Chain(context.Context, int) (int, error)                     { return 0, nil }

// TestCompare runs the command on a system that is right, one that is wrong, and one that is absent.
func TestCompare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep, table := filepath.Join(dir, "kept.jsonl"), filepath.Join(dir, "table.csv")
	args := []string{"-rounds", "2", "-c", "3", "-scale", fmt.Sprint(tiny), "-only", "right,wrong/queued/strict,absent", "-dir", dir, "-keep", keep, "-csv", table}
	var out, errs bytes.Buffer
	if code := run(args, systemsOfTest(), nil, &out, &errs); code != 1 {
		t.Errorf("exit code %d, want 1 for the wrong result: %s", code, errs.String())
	}
	for _, want := range []string{
		"left out absent: no such program here",
		"round 2 of 2: right/queued/strict",
		"wrong result: [Bye Tokyo! Bye Seattle! Bye London!]",
		"2 runs failed",
	} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("standard error has no %q: %s", want, errs.String())
		}
	}
	if !strings.Contains(out.String(), "| right | nowhere | strict | ") || strings.Contains(out.String(), "| wrong ") {
		t.Errorf("report: %s", out.String())
	}
	csv := read(t, table)
	if n, want := strings.Count(csv, "\n"), 1+2; n != want {
		t.Errorf("%d lines of CSV, want %d: %s", n, want, csv)
	}

	// What is kept is not measured again.
	before := read(t, keep)
	errs.Reset()
	run(args, systemsOfTest(), nil, io.Discard, &errs)
	if strings.Contains(errs.String(), ": right/") || read(t, keep) != before {
		t.Errorf("measured again: %s", errs.String())
	}
	if errs := left(t, dir, keep, table); errs != "" {
		t.Errorf("left behind: %s", errs)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// left gives what is in dir beside the files.
func left(t *testing.T, dir string, files ...string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); path != files[0] && path != files[1] {
			names = append(names, path)
		}
	}
	return strings.Join(names, " ")
}

func TestMedians(t *testing.T) {
	t.Parallel()
	vs := variants([]System{fakeSystem("right", "Hello")}, "relaxed")
	var all []Measurement
	for round, rate := range []float64{30, 10, 20} {
		all = append(all, Measurement{Variant: vs[0].String(), Workload: "hello", Round: round + 1, PerSecond: rate, CPUMicros: 1000 / rate, N: int(rate)})
	}
	rows := medians(vs, all)
	if len(rows) != 1 || rows[0].rounds != 3 {
		t.Fatalf("rows: %+v", rows)
	}
	want := Measurement{Variant: "right/queued/relaxed", Workload: "hello", Round: 1, PerSecond: 20, CPUMicros: 50, N: 20}
	if diff := cmp.Diff(want, rows[0].loads["hello"]); diff != "" {
		t.Errorf("medians (-want +got):\n%s", diff)
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	got, err := parseStat("42 (post) gres: a (b) 7) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 1 0 100 1000 10")
	want := process{id: 42, parent: 7, cpu: 2250 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, text := range []string{"", "42 (x) S 7", "42 (x) S x 42 42 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 1 0 100 1000 10"} {
		if got, err := parseStat(text); err == nil {
			t.Errorf("%q gives %+v, want an error", text, got)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, err string }{
		{args: "-rounds 1 -scale 0.1 -only dbos"},
		{args: "-rounds 0", err: "want more than 0"},
		{args: "-c -1", err: "want more than 0"},
		{args: "-scale NaN", err: "want more than 0"},
		{args: "hello", err: `unexpected argument "hello"`},
		{args: "-round", err: "see -help"},
	} {
		_, err := parse(strings.Fields(c.args), io.Discard)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error is %v, want %q", c.args, err, c.err)
		}
	}
}
