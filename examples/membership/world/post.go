package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// Delivery is a message that reached its receiver.
type Delivery struct {
	At      time.Time
	Message club.Message
}

// UnreachableSuffix ends the numbers of phones that nobody can reach.
const UnreachableSuffix = "000"

// Send implements club.Gateway.
func (w *World) Send(_ context.Context, key string, m club.Message) (club.Message, error) {
	if strings.HasPrefix(m.To, "+") && strings.HasSuffix(m.To, UnreachableSuffix) {
		return club.Message{}, fmt.Errorf("text to %s: %w", m.To, club.ErrUnreachable)
	}
	delivered := m
	err := w.db.Batch(func(tx *bbolt.Tx) error {
		before, repeated, err := get[club.Message](tx, sent, []byte(key))
		if err != nil {
			return err
		}
		if repeated && key != "" {
			delivered = before
			return nil
		}
		if key != "" {
			if err := put(tx, sent, []byte(key), m); err != nil {
				return err
			}
		}
		_, err = add(tx, outbox, address(m.To), Delivery{At: time.Now().UTC(), Message: m})
		return err
	})
	return delivered, err
}

// Inbox gives what was delivered to a phone number or an e-mail address, the newest first.
func (w *World) Inbox(to string) ([]Delivery, error) {
	var inbox []Delivery
	err := w.db.View(func(tx *bbolt.Tx) error {
		prefix := address(to)
		cursor := tx.Bucket(outbox).Cursor()
		for key, data := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, data = cursor.Next() {
			var d Delivery
			if err := json.Unmarshal(data, &d); err != nil {
				return fmt.Errorf("world: delivery %x: %w", key, err)
			}
			inbox = append(inbox, d)
		}
		return nil
	})
	slices.Reverse(inbox)
	return inbox, err
}

// address ends with a zero so that no address is the beginning of another.
func address(to string) []byte { return append([]byte(to), 0) }
