package natsbackend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// PutArchive implements backend.Archives.
func (b *Backend) PutArchive(a backend.Archive, expect uint64, done func(seq uint64, err error)) {
	value, err := encodeArchive(a)
	if err != nil {
		go done(0, fmt.Errorf("natsbackend: encode the archive entry of %s/%s: %w", a.Group, a.ID, err))
		return
	}
	more := []history.Field{fence(expect)}
	if keep := b.info.Retention.OfArchive(&a, time.Now()); keep > 0 {
		more = append(more, ttl(keep))
	}
	b.aside(func() {
		b.storeHistory(b.names.archiveSubjects+history.EncodeID(a.ID), headers(more...), nil, value, done)
	}, done)
}

// ttl is how long a message stays in its stream. The server counts in seconds.
func ttl(keep time.Duration) history.Field {
	seconds := max(int64(keep.Round(time.Second)/time.Second), 1)
	return history.Field{Key: headerTTL, Value: strconv.FormatInt(seconds, 10)}
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
