package durable

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/runtime/observe"
)

// What is started by name gets the newest version that a live worker has registered. A worker that starts answers who asks
// for workers, and then raises the directory's version. Only one that has asked, and heard of nobody who has the newest one,
// lowers it: against the revision that it has read before it asked. It tells the others, and who has that version after all,
// because it has begun or has been slow meanwhile, raises it again.

const (
	lookEvery = 30 * time.Second // between two looks whether somebody runs the newest versions
	heedEvery = 10               // of so many looks one is everybody's: who was cut off raises what was lowered meanwhile
	raiseTime = 10 * time.Second // most that raising one takes
)

// watchNewest has a worker hear of versions that others have lowered, and look for some to lower, until it is stopped.
func (w *Worker) watchNewest() (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	unheed, err := w.be.Listen(backend.VersionsTopic, func(name []byte) {
		ctx, cancel := context.WithTimeout(ctx, raiseTime)
		defer cancel()
		_, _, err := w.raise(ctx, string(name))
		w.troubled(ctx, err)
	})
	if err != nil {
		cancel()
		return err
	}
	w.unlook = func() {
		cancel()
		unheed()
		w.looking.Wait()
	}
	w.watching = ctx
	if !w.alone() {
		w.looking.Go(func() {
			for n := 1; w.pause(ctx, lookEvery); n++ {
				w.troubled(ctx, w.lookNewest(ctx, n%heedEvery == 0))
			}
		})
	}
	return nil
}

// alone reports whether it is the worker of the test kit: there is nobody to ask.
func (w *Worker) alone() bool {
	_, jumps := w.be.Clock().(backend.Recurring)
	return jumps
}

// pause waits on the clock of the hub; false: ctx has ended.
func (w *Worker) pause(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	stop := w.be.Clock().After(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// troubled logs what a look has failed of. The next one may do.
func (w *Worker) troubled(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		w.logger.Warn("durable: cannot tell whether new instances get the newest version that a worker has", observe.KeyError, err)
	}
}

// raise has new instances get the newest version of this worker, unless they get that or a newer one. It gives what the
// directory had.
func (w *Worker) raise(ctx context.Context, name string) (a announced, rev uint64, err error) {
	l := w.registry.orchestrators[name]
	if l == nil {
		return a, 0, nil
	}
	a, _, rev, err = readEntry(ctx, w.be.Meta(), name)
	if mine := l.newest(); err == nil && (a.Name == "" || a.Group == mine.Group && CompareVersions(mine.Version, a.Version) > 0) {
		_, err = announceOne(ctx, w.be.Meta(), name, l)
	}
	return a, rev, err
}

// lookNewest sees to the orchestrators of the groups whose first partition this worker has: one worker is enough to ask. Of
// the others it raises what is lower than it should be if it is to.
func (w *Worker) lookNewest(ctx context.Context, others bool) error {
	leads := map[string]bool{}
	for _, g := range w.seen.Load().groups {
		leads[g.Name()] = slices.Contains(g.Owned(), 0)
	}
	var behind []missing
	for _, name := range slices.Sorted(maps.Keys(w.registry.orchestrators)) {
		l := w.registry.orchestrators[name]
		if !leads[l.newest().Group] && !others {
			continue
		}
		a, rev, err := w.raise(ctx, name)
		if err != nil {
			return err
		}
		if leads[a.Group] && a.Group == l.newest().Group && CompareVersions(a.Version, l.newest().Version) > 0 {
			behind = append(behind, missingFrom(l, name, a, rev))
		}
	}
	_, err := w.leftBehind(ctx, behind)
	return err
}

// withdraw has the directory forget versions that have neither a worker nor an instance, and new instances get the newest
// one that has a worker. Whoever has changed the entry meanwhile knows better.
func (w *Worker) withdraw(ctx context.Context, m missing, used []VersionInUse) error {
	newest := m.entry.Version
	var current *string
	var keep []string
	for _, v := range m.entry.versions() {
		is := func(other string) bool { return sameVersion(v, other) }
		served := !slices.ContainsFunc(m.versions, is)
		if served && (current == nil || CompareVersions(v, *current) > 0) {
			current = &v
		}
		if served || slices.ContainsFunc(used, func(u VersionInUse) bool { return is(u.Version) }) {
			keep = append(keep, v)
		}
	}
	if current == nil { // a worker that may not start is no worker of its versions
		return nil
	}
	m.entry.set(*current, keep)
	entry, err := json.Marshal(m.entry)
	if err == nil {
		_, err = w.be.Meta().Put(ctx, directoryKey(m.name), entry, m.rev)
	}
	if errors.Is(err, backend.ErrConflict) {
		return nil
	}
	if err == nil && CompareVersions(newest, *current) > 0 {
		w.logger.Warn("durable: no worker has the newest version: new instances that are started by name get an older one", observe.KeyGroup, m.entry.Group, observe.KeyOrchestrator, m.name, "version", *current, "newest", newest)
		w.be.Signal(backend.VersionsTopic, []byte(m.name))
	}
	return err
}
