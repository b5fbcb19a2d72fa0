package natsbackend

import (
	"cmp"
	"errors"
	"slices"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// The server finds the messages of a literal subject by an index, which tells it where they begin and end. Those of a
// wildcard it looks for in every block of the log from where it is asked to, and it learns only at the end of the log that
// nothing follows: 10 to 40 ms behind a million messages, for an instance that has four. So a load asks for the newest
// message of every subject of the instance, at once, and then for what is before it, subject by subject.

// ends is where the subjects of an instance end, its schedules' left out, as they were at a moment after the load began.
type ends struct {
	instance string   // prefix of the subjects, with its dot
	newest   []stored // one a subject, in the order of the log
}

// ends gives nil when they cannot be known: there are none, or too many, or the answer came from a replica that lags.
// Then the leader has to be asked, for that nothing is there (I5), or with a wildcard.
func (b *Backend) ends(instance string) (*ends, error) {
	log := b.log()
	filters := []string{instance + "in.>", instance + "task.*", instance + "turn"}
	var reach uint64
	if !log.single {
		lasts := make([]func() (stored, error), len(filters))
		for n, f := range filters {
			lasts[n] = log.last(f)
		}
		for _, last := range lasts {
			m, err := last()
			if err != nil && !errors.Is(err, backend.ErrNotFound) {
				return nil, err
			}
			reach = max(reach, m.seq)
		}
	}
	newest, err := log.newest(filters)
	if err != nil || len(newest) == 0 || newest[len(newest)-1].seq < reach {
		return nil, err
	}
	return &ends{instance, newest}, nil
}

// of gives the newest message of a subject, decoded; nil when it has none.
func (e *ends) of(b *Backend, subject string) (*history.Message, error) {
	for _, s := range e.newest {
		if s.subject == e.instance+subject {
			m, err := b.message(s)
			return &m, err
		}
	}
	return nil, nil
}

// loadBetween is a load up to where the subjects end.
func (b *Backend) loadBetween(e *ends) (l backend.Loaded, err error) {
	start, err1 := e.of(b, "in.start")
	turn, err2 := e.of(b, "turn")
	if err := errors.Join(err1, err2); err != nil {
		return l, err
	}
	if turn != nil {
		l.TurnSeq = turn.Seq
	}
	l.Start = start
	if l.Base, l.Cut, err = b.base(start, turn); err != nil {
		return l, err
	}
	l.Over = l.Cut && turn.Record.(*history.Turn).Ends()
	switch {
	case l.Base != nil:
		l.From = l.Base.Record.(*history.Turn).At
	case start != nil:
		l.From = start.Seq
	default:
		return l, nil // messages before a start are nothing (I7)
	}
	l.Tail, err = b.between(e, l.From)
	return l, err
}

// loadBetweenAfter is a load after a sequence, up to where the subjects end.
func (b *Backend) loadBetweenAfter(e *ends, after uint64) (l backend.Loaded, err error) {
	for _, s := range e.newest {
		if s.subject == e.instance+"turn" {
			l.TurnSeq = s.seq
		}
	}
	if l.Start, err = e.of(b, "in.start"); err != nil {
		return l, err
	}
	l.From = after
	l.Tail, err = b.between(e, after)
	return l, err
}

// between reads what the subjects hold after a sequence, in the order of the log.
func (b *Backend) between(e *ends, after uint64) (tail []history.Message, err error) {
	type reading struct {
		last stored
		next func() (stored, error)
	}
	var readings []reading
	for _, s := range e.newest {
		if s.seq > after { // all are asked for their first message before the first answer is waited for
			readings = append(readings, reading{s, b.log().next(after+1, s.subject)})
		}
	}
	for _, r := range readings {
		readErr := b.log().upTo(r.last, r.next, func(s stored) bool {
			var m *history.Message
			if m, err = b.part(s, e.instance); m != nil {
				tail = append(tail, *m)
			}
			return err == nil
		})
		if err = errors.Join(readErr, err); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(tail, func(x, y history.Message) int { return cmp.Compare(x.Seq, y.Seq) })
	return tail, nil
}

// newest reads the newest message of every subject that one of the filters matches, in the order of the log and as they
// are at one moment. It gives none when there are more than the server tells at once.
func (s source) newest(filters []string) ([]stored, error) {
	a := <-s.ask(directGet, query{Multi: filters})
	if a.err != nil {
		return nil, a.err
	}
	page, more, err := readPage(a.msgs)
	var refused *apiError
	switch {
	case errors.Is(err, errHole), errors.As(err, &refused):
		return nil, nil
	case err != nil:
		return nil, err
	case more, statusOf(a.msgs[len(a.msgs)-1]) != "204": // 404: one of them could not be read
		return nil, nil
	}
	return page, nil
}

// next reads the first message of a literal subject from seq on, on the leader; the error is ErrNotFound when there is
// none. The function it returns waits for the answer.
func (s source) next(seq uint64, subject string) func() (stored, error) {
	return s.one(query{Seq: seq, Next: subject})
}

// singly is how many messages of a subject are read one by one: for a page the server counts what follows.
const singly = 8

// upTo calls yield for the messages of a literal subject up to the newest, which is known, in order, until it returns
// false; next waits for the first. What leaves the log meanwhile is left out.
func (s source) upTo(last stored, next func() (stored, error), yield func(stored) bool) error {
	for n := 0; ; n++ {
		m, err := next()
		if errors.Is(err, backend.ErrNotFound) {
			m, err = last, nil
		}
		if err != nil {
			return err
		}
		page := []stored{m}
		if n >= singly && m.seq < last.seq {
			more, _, err := s.page(m.seq+1, last.subject)
			if err != nil {
				return err
			}
			page = append(page, more...)
		}
		seq := uint64(0)
		for _, m := range page {
			if m.seq >= last.seq {
				yield(last)
				return nil
			}
			if !yield(m) {
				return nil
			}
			seq = m.seq
		}
		next = s.next(seq+1, last.subject)
	}
}
