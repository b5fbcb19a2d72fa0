// Package backup copies a task hub into one file, also while workers use it, and makes a hub of such a file.
//
// [Write] reads all streams of the hub over a NATS connection, in an order in which no part of the copy is ahead of what
// caused it, and exact to its live end; docs/backup.md has the argument. [Restore] checks the whole file before it touches
// anything, and lets nobody use the hub before all of it is there.
//
// The file is a tar archive: durable-backup.json, which says what it is; the messages of each stream in pieces; and
// manifest.json, with the configurations, the positions of consumers, and the size and SHA-256 of every piece. It holds what
// the hub holds: payloads that codecs have sealed are sealed in it, others are not.
package backup
