package durable

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
)

// WorkerInfo is what a live worker says of itself.
type WorkerInfo struct {
	Name          string             `json:"name"` // WorkerConfig.Name and a part that makes it unique
	Host          string             `json:"host,omitempty"`
	Process       int                `json:"process"`         // id, on that host
	Build         string             `json:"build,omitempty"` // WorkerConfig.Build; or the main module of its program, with the version or commit that it was built from
	Started       time.Time          `json:"started"`
	Orchestrators []OrchestratorInfo `json:"orchestrators,omitempty"` // that it runs, every version of them, sorted by name, the newest first, aliases included
	Activities    []string           `json:"activities,omitempty"`    // wire names, sorted, aliases included
	Partitions    map[string][]int   `json:"partitions,omitempty"`    // that it owns, by group
}

// rosterTime is how long the answers of workers are waited for.
const rosterTime = time.Second

// Workers asks all workers of the hub who they are, and tells of those that answer within a second, sorted by name. A worker
// that hangs, or cannot reach the server, does not answer, and neither does one whose answer gets lost: that one is missing
// tells that it is in trouble, and not that it is gone.
func (c *Client) Workers(ctx context.Context) ([]WorkerInfo, error) {
	found := map[string]WorkerInfo{}
	if err := c.askWorkers(ctx, func(w WorkerInfo) bool { found[w.Name] = w; return true }); err != nil {
		return nil, fmt.Errorf("durable: workers: %w", err)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b WorkerInfo) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// Served reports whether a worker runs the code of a live instance: its orchestrator in its version. It asks all workers, and
// is true with the first that answers so; it is false when none has within a second.
func (c *Client) Served(ctx context.Context, i Instance) (bool, error) {
	served := false
	err := c.askWorkers(ctx, func(w WorkerInfo) bool {
		served = served || slices.ContainsFunc(w.Orchestrators, func(o OrchestratorInfo) bool {
			return i.Name == scheduleName || o.Name == i.Name && sameVersion(o.Version, i.Version)
		})
		return !served
	})
	if err != nil {
		return false, fmt.Errorf("durable: served: %w", err)
	}
	return served, nil
}

// askWorkers hands over what workers say of themselves, one by one, for a second or until hear returns false.
func (c *Client) askWorkers(ctx context.Context, hear func(WorkerInfo) bool) error {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	var mu sync.Mutex
	heard := false
	topic := backend.BeatTopic + c.be.Topic()
	stop, err := c.be.Listen(topic, func(data []byte) {
		var w WorkerInfo
		if json.Unmarshal(data, &w) != nil || w.Name == "" {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !heard && !hear(w) {
			heard = true
			enough(errHeard)
		}
	})
	if err != nil {
		return err
	}
	defer stop()  // it waits: hear is not called any more
	for range 2 { // a question may get lost
		c.be.Signal(backend.WorkersTopic, []byte(topic))
		if err := c.rest(ctx, rosterTime/2); err != nil {
			if context.Cause(ctx) == errHeard {
				return nil
			}
			return err
		}
	}
	return nil
}

// errHeard ends a question that has its answer.
var errHeard = errors.New("the workers have answered")

// mostTopic is more than the topic of an answer has.
const mostTopic = 128

// answerWhoIsThere has a worker that starts say who it is to those who ask, until stop is called.
func (w *Worker) answerWhoIsThere() (stop func(), err error) {
	info := w.introduce()
	return w.be.Listen(backend.WorkersTopic, func(topic []byte) {
		if len(topic) > mostTopic || len(topic) <= len(backend.BeatTopic) || string(topic[:len(backend.BeatTopic)]) != backend.BeatTopic {
			return
		}
		now := info
		now.Partitions = map[string][]int{}
		for _, g := range w.seen.Load().groups {
			if owned := g.Owned(); len(owned) > 0 {
				now.Partitions[g.Name()] = owned
			}
		}
		data, err := json.Marshal(now)
		if err == nil { // names and numbers
			w.be.Signal(string(topic), data)
		}
	})
}

// introduce says what does not change while a worker lives.
func (w *Worker) introduce() WorkerInfo {
	info := WorkerInfo{Name: w.name, Process: os.Getpid(), Build: cmp.Or(w.cfg.Build, build()), Started: w.be.Clock().Now().UTC()}
	info.Host, _ = os.Hostname() // for people: without it they have the process
	for name, l := range w.registry.orchestrators {
		for _, b := range l {
			info.Orchestrators = append(info.Orchestrators, OrchestratorInfo{Name: name, Group: b.orchestrator.Group, Version: b.orchestrator.Version})
		}
	}
	slices.SortFunc(info.Orchestrators, func(a, b OrchestratorInfo) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), CompareVersions(b.Version, a.Version))
	})
	info.Activities = slices.Sorted(maps.Keys(w.registry.activities))
	return info
}

// build names the program as the go command has stamped it; "" if it has not.
var build = sync.OnceValue(func() string {
	b, ok := debug.ReadBuildInfo()
	if !ok || b.Main.Path == "" {
		return ""
	}
	version := b.Main.Version
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = s.Value
		}
	}
	if version == "" {
		return b.Main.Path
	}
	return b.Main.Path + "@" + version
})
