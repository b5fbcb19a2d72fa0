// Package choose holds the flags that choose instances, the same for every verb.
package choose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	durable "github.com/durablegen/durablegen/runtime"
)

// Flags choose instances: those that fit all of them.
type Flags struct {
	statuses      []string
	name, prefix  string
	after, before string
	tags          []string
	failedStep    string
}

// AddFlags adds the flags.
func (f *Flags) AddFlags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.statuses, "status", nil, "in this `status`; repeat it for any of several")
	flags.StringVar(&f.name, "name", "", "of this `orchestrator`: its name, or the last part of it")
	flags.StringVar(&f.prefix, "prefix", "", "whose id begins with this `text`")
	flags.StringVar(&f.after, "created-after", "", "created at this `time` or later: 2026-05-04T12:00:00Z, 2026-05-04, or 2h for two hours ago")
	flags.StringVar(&f.before, "created-before", "", "created before this `time`")
	flags.StringArrayVar(&f.tags, "tag", nil, "with this tag, `key=value`; repeat it for all of several")
	flags.StringVar(&f.failedStep, "failed-step", "", "that failed, or are of the --status, with a failed activity or child of this `name`; reads histories")
}

// Given reports whether any of the flags chooses.
func (f *Flags) Given() bool {
	return len(f.statuses) > 0 || f.name != "" || f.prefix != "" || f.after != "" || f.before != "" || len(f.tags) > 0 || f.failedStep != ""
}

// HasStatus reports whether a status was asked for.
func (f *Flags) HasStatus() bool { return len(f.statuses) > 0 }

// Filter reads the flags; the error is one of usage.
func (f *Flags) Filter(now time.Time) (filter durable.Filter, err error) {
	filter = durable.Filter{Name: f.name, IDPrefix: f.prefix}
	if filter.Statuses, err = statuses(f.statuses); err != nil {
		return filter, err
	}
	if f.failedStep != "" && !f.HasStatus() {
		filter.Statuses = []durable.Status{durable.Failed}
	}
	if filter.CreatedFrom, err = moment("--created-after", f.after, now); err != nil {
		return filter, err
	}
	if filter.CreatedBefore, err = moment("--created-before", f.before, now); err != nil {
		return filter, err
	}
	filter.Tags, err = Tags(f.tags)
	return filter, err
}

// Statuses are all states of an instance.
var Statuses = []durable.Status{durable.Pending, durable.Running, durable.Suspended, durable.Completed, durable.Failed, durable.Terminated, durable.Canceled}

func statuses(texts []string) (all []durable.Status, err error) {
	for _, text := range texts {
		n := slices.IndexFunc(Statuses, func(s durable.Status) bool { return strings.EqualFold(string(s), text) })
		if n < 0 {
			return nil, exit.Usagef("--status %q is none: want one of %v", text, Statuses)
		}
		all = append(all, Statuses[n])
	}
	return all, nil
}

// Tags reads key=value.
func Tags(texts []string) (durable.Tags, error) {
	var tags durable.Tags
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, exit.Usagef("--tag %q is no tag: want key=value", text)
		}
		if tags == nil {
			tags = durable.Tags{}
		}
		tags[key] = value
	}
	return tags, nil
}

// moment reads a time of a flag; "" is the zero time.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, ok := Time(text, now); ok {
		return t, nil
	}
	return time.Time{}, exit.Usagef("%s %q is no time: want one such as 2026-05-04T12:00:00Z, 2026-05-04, or 2h for two hours ago", flag, text)
}

// Time reads a time: RFC 3339, a day in UTC, or how long ago it is.
func Time(text string, now time.Time) (t time.Time, ok bool) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	d, ok := Span(strings.TrimSuffix(text, " ago"))
	return now.Add(-d), ok
}

// Span reads a duration, with days (d) and weeks (w) as units that stand alone.
func Span(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, found := strings.CutSuffix(text, unit); found {
			n, err := strconv.ParseFloat(number, 64)
			return time.Duration(n * float64(length)), err == nil && n >= 0 && n < 1e5
		}
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}

// page is how many instances are asked for at once.
const (
	page     = 10_000
	searched = 1_000 // fewer, when each of them has its history read
)

// Count counts the instances that fit by status.
func (f *Flags) Count(ctx context.Context, c *durable.Client, now time.Time) (map[durable.Status]int, error) {
	if f.failedStep != "" {
		counts := map[durable.Status]int{}
		err := f.Each(ctx, c, now, 0, nil, func(i durable.Instance) bool { counts[i.Status]++; return true })
		return counts, err
	}
	filter, err := f.Filter(now)
	if err != nil {
		return nil, err
	}
	return c.Count(ctx, filter)
}

// Each calls yield for the instances that fit, the newest first, until it returns false or limit (0: no limit) have been
// yielded. Defaults are the statuses that count when the flags have none.
func (f *Flags) Each(ctx context.Context, c *durable.Client, now time.Time, limit int, defaults []durable.Status, yield func(durable.Instance) bool) error {
	filter, err := f.Filter(now)
	if err != nil {
		return err
	}
	if len(filter.Statuses) == 0 {
		filter.Statuses = defaults
	}
	filter.Limit = page
	switch {
	case f.failedStep != "":
		filter.Limit = searched
	case limit > 0:
		filter.Limit = min(limit, page)
	}
	for token, left := "", limit; ; {
		instances, next, err := c.ListPage(ctx, filter, token)
		if err != nil {
			return err
		}
		if f.failedStep != "" {
			if instances, err = f.withStep(ctx, c, instances); err != nil {
				return err
			}
		}
		for _, inst := range instances {
			if !yield(inst) {
				return nil
			}
			if left--; left == 0 {
				return nil
			}
		}
		if token = next; token == "" {
			return nil
		}
	}
}

// atOnce is how many histories are read at the same time.
const atOnce = 16

// withStep gives the instances that have the failed step which is asked for.
func (f *Flags) withStep(ctx context.Context, c *durable.Client, instances []durable.Instance) ([]durable.Instance, error) {
	has := make([]bool, len(instances))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for n, inst := range instances {
		g.Go(func() (err error) {
			has[n], err = f.hasStep(ctx, c, inst.ID)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var fit []durable.Instance
	for n, inst := range instances {
		if has[n] {
			fit = append(fit, inst)
		}
	}
	return fit, nil
}

func (f *Flags) hasStep(ctx context.Context, c *durable.Client, id string) (bool, error) {
	h, err := c.History(ctx, id)
	if errors.Is(err, durable.ErrNotFound) { // it has gone meanwhile
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the failed step %s: %w", f.failedStep, err)
	}
	return slices.ContainsFunc(h.Steps, func(s durable.Step) bool {
		return s.State == durable.StepFailed && s.Kind != durable.StepEnded && Named(s.Name, f.failedStep)
	}), nil
}

// Named reports whether a wire name is the one that is asked for, or ends with it.
func Named(name, asked string) bool { return name == asked || strings.HasSuffix(name, "."+asked) }
