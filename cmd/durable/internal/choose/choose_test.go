package choose_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/durablegen/durablegen/cmd/durable/internal/choose"
	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func parse(t *testing.T, args ...string) choose.Flags {
	t.Helper()
	var f choose.Flags
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want durable.Filter
	}{
		{"nothing", nil, durable.Filter{}},
		{"statuses", []string{"--status", "failed,Running", "--status=PENDING"}, durable.Filter{Statuses: []durable.Status{durable.Failed, durable.Running, durable.Pending}}},
		{"name and prefix", []string{"--name", "Pay", "--prefix", "a,b"}, durable.Filter{Name: "Pay", IDPrefix: "a,b"}},
		{"tags", []string{"--tag", "a=1,2", "--tag", "b=c=d"}, durable.Filter{Tags: map[string]string{"a": "1,2", "b": "c=d"}}},
		{"times", []string{"--created-after", "2h ago", "--created-before", "2026-05-04T13:00:00+02:00"}, durable.Filter{CreatedFrom: now.Add(-2 * time.Hour), CreatedBefore: now.Add(-time.Hour)}},
		{"days", []string{"--created-after", "1.5d", "--created-before", "2026-05-03"}, durable.Filter{CreatedFrom: now.Add(-36 * time.Hour), CreatedBefore: now.Add(-36 * time.Hour)}},
		{"a failed step", []string{"--failed-step", "Charge"}, durable.Filter{Statuses: []durable.Status{durable.Failed}}},
		{"a failed step of others", []string{"--failed-step", "Charge", "--status", "Completed"}, durable.Filter{Statuses: []durable.Status{durable.Completed}}},
	} {
		f := parse(t, c.args...)
		got, err := f.Filter(now)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if f.Given() != (len(c.args) > 0) {
			t.Errorf("%s: given %v", c.name, f.Given())
		}
	}
}

func TestBadFilter(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--status", "Broken"}, {"--tag", "a"}, {"--tag", "=b"}, {"--created-after", "-2h"}, {"--created-before", "noon"}, {"--created-after", "1e9w"},
	} {
		f := parse(t, args...)
		if _, err := f.Filter(now); exit.Of(err) != exit.Usage {
			t.Errorf("%v: %v, want an error of usage", args, err)
		}
	}
}
