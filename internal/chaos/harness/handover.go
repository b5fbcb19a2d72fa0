package harness

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/history"
	durable "github.com/durablegen/durablegen/runtime"
)

var (
	whoseInfo = durable.Orchestrator{Name: "chaos.Whose", Group: Group, Source: "chaos.Whose"}
	whoInfo   = durable.Activity{Name: "chaos.Who", Source: "chaos.Who", Local: true, Timeout: durable.Timeout(time.Second)}
)

// addWhose adds an orchestrator that tells which worker owns its partition.
func addWhose(r *durable.Registry, worker string) error {
	return r.Add(
		durable.BindOrchestrator(&whoseInfo, func(ctx durable.Context, _ int) (string, error) {
			return durable.StartActivity[string](ctx, &whoInfo, 0).Get(ctx)
		}),
		durable.BindActivity(&whoInfo, func(context.Context, int) (string, error) { return worker, nil }))
}

// Handover is a partition that has changed its owner.
type Handover struct {
	Event     string // what made it: join, leave, kill
	Partition int
	Pause     time.Duration // from the last end of an orchestration at the old owner to the first at the new one
}

// answer is the end of an orchestration.
type answer struct {
	at     time.Time
	worker string
}

// Handovers has workers join, leave and die for some rounds, while an orchestration after the other runs in every
// partition. calm is the time between two ends in a partition that keeps its owner, of all of them.
func Handovers(ctx context.Context, cfg Config, rounds int) (moved []Handover, calm []time.Duration, err error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Within, fmt.Errorf("not done within %v", cfg.Within))
	defer cancel()
	w, err := open(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	watch := w.watchOwners(ctx)
	defer watch.end()
	for range rounds {
		for _, event := range []string{"join", "leave", "join", "kill"} {
			if err := watch.more(ctx, 20); err != nil {
				return nil, nil, err
			}
			watch.begin()
			if err := w.change(ctx, event); err != nil {
				return nil, nil, err
			}
			if err := watch.more(ctx, 20); err != nil {
				return nil, nil, err
			}
			changed, kept := watch.handovers(event)
			moved, calm = append(moved, changed...), append(calm, kept...)
			cfg.Log("%s: %d partitions move", event, len(changed))
		}
	}
	return moved, calm, nil
}

// change has a worker come or go.
func (w *World) change(ctx context.Context, event string) error {
	oldest := w.team.Workers[0]
	switch event {
	case "join":
		return w.team.JoinAll(ctx, 1)
	case "leave":
		w.team.Workers = w.team.Workers[1:]
		return oldest.Terminate(ctx)
	}
	w.team.Workers = w.team.Workers[1:]
	oldest.Kill()
	return nil
}

// watch holds the answers of every partition since begin.
type watch struct {
	stop    func()
	running sync.WaitGroup

	mu      sync.Mutex
	answers [][]answer
	moved   chan struct{} // closed when anything changes
	err     error
}

func (w *World) watchOwners(ctx context.Context) *watch {
	ctx, cancel := context.WithCancel(ctx)
	partitions := w.load.Clients[0].Backend.Info().Partitions
	v := &watch{stop: cancel, answers: make([][]answer, partitions), moved: make(chan struct{})}
	for p := range partitions {
		v.running.Go(func() {
			if err := w.askOwner(ctx, p, v.note); ctx.Err() == nil {
				v.fail(err)
			}
		})
	}
	return v
}

// askOwner runs one orchestration after the other in a partition, until one cannot be run.
func (w *World) askOwner(ctx context.Context, partition int, note func(int, answer)) error {
	c := w.load.Clients[partition%len(w.load.Clients)]
	for n := 0; ; n++ {
		id := fmt.Sprintf("whose-%d-%d", partition, n)
		if history.Partition(id, c.Backend.Info().Partitions) != partition {
			continue
		}
		h, err := durable.StartInstance[string](ctx, c.Durable, &whoseInfo, 0, durable.InstanceID(id))
		if err != nil {
			return err
		}
		worker, err := h.Wait(ctx)
		if err != nil {
			return err
		}
		note(partition, answer{time.Now(), worker})
	}
}

func (v *watch) note(partition int, a answer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answers[partition] = append(v.answers[partition], a)
	close(v.moved)
	v.moved = make(chan struct{})
}

func (v *watch) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = errors.Join(v.err, err)
	close(v.moved)
	v.moved = make(chan struct{})
}

// begin forgets all answers but the last of each partition.
func (v *watch) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for p, all := range v.answers {
		v.answers[p] = slices.Clone(all[max(0, len(all)-1):])
	}
}

// more waits for n more answers of each partition.
func (v *watch) more(ctx context.Context, n int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	want := make([]int, len(v.answers))
	for p, all := range v.answers {
		want[p] = len(all) + n
	}
	for p := range v.answers {
		for len(v.answers[p]) < want[p] {
			moved, err := v.moved, v.err
			if err != nil {
				return err
			}
			v.mu.Unlock()
			select {
			case <-moved:
			case <-ctx.Done():
			}
			v.mu.Lock()
			if ctx.Err() != nil {
				return fmt.Errorf("harness: partition %d gives no answer: %w", p, context.Cause(ctx))
			}
		}
	}
	return nil
}

// handovers gives the changes of owners, and the times between answers of one owner.
func (v *watch) handovers(event string) (moved []Handover, kept []time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for p, all := range v.answers {
		for n := 1; n < len(all); n++ {
			if pause := all[n].at.Sub(all[n-1].at); all[n].worker == all[n-1].worker {
				kept = append(kept, pause)
			} else {
				moved = append(moved, Handover{event, p, pause})
			}
		}
	}
	return moved, kept
}

func (v *watch) end() {
	v.stop()
	v.running.Wait()
}

// WriteHandovers writes the pauses as CSV, and gives a line for each kind of event and one for partitions that keep their owner.
func WriteHandovers(out io.Writer, moved []Handover, calm []time.Duration) (lines []string, err error) {
	table := csv.NewWriter(out)
	if err := table.Write([]string{"event", "partition", "pause ms"}); err != nil {
		return nil, err
	}
	pauses := map[string][]time.Duration{}
	for _, h := range moved {
		pauses[h.Event] = append(pauses[h.Event], h.Pause)
		if err := table.Write([]string{h.Event, strconv.Itoa(h.Partition), fmt.Sprintf("%.1f", h.Pause.Seconds()*1000)}); err != nil {
			return nil, err
		}
	}
	pauses["none"] = calm
	for _, event := range []string{"none", "join", "leave", "kill"} {
		all := slices.Sorted(slices.Values(pauses[event]))
		if len(all) == 0 {
			continue
		}
		at := func(percent int) time.Duration {
			return all[min(len(all)-1, len(all)*percent/100)].Round(time.Millisecond)
		}
		lines = append(lines, fmt.Sprintf("| %s | %d | %v | %v | %v |", event, len(all), at(50), at(99), at(100)))
	}
	table.Flush()
	return lines, table.Error()
}
