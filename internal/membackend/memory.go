package membackend

import (
	"slices"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Config describes a hub in memory. The zero value is a virtual hub without faults.
type Config struct {
	Live bool // a goroutine runs the events in real time; Step, Run and RunFor are for virtual hubs
	// Seed decides the delays and faults, each by itself. Print it: the same seed makes the same run.
	Seed  uint64
	Start time.Time // of the virtual clock; defaults to the beginning of 2026, UTC

	Hub        string // defaults to "memory"
	Partitions int    // of every group; defaults to 8
	MaxPayload int    // in bytes; defaults to 16 MiB
	MaxHistory int    // in bytes, of archive entries and rewinds; defaults to 16 times MaxPayload

	// Latency is the longest one-way trip between a view and the store; trips take a random part of it. Defaults to
	// 1 ms in virtual mode and to none in live mode; negative means none.
	Latency time.Duration
	// Late is how late a timer fires at most. Defaults to 250 ms in virtual mode, as the server's tick, and to not at all
	// in live mode; negative means not at all.
	Late time.Duration
	// GiveUp is how long a view waits for an answer that got lost, before it reports ErrUnavailable. Defaults to 1 s.
	GiveUp time.Duration

	Faults Faults

	Retention backend.Retention
}

func (c Config) withDefaults() Config {
	c.Hub = or(c.Hub, "memory")
	c.Partitions = or(c.Partitions, 8)
	c.MaxPayload = or(c.MaxPayload, 16<<20)
	c.MaxHistory = or(c.MaxHistory, 16*c.MaxPayload)
	c.GiveUp = or(c.GiveUp, time.Second)
	c.Retention = c.Retention.WithDefaults()
	if !c.Live {
		c.Latency = or(c.Latency, time.Millisecond)
		c.Late = or(c.Late, 250*time.Millisecond)
	}
	c.Latency, c.Late = max(c.Latency, 0), max(c.Late, 0)
	switch {
	case c.Live:
		c.Start = time.Now() // with its monotonic reading, which the log's time stamps follow
	case c.Start.IsZero():
		c.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return c
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Memory is a hub in memory. Its methods may be called concurrently; in virtual mode the run is reproducible only if all
// calls come from the goroutine that steps.
type Memory struct {
	cfg Config

	mu     sync.Mutex
	loop   loop
	dice   dice
	faults Faults
	hooks  hooks

	log        log
	schedules  map[scheduleKey]*schedule
	partitions map[partitionKey]*partition
	activities map[string]*activity
	states     table
	archives   table
	meta       table
	watchers   []*watcher
	topics     map[string][]*listener

	views  []*View
	topic  uint64 // number of the newest topic made
	closed bool
}

// New makes an empty hub. A live one has to be closed.
func New(cfg Config) *Memory {
	cfg = cfg.withDefaults()
	m := &Memory{
		cfg: cfg, faults: cfg.Faults,
		dice:       dice{seed: mixed(cfg.Seed), seen: map[uint64]uint64{}},
		log:        newLog(),
		schedules:  map[scheduleKey]*schedule{},
		partitions: map[partitionKey]*partition{},
		activities: map[string]*activity{},
		topics:     map[string][]*listener{},
	}
	m.states, m.archives, m.meta = newTable(m.now), newTable(m.now), newTable(m.now)
	m.states.marks = true
	if cfg.Live {
		m.startLive()
	}
	return m
}

// View gives a worker's or client's own access to the hub. The name is for people; every call makes another view.
func (m *Memory) View(name string) *View {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := &View{m: m, name: name, gone: make(chan struct{}), calls: map[uint64]func(error){}, lanes: map[string]int64{}, inboxes: map[*inbox]bool{}, queues: map[*taskQueue]bool{}}
	m.views = append(m.views, v)
	return v
}

// Close closes all views and ends the hub. It must not be called from a callback.
func (m *Memory) Close() error {
	m.mu.Lock()
	views := slices.Clone(m.views)
	m.mu.Unlock()
	for _, v := range views {
		if err := v.Close(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	if m.cfg.Live {
		m.stopLive()
	}
	return nil
}

// Now is the time of the store: of the virtual clock, or the real one.
func (m *Memory) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.time(m.now())
}

// SetFaults changes the rates from now on; Faults{} heals the store.
func (m *Memory) SetFaults(f Faults) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = f
}

// Stored is a message of the log and the instance it belongs to.
type Stored struct {
	To      history.Address
	Message history.Message // Record is nil when it cannot be decoded
}

// Log gives all messages ever stored, also those that a purge, a replacement or the firing of a schedule has removed.
func (m *Memory) Log() []Stored {
	m.mu.Lock()
	all := slices.Clone(m.log.all)
	m.mu.Unlock()
	out := make([]Stored, 0, len(all))
	for _, e := range all {
		msg, err := e.message()
		if err != nil {
			msg = history.Message{Seq: e.seq, Time: e.time}
		}
		out = append(out, Stored{e.to, msg})
	}
	return out
}

// Purge removes all messages below sequence before from the log, whoever still needs them.
func (m *Memory) Purge(before uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log.purge(before)
}

// Inject stores a message as a foreign writer might, without checking that it can be decoded. name is the name of a
// task, event or control message.
func (m *Memory) Inject(to history.Address, kind history.Kind, name string, header []history.Field, body []byte) (seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(&entry{to: to, kind: kind, name: name, subject: subjectOf(kind, name, history.Ref{}), header: slices.Clone(header), body: slices.Clone(body)})
}

// Unacked is a message that a consumer has not been told to be done.
type Unacked struct {
	Consumer string // partition or activity, for people
	To       history.Address
	Seq      uint64
	Attempts int // deliveries since the consumer was taken over; 0: waits for its first
}

// Unacked lists what waits for an acknowledgement, or for its delivery, in the consumers that exist.
func (m *Memory) Unacked() []Unacked {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Unacked
	for _, c := range m.consumers() {
		out = c.unacked(out)
	}
	slices.SortFunc(out, func(a, b Unacked) int { return int(int64(a.Seq) - int64(b.Seq)) })
	return out
}

// consumers lists those that exist, in no order. Lock held.
func (m *Memory) consumers() (all []*consumer) {
	for _, p := range m.partitions {
		if p.exists {
			all = append(all, &p.consumer)
		}
	}
	for _, a := range m.activities {
		if a.exists {
			all = append(all, &a.consumer)
		}
	}
	return all
}

// info describes the hub to its views.
func (m *Memory) info() backend.Info {
	return backend.Info{
		Hub: m.cfg.Hub, Partitions: m.cfg.Partitions, MaxPayload: m.cfg.MaxPayload, Retention: m.cfg.Retention,
		Durability: "none: an acknowledged write lives as long as the process",
	}
}
