package durable

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// PurgeOption changes a purge: [PurgeChildren], [PurgeRun].
type PurgeOption interface{ applyPurge(*purgeOptions) }

type purgeOptions struct {
	children bool
	run      uint32
}

// PurgeChildren has a purge include the children of what it purges, and their children, as far as they have ended. It
// reads the whole projection.
func PurgeChildren() PurgeOption { return purgeChildren{} }

type purgeChildren struct{}

func (purgeChildren) applyPurge(o *purgeOptions) { o.children = true }

// PurgeRun has [Client.Purge] remove the instance only if no later run than this one has taken its id: [Instance].Run of a list
// that was looked at. Else it is ErrNotFound, and the later run is left alone. 0, the default, is whichever run there is.
// PurgeAll does so by itself, and takes no notice of it.
func PurgeRun(run uint32) PurgeOption { return purgeRun(run) }

type purgeRun uint32

func (r purgeRun) applyPurge(o *purgeOptions) { o.run = uint32(r) }

func purgeOptionsOf(opts []PurgeOption) (o purgeOptions) {
	for _, opt := range opts {
		opt.applyPurge(&o)
	}
	return o
}

// PurgeResult counts what a purge came to.
type PurgeResult struct {
	Purged  int // instances that are gone
	Running int // instances that were left, because they have not ended
}

// Purge removes an instance that has ended: its result, its history in the archive, and what the hub tells of it. From
// then on it is not found, and its id is free. The log keeps its messages for as long as it goes back, and payloads that
// are too big for a message half an hour longer. ErrNotFinished when it runs, ErrNotFound when there is no such
// instance. A purge that fails on the way may be repeated.
func (c *Client) Purge(ctx context.Context, id string, opts ...PurgeOption) (PurgeResult, error) {
	err := history.CheckID(id)
	var result PurgeResult
	if err == nil {
		err = c.around(ctx, &Operation{Verb: "purge", Instance: id}, func(ctx context.Context) (err error) {
			po := purgeOptionsOf(opts)
			result, err = c.purge(ctx, []chosen{{id, po.run}}, po)
			return err
		})
	}
	if err == nil && result.Purged == 0 && result.Running > 0 {
		err = fmt.Errorf("%w: terminate it first", ErrNotFinished)
	}
	if err != nil {
		return result, fmt.Errorf("durable: purge %q: %w", id, err)
	}
	return result, nil
}

// PurgeAll purges the instances that fit and have ended, and counts those that have not. A filter without any condition
// is an error: it would purge the whole hub. It reads the whole projection and then purges one instance after the other;
// when it fails, the result tells how far it came.
func (c *Client) PurgeAll(ctx context.Context, f Filter, opts ...PurgeOption) (PurgeResult, error) {
	if f.empty() {
		return PurgeResult{}, errors.New("durable: purge: the filter chooses every instance of the hub: give it a condition, such as FinishedBefore")
	}
	if f.Limit < 0 {
		return PurgeResult{}, fmt.Errorf("durable: purge: Filter.Limit is %d, want a positive number, or 0 for no limit", f.Limit)
	}
	var result PurgeResult
	err := c.around(ctx, &Operation{Verb: "purge"}, func(ctx context.Context) (err error) {
		q := f.query()
		var fit []chosen
		ended := 0 // those that run must not keep it from going on, time after time
		err = c.be.ListStates(ctx, func(s backend.State) bool {
			if q.Fits(&s) {
				fit = append(fit, chosen{s.ID, s.Run})
				if s.Status.Final() {
					ended++
				}
			}
			return f.Limit == 0 || ended < f.Limit
		})
		if err == nil {
			result, err = c.purge(ctx, fit, purgeOptionsOf(opts))
		}
		return err
	})
	if err != nil {
		return result, fmt.Errorf("durable: purge: %w", err)
	}
	return result, nil
}

func (f Filter) empty() bool {
	return f.Name == "" && len(f.Statuses) == 0 && f.IDPrefix == "" && f.ParentID == "" && f.RootID == "" && len(f.Tags) == 0 && f.CreatedFrom.IsZero() &&
		f.CreatedBefore.IsZero() && f.FinishedFrom.IsZero() && f.FinishedBefore.IsZero()
}

// chosen is an instance to be purged.
type chosen struct {
	id  string
	run uint32 // 0: whichever it is; else a later one is left alone
}

// purge purges instances. A single one is told when it is not found; of several, some may be gone by now.
func (c *Client) purge(ctx context.Context, all []chosen, po purgeOptions) (result PurgeResult, err error) {
	if po.children {
		if all, err = c.withChildren(ctx, all); err != nil {
			return result, err
		}
	}
	for _, one := range all {
		switch err := c.purgeOne(ctx, one); {
		case err == nil:
			result.Purged++
		case errors.Is(err, ErrNotFinished):
			result.Running++
		case !errors.Is(err, ErrNotFound):
			return result, fmt.Errorf("%q: %w", one.id, err)
		case len(all) == 1:
			return result, err
		}
	}
	return result, nil
}

// withChildren adds the descendants of instances, each before its parent: what a purge that fails leaves can be found.
func (c *Client) withChildren(ctx context.Context, all []chosen) ([]chosen, error) {
	type child struct {
		chosen
		of uint32 // run of its parent
	}
	children := map[string][]child{}
	err := c.be.ListStates(ctx, func(s backend.State) bool {
		if s.Parent != nil {
			children[s.Parent.ID] = append(children[s.Parent.ID], child{chosen{s.ID, s.Run}, s.Parent.Run})
		}
		return true
	})
	var family []chosen
	met := map[string]bool{}
	var add func(one chosen)
	add = func(one chosen) {
		if met[one.id] {
			return
		}
		met[one.id] = true
		for _, c := range children[one.id] {
			if one.run == 0 || c.of <= one.run { // else they are of a run that is left alone
				add(c.chosen)
			}
		}
		family = append(family, one)
	}
	for _, one := range all {
		add(one)
	}
	return family, err
}

// purgeOne puts a tombstone in place of the archive entry, then deletes the projection. Both are compared and set: a run
// that takes the place of the purged one meanwhile is left alone.
func (c *Client) purgeOne(ctx context.Context, one chosen) error {
	buried := false
	for {
		s, rev, err := c.state(ctx, one.id)
		gone := errors.Is(err, ErrNotFound) || err == nil && one.run > 0 && s.Run > one.run
		switch {
		case buried && gone:
			c.disown(one.id)
			return nil
		case gone:
			return ErrNotFound
		case err != nil:
			return err
		case !s.Status.Final():
			return ErrNotFinished
		}
		switch err = c.bury(ctx, s); {
		case errors.Is(err, backend.ErrConflict):
			continue
		case err != nil:
			return err
		}
		buried, one.run = true, s.Run
		_, err = wait(ctx, func(done func(struct{}, error)) {
			c.be.DeleteState(one.id, rev, func(err error) { done(struct{}{}, err) })
		})
		if err == nil {
			c.disown(one.id)
			return nil
		}
		if !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
}

// bury replaces the archive entry of an ended run by a tombstone; ErrConflict when another run has got in between.
func (c *Client) bury(ctx context.Context, s backend.State) error {
	a, seq, err := c.archive(ctx, s.Address)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case a.Run > s.Run: // a later run has ended and will be projected
		return cmp.Or(c.rest(ctx, soon), backend.ErrConflict)
	case a.Purged && a.Run == s.Run:
		return nil
	}
	tombstone := backend.Archive{Address: s.Address, Run: s.Run, Status: s.Status, Purged: true}
	_, err = wait(ctx, func(done func(uint64, error)) { c.be.PutArchive(tombstone, seq, done) })
	return err
}
