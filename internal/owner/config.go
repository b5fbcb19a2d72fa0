package owner

import (
	"log/slog"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
	"github.com/durablegen/durablegen/runtime/observe"
)

// Config is what a Group needs to know. Backend, Group, Worker, Code and Fail are required.
type Config struct {
	Backend backend.Backend
	Group   string
	Worker  string // names this worker among the live ones; unique
	Code    Code
	Fail    func(error) *history.Failure // encodes an error that an orchestrator returned
	Logger  *slog.Logger                 // of orchestrators and of what an operator should see; nil discards
	Local   Local                        // runs local activities; nil: all go through their queues
	Hooks   observe.Hooks                // told of what happens

	Cache     int           // instances kept in memory per partition, a soft limit; 0: 4,096
	Heartbeat time.Duration // 0: 500 ms
	Dead      time.Duration // silence after which a worker is dead; 0: 2 s
	Coalesce  time.Duration // a live instance is projected at most this often; 0: 250 ms
	Retention Retention

	// Without and WithoutRules switch rules of the protocol off, for tests that show what each of them prevents.
	Without      Repair
	WithoutRules engine.Rule

	stacks *engine.Stacks // of the group
	warned *warned        // of arguments; of the group
}

// Code is what a worker can run.
type Code interface {
	// Program finds an orchestrator by wire name or alias, and version.
	Program(name, version string) (engine.Program, bool)
	// Resolve gives the present wire name of a name or alias of an activity, orchestrator or event.
	Resolve(kind history.SlotKind, name string) string
	// Orchestrators lists what this worker knows of the group, sorted: one word for each version of a wire name or alias.
	Orchestrators() []string
}

// Repair is a set of protocol rules.
type Repair uint64

// The rules, named after the holes that they close in the check of the protocol (docs/protocol.md).
const (
	ReachDelivered  Repair = 1 << iota // H1: a load reaches everything delivered, not only its trigger
	SettleBeforeEnd                    // H2: an end is recorded after the outbox of all decisions before it
	OutboxBeforeEnd                    // H3: an ending turn publishes its outbox first, its record last
	ResendOutputs                      // H4: outputs to other instances are sent again for a redelivered message
	OrderTargets                       // H5: outputs to one target go in order
	TimerTokens                        // H7: a timer's token holds run and execution
	BaseAt                             // H8: the inbox goes on after the base's cause, not after its record
	CheckRun                           // H10: a start whose run is not above the archived one is dropped
	ProjectForward                     // H12: the projection is compared and set, never backwards
	ProjectArchived                    // H13: a message of an archived instance projects it again before its ack
	FenceArchive                       // H14: archive writes are fenced
	FenceFinal                         // H19: a record that ends a run is fenced, the first is authoritative
	MarkParked                         // H20: parking is marked before the ack, watched, and taken up
	ContiguousOrder                    // I5: a gap in the deliveries drops the cache
	NakOnFlush                         // I5: a flush gives back what it held
	SettleTarget                       // H24: an output goes after the earlier ones of its target that a replay cannot know to be stored
	RereadParked                       // H26: who takes up a parked instance reads what the mark says was acknowledged meanwhile
	AckAfterStore                      // I4: an ack follows everything the message caused
	HonourPurge                        // a purged run is not projected again
	TailFirst                          // H15: the log is read before the snapshot
	RearmFirst                         // H16: timers are armed again before the snapshot moves what the log must keep
	NeedTasks                          // H17: the log keeps the tasks of open slots
	FloorsFirst                        // H18: the floors of the consumers are read before the projection
	TellSettled                        // the taker-up of a parked instance sends again only what was not known to be stored
	KeepLate                           // events behind the end of a failed run stay for a rewind
	DoubtLate                          // H10: a start that is stored long after it was decided is not taken for new
	ApplyDelivered                     // H22: what the owner makes itself is applied when it is delivered, not when it is stored
	ReachEnd                           // H27: a load after a gap reads to the end of the log, on the leader
	HonourFloors                       // I4: the log keeps what is not acknowledged
	DoubtPurged                        // H10: a purged id is claimed for a child only if the child has not been answered for
	FlushOnTake                        // I5: whoever takes a partition trusts nothing that it has in memory
	DoubtEnded                         // I4: an ended instance refuses a delivery only if it does not have the event
	DoubtUnknown                       // H10: a start that is stored long after it was decided is begun only if somebody knows of it
	ForgetExpired                      // a run that ended longer ago than it is kept is not archived or projected anew
	DoubtGone                          // who has not been shown for long that an instance lives, or misses what it has stored, reads the log
	ListAnew                           // whoever has not listed the projection for long lists all of it
)

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Cache = or(c.Cache, 4096)
	c.Heartbeat = or(c.Heartbeat, 500*time.Millisecond)
	c.Dead = or(c.Dead, 2*time.Second)
	c.Coalesce = or(c.Coalesce, 250*time.Millisecond)
	c.Retention = c.Retention.withDefaults()
	return c
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// keeps reports whether a rule is in force.
func (c *Config) keeps(r Repair) bool { return c.Without&r == 0 }
