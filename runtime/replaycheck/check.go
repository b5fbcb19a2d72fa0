package replaycheck

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/inside"
	"github.com/durablegen/durablegen/internal/owner"
	durable "github.com/durablegen/durablegen/runtime"
)

// Config says which histories are replayed. The zero value takes all live instances, and up to 100 of each orchestrator and
// version that have ended, the newest.
type Config struct {
	Name     string // only of this orchestrator: wire name, or its last part
	Sample   int    // most live instances, and most that have ended, of each orchestrator and version; 0: see above
	Parallel int    // histories that are read and replayed at once; 0: 8

	Dir    string // a folder that every history is saved to, for durabletest.ReplayDir; "": none
	Redact bool   // what is saved has no payloads; the replay has them

	// Interceptors are those that workers have around orchestrators; nil: none. Who has some that decide something, by a call
	// or a timer, has to give them: histories have it, and without them every instance is a mismatch.
	Interceptors []durable.OrchestratorInterceptor
}

// Check replays the histories of the instances that belong to the groups of the registry, or to an orchestrator in it. The
// error is that of reading the hub or of writing to Dir; what does not fit is in the report.
func Check(ctx context.Context, b durable.Backend, code *durable.Registry, cfg Config) (Report, error) {
	if cfg.Sample < 0 || cfg.Parallel < 0 {
		return Report{}, fmt.Errorf("replaycheck: Sample is %d and Parallel %d, want positive numbers, or 0 for the default", cfg.Sample, cfg.Parallel)
	}
	if cfg.Dir != "" {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return Report{}, fmt.Errorf("replaycheck: the folder for histories: %w", err)
		}
	}
	c := &check{Config: cfg, b: b, code: code, client: durable.NewClient(b, durable.ClientConfig{})}
	chosen, err := c.choose(ctx)
	if err == nil {
		err = c.replayAll(ctx, chosen)
	}
	if err := errors.Join(err, c.client.Close()); err != nil {
		return Report{}, fmt.Errorf("replaycheck: %w", err)
	}
	c.report.Hub = b.Info().Hub
	c.report.sort()
	return c.report, nil
}

type check struct {
	Config
	b      durable.Backend
	code   *durable.Registry
	client *durable.Client

	mu     sync.Mutex
	report Report
}

// replayAll stops at the first error, which is not of a history but of the hub.
func (c *check) replayAll(ctx context.Context, chosen []backend.State) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	states := make(chan backend.State)
	var workers sync.WaitGroup
	for range parallel(c.Parallel, len(chosen)) {
		workers.Go(func() {
			for s := range states {
				if err := c.replay(ctx, s); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, s := range chosen {
		select {
		case states <- s:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(states)
	workers.Wait()
	return context.Cause(ctx)
}

func parallel(wanted, most int) int {
	if wanted == 0 {
		wanted = 8
	}
	return min(wanted, most)
}

// replay judges one instance.
func (c *check) replay(ctx context.Context, s backend.State) error {
	f := Finding{
		Instance: s.ID, Group: s.Group, Orchestrator: s.Name, Version: s.Version, Status: durable.Status(s.Status),
	}
	saved, err := c.history(ctx, s)
	switch {
	case errors.Is(err, durable.ErrNotFound):
		c.add(f, gone)
		return nil
	case errors.Is(err, durable.ErrCodec):
		f.Reason = err.Error()
		c.add(f, Undecodable)
		return nil
	case err != nil:
		return err
	}
	f.Instance, f.Group = saved.ID, saved.Group
	r := owner.Rehearsal{Code: inside.Code(c.code, saved.Group), Fail: inside.Fail}
	inside.Around(r.Code, c.Interceptors)
	out, err := r.Replay(history.Address{Group: saved.Group, ID: saved.ID}, saved.Messages)
	verdict := verdictOf(err)
	if verdict == WithoutCode && s.Status.Final() {
		return nil // nobody will run it
	}
	if err != nil {
		f.explain(err)
		if group, ok := inside.Group(c.code, s.Name); ok && verdict == WithoutCode && group != s.Group {
			f.Reason += fmt.Sprintf("; the code has it in group %s, and its instance is of group %s: keep the group with group=", group, s.Group)
		}
	} else if out.Recorded == nil && out.Now != nil && out.Now.Status == history.Failed {
		f.Reason = "this code ends it as Failed"
		if out.Now.Failure != nil {
			f.Reason += ": " + out.Now.Failure.Message
		}
	}
	c.add(f, verdict)
	return nil
}

// history reads the history of an instance, and saves it. One that waits for its start has the input that it will get.
func (c *check) history(ctx context.Context, s backend.State) (history.Saved, error) {
	if s.Claim != nil {
		return history.NewSaved(s.Address, []history.Message{{Seq: 1, Time: s.Created, Record: s.Claim}})
	}
	text, err := c.client.SaveHistory(ctx, s.ID)
	if err != nil {
		return history.Saved{}, err
	}
	if c.Dir != "" {
		if err := c.save(s.ID, text); err != nil {
			return history.Saved{}, err
		}
	}
	return history.ReadSaved(text)
}

func (c *check) save(id string, text []byte) (err error) {
	if c.Redact {
		if text, err = durable.RedactHistory(text); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(c.Dir, url.PathEscape(id)+".json"), text, 0o600); err != nil {
		return fmt.Errorf("save the history of %q: %w", id, err)
	}
	return nil
}

func (c *check) add(f Finding, v Verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.Verdict = v
	c.report.add(f)
}

func verdictOf(err error) Verdict {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, owner.ErrNoCode):
		return WithoutCode
	case errors.Is(err, owner.ErrUnreadable):
		return Undecodable
	}
	return Mismatch
}

// explain fills in what a replay has come to.
func (f *Finding) explain(err error) {
	f.Reason = err.Error()
	if e, ok := errors.AsType[*engine.NondeterminismError](err); ok {
		f.Slot = e.Ref.String()
		f.Expected, f.Actual = e.Sides()
		f.ExpectedAt, f.ActualAt = e.Expected.Site, e.Position
	}
}

// choose lists the instances to be replayed.
func (c *check) choose(ctx context.Context) ([]backend.State, error) {
	live, err := c.find(ctx, c.Sample, 0, history.Pending, history.Running, history.Suspended)
	if err != nil {
		return nil, err
	}
	ended, err := c.find(ctx, endedOf(c.Sample), mostEnded, history.Completed, history.Failed, history.Terminated, history.Canceled)
	if err != nil {
		return nil, err
	}
	return append(live, ended...), nil
}

const (
	defaultEnded = 100    // of each orchestrator and version
	mostEnded    = 20_000 // that are looked at
	pageSize     = 1000
)

func endedOf(sample int) int {
	if sample == 0 {
		return defaultEnded
	}
	return sample
}

// find lists instances of the registered code, the newest first, at most sample of each orchestrator and version, after
// having looked at most. 0 stands for no bound.
func (c *check) find(ctx context.Context, sample, most int, statuses ...history.Status) (found []backend.State, err error) {
	type kind struct{ group, name, version string }
	groups, had := inside.Groups(c.code), map[kind]int{}
	q := backend.Query{Name: c.Name, Statuses: statuses, Limit: pageSize}
	for looked := 0; most == 0 || looked < most; {
		page, more, err := c.b.FindStates(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			k := kind{s.Group, s.Name, s.Version}
			_, known := inside.Group(c.code, s.Name)
			if !known && !slices.Contains(groups, s.Group) || sample > 0 && had[k] == sample {
				continue
			}
			had[k]++
			found = append(found, s)
		}
		if looked += len(page); !more || len(page) == 0 {
			break
		}
		last := page[len(page)-1].Place()
		q.After = &last
	}
	return found, nil
}
