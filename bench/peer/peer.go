// Package peer measures systems for durable orchestrations side by side: the same workloads, on the same machine, in one
// run. It knows this module's own system; those of others live in a module of their own, bench/compare, so that nobody
// else downloads them.
package peer

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Mode says where activities run.
type Mode string

const (
	Queued Mode = "queued" // through a queue that any worker may serve
	Local  Mode = "local"  // in the process of their orchestration
)

// Durability says what an acknowledged start or result survives.
type Durability string

const (
	Relaxed Durability = "relaxed" // the end of the process; not the loss of power
	Strict  Durability = "strict"  // the loss of power as well: it is on the disk, by fsync
)

// System is one way to run orchestrations: a library, the store below it, and how both are set.
type System struct {
	ID     string // short and unique: "temporal-sqlite"
	Name   string // "Temporal"
	Module string // Go module of the library, whose version is told; "": this one
	Store  string // "SQLite", and how it is reached
	Modes  []Mode
	Chain  map[Mode]int // activities of the chain, where 1000 would need minutes

	Relaxed, Strict string       // how the store is set for either durability
	Settings        string       // what else was set, and why
	Missing         func() error // says what the machine lacks; nil: nothing
	Open            func(ctx context.Context, s Setup) (Runner, error)
}

// Setup is what a system is opened with.
type Setup struct {
	Dir        string // an empty folder for its store
	Mode       Mode
	Durability Durability
	InFlight   int // most orchestrations that will be in flight
}

// Runner runs orchestrations. Each method starts one, waits for its end and gives its result, as a client of the system
// does; all of them may be called concurrently.
type Runner interface {
	// Hello greets three cities with an activity each, one after the other.
	Hello(ctx context.Context, cities [3]string) ([3]string, error)
	// FanOut squares 1 to width with an activity each, in parallel, and adds the squares up.
	FanOut(ctx context.Context, width int) (int, error)
	// Chain counts to length with an activity each, one after the other.
	Chain(ctx context.Context, length int) (int, error)

	// Bytes gives the size of what is kept: data and indexes, without a write-ahead log that is used again.
	Bytes(ctx context.Context) (int64, error)
	// Close ends worker, client, server and their processes.
	Close() error
}

// variant is a system in one mode and durability.
type variant struct {
	System
	mode       Mode
	durability Durability
}

func (v variant) String() string { return fmt.Sprintf("%s/%s/%s", v.ID, v.mode, v.durability) }

// variants gives every variant whose name contains one of the comma-separated parts of only; "" is in every name.
func variants(systems []System, only string) []variant {
	var vs []variant
	for _, s := range systems {
		for _, m := range s.Modes {
			for _, d := range []Durability{Relaxed, Strict} {
				v := variant{System: s, mode: m, durability: d}
				if slices.ContainsFunc(strings.Split(only, ","), func(part string) bool { return strings.Contains(v.String(), strings.TrimSpace(part)) }) {
					vs = append(vs, v)
				}
			}
		}
	}
	return vs
}
