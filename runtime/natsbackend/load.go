package natsbackend

import (
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// loader runs reads that take several steps, few at a time: a flood of them after a takeover must not starve the rest.
type loader struct {
	mu     sync.Mutex
	some   *sync.Cond
	queue  []func()
	closed bool
}

const loaders = 8

func newLoader(b *Backend) *loader {
	l := &loader{}
	l.some = sync.NewCond(&l.mu)
	for range loaders {
		b.wg.Go(l.run)
	}
	return l
}

func (l *loader) run() {
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.closed {
			l.some.Wait()
		}
		if len(l.queue) == 0 {
			l.mu.Unlock()
			return
		}
		job := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.mu.Unlock()
		job()
	}
}

// do runs job later; closed jobs run too, their reads fail with ErrClosed.
func (l *loader) do(job func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		go job()
		return
	}
	l.queue = append(l.queue, job)
	l.some.Signal()
}

func (l *loader) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.some.Broadcast()
}

// Load implements backend.Log. That the result reaches a sequence needs no proof here: every read ends where the log
// ended, on the leader, when the load had begun (I5).
func (b *Backend) Load(of history.Address, _ uint64, done func(backend.Loaded, error)) {
	b.loads.do(func() {
		l, err := b.load(of)
		if err != nil {
			err = fmt.Errorf("natsbackend: load %s/%s: %w", of.Group, of.ID, err)
		}
		done(l, err)
	})
}

func (b *Backend) load(of history.Address) (backend.Loaded, error) {
	ends, err := b.ends(b.names.instance(of))
	if err != nil {
		return backend.Loaded{}, err
	}
	if ends != nil {
		return b.loadBetween(ends)
	}
	for {
		l, moved, err := b.loadOnce(of)
		if err != nil || !moved {
			return l, err
		}
	}
}

// loadOnce is the load of an instance that has no ends. It reads the last start and the last turn, from which it knows where the present execution begins, and from
// there to the end. moved: meanwhile another run or execution began.
func (b *Backend) loadOnce(of history.Address) (l backend.Loaded, moved bool, err error) {
	log, instance := b.log(), b.names.instance(of)
	lastStart, lastTurn := log.last(instance+"in.start"), log.last(instance+"turn")
	start, err1 := found(b, lastStart)
	turn, err2 := found(b, lastTurn)
	if err := errors.Join(err1, err2); err != nil {
		return l, false, err
	}
	if turn != nil {
		l.TurnSeq = turn.Seq
	}
	l.Start = start
	if l.Base, l.Cut, err = b.base(start, turn); err != nil {
		return l, false, err
	}
	l.Over = l.Cut && turn.Record.(*history.Turn).Ends()
	switch {
	case l.Base != nil:
		l.From = l.Base.Record.(*history.Turn).At
	case start != nil:
		l.From = start.Seq
	default:
		return l, false, nil // the leader says so
	}
	moved, err = b.tail(&l, instance, l.From+1, false)
	return l, moved, err
}

// LoadAfter implements backend.Log.
func (b *Backend) LoadAfter(of history.Address, after, _ uint64, done func(backend.Loaded, error)) {
	b.loads.do(func() {
		l, err := b.loadAfter(of, after)
		if err != nil {
			err = fmt.Errorf("natsbackend: load %s/%s: %w", of.Group, of.ID, err)
		}
		done(l, err)
	})
}

func (b *Backend) loadAfter(of history.Address, after uint64) (l backend.Loaded, err error) {
	log, instance := b.log(), b.names.instance(of)
	ends, err := b.ends(instance)
	if err != nil {
		return l, err
	}
	if ends != nil {
		return b.loadBetweenAfter(ends, after)
	}
	lastStart, lastTurn := log.last(instance+"in.start"), log.last(instance+"turn")
	var err1, err2 error
	l.Start, err1 = found(b, lastStart)
	turn, err2 := lastTurn()
	if err2 == nil {
		l.TurnSeq = turn.seq
	} else if errors.Is(err2, backend.ErrNotFound) {
		err2 = nil
	}
	if err := errors.Join(err1, err2); err != nil {
		return l, err
	}
	l.From = after
	_, err = b.tail(&l, instance, after+1, true)
	return l, err
}

// found reads and decodes a message that may be missing.
func found(b *Backend, read func() (stored, error)) (*history.Message, error) {
	s, err := read()
	if errors.Is(err, backend.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := b.message(s)
	return &m, err
}

// base finds the record that began the present execution, or nil in execution 0, and (cut) when it has left the log. The
// start may be gone by then: the base holds all of it.
func (b *Backend) base(start, turn *history.Message) (base *history.Message, cut bool, err error) {
	if turn == nil {
		return nil, false, nil
	}
	t := turn.Record.(*history.Turn)
	if start != nil && start.Record.(*history.Start).Run > t.Run {
		return nil, false, nil // a run replaced that one
	}
	if t.End != nil && t.End.Status == history.ContinuedAsNew {
		return turn, false, nil
	}
	if t.Execution == 0 || t.Base == 0 {
		return nil, false, nil
	}
	base, err = found(b, b.log().at(t.Base))
	if err != nil {
		return nil, false, err
	}
	if base != nil {
		if r, ok := base.Record.(*history.Turn); ok && r.Run == t.Run && r.End != nil && r.End.Base != nil {
			return base, false, nil
		}
	}
	if start != nil && t.Ends() && start.Seq > turn.Seq {
		return nil, false, nil // the id begins anew, or that is a late copy
	}
	return nil, true, nil
}

// tail reads what follows, until it sees that another run or execution has begun; all of it if that does not matter.
func (b *Backend) tail(l *backend.Loaded, instance string, from uint64, all bool) (moved bool, err error) {
	known, run := l.TurnSeq, l.Run()
	readErr := b.log().scan(from, instance+">", func(s stored) bool {
		var m *history.Message
		if m, err = b.part(s, instance); m == nil {
			return err == nil
		}
		switch r := m.Record.(type) {
		case *history.Start:
			moved = moved || r.Run > run
		case *history.Turn:
			moved = moved || m.Seq > known && r.End != nil && r.End.Status == history.ContinuedAsNew
			l.TurnSeq = max(l.TurnSeq, m.Seq)
		}
		l.Tail = append(l.Tail, *m)
		return all || !moved
	})
	return moved, errors.Join(readErr, err)
}

// part decodes a message of a tail; nil for what is no part of a history.
func (b *Backend) part(s stored, instance string) (*history.Message, error) {
	kind, _ := kindOf(s.subject[len(instance):])
	if kind == 0 || kind == history.KindTimer {
		return nil, nil
	}
	m, err := b.message(s)
	switch {
	case err == nil:
		return &m, nil
	case kind.Inbox() && errors.Is(err, errForeign):
		return nil, nil // it was delivered as an error, so it is not part of the inbox (I1)
	}
	return nil, err
}

// errForeign marks a message that is not a record of ours.
var errForeign = errors.New("natsbackend: the record is not understood")

// log is the log as a source of reads.
func (b *Backend) log() source { return source{b, b.names.log, b.replicas == 1} }

// message decodes what was read from the log.
func (b *Backend) message(s stored) (history.Message, error) {
	m := history.Message{Seq: s.seq, Time: s.time}
	p, err := b.names.parse(s.subject)
	if err != nil {
		return m, err
	}
	m.Record, err = p.decode(s.header, s.body, func() ([]byte, error) { return b.bodyFor(p.kind, s.header, nil) })
	if err != nil {
		return m, fmt.Errorf("message %d on %s: %w", s.seq, s.subject, err)
	}
	return m, nil
}

// bodyFor gives the body of a record. A start may hold the history that a rewind goes on with.
func (b *Backend) bodyFor(kind history.Kind, h nats.Header, body []byte) ([]byte, error) {
	if kind == history.KindStart {
		return b.historyOf(h, body)
	}
	return b.bodyOf(h, body)
}

// Group implements backend.Log: whichever group has the newest start of the instance, or the newest record if the start
// is purged.
func (b *Backend) Group(id string, done func(group string, err error)) {
	any := fmt.Sprintf("%s*.%d.%s.", b.names.subjects, history.Partition(id, b.names.partitions), history.EncodeID(id))
	b.loads.do(func() {
		s, err := b.log().last(any + "in.start")()
		if errors.Is(err, backend.ErrNotFound) {
			s, err = b.log().last(any + "turn")()
		}
		var p parsed
		if err == nil {
			p, err = b.names.parse(s.subject)
		}
		if err != nil {
			err = fmt.Errorf("natsbackend: the group of instance %s: %w", id, err)
		}
		done(p.Group, err)
	})
}
