// Package backend is the seam between durable orchestrations and what stores them.
//
// It is not for users to implement: it changes whenever the protocol does. Two implementations exist, JetStream
// (runtime/natsbackend) and memory (internal/membackend), and backendtest holds what both must do.
//
// # Callbacks
//
// Methods that take a done function return at once and never block. done is called exactly once, never inside the
// call itself, on a goroutine of the backend. A backend may call done functions of different calls at the same time
// and in any order. After Close every outstanding done is called with [ErrClosed].
package backend

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Errors that a backend returns, to branch on with errors.Is.
var (
	ErrConflict    = errors.New("backend: conflict")    // a fence or revision was not the current one
	ErrNotFound    = errors.New("backend: not found")   // nothing is stored under this key, said by the leader
	ErrUnavailable = errors.New("backend: unavailable") // no answer; whether it was stored is unknown
	ErrPermission  = errors.New("backend: not permitted")
	ErrTooLarge    = errors.New("backend: too large")
	ErrClosed      = errors.New("backend: closed")
	ErrCodec       = errors.New("backend: payload cannot be decoded here") // another program may have the codec and the key
	ErrSetBack     = errors.New("backend: the store was set back")         // what was delivered before may be gone
)

// Backend stores one task hub.
type Backend interface {
	Log
	States
	Archives
	Signals
	Survey

	// Meta is the small shared key-value store of the hub: name claims, parked instances, the worker list.
	Meta() Meta

	// EnsureGroup creates the partition consumers of a group unless they exist. Afterwards starts may be appended.
	EnsureGroup(ctx context.Context, group string) error
	// MayOwn reports whether the store lets this user own the partitions of a group: ErrPermission when it refuses a
	// request that an owner needs to open inboxes and to read. It changes nothing.
	MayOwn(ctx context.Context, group string) error
	// EnsureActivity creates the consumer of an activity unless it exists, and brings its options up to date.
	EnsureActivity(ctx context.Context, a Activity) error

	// Inbox opens partition p of group for its owner.
	Inbox(group string, p int) Inbox
	// Tasks delivers tasks of an activity to deliver, as many as have been granted.
	Tasks(activity string, deliver func(TaskDelivery)) (TaskQueue, error)

	// Settle calls done when no power cut can take back any more what this backend has delivered so far, or with an error
	// when that cannot be known. Whoever acts on a delivery outside the log waits for it if Info.Trails says so; answers and
	// tasks are settled when they come.
	Settle(done func(err error))

	Clock() Clock
	Info() Info
	// Close ends all deliveries and waits for the backend's goroutines. It does not stop a server.
	Close() error
}

// Info describes the hub.
type Info struct {
	Hub        string
	Partitions int    // of every group
	Durability string // what an acknowledged write has survived, in words
	Trails     bool   // inbox messages are delivered before a power cut could not take them back; see Settle
	MaxPayload int    // largest payload in bytes; a larger one gives ErrTooLarge
	Retention  Retention
}

// Log is the ordered log of the hub.
type Log interface {
	// Append stores one record. done receives its sequence, or an error: ErrConflict when a fence does not hold,
	// ErrUnavailable when it is unknown whether the record was stored (append it again: receivers drop duplicates).
	// Appends of one caller to the same subject are stored in the order of the calls unless one of them fails.
	Append(a Append, done func(seq uint64, err error))
	// CancelTimer removes a schedule; removing one that fired or never was is no error.
	CancelTimer(to history.Address, ref history.Ref, done func(err error))
	// Retry reads the schedule that brings the next attempt of an activity's slot, or ErrNotFound. It is for people: when it
	// answers, the schedule may have fired. With ErrCodec the texts of its task are left sealed.
	Retry(of history.Address, ref history.Ref, done func(t *history.Timer, err error))
	// Floor tells how far the log could be shortened if only those counted who consume it: next is above every sequence
	// that was in it at the call, floor the lowest one that some consumer has not had acknowledged, next if there is none.
	// A consumer may learn of a message a moment after it is stored: nothing young may be removed on the strength of it.
	Floor(done func(floor, next uint64, err error))
	// Shorten removes everything below sequence before. Nobody checks whether it is needed.
	Shorten(before uint64, done func(err error))
	// Sweep removes large payloads that the backend keeps beside its messages and that none of them needs any more: some of
	// them, and those of the log only when it has been shortened past them.
	Sweep(done func(err error))
	// Load reads what the log holds of an instance. The result reaches at least sequence reach; what cannot prove
	// that, and every answer "not there", is read on the leader (I5). TheEnd is as far as the leader has come.
	Load(of history.Address, reach uint64, done func(Loaded, error))
	// LoadAfter is a Load whose tail follows sequence after, wherever the execution began: who calls it knows what comes
	// before. Base is nil; Start is the newest start in the log, nil for none.
	LoadAfter(of history.Address, after, reach uint64, done func(Loaded, error))
	// ListLog calls yield for the starts and turn records that are in the log, with the run of each (0: it is not told), until
	// it returns false. It is for people who look after a hub: it reads all of them.
	ListLog(ctx context.Context, yield func(of history.Address, run uint32) bool) error
	// FollowLog calls yield for what happens after sequence after, as it is stored and in that order, until it returns
	// false; after TheEnd it is what happens from now on. It gives the sequence to go on after, and ErrUnavailable when the
	// store cannot be followed any more, or the error of ctx. What leaves the log before it is read is not told.
	FollowLog(ctx context.Context, after uint64, yield func(Happening) bool) (last uint64, err error)
	// Group finds the group of an instance that the log holds, or ErrNotFound.
	Group(id string, done func(group string, err error))
}

// TheEnd is a sequence that no record reaches.
const TheEnd = math.MaxUint64

// Append is one record to store. A Timer record becomes a schedule, which replaces one with the same Ref.
type Append struct {
	To     history.Address
	Record history.Record
	Fenced bool   // check Fence
	Fence  uint64 // sequence that the last record of this kind of this instance must have; 0: there is none
}

// Loaded is what the log holds of the current run of an instance.
type Loaded struct {
	Start   *history.Message  // start of the run; nil: the leader says there is none
	Base    *history.Message  // the Turn that began the current execution; nil in execution 0, and when it has left the log
	Cut     bool              // Base, or what is before it, has left the log: the archive has it
	Over    bool              // and that run has ended, by its newest Turn record
	From    uint64            // the tail follows this sequence: that of Start, or Base's Turn.At
	Tail    []history.Message // inbox and output after From; schedules left out
	TurnSeq uint64            // sequence of the instance's last Turn record, the fence of the next; 0: none
	Err     error             // ErrCodec, when payloads that the current execution needs are left sealed
}

// Inbox is one partition of a group.
type Inbox interface {
	// Open takes the partition over from whoever had it and begins to deliver. Everything at or below horizon may
	// have been delivered to somebody before. deliver is called on one goroutine, in order, never inside Open.
	// Whoever had it stands by: it goes on to get deliveries, with a gap in Order, once nobody has the partition.
	Open(ctx context.Context, deliver func(Delivery)) (horizon uint64, err error)
	// Release stops delivering, waits until deliver has returned, and lets go of the partition.
	Release(ctx context.Context) error
}

// Delivery is an inbox message handed to the owner of its partition.
type Delivery struct {
	To      history.Address
	Message history.Message
	// Order counts the deliveries of the partition. A step of more than one, or backwards, tells that somebody else
	// was served in between, or that a delivery was lost (I5).
	Order    uint64
	Attempts int // deliveries of this message so far, from 1; a takeover starts it again
	// Err says that the record could not be decoded: Message has only Seq and Time. With ErrCodec it has a record, whose
	// payloads are sealed. ErrPermission is no message, it has no receipt either: the store does not let this user have
	// deliveries any more. Nor is ErrSetBack: what was delivered before may be gone, its sequences in use for something
	// else, and nothing that follows from it may be stored any more.
	Err error
	Receipt
}

// Receipt answers a delivery. Anybody may acknowledge, at any time, also twice: it is not a fence.
type Receipt interface {
	Ack() // everything the message caused is stored (I4)
	Nak() // deliver it again, now
}

// Activity is a task queue.
type Activity struct {
	Name        string // wire name
	Concurrency int    // most tasks in flight in the whole hub; 0: the backend's default
}

// TaskDelivery is a task handed to a worker.
type TaskDelivery struct {
	From     history.Address // instance that scheduled it
	Seq      uint64
	Time     time.Time // the log's time stamp
	Task     *history.Task
	Attempts int   // deliveries of this message so far, from 1
	Err      error // the record could not be decoded: Task has only what its subject says; ErrCodec: all but the payload
	Receipt
	Progress func() // still running: do not deliver it to somebody else yet
}

// TaskQueue delivers to one worker.
type TaskQueue interface {
	Grant(n int) // let n more tasks come
	// Stop ends the deliveries and waits until deliver has returned; ungranted and undelivered tasks go to others. Tasks may
	// still come until ctx ends, if taking back what was asked for could lose some of them for a while.
	Stop(ctx context.Context)
}

// States is the projection of instances for people and clients.
type States interface {
	// PutState stores s if its revision is rev (0: there never was one); else ErrConflict.
	PutState(s State, rev uint64, done func(rev uint64, err error))
	// GetState reads the newest state on the leader, or ErrNotFound: with revision 0 when there never was one or it has
	// expired, else with that of its deletion, so that who writes again shows that it knows of it. Final states expire a
	// little after the archive entry of their run, marks of deletions a little after the longest retention.
	GetState(id string, done func(s State, rev uint64, err error))
	// DeleteState removes a state if its revision is rev; else ErrConflict.
	DeleteState(id string, rev uint64, done func(err error))
	// ListStates calls yield for every state until it returns false.
	ListStates(ctx context.Context, yield func(State) bool) error
	// FindStates gives the first states that q chooses, in the order of a list; more tells that there are more. A state that
	// changes meanwhile is given as it was or as it is. It costs what is found, not what there is, if there is an index and q
	// has no bounds of Finished; else it reads all states.
	FindStates(ctx context.Context, q Query) (page []State, more bool, err error)
	// CountStates counts the states that q chooses, by status. Limit and After do not count. It is exact if nothing changes
	// meanwhile.
	CountStates(ctx context.Context, q Query) (map[history.Status]int, error)
	// LiveStates calls yield for what was stored or deleted after revision since, in that order and read on the leader: for
	// live instances that have begun with what they need of the log, for all else with live false. It gives the newest
	// revision, for the next call; with an error too, that of what it has yielded. What has expired leaves nothing to yield.
	LiveStates(ctx context.Context, since uint64, yield func(a history.Address, need uint64, live bool)) (newest uint64, err error)
}

// State is what the projection tells of an instance.
type State struct {
	history.Address
	Name     string            `json:"name"` // orchestrator
	Version  string            `json:"version,omitempty"`
	Status   history.Status    `json:"status"`
	Run      uint32            `json:"run"`
	At       uint64            `json:"at,omitempty"` // inbox position that this state reflects; never goes back within a run (H12)
	Created  time.Time         `json:"created"`
	Updated  time.Time         `json:"updated"`
	Finished time.Time         `json:"finished,omitzero"`
	Custom   history.Payload   `json:"custom,omitempty"`
	Failure  string            `json:"failure,omitempty"` // text, of Failed and Terminated
	Parent   *history.Parent   `json:"parent,omitempty"`
	Root     string            `json:"root,omitempty"` // as Start.Root
	Tags     map[string]string `json:"tags,omitempty"`
	Waiting  string            `json:"waiting,omitempty"` // what it waits for, in words
	Full     bool              `json:"full,omitempty"`    // it keeps so many events that nobody has received that clients send no more
	Parked   string            `json:"parked,omitempty"`  // why nobody runs it; "" when it is not parked
	Claim    *history.Start    `json:"claim,omitempty"`   // Pending: the whole start, for whoever finishes it (H11)
	Need     uint64            `json:"need,omitempty"`    // live: the log must keep its messages from here on; 0: all of them
	Settled  uint64            `json:"settled,omitempty"` // live: everything that messages up to here caused is stored
	Err      error             `json:"-"`                 // ErrCodec, when Custom or Claim is left sealed
	Ended    time.Time         `json:"-"`                 // to be stored, final: when the record of the end was; zero: now. It expires after that
	Stored   time.Time         `json:"-"`                 // read: when it was stored

	Scheduled time.Time `json:"scheduled,omitzero"` // Pending: when the program begins; zero: at once
}

// Begun reports whether the instance is live and has more than a claim.
func (s *State) Begun() bool { return !s.Status.Final() && s.Claim == nil }

// Archives holds the history of ended runs, and of live ones whose part of the log is to be shortened; one entry an
// instance.
type Archives interface {
	// PutArchive stores a if the entry has sequence expect (0: there is none); else ErrConflict.
	PutArchive(a Archive, expect uint64, done func(seq uint64, err error))
	// ListArchives calls yield for every entry, without messages and what else is the user's, until it returns false. A
	// snapshot tells its status only. It is for people who look after a hub.
	ListArchives(ctx context.Context, yield func(a Archive) bool) error
	// GetArchive reads the entry on the leader, or ErrNotFound.
	GetArchive(of history.Address, done func(a Archive, seq uint64, err error))
}

// Archive is the whole history of an ended run: Messages holds its start or base, its inbox, and its records, ending
// with the final Turn. It goes after the time that the hub keeps such runs. What is left of a purged run, a tombstone, has no
// messages; it stays for as long as the run would have.
//
// A snapshot is the history of a live run (Status is Running) up to inbox position At, with every record that this part of
// the inbox has caused; all its outputs are stored.
type Archive struct {
	history.Address
	Run      uint32           `json:"run"`
	Status   history.Status   `json:"status"`
	At       uint64           `json:"at,omitempty"`     // of a snapshot
	Ended    time.Time        `json:"ended,omitzero"`   // when the record of the end was stored
	Custom   history.Payload  `json:"custom,omitempty"` // custom status at the end
	Purged   bool             `json:"purged,omitempty"`
	Partial  bool             `json:"partial,omitempty"` // all messages were too large: there are only the first and the last
	Late     history.Messages `json:"late,omitempty"`    // events that came behind the end of a failed run, for a rewind
	Messages history.Messages `json:"messages"`
	Err      error            `json:"-"` // ErrCodec, when payloads of Messages are left sealed
}

// DetailsKey begins the keys of Meta that hold a user's data: what activities tell of their progress.
const DetailsKey = "beat."

// BeatTopic begins the topics of heartbeats, which hold no user's data.
const BeatTopic = "beat."

// WorkersTopic is where workers are asked who they are; the question is the topic for the answers. No group is named like it.
const WorkersTopic = BeatTopic + ":workers"

// VersionsTopic is where workers hear that new instances of an orchestrator, which the signal names, get an older version.
const VersionsTopic = BeatTopic + ":versions"

// Signals are messages that may get lost: heartbeats, and hints that an instance has ended.
type Signals interface {
	Signal(topic string, data []byte)
	// Listen calls fn, on one goroutine, for every signal on topic until stop is called; stop waits for fn.
	Listen(topic string, fn func(data []byte)) (stop func(), err error)
	// Topic makes a topic nobody else has.
	Topic() string
	// Connected reports whether signals are sent and received now.
	Connected() bool
}

// Meta is a small key-value store. Keys are dot-separated words of letters, digits, '-', '_' and '='.
type Meta interface {
	// Get gives ErrNotFound, or ErrCodec with the revision and the value as it is.
	Get(ctx context.Context, key string) (value []byte, rev uint64, err error)
	// Put stores value if the key has revision rev (0: it does not exist); else ErrConflict.
	Put(ctx context.Context, key string, value []byte, rev uint64) (newRev uint64, err error)
	Delete(ctx context.Context, key string, rev uint64) error // ErrConflict
	List(ctx context.Context, prefix string) (map[string][]byte, error)
	// Watch calls fn for every key below prefix that there is and for later changes (value nil: deleted) until ctx
	// ends. A value that the next change overtakes need not be seen. It blocks.
	Watch(ctx context.Context, prefix string, fn func(key string, value []byte, rev uint64)) error
}

// Clock is the time of this process. It decides nothing about an orchestration; the log's time stamps do (I8).
type Clock interface {
	Now() time.Time
	// After calls fn on a goroutine of its own after d unless stop is called before; stop does not wait.
	After(d time.Duration, fn func()) (stop func())
}
