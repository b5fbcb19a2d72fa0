package backend

import (
	"context"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Survey tells people how a hub fares, whether a worker runs or not. It changes nothing, and what it tells is a moment old.
type Survey interface {
	// Queues tells of the inbox of each partition of each group, and of the tasks of each activity, in no order. An activity
	// that no worker has ever registered has no limit, and all tasks that the log holds of it are pending.
	Queues(ctx context.Context) ([]Queue, error)
	// ListTimers calls yield for every schedule that has not fired, in no order, until it returns false: those of an instance,
	// or of all of them if of is zero.
	ListTimers(ctx context.Context, of history.Address, yield func(Due) bool) error
	// Usage tells what the hub holds, and what serves it.
	Usage(ctx context.Context) (Usage, error)
}

// Queue is what waits for workers: the tasks of an activity, or the inbox of one partition of a group.
type Queue struct {
	Activity  string    `json:"activity,omitempty"` // wire name; "" for an inbox
	Group     string    `json:"group,omitempty"`    // whose inbox it is
	Partition int       `json:"partition"`          // of the group; 0 for an activity
	Pending   uint64    `json:"pending"`            // messages that have not been delivered yet
	Open      int       `json:"open"`               // delivered, and not acknowledged: they are worked on
	Repeated  int       `json:"repeated"`           // of those, delivered more than once
	Limit     int       `json:"limit"`              // most that may be open, in the whole hub
	Served    bool      `json:"served"`             // a worker takes from it
	Oldest    time.Time `json:"oldest,omitzero"`    // when the oldest that is not acknowledged was stored; zero if there is none
	OldestID  string    `json:"oldestInstance,omitempty"`
}

// Waits reports whether the queue holds something that nobody has acknowledged.
func (q *Queue) Waits() bool { return q.Pending > 0 || q.Open > 0 }

// Due is a schedule that has not fired: a timer of an orchestration, or the next attempt of one of its activities.
type Due struct {
	history.Address
	history.Ref
	At       time.Time
	Activity string // wire name, of a next attempt; "" for a timer
	Attempt  int    // which one it will be; 0 for a timer
}

// Usage is what a hub holds, and what serves it. A backend leaves zero what it does not know.
type Usage struct {
	Server     string        `json:"server"`     // that this program is connected to, its product, version and address
	Skew       time.Duration `json:"skew"`       // in ns: how far this program's clock is ahead of the server's
	MaxMessage int           `json:"maxMessage"` // largest message that the server takes, in bytes
	Stores     []Store       `json:"stores"`
	Limits     []Limit       `json:"limits"`
	User       string        `json:"user,omitempty"`    // as whom this program is connected; "" if the server does not tell
	Account    string        `json:"account,omitempty"` // of that user
	Roles      []string      `json:"roles"`             // that the user's permissions are enough for; none if the server does not tell
}

// Store is a part of the hub that holds messages.
type Store struct {
	Name     string    `json:"name"` // of the stream
	Holds    string    `json:"holds"`
	Messages uint64    `json:"messages"`
	Bytes    uint64    `json:"bytes"`
	First    time.Time `json:"first,omitzero"` // when the oldest message was stored
	Last     time.Time `json:"last,omitzero"`
	Replicas int       `json:"replicas"`
	Behind   []string  `json:"behind,omitempty"` // servers whose replica is not current
}

// What a store holds.
const (
	HoldsLog       = "log"
	HoldsArchive   = "archive"
	HoldsInstances = "instances"
	HoldsMeta      = "meta"
	HoldsPayloads  = "payloads"
)

// Limit is a limit of the server, and how much of it is used.
type Limit struct {
	Name string `json:"name"`
	Used int64  `json:"used"`
	Most int64  `json:"most"`
}
