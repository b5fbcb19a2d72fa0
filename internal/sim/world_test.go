package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/internal/membackend"
	"github.com/durablegen/durablegen/internal/owner"
)

const (
	group     = "sim"
	instances = 6 // that a client starts
)

// setup is which world to make: everything else follows from its seed. The zero values of all but seed make the whole world.
type setup struct {
	seed uint64
	off  switches
	keys bool            // workers have different keys
	tiny bool            // workers keep one instance a partition in memory, at most
	drop map[string]bool // what is left out of the programs: instances (i3) and steps (i3.1)
	keep map[uint32]bool // mishaps that happen; nil: all
	tell bool            // keep what the store does, for a trace
}

// switches turn rules of the protocol off.
type switches struct {
	owner  owner.Repair
	engine engine.Rule
	store  func(*membackend.Faults) // breaks promises of the store
	claims bool                     // nobody finishes the claims of others
}

// world is a hub with workers and a client, all under one seed.
type world struct {
	setup
	m        *membackend.Memory
	workers  []*worker
	client   *membackend.View
	wanted   map[string]*wanted // of the instances started by the client
	plans    map[string]*plan
	keyring  *keyring // nil: payloads are clear
	healed   bool
	healedAt time.Time
	steps    int // events so far

	counts  map[string]int      // of sources and mishaps, by what they are about
	mishaps []membackend.Mishap // that have happened, in order
	lines   []line              // what the store did, if that is told
}

// wanted is what must become of an instance.
type wanted struct {
	program []step
	result  int
	allowed []history.Status // ends that are right too, because somebody asked for them
}

func newWorld(s setup) *world {
	w := &world{
		setup: s, m: membackend.New(membackend.Config{Seed: s.seed, Partitions: 2, Retention: keep(s)}),
		wanted: map[string]*wanted{}, plans: map[string]*plan{}, counts: map[string]int{},
	}
	w.client = w.m.View("client")
	w.m.OnMishap(w.may)
	if s.tell {
		w.listen()
	}
	if s.keys {
		w.keyring = newKeyring(w.client)
	}
	return w
}

// source makes random numbers that depend on nothing but what they are about.
func (w *world) source(about ...any) *rand.Rand {
	name := fmt.Sprint(about...)
	w.counts[name]++
	return rand.New(rand.NewPCG(w.seed, hashOf(name, w.counts[name])))
}

func hashOf(name string, n int) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, name, "#", n)
	return h.Sum64()
}

// mishap reports whether something that the world itself does to its workers and instances may happen, and notes it.
func (w *world) mishap(what string, about ...string) bool {
	name := what + " " + strings.Join(about, " ")
	w.counts[name]++
	return w.may(membackend.Mishap{ID: uint32(hashOf(name, w.counts[name])), At: w.m.Now(), What: what, About: about})
}

// chance is a mishap that happens once in n times.
func (w *world) chance(n int, what string, about ...string) bool {
	return w.source(what, about).IntN(n) == 0 && w.mishap(what, about...)
}

// may lets a mishap happen, unless it is one that is left out.
func (w *world) may(m membackend.Mishap) bool {
	if w.keep != nil && !w.keep[m.ID] {
		return false
	}
	w.mishaps = append(w.mishaps, m)
	return true
}

// faults are those of the store and of what lies between.
func (w *world) faults() membackend.Faults {
	f := membackend.Faults{
		RequestLost: 0.02, AnswerLost: 0.02, RequestDelayed: 0.01, ReadDelayed: 0.04, DelayedBy: 4 * time.Second, RecordDoubled: 0.01,
		DeliveryLost: 0.01, DeliveryRepeated: 0.02, Shuffled: 0.2, AckLost: 0.02, SignalLost: 0.02,
		Behind: 0.3,
	}
	if w.off.store != nil {
		w.off.store(&f)
	}
	return f
}

const (
	blows     = 12      // misfortunes before a world is healed
	mostSteps = 100_000 // events of a world; an ordinary one has a tenth of them
)

// simulate runs a world from its beginning to what it comes to; nil: all is well.
func simulate(s setup) (w *world, f *failure) {
	w = newWorld(s)
	defer func() {
		if r := recover(); r != nil {
			f = &failure{kind: "panic", text: fmt.Sprintf("%v, at %s", r, where(debug.Stack()))}
		}
	}()
	return w, w.run()
}

// where gives the calls of the owner and the engine in a stack.
func where(stack []byte) string {
	var calls []string
	for line := range strings.Lines(string(stack)) {
		if at := strings.Index(line, "/internal/"); strings.HasPrefix(line, "\t") && at >= 0 && !strings.Contains(line, "/internal/sim/") {
			place, _, _ := strings.Cut(line[at+len("/internal/"):], " ")
			calls = append(calls, place)
		}
	}
	return strings.Join(calls, " < ")
}

func (w *world) run() *failure {
	rng := w.source("life")
	for n := range 2 + rng.IntN(2) {
		if err := w.join(n, fmt.Sprint("w", n), rare[n%len(rare)]); err != nil {
			return &failure{kind: "cannot join", text: err.Error()}
		}
	}
	w.m.SetFaults(w.faults())
	for n := range instances {
		w.start(fmt.Sprint("i", n))
	}
	w.tend()
	for n := range blows {
		w.pass(time.Duration(rng.IntN(1200)) * time.Millisecond)
		w.strike(n)
	}
	w.pass(3 * time.Second)
	if err := w.heal(); err != nil {
		return &failure{kind: "cannot join", text: err.Error()}
	}
	for range 60 {
		w.pass(5 * time.Second)
		if w.finished() {
			break
		}
	}
	w.pass(time.Minute) // stragglers: schedules, late requests
	w.outlast()
	w.m.SetFaults(membackend.Faults{})
	return w.check()
}

// pass lets time pass, unless so much has happened already that the world would never come to its end.
func (w *world) pass(d time.Duration) {
	end := w.m.Now().Add(d)
	w.m.Run(func() bool {
		at, ok := w.m.Next()
		w.steps++
		return !ok || at.After(end) || w.steps > mostSteps
	})
	if w.steps <= mostSteps {
		w.m.RunFor(end.Sub(w.m.Now())) // to the time, with nothing left to happen
	}
}

// heal ends all faults, and sees to it that all code is there, and all keys.
func (w *world) heal() error {
	w.healed, w.healedAt = true, w.m.Now()
	healthy := membackend.Faults{Behind: 0.3}
	if w.off.store != nil {
		w.off.store(&healthy)
	}
	w.m.SetFaults(healthy)
	for _, k := range w.workers {
		if w.keyring != nil {
			k.gone = true
			k.view.Kill()
			continue
		}
		k.view.Resume()
		k.view.Reconnect()
		k.view.Skew(0)
		k.view.Slow(0)
		k.view.Mute(false)
	}
	var errs []error
	for _, k := range w.workers {
		if !k.gone {
			errs = append(errs, k.serve(context.Background(), lateName))
		}
	}
	for _, also := range rare {
		if !slices.ContainsFunc(w.workers, func(k *worker) bool { return !k.gone && k.code.also == also }) {
			errs = append(errs, w.join(-1, "healer-"+also, also))
		}
	}
	return errors.Join(errs...)
}

// finished reports whether everything started has ended as it should, and nothing waits for an acknowledgement.
func (w *world) finished() bool {
	ends := w.final()
	for id, p := range w.plans {
		if !p.fulfilled(ends[id]) {
			return false
		}
	}
	return len(w.m.Unacked()) == 0
}

// final gives the final record of the last run of every instance, the first if there are several.
func (w *world) final() map[string]*history.Turn {
	ends := map[string]*history.Turn{}
	for _, s := range w.m.Log() {
		t, ok := w.record(s.Message.Record).(*history.Turn)
		if ok && t.End != nil && t.End.Status.Final() && (ends[s.To.ID] == nil || ends[s.To.ID].Run < t.Run) {
			ends[s.To.ID] = t
		}
	}
	return ends
}
