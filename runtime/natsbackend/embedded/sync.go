package embedded

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/durablegen/durablegen/runtime/natsbackend"
	"github.com/durablegen/durablegen/runtime/observe"
)

// syncer serves natsbackend.SyncSubject. Requests that come while a round is under way share the next one, so a round
// serves all that wait for it.
type syncer struct {
	s     *Server
	conn  *nats.Conn
	store *store

	requests chan request
	stop     chan struct{}
	stopped  chan struct{}
}

// request waits for a round of a stream, or of all of them if it is "", and is told once how it went.
type request struct {
	stream string
	answer func(error)
}

const (
	idleRound   = time.Second // between rounds that nobody asks for: what the server does by itself becomes durable too
	mostWaiting = 4096        // connections that wait for one round; more wait in the client
)

// startSyncer makes the store durable as it is and begins to serve.
func startSyncer(s *Server, d disk) (*syncer, error) {
	y := &syncer{
		s: s, store: newStore(s.cfg.Dir, d),
		requests: make(chan request, mostWaiting), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	err := y.round("")
	if err != nil {
		return nil, fmt.Errorf("embedded: make the store in %s durable: %w", s.cfg.Dir, err)
	}
	if y.conn, err = nats.Connect("", s.Option(), nats.Name("durable sync"), nats.MaxReconnects(-1)); err == nil {
		if _, err = y.conn.Subscribe(natsbackend.SyncSubject, func(m *nats.Msg) {
			y.ask(string(m.Data), func(err error) {
				answer := []byte("+OK")
				if err != nil {
					answer = []byte("-ERR " + err.Error())
				}
				_ = m.Respond(answer) // it fails when the server is being closed, and then nobody waits
			})
		}); err == nil {
			err = y.conn.Flush()
		}
	}
	if err != nil {
		if y.conn != nil {
			y.conn.Close()
		}
		return nil, fmt.Errorf("embedded: serve %s: %w", natsbackend.SyncSubject, err)
	}
	go y.run()
	return y, nil
}

// ask has a round tell answer how it went; nobody does when there are no rounds any more.
func (y *syncer) ask(stream string, answer func(error)) (ok bool) {
	select {
	case y.requests <- request{stream, answer}:
		return true
	case <-y.stop:
		return false
	}
}

// wait is natsbackend.Config.Sync.
func (y *syncer) wait(stream string) error {
	answer := make(chan error, 1)
	if y.ask(stream, func(err error) { answer <- err }) {
		select {
		case err := <-answer:
			return err
		case <-y.stopped:
		}
	}
	return errors.New("the server is being closed")
}

// run is the loop of the rounds.
func (y *syncer) run() {
	defer close(y.stopped)
	idle := time.NewTimer(idleRound)
	defer idle.Stop()
	var waiting []request
	for {
		waiting = waiting[:0]
		stream := "" // a round that nobody asks for is of all
		select {
		case <-y.stop:
			return
		case <-idle.C:
		case r := <-y.requests:
			waiting, stream = append(waiting, r), r.stream
		}
		for more := true; more; { // whoever has come by now has seen no more than is written by now
			select {
			case r := <-y.requests:
				if waiting = append(waiting, r); r.stream != stream {
					stream = ""
				}
			default:
				more = false
			}
		}
		err := y.round(stream)
		for _, r := range waiting {
			r.answer(err)
		}
		if stream == "" {
			idle.Reset(idleRound)
		}
	}
}

// round syncs what has changed of a stream, or of all. After a failed fsync there is no other: what the disk holds is not known any more until the
// server has been started anew.
func (y *syncer) round(stream string) error {
	if y.s.lost != nil {
		return y.s.lost
	}
	err := y.store.sync(stream)
	if err == nil {
		return nil
	}
	if y.s.cfg.Logger != nil {
		y.s.cfg.Logger.Error("the store could not be made durable", "dir", y.s.cfg.Dir, observe.KeyError, err)
	}
	if errors.Is(err, errLost) {
		y.s.lost = fmt.Errorf("%w; the server has to be started anew", err)
	}
	y.store = newStore(y.s.cfg.Dir, y.store.disk)
	return err
}

// close ends the rounds.
func (y *syncer) close() {
	close(y.stop)
	<-y.stopped
	y.conn.Close()
}

// last makes durable what the server has written while it was closed, its caches included, so that the next start may trust
// them.
func (y *syncer) last() error {
	if err := y.round(""); err != nil {
		return err
	}
	for _, name := range caches {
		found, err := filepath.Glob(filepath.Join(quoted(streamsOf(y.s.cfg.Dir)), "*", "msgs", name))
		if err != nil {
			return err
		}
		for _, path := range found {
			if _, err := y.store.disk.sync(path); err != nil {
				return err
			}
		}
	}
	return unmark(y.s.cfg.Dir, y.store.disk)
}
