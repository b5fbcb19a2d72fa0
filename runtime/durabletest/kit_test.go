package durabletest_test

import (
	"fmt"
	"strings"
	"testing"

	durable "github.com/durablegen/durablegen/runtime"
)

// flow names an orchestrator of the tests.
func flow(name string) *durable.Orchestrator {
	return &durable.Orchestrator{Name: "flow." + name, Group: "flow", Source: "example.com/flow." + name}
}

// task names an activity of the tests.
func task(name string) *durable.Activity {
	return &durable.Activity{Name: "flow." + name, Source: "example.com/flow." + name}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// says checks that an error has all of the words in its text.
func says(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// recorder keeps the failures of a test that is to fail.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// fatal is what Fatal panics with.
type fatal string

func (r *recorder) Fatal(args ...any) { panic(fatal(fmt.Sprint(args...))) }

func (r *recorder) Fatalf(format string, args ...any) { panic(fatal(fmt.Sprintf(format, args...))) }
