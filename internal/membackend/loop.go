package membackend

import "time"

// event is something that will happen.
type event struct {
	at   int64  // nanoseconds after Config.Start
	n    uint64 // events of one time happen in the order in which they were made
	view *View  // whose process runs it; nil: the store itself
	bare bool   // of no view, and run without the lock
	run  func() // with the lock if the store runs it, else without
}

// loop holds the events to come.
type loop struct {
	clock int64   // virtual time
	made  uint64  // events made so far
	heap  []event // by (at, n)

	// Live mode only.
	ready []event // due at once, in order
	wake  chan struct{}
	stop  chan struct{}
	ended chan struct{}
}

// now is the time in nanoseconds after Config.Start. Lock held.
func (m *Memory) now() int64 {
	if m.cfg.Live {
		return int64(time.Since(m.cfg.Start))
	}
	return m.loop.clock
}

// time makes a time stamp. It has no monotonic reading: it is stored and compared.
func (m *Memory) time(at int64) time.Time {
	return m.cfg.Start.Round(0).Add(time.Duration(at)).UTC()
}

// after makes an event of v, or of the store if v is nil, d from now. Lock held.
func (m *Memory) after(d time.Duration, v *View, run func()) {
	m.add(event{at: m.now() + int64(d), view: v, run: run})
}

// at makes an event at a time. Lock held.
func (m *Memory) at(at int64, v *View, run func()) { m.add(event{at: at, view: v, run: run}) }

// soon makes an event for now. Lock held.
func (m *Memory) soon(e event) {
	e.at = m.now()
	m.add(e)
}

func (m *Memory) add(e event) {
	l := &m.loop
	l.made++
	e.n = l.made
	// What is due overtakes nothing in the heap, which the goroutine may be late with.
	if m.cfg.Live && e.at <= m.now() && (len(l.heap) == 0 || e.at < l.heap[0].at) {
		l.ready = append(l.ready, e)
		if len(l.ready) == 1 {
			l.rouse()
		}
		return
	}
	l.push(e)
	if m.cfg.Live && l.heap[0].n == e.n {
		l.rouse()
	}
}

// rouse makes the live goroutine look again.
func (l *loop) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Step runs the next event, at its time, and reports whether there was one. Virtual mode only.
func (m *Memory) Step() bool {
	if m.cfg.Live {
		panic("membackend: Step, Run and RunFor are for virtual hubs; a live one runs by itself")
	}
	m.mu.Lock()
	if len(m.loop.heap) == 0 {
		m.mu.Unlock()
		return false
	}
	e := m.loop.pop()
	m.loop.clock = max(m.loop.clock, e.at)
	m.happen(e)
	return true
}

// Next tells when the next event is due; ok is false when there is none. Virtual mode only.
func (m *Memory) Next() (at time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.loop.heap) == 0 {
		return time.Time{}, false
	}
	return m.time(max(m.loop.heap[0].at, m.loop.clock)), true
}

// Run steps until the condition holds, and reports whether it does: events may run out before. It is asked before
// every step. Virtual mode only.
func (m *Memory) Run(until func() bool) bool {
	for !until() {
		if !m.Step() {
			return false
		}
	}
	return true
}

// RunFor runs all that happens in the next d, which ends with the clock d later. Virtual mode only.
func (m *Memory) RunFor(d time.Duration) {
	m.mu.Lock()
	end := m.now() + int64(d)
	m.mu.Unlock()
	m.Run(func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.loop.heap) == 0 || m.loop.heap[0].at > end
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loop.clock = max(m.loop.clock, end)
}

// happen runs an event. It is called with the lock and returns without it.
func (m *Memory) happen(e event) {
	v := e.view
	switch {
	case e.bare:
		m.mu.Unlock()
		e.run()
		return
	case v == nil:
		e.run()
	case v.killed: // a dead process hears nothing
	case v.paused:
		v.held = append(v.held, e)
	default:
		m.mu.Unlock()
		e.run()
		return
	}
	m.mu.Unlock()
}

// startLive starts the goroutine that runs the events in real time.
func (m *Memory) startLive() {
	m.loop.wake, m.loop.stop, m.loop.ended = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go m.live()
}

// stopLive ends the goroutine; it is idempotent with respect to Memory.Close, which calls it once.
func (m *Memory) stopLive() {
	select {
	case <-m.loop.stop:
	default:
		close(m.loop.stop)
	}
	<-m.loop.ended
}

func (m *Memory) live() {
	defer close(m.loop.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []event
	for {
		batch = m.due(batch)
		for i := range batch {
			m.mu.Lock()
			m.happen(batch[i])
			batch[i] = event{}
		}
		if len(batch) > 0 {
			continue
		}
		timer.Reset(m.pause())
		select {
		case <-m.loop.wake:
		case <-timer.C:
		case <-m.loop.stop:
			return
		}
	}
}

// due takes out what is due. spent is a batch whose room can be used again.
func (m *Memory) due(spent []event) []event {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &m.loop
	batch := l.ready
	l.ready = spent[:0]
	if len(l.heap) > 0 {
		for now := m.now(); len(l.heap) > 0 && l.heap[0].at <= now; {
			batch = append(batch, l.pop())
		}
	}
	return batch
}

// pause is the time until the next event.
func (m *Memory) pause() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.loop.heap) == 0 {
		return time.Hour
	}
	return time.Duration(max(m.loop.heap[0].at-m.now(), 0))
}

func (l *loop) push(e event) {
	l.heap = append(l.heap, e)
	for i := len(l.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !l.before(i, up) {
			break
		}
		l.heap[i], l.heap[up] = l.heap[up], l.heap[i]
		i = up
	}
}

func (l *loop) pop() event {
	first, last := l.heap[0], len(l.heap)-1
	l.heap[0] = l.heap[last]
	l.heap[last] = event{}
	l.heap = l.heap[:last]
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < last; down++ {
			if l.before(down, least) {
				least = down
			}
		}
		if least == i {
			return first
		}
		l.heap[i], l.heap[least] = l.heap[least], l.heap[i]
		i = least
	}
}

func (l *loop) before(i, j int) bool {
	a, b := &l.heap[i], &l.heap[j]
	return a.at < b.at || a.at == b.at && a.n < b.n
}
