// Package world is everything outside of the club's orchestrations: the post, the bank, the press, the mailing list and
// the register of members, in one bbolt file. It outlives every worker and counts every call, so that the demo can prove
// what happened: that nobody was charged twice, and nobody is a member twice.
//
// It behaves like the outside world does: some phones cannot be reached, some cards are declined, the bank stutters and
// sometimes takes the money but loses the answer, the press jams.
//
// A World may be used by many goroutines, and by other processes through Serve and Dial.
package world

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// World is the outside world, kept in a file.
type World struct{ db *bbolt.DB }

// The buckets of the file. Lists are keyed by a running number, so that they read in order.
var (
	applications = []byte("applications") // application id → club.Applicant
	arrivals     = []byte("arrivals")     // number → application id
	members      = []byte("members")      // application id → club.Member
	addresses    = []byte("addresses")    // e-mail address of a member → application id
	struck       = []byte("struck")       // application id → nothing
	subscribers  = []byte("subscribers")  // application id → e-mail address
	sent         = []byte("sent")         // key → club.Message
	outbox       = []byte("outbox")       // address, 0, number → Delivery
	receipts     = []byte("receipts")     // key → club.Receipt
	voided       = []byte("voided")       // account/season → nothing
	stutters     = []byte("stutters")     // key → calls refused so far
	ledger       = []byte("ledger")       // number → Entry
	printed      = []byte("printed")      // key → nothing
	cards        = []byte("cards")        // number → application id
)

// Open opens the world in the file at path, which is made when it is missing. It waits a second for another process to
// let go of the file, then fails.
func Open(path string) (*World, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("world: open %s: %w (is another membership running on this data directory?)", path, err)
	}
	db.MaxBatchDelay = 2 * time.Millisecond // writes of many goroutines share one fsync
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{
			applications, arrivals, members, addresses, struck, subscribers,
			sent, outbox, receipts, voided, stutters, ledger, printed, cards,
		} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("world: prepare %s: %w", path, err)
	}
	return &World{db: db}, nil
}

// Close ends the use of the file.
func (w *World) Close() error { return w.db.Close() }

// put writes a value as JSON.
func put(tx *bbolt.Tx, bucket, key []byte, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put(key, data)
}

// get reads a value that put wrote; ok is false when there is none.
func get[T any](tx *bbolt.Tx, bucket, key []byte) (value T, ok bool, err error) {
	data := tx.Bucket(bucket).Get(key)
	if data == nil {
		return value, false, nil
	}
	if err := json.Unmarshal(data, &value); err != nil {
		return value, false, fmt.Errorf("world: %s/%s: %w", bucket, key, err)
	}
	return value, true, nil
}

// add appends a value to a list, below a prefix, and returns its number.
func add(tx *bbolt.Tx, bucket, prefix []byte, value any) (int, error) {
	number, err := tx.Bucket(bucket).NextSequence()
	if err != nil {
		return 0, err
	}
	return int(number), put(tx, bucket, binary.BigEndian.AppendUint64(prefix, number), value)
}

// mark notes that a key was seen.
func mark(tx *bbolt.Tx, bucket []byte, key string) error {
	return tx.Bucket(bucket).Put([]byte(key), []byte("true"))
}

// marked reports whether a key was seen.
func marked(tx *bbolt.Tx, bucket []byte, key string) bool {
	return tx.Bucket(bucket).Get([]byte(key)) != nil
}

// list reads every value of a bucket, in the order of the keys.
func list[T any](tx *bbolt.Tx, bucket []byte) ([]T, error) {
	var values []T
	err := tx.Bucket(bucket).ForEach(func(key, data []byte) error {
		var value T
		if err := json.Unmarshal(data, &value); err != nil {
			return fmt.Errorf("world: %s/%x: %w", bucket, key, err)
		}
		values = append(values, value)
		return nil
	})
	return values, err
}
