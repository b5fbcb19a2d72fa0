package durable

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// LeftBehind is what [Worker.Start] does when a version of an orchestrator that it registers has live instances, and neither
// this worker nor another one that is live has its code. Such instances are parked until a worker comes that has it.
type LeftBehind int

// The choices.
const (
	WarnLeftBehind   LeftBehind = iota // start, then look, log each such version as a warning and tell Hooks.LeftBehind
	RefuseLeftBehind                   // look first, and do not start: ErrVersionInUse
)

// VersionInUse is a version of an orchestrator that has live instances and no worker.
type VersionInUse struct {
	Name      string `json:"name"`    // wire name
	Version   string `json:"version"` // "1" of an orchestrator that says none
	Group     string `json:"group"`
	Instances int    `json:"instances"` // that are live; at least so many if More
	More      bool   `json:"more,omitempty"`
}

// String says what is left behind.
func (v VersionInUse) String() string {
	atLeast := ""
	if v.More {
		atLeast = "at least "
	}
	return fmt.Sprintf("no worker for %s: live instances: %s%d", saysVersion(v.Name, v.Version), atLeast, v.Instances)
}

// saysVersion names a version of an orchestrator to people.
func saysVersion(name, version string) string {
	if version == "" {
		return name
	}
	return name + " version " + version
}

const (
	lookTime = time.Minute // most that a worker which has started looks for what is left behind
	mostLive = 20_000      // instances of a name that are looked at
	livePage = 500
)

// LeftBehind looks for versions of the orchestrators of this worker that have live instances and that no live worker has
// the code of, by name, then version. It reads what the hub knows of versions that workers have registered. Only if there is
// one that this worker has not, it asks the workers who they are, which takes a second, and reads at most 20,000 live
// instances of each such name. It may be called at any time.
func (w *Worker) LeftBehind(ctx context.Context) ([]VersionInUse, error) {
	lacks, err := w.missing(ctx)
	var left []VersionInUse
	if err == nil {
		left, err = w.leftBehind(ctx, lacks)
	}
	if err != nil {
		return nil, fmt.Errorf("durable: worker: look for versions without a worker: %w", err)
	}
	return left, nil
}

// missing is what a worker has not of an orchestrator that it has.
type missing struct {
	name     string // or alias
	entry    announced
	rev      uint64 // of the entry
	versions []string
}

func missingFrom(l lineage, name string, entry announced, rev uint64) missing {
	m := missing{name: name, entry: entry, rev: rev}
	for _, v := range entry.versions() {
		if _, ok := l.find(v); !ok {
			m.versions = append(m.versions, v)
		}
	}
	return m
}

// missing reads which versions of its orchestrators workers have registered that this one has not.
func (w *Worker) missing(ctx context.Context) (lacks []missing, err error) {
	for _, name := range slices.Sorted(maps.Keys(w.registry.orchestrators)) {
		l := w.registry.orchestrators[name]
		entry, _, rev, err := readEntry(ctx, w.be.Meta(), name)
		if err != nil {
			return nil, fmt.Errorf("what is known of the orchestrator %q: %w", name, err)
		}
		if entry.Group != l.newest().Group {
			continue // the name was another's, or is not known yet
		}
		if m := missingFrom(l, name, entry, rev); len(m.versions) > 0 {
			lacks = append(lacks, m)
		}
	}
	return lacks, nil
}

// leftBehind is LeftBehind, of what this worker has not.
func (w *Worker) leftBehind(ctx context.Context, lacks []missing) (left []VersionInUse, err error) {
	if len(lacks) == 0 {
		return nil, nil
	}
	workers, err := NewClient(w.be, ClientConfig{}).Workers(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range lacks {
		m.versions = slices.DeleteFunc(m.versions, func(v string) bool {
			return slices.ContainsFunc(workers, func(w WorkerInfo) bool { return w.Runs(m.name, m.entry.Group, v) })
		})
		if len(m.versions) == 0 {
			continue
		}
		used, err := w.countLive(ctx, m)
		if err == nil {
			err = w.withdraw(ctx, m, used)
		}
		if err != nil {
			return nil, fmt.Errorf("live instances of %s: %w", m.name, err)
		}
		left = append(left, used...)
	}
	return left, nil
}

// Runs reports whether a worker runs a version of an orchestrator; "" is version 1.
func (w WorkerInfo) Runs(name, group, version string) bool {
	return slices.ContainsFunc(w.Orchestrators, func(o OrchestratorInfo) bool {
		return o.Name == name && o.Group == group && sameVersion(o.Version, version)
	})
}

// countLive counts the live instances of the versions that are missing, the newest instances first.
func (w *Worker) countLive(ctx context.Context, m missing) ([]VersionInUse, error) {
	q := backend.Query{Name: m.name, Statuses: []history.Status{history.Pending, history.Running, history.Suspended}, Limit: livePage}
	counts := make([]int, len(m.versions))
	seen, more := 0, true
	for more && seen < mostLive {
		page, further, err := w.be.FindStates(ctx, q)
		if err != nil {
			return nil, err
		}
		for n := range page {
			s := &page[n]
			i := slices.IndexFunc(m.versions, func(v string) bool { return sameVersion(v, s.Version) })
			if i >= 0 && s.Name == m.name && s.Group == m.entry.Group {
				counts[i]++
			}
		}
		if seen, more = seen+len(page), further && len(page) > 0; more {
			last := page[len(page)-1].Place()
			q.After = &last
		}
	}
	var used []VersionInUse
	for i, v := range m.versions {
		if counts[i] > 0 || more {
			used = append(used, VersionInUse{Name: m.name, Version: cmp.Or(v, firstVersion), Group: m.entry.Group, Instances: counts[i], More: more})
		}
	}
	slices.SortFunc(used, func(a, b VersionInUse) int { return CompareVersions(a.Version, b.Version) })
	return used, nil
}

// refuse tells of what is left behind before the worker starts, if it is to.
func (w *Worker) refuse(ctx context.Context) error {
	if w.cfg.LeftBehind != RefuseLeftBehind {
		return nil
	}
	left, err := w.LeftBehind(ctx)
	if err != nil {
		return err
	}
	var texts []string
	for _, v := range left {
		texts = append(texts, v.String())
	}
	if len(texts) > 0 {
		return fmt.Errorf("%w: %s: keep the old function beside the new one until they have ended, or start a worker of the build that has it first", ErrVersionInUse, strings.Join(texts, "; "))
	}
	return nil
}

// warn looks in the background for what is left behind.
func (w *Worker) warn(lacks []missing) {
	if len(lacks) == 0 || w.cfg.LeftBehind != WarnLeftBehind || w.alone() {
		return
	}
	w.looking.Go(func() {
		ctx, cancel := context.WithTimeout(w.watching, lookTime)
		defer cancel()
		left, err := w.leftBehind(ctx, lacks)
		if err != nil {
			if ctx.Err() == nil {
				w.logger.Warn("durable: cannot tell whether versions of orchestrators have live instances and no worker", observe.KeyError, err)
			}
			return
		}
		for _, v := range left {
			w.logger.Warn("durable: live instances of a version that no worker runs: they are parked until one comes", observe.KeyGroup, v.Group, observe.KeyOrchestrator, v.Name, "version", v.Version, "instances", v.Instances)
			if tell := w.cfg.Hooks.LeftBehind; tell != nil {
				tell(observe.Left{Group: v.Group, Orchestrator: v.Name, Version: v.Version, Instances: v.Instances})
			}
		}
	})
}
