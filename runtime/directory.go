package durable

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Workers write into the hub which orchestrators they know, so that programs without their code can start them by name.

// OrchestratorInfo is what the hub knows of an orchestrator that a worker has registered, now or before.
type OrchestratorInfo struct {
	Name    string `json:"name"`              // wire name
	Group   string `json:"group"`             // of workers
	Version string `json:"version,omitempty"` // the newest that a live worker has registered: new instances get it that are started by name
}

const directory = "orchestrator."

// announced is an entry of the directory.
type announced struct {
	OrchestratorInfo

	// Others are the versions beside it that workers have registered and that may have live instances.
	Others []string `json:"others,omitempty"`
}

// versions lists all, that of new instances first.
func (a *announced) versions() []string {
	if a.Name == "" {
		return nil
	}
	return append([]string{a.Version}, a.Others...)
}

// set has an entry tell of these versions, and that current is what new instances get.
func (a *announced) set(current string, versions []string) {
	a.Version = current
	slices.SortFunc(versions, func(a, b string) int { return cmp.Or(CompareVersions(b, a), cmp.Compare(b, a)) })
	a.Others = slices.DeleteFunc(slices.CompactFunc(versions, sameVersion), func(v string) bool { return sameVersion(v, current) })
}

func directoryKey(name string) string { return directory + history.EncodeID(name) }

// announce writes what a worker knows under every name that it answers to. What others have announced before stays: a
// worker of an older build that starts late does not have new instances get the older version. It gives what the worker
// has not.
func announce(ctx context.Context, meta backend.Meta, r *Registry) (lacks []missing, err error) {
	for _, name := range slices.Sorted(maps.Keys(r.orchestrators)) {
		m, err := announceOne(ctx, meta, name, r.orchestrators[name])
		if err != nil {
			return nil, fmt.Errorf("announce the orchestrator %q: %w", name, err)
		}
		if len(m.versions) > 0 {
			lacks = append(lacks, m)
		}
	}
	return lacks, nil
}

func announceOne(ctx context.Context, meta backend.Meta, name string, l lineage) (missing, error) {
	for {
		a, had, rev, err := readEntry(ctx, meta, name)
		if err != nil {
			return missing{}, err
		}
		o := l.newest()
		if a.Name == "" || a.Group != o.Group { // new, or the name was another's
			a = announced{OrchestratorInfo: OrchestratorInfo{Name: o.Name, Group: o.Group, Version: o.Version}}
		}
		a.Name = o.Name
		current := a.Version
		if CompareVersions(o.Version, current) >= 0 {
			current = o.Version
		}
		a.set(current, append(l.versions(), a.versions()...))
		entry, err := json.Marshal(a)
		if err != nil || bytes.Equal(had, entry) {
			return missingFrom(l, name, a, rev), err
		}
		rev, err = meta.Put(ctx, directoryKey(name), entry, rev)
		if !errors.Is(err, backend.ErrConflict) {
			return missingFrom(l, name, a, rev), err
		}
	}
}

// readEntry gives what the directory has under a name, and how it is stored. One that is not there, or cannot be read, is
// empty.
func readEntry(ctx context.Context, meta backend.Meta, name string) (a announced, had []byte, rev uint64, err error) {
	had, rev, err = meta.Get(ctx, directoryKey(name))
	if errors.Is(err, backend.ErrNotFound) {
		return a, nil, rev, nil
	}
	if err == nil && json.Unmarshal(had, &a) != nil {
		a = announced{}
	}
	return a, had, rev, err
}

// Orchestrators tells which orchestrators the workers of the hub have registered, sorted by name, aliases left out. One
// that no worker registers any more is told of still.
func (c *Client) Orchestrators(ctx context.Context) ([]OrchestratorInfo, error) {
	entries, err := c.be.Meta().List(ctx, strings.TrimSuffix(directory, "."))
	if err != nil {
		return nil, fmt.Errorf("durable: orchestrators: %w", err)
	}
	known := make([]OrchestratorInfo, 0, len(entries))
	for key, entry := range entries {
		var o OrchestratorInfo
		if err := json.Unmarshal(entry, &o); err != nil {
			return nil, fmt.Errorf("durable: orchestrators: the entry %s: %w", key, err)
		}
		if key == directory+history.EncodeID(o.Name) {
			known = append(known, o)
		}
	}
	slices.SortFunc(known, func(a, b OrchestratorInfo) int { return cmp.Compare(a.Name, b.Name) })
	return known, nil
}

// StartByName starts an orchestrator that this program need not have the code of, and gives the id of the instance. input
// is its argument as JSON; nil is null. It is an orchestrator that a worker has registered under this name or alias, or
// else ErrNoOrchestrator. Nobody checks here whether the input fits: if it does not, the instance fails. The other errors
// are those of [StartInstance].
func (c *Client) StartByName(ctx context.Context, name string, input json.RawMessage, opts ...StartOption) (id string, err error) {
	o, err := c.orchestrator(ctx, name)
	if err != nil {
		return "", fmt.Errorf("durable: start %s: %w", name, err)
	}
	if len(input) == 0 {
		input = json.RawMessage("null")
	}
	return c.start(ctx, &o, input, opts)
}

func (c *Client) orchestrator(ctx context.Context, name string) (o Orchestrator, err error) {
	if err := history.CheckName(name); err != nil {
		return o, fmt.Errorf("%w: %w", ErrNoOrchestrator, err)
	}
	entry, _, err := c.be.Meta().Get(ctx, directory+history.EncodeID(name))
	if errors.Is(err, backend.ErrNotFound) {
		return o, fmt.Errorf("%w: no worker of this hub has registered the name %q: start one that does, or mend the name", ErrNoOrchestrator, name)
	}
	var found OrchestratorInfo
	if err == nil {
		err = json.Unmarshal(entry, &found)
	}
	return Orchestrator{Name: found.Name, Group: found.Group, Version: found.Version}, err
}

// Hub is the name of the task hub.
func (c *Client) Hub() string { return c.be.Info().Hub }
