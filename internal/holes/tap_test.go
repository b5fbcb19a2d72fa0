package holes

import (
	"strings"
	"sync"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/backend/backendtest"
	"github.com/durablegen/durablegen/internal/history"
)

// tap is a worker's access to a hub, with hands on it. To what backendtest breaks it adds a worker that is frozen without
// knowing it, and a store that does not keep its promises.
type tap struct {
	*backendtest.Faulty

	mu     sync.Mutex
	frozen bool
	before []history.Message // every load shows these as if they followed the start
	blind  bool              // the next load finds nothing
	denied history.Kind      // records of this kind are refused; 0: none
	parked int               // instances that the worker has told of as parked

	slow, slowFloor bool     // tails behind a snapshot, or floors, are read when resume is called
	late            []func() // what waits for that
	loaded, floored int      // how many of each wait
}

// deny has the store refuse records of a kind to this worker.
func (t *tap) deny(k history.Kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.denied = k
}

// Append implements backend.Log.
func (t *tap) Append(a backend.Append, done func(seq uint64, err error)) {
	t.mu.Lock()
	denied := t.denied != 0 && a.Record.Kind() == t.denied
	t.mu.Unlock()
	if denied {
		t.Clock().After(0, func() { done(0, backend.ErrPermission) })
		return
	}
	t.Faulty.Append(a, done)
}

// resume makes the reads that wait, and those that come later at once.
func (t *tap) resume() {
	t.mu.Lock()
	late := t.late
	t.late, t.slow, t.slowFloor = nil, false, false
	t.mu.Unlock()
	for _, read := range late {
		read()
	}
}

func (t *tap) loads() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loaded
}

func (t *tap) floors() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.floored
}

// wait keeps a read for later, if such reads are slow.
func (t *tap) wait(slow *bool, count *int, read func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !*slow {
		return false
	}
	*count++
	t.late = append(t.late, read)
	return true
}

func (t *tap) LoadAfter(of history.Address, after, reach uint64, done func(backend.Loaded, error)) {
	read := func() { t.Faulty.LoadAfter(of, after, reach, done) }
	if !t.wait(&t.slow, &t.loaded, read) {
		read()
	}
}

func (t *tap) Floor(done func(floor, next uint64, err error)) {
	read := func() { t.Faulty.Floor(done) }
	if !t.wait(&t.slowFloor, &t.floored, read) {
		read()
	}
}

// freeze makes a worker say and hear nothing.
func (t *tap) freeze() {
	t.OnDelivery(func(backend.Delivery) backendtest.Fate { return backendtest.Drop })
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frozen = true
}

func (t *tap) Signal(topic string, data []byte) {
	t.mu.Lock()
	frozen := t.frozen
	if strings.HasPrefix(topic, "parked.") {
		t.parked++
	}
	t.mu.Unlock()
	if !frozen {
		t.Faulty.Signal(topic, data)
	}
}

// letGo reports whether the worker has parked an instance and dropped it.
func (t *tap) letGo() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parked > 0
}

func (t *tap) Load(of history.Address, reach uint64, done func(backend.Loaded, error)) {
	t.Faulty.Load(of, reach, func(l backend.Loaded, err error) {
		t.mu.Lock()
		blind, before := t.blind, t.before
		t.blind = false
		t.mu.Unlock()
		if blind {
			l = backend.Loaded{}
		} else if len(before) > 0 {
			l.Tail = append(append([]history.Message(nil), before...), l.Tail...)
		}
		done(l, err)
	})
}

// promise breaks a promise of the store.
func (t *tap) promise(breaks func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	breaks()
}

// lost makes the appends of a kind disappear.
func lost(kind history.Kind) func(backend.Append) backendtest.Fate {
	return fateOf(kind, backendtest.Drop)
}

func fateOf(kind history.Kind, fate backendtest.Fate) func(backend.Append) backendtest.Fate {
	return func(a backend.Append) backendtest.Fate {
		if a.Record.Kind() == kind {
			return fate
		}
		return backendtest.Pass
	}
}
