package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/durablegen/durablegen/bench/peer"
)

const (
	sqliteRelaxed = "journal_mode=WAL, synchronous=NORMAL: fsync at checkpoints"
	sqliteStrict  = "journal_mode=WAL, synchronous=FULL: fsync at every commit"
)

// synchronous gives the pragma's value.
func synchronous(d peer.Durability) string {
	if d == peer.Strict {
		return "FULL"
	}
	return "NORMAL"
}

// sqliteSize gives the bytes of the pages in use in a database, those that are still in its write-ahead log included.
func sqliteSize(ctx context.Context, path string) (int64, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return 0, fmt.Errorf("sqlite: size of %s: %w", path, err)
	}
	var pages, free, size int64
	err = db.QueryRowContext(ctx, "SELECT page_count, freelist_count, page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()").Scan(&pages, &free, &size)
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, fmt.Errorf("sqlite: size of %s: %w", path, err)
	}
	return (pages - free) * size, nil
}
