package owner

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// members decides who owns what, from heartbeats alone. All workers of a group that hear the same beats decide the
// same; for the moments in which they do not, ownership is only an optimisation (I3).
type members struct {
	cfg *Config

	mu     sync.Mutex
	live   map[string]member
	last   time.Time // this worker's last beat while connected
	since  time.Time // when this worker could hear again
	joined bool      // it has judged before
	deaf   bool      // it could not hear since, so it may have missed who came and went
	away   bool      // resigned: this worker owns nothing
}

type member struct {
	seen time.Time
	code []string
}

// heartbeat is what a worker says of itself.
type heartbeat struct {
	Worker  string   `json:"worker"`
	Code    []string `json:"code"`
	Leaving bool     `json:"leaving,omitempty"`
}

func newMembers(cfg *Config) *members {
	return &members{cfg: cfg, live: map[string]member{}}
}

func (m *members) topic() string { return backend.BeatTopic + history.EncodeID(m.cfg.Group) }

func (m *members) beat(leaving bool) []byte {
	data, err := json.Marshal(heartbeat{Worker: m.cfg.Worker, Code: m.cfg.Code.Orchestrators(), Leaving: leaving})
	if err != nil {
		panic(err) // strings and a bool always marshal
	}
	return data
}

// resign has this worker own nothing, or own again. It reports whether that is a change.
func (m *members) resign(away bool) (changed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed = m.away != away
	m.away = away
	return changed
}

func (m *members) resigned() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

// beaten notes that this worker is about to beat and reports whether it must fence itself first, because there are
// others and they have not heard it for the dead time. A worker that knows of nobody goes on: should somebody have come
// meanwhile, the order of the deliveries shows it (I5).
func (m *members) beaten(now time.Time, connected bool) (fence bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	silent := !m.last.IsZero() && now.Sub(m.last) > m.cfg.Dead
	_, self := m.live[m.cfg.Worker]
	alone := len(m.live) == 0 || self && len(m.live) == 1
	if !connected {
		m.since = time.Time{}
		if silent {
			m.last = time.Time{} // fence once
		}
		return silent && !alone
	}
	if m.since.IsZero() || silent {
		m.since, m.deaf = now, m.joined
	}
	m.last = now
	return silent && !alone
}

// hear takes in a beat and reports whether it came from a worker unheard of, or from another one that leaves.
func (m *members) hear(data []byte, now time.Time) (stranger, left bool) {
	var b heartbeat
	if json.Unmarshal(data, &b) != nil || b.Worker == "" {
		return false, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, known := m.live[b.Worker]
	if b.Leaving {
		delete(m.live, b.Worker)
		return false, known && b.Worker != m.cfg.Worker
	}
	m.live[b.Worker] = member{seen: now, code: b.Code}
	return !known && b.Worker != m.cfg.Worker, false
}

// owners gives the owner of each partition, "" when nobody can own it. ok is false while this worker cannot judge: it is not
// connected, or has not listened for a dead time since it could again. One that joins listens for as long as an answer to its
// first beat may take. One that has not beaten for the dead time has slept, and what it has not heard meanwhile tells nothing: it
// has to fence itself first.
func (m *members) owners(now time.Time, partitions int) (owners []string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since.IsZero() || now.Sub(m.last) > m.cfg.Dead {
		return nil, false
	}
	wait := m.cfg.Heartbeat / 5
	if m.deaf {
		wait = m.cfg.Dead
	}
	if now.Sub(m.since) < wait {
		return nil, false
	}
	m.joined = true
	for id, w := range m.live {
		if now.Sub(w.seen) > m.cfg.Dead {
			delete(m.live, id)
		}
	}
	m.live[m.cfg.Worker] = member{seen: now, code: m.cfg.Code.Orchestrators()}
	if m.away {
		delete(m.live, m.cfg.Worker)
	}
	return assign(m.able(), m.cfg.Group, partitions), true
}

// able lists the live workers whose code is not a strict subset of another's: they run more of the group.
func (m *members) able() []string {
	workers := slices.Collect(maps.Values(m.live))
	var able []string
	for id, w := range m.live {
		if !slices.ContainsFunc(workers, func(o member) bool { return strictSubset(w.code, o.code) }) {
			able = append(able, id)
		}
	}
	slices.Sort(able)
	return able
}

func strictSubset(a, b []string) bool {
	if len(a) >= len(b) {
		return false
	}
	for _, name := range a {
		if !slices.Contains(b, name) {
			return false
		}
	}
	return true
}
