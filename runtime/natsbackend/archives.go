package natsbackend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// How long ended runs are kept.
const (
	keepEnded  = 30 * 24 * time.Hour
	keepFailed = 90 * 24 * time.Hour
)

// PutArchive implements backend.Archives.
func (b *Backend) PutArchive(a backend.Archive, expect uint64, done func(seq uint64, err error)) {
	value, err := encodeArchive(a)
	if err != nil {
		go done(0, fmt.Errorf("natsbackend: encode the archive entry of %s/%s: %w", a.Group, a.ID, err))
		return
	}
	more := []history.Field{fence(expect)}
	if keep := keepFor(a); keep > 0 {
		more = append(more, history.Field{Key: headerTTL, Value: keep.String()})
	}
	b.aside(func() {
		b.storeHistory(b.names.archiveSubjects+history.EncodeID(a.ID), headers(nil, more...), nil, value, done)
	}, done)
}

// keepFor gives how long an entry is kept; 0: for ever. A snapshot is all that is left of a live instance, and what is left
// of a purged one says that its run is over.
func keepFor(a backend.Archive) time.Duration {
	switch {
	case a.Purged, a.Snapshot():
		return 0
	case a.Status == history.Failed:
		return keepFailed
	}
	return keepEnded
}

// encodeArchive writes what json.Marshal would, without having the messages checked a second time: every run ends here.
func encodeArchive(a backend.Archive) ([]byte, error) {
	messages, err := a.Messages.MarshalJSON()
	if err != nil {
		return nil, err
	}
	a.Messages = nil
	head, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	const none = `null}`
	return append(append(bytes.TrimSuffix(head, []byte(none)), messages...), '}'), nil
}

// GetArchive implements backend.Archives.
func (b *Backend) GetArchive(of history.Address, done func(a backend.Archive, seq uint64, err error)) {
	b.loads.do(func() {
		a, seq, err := b.archive(of)
		if err != nil {
			done(backend.Archive{}, 0, fmt.Errorf("natsbackend: the archive entry of %s/%s: %w", of.Group, of.ID, err))
			return
		}
		done(a, seq, nil)
	})
}

func (b *Backend) archive(of history.Address) (a backend.Archive, seq uint64, err error) {
	m, err := b.archives.last(b.names.archiveSubjects + history.EncodeID(of.ID))()
	if err != nil {
		return a, 0, err
	}
	value, err := b.historyOf(m.header, m.body)
	if err != nil {
		return a, 0, err
	}
	if err := json.Unmarshal(value, &a); err != nil {
		return a, 0, fmt.Errorf("it is not understood: %w", err)
	}
	return a, m.seq, nil
}
