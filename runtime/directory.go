package durable

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Version string `json:"version,omitempty"` // that the worker which started last gives to new instances
}

const directory = "orchestrator."

// announce writes what a worker knows under every name that it answers to.
func announce(ctx context.Context, meta backend.Meta, r *Registry) error {
	for name, b := range r.orchestrators {
		o := b.orchestrator
		entry, err := json.Marshal(OrchestratorInfo{Name: o.Name, Group: o.Group, Version: o.Version})
		if err == nil {
			err = announceOne(ctx, meta, directory+history.EncodeID(name), entry)
		}
		if err != nil {
			return fmt.Errorf("announce the orchestrator %q: %w", name, err)
		}
	}
	return nil
}

func announceOne(ctx context.Context, meta backend.Meta, key string, entry []byte) error {
	for {
		had, rev, err := meta.Get(ctx, key)
		switch {
		case err != nil && !errors.Is(err, backend.ErrNotFound):
			return err
		case err == nil && bytes.Equal(had, entry):
			return nil
		}
		if _, err := meta.Put(ctx, key, entry, rev); !errors.Is(err, backend.ErrConflict) {
			return err
		}
	}
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
