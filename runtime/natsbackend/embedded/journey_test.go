package embedded

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	durable "github.com/durablegen/durablegen/runtime"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// journey is an orchestration whose every step depends on the one before: each step gets a number that nobody can guess from
// the step before it, and draws its own. So what has happened outside shows whether the log remembers why.
type journey struct {
	t  *testing.T
	mu sync.Mutex
	// seen outside:
	started map[string]bool
	told    map[string]uint64 // events that were acknowledged
	ran     []ran
	ended   map[string]trail
	count   int
	limit   int
	acts    bool // count only the steps that follow from something
	reached chan struct{}
	then    func(seen) // what happens at the limit, before anything else is seen
	drawn   *rand.Rand
}

type ran struct {
	id     string
	step   int
	before uint64
}

// trail is what an orchestration gives: the numbers that were drawn, the event's among them.
type trail [steps + 1]uint64

const (
	journeys   = 40
	steps      = 6 // activities, every third of them local; the event comes after the second
	eventAfter = 2
)

type stepArgs struct {
	ID     string
	Step   int
	Before uint64
}

var (
	stepQueued = &durable.Activity{Name: "journey.Step", Source: "example.com/journey.Step"}
	stepLocal  = &durable.Activity{Name: "journey.Local", Source: "example.com/journey.Local", Local: true}
	whole      = &durable.Orchestrator{Name: "journey.Whole", Group: "journey", Source: "example.com/journey.Whole"}
)

func newJourney(t *testing.T, seed uint64) *journey {
	return &journey{
		t: t, started: map[string]bool{}, told: map[string]uint64{}, ended: map[string]trail{},
		reached: make(chan struct{}), limit: -1, drawn: rand.New(rand.NewPCG(seed, 1)),
	}
}

// note counts something that has happened outside. Lock held.
func (j *journey) note(act bool) {
	if j.acts && !act {
		return
	}
	if j.count++; j.count == j.limit {
		j.then(j.seen())
		close(j.reached)
	}
}

func (j *journey) step(_ context.Context, a stepArgs) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ran = append(j.ran, ran{a.ID, a.Step, a.Before})
	j.note(a.Step > 0)
	return j.drawn.Uint64() >> 12, nil // fits into a JSON number
}

func orchestrate(ctx durable.Context, id string) (got trail, err error) {
	var n uint64
	for k := range steps {
		if k == eventAfter {
			if n, err = durable.ReceiveEvent[uint64](ctx, "go").Get(ctx); err != nil {
				return got, err
			}
			got[steps] = n
		}
		a := stepQueued
		if k%3 == 1 {
			a = stepLocal
		}
		if n, err = durable.StartActivity[uint64](ctx, a, stepArgs{id, k, n}).Get(ctx); err != nil {
			return got, err
		}
		got[k] = n
	}
	return got, nil
}

// before is what step k of a trail follows from.
func (t trail) before(k int) uint64 {
	switch k {
	case 0:
		return 0
	case eventAfter:
		return t[steps]
	}
	return t[k-1]
}

// worker makes a worker that runs journeys.
func (j *journey) worker(b *natsbackend.Backend) *durable.Worker {
	j.t.Helper()
	code := &durable.Registry{}
	if err := code.Add(durable.BindActivity(stepQueued, j.step), durable.BindActivity(stepLocal, j.step), durable.BindOrchestrator(whole, orchestrate)); err != nil {
		j.t.Fatal(err)
	}
	w := durable.NewWorker(b, code, durable.WorkerConfig{})
	if err := w.Start(soon(j.t)); err != nil {
		j.t.Fatal(err)
	}
	return w
}

// one runs one journey from its start to its end, noting what it is told.
func (j *journey) one(ctx context.Context, c *durable.Client, id string) error {
	h, err := durable.StartInstance[trail](ctx, c, whole, id, durable.InstanceID(id))
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.started[id] = true
	event := j.drawn.Uint64() >> 12
	j.note(false)
	j.mu.Unlock()
	if err := durable.RaiseEvent(ctx, c, id, "go", event); err != nil {
		return err
	}
	j.mu.Lock()
	j.told[id] = event
	j.note(false)
	j.mu.Unlock()
	got, err := h.Wait(ctx)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended[id] = got
	j.note(false)
	return nil
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// travel runs journeys until ctx ends or all have come to their end, some at a time; wait waits for that.
func (j *journey) travel(ctx context.Context, c *durable.Client, atOnce int) (wait func()) {
	next := make(chan string)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for id := range next {
				_ = j.one(ctx, c, id) // it fails when the power is cut
			}
		})
	}
	all.Go(func() {
		defer close(next)
		for n := range journeys {
			select {
			case next <- fmt.Sprintf("j%d", n):
			case <-ctx.Done():
				return
			}
		}
	})
	return all.Wait
}

// seen is what has been seen outside so far. Lock held.
func (j *journey) seen() seen {
	return seen{maps.Clone(j.started), maps.Clone(j.told), slices.Clone(j.ran), maps.Clone(j.ended)}
}

type seen struct {
	started map[string]bool
	told    map[string]uint64
	ran     []ran
	ended   map[string]trail
}

func (s seen) String() string {
	return fmt.Sprintf("%d started, %d told, %d steps ran, %d ended", len(s.started), len(s.told), len(s.ran), len(s.ended))
}

// wrong has everything come to its end within patience each, and tells what does not fit what was seen.
func (s seen) wrong(t *testing.T, c *durable.Client, patience time.Duration) iter.Seq[string] {
	ids := maps.Clone(s.started)
	for _, r := range s.ran {
		ids[r.id] = true // its start was stored, and its client not told yet
	}
	return func(yield func(string) bool) {
		for id := range ids {
			got, err := s.end(t, c, id, patience)
			if err != nil && !yield(fmt.Sprintf("%s: %v", id, err)) {
				return
			}
			if err == nil && !s.compare(id, got, yield) {
				return
			}
		}
	}
}

// compare tells what of a journey does not fit what was seen of it.
func (s seen) compare(id string, got trail, yield func(string) bool) bool {
	if n, sure := s.told[id]; sure && got[steps] != n && !yield(fmt.Sprintf("%s was told %d and knows %d", id, n, got[steps])) {
		return false
	}
	if was, sure := s.ended[id]; sure && was != got && !yield(fmt.Sprintf("%s gave %v and now %v", id, was, got)) {
		return false
	}
	for _, r := range s.ran {
		if r.id == id && got.before(r.step) != r.before &&
			!yield(fmt.Sprintf("step %d of %s ran after %d, and the log says %d", r.step, id, r.before, got.before(r.step))) {
			return false
		}
	}
	return true
}

// end gives what a journey comes to. If its event was not, it is told another one.
func (s seen) end(t *testing.T, c *durable.Client, id string, patience time.Duration) (got trail, err error) {
	if _, err := c.Get(soon(t), id); err != nil {
		return got, fmt.Errorf("it was seen and is gone: %w", err)
	}
	if _, sure := s.told[id]; !sure {
		_ = durable.RaiseEvent(soon(t), c, id, "go", uint64(1)) // it may have heard the first one, and ended
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if got, err = durable.AttachInstance[trail](c, whole, id).Wait(ctx); err != nil {
		return got, fmt.Errorf("it does not come to its end: %w", err)
	}
	return got, nil
}

func backendOf(t *testing.T, s *Server) *natsbackend.Backend {
	t.Helper()
	b, err := s.Backend(soon(t), natsbackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}
