package durable

import (
	"fmt"
	"math"
	"time"

	"github.com/durablegen/durablegen/internal/engine"
	"github.com/durablegen/durablegen/internal/history"
)

// Defaults of an activity that sets nothing else.
const (
	DefaultActivityTimeout = Timeout(5 * time.Minute)  // of one attempt
	DefaultLocalTimeout    = Timeout(10 * time.Second) // the same, of a local one
	DefaultFirstInterval   = time.Second
	DefaultBackoff         = 2.0
	DefaultMaxInterval     = 5 * time.Minute
)

// CallOption changes one call of an activity: [Timeout], [HeartbeatTimeout], [RetryPolicy], [Local], [Arguments].
type CallOption interface{ applyCall(*callOptions) }

// ChildOption changes one child orchestration: [InstanceID], [RetryPolicy], [Tags], [Version], [Arguments].
type ChildOption interface{ applyChild(*childOptions) }

// StartOption changes one start from outside: [InstanceID], [Reuse], [StartAfter], [StartAt], [Tags], [Version].
type StartOption interface{ applyStart(*startOptions) }

type callOptions struct {
	policy *history.Policy
	handle func(error) bool
	local  bool
	args   engine.Arguments
}

func (o *callOptions) edit() *history.Policy {
	if o.policy == nil {
		o.policy = &history.Policy{}
	}
	return o.policy
}

type childOptions struct {
	id      string
	retry   RetryPolicy
	tags    map[string]string
	version *string
	args    engine.Arguments
}

type startOptions struct {
	id      string
	reuse   Reuse
	tags    map[string]string
	version *string
	at      time.Time
	after   time.Duration
	context traceContext
}

// traceContext is what interceptors give a start.
type traceContext struct{ parent, state, baggage string }

func (t traceContext) applyStart(o *startOptions) { o.context = t }

// Timeout is how long one attempt of an activity may take. Zero keeps what the activity was registered with.
type Timeout time.Duration

func (t Timeout) applyCall(o *callOptions) { o.edit().Timeout = time.Duration(t) }

// HeartbeatTimeout is how long an attempt of an activity may be silent: one that does not call [Heartbeat] for longer has
// its context ended and fails with [ErrHeartbeat]. Zero keeps what the activity was registered with, or else: for ever.
type HeartbeatTimeout time.Duration

func (h HeartbeatTimeout) applyCall(o *callOptions) { o.edit().Heartbeat = time.Duration(h) }

// Local says whether the worker that runs the orchestration runs the activity itself, without a task: for short steps, of
// milliseconds, that any worker of the orchestration can do. It costs one message instead of two, and no way through a
// queue. Without it counts what the activity was registered with.
//
// It is an offer to the worker, no promise: a call goes through the queue after all when the worker does not know the
// activity, runs [WorkerConfig].Slots of its local calls already, stops, or does not survive it; when the next attempt is
// due in more than ten seconds; and when the activity has a Concurrency. Everything else is as of any activity: it runs at
// least once, with the same retries, errors and idempotency key. [CompleteLater] is an error in it.
type Local bool

func (l Local) applyCall(o *callOptions) { o.local = bool(l) }

// RetryPolicy says how often and when to try again. Zero fields keep what the activity was registered with, or else:
// one attempt, then [DefaultFirstInterval], [DefaultBackoff], [DefaultMaxInterval], no jitter, no deadline. As Durable
// Functions' RetryOptions.
type RetryPolicy struct {
	Attempts    int           // includes the first
	First       time.Duration // delay before the second attempt
	Backoff     float64       // factor from one delay to the next
	MaxInterval time.Duration // longest delay
	Jitter      float64       // each delay is made shorter by a random part of up to this fraction, 0 to 1

	// Deadline bounds the time from the call to the end of the last attempt, delays included. An attempt that runs then
	// has its context ended, and no other begins: the error is [ErrDeadline]. Of a child, only the latter.
	Deadline time.Duration

	// Handle is asked after an attempt whether another one makes sense; nil: always. It is for a call, not for a
	// registration, and must be deterministic: the orchestrator runs it, again in a replay. Every attempt of an activity
	// is a call of its own then, with its own place in the history, its own idempotency key and attempt number 1.
	Handle func(error) bool
}

func (r RetryPolicy) applyCall(o *callOptions) {
	p, w := o.edit(), r.written()
	w.Timeout, w.Heartbeat = p.Timeout, p.Heartbeat
	*p, o.handle = w, r.Handle
}

// written is the part of the policy that the log can hold, zero fields included.
func (r RetryPolicy) written() history.Policy {
	return history.Policy{
		Attempts: r.Attempts, First: r.First, Backoff: r.Backoff, MaxInterval: r.MaxInterval, Jitter: r.Jitter, Deadline: r.Deadline,
	}
}

func (r RetryPolicy) applyChild(o *childOptions) { o.retry = r }

// policy fills the zero fields.
func (r RetryPolicy) policy() history.Policy {
	p := r.written()
	p.Attempts = max(p.Attempts, 1)
	if p.First == 0 {
		p.First = DefaultFirstInterval
	}
	if p.Backoff == 0 {
		p.Backoff = DefaultBackoff
	}
	if p.MaxInterval == 0 {
		p.MaxInterval = DefaultMaxInterval
	}
	return p
}

// checkPolicy says what is wrong with a policy: JSON has no infinities, and negative numbers mean nothing.
func checkPolicy(p history.Policy) error {
	switch {
	case p.Timeout < 0:
		return fmt.Errorf("its Timeout is %v, want a positive one, or 0 for the default", p.Timeout)
	case p.Attempts < 0:
		return fmt.Errorf("its RetryPolicy.Attempts is %d, want a positive number, or 0 for the default", p.Attempts)
	case p.First < 0 || p.MaxInterval < 0:
		return fmt.Errorf("its RetryPolicy.First is %v and MaxInterval %v, want positive ones, or 0 for the default", p.First, p.MaxInterval)
	case p.Deadline < 0:
		return fmt.Errorf("its RetryPolicy.Deadline is %v, want a positive one, or 0 for none", p.Deadline)
	case p.Heartbeat < 0:
		return fmt.Errorf("its HeartbeatTimeout is %v, want a positive one, or 0 for none", p.Heartbeat)
	case !(p.Jitter >= 0 && p.Jitter <= 1):
		return fmt.Errorf("its RetryPolicy.Jitter is %v, want a fraction from 0 to 1", p.Jitter)
	case !(p.Backoff >= 0 && p.Backoff <= math.MaxFloat64):
		return fmt.Errorf("its RetryPolicy.Backoff is %v, want a positive number, or 0 for the default", p.Backoff)
	}
	return nil
}

// InstanceID chooses the id of an instance: 1 to 200 bytes of UTF-8 without control characters. By default a start gets
// a random id and a child one made from its parent's.
type InstanceID string

func (id InstanceID) applyChild(o *childOptions) { o.id = string(id) }
func (id InstanceID) applyStart(o *startOptions) { o.id = string(id) }

// Tags are kept with an instance for people and for searching.
type Tags map[string]string

func (t Tags) applyChild(o *childOptions) { o.tags = t }
func (t Tags) applyStart(o *startOptions) { o.tags = t }

// Version overrides the version of the orchestrator that an instance is started with.
type Version string

func (v Version) applyChild(o *childOptions) { o.version = (*string)(&v) }
func (v Version) applyStart(o *startOptions) { o.version = (*string)(&v) }

// Reuse says what a start with an [InstanceID] does when that instance exists already.
type Reuse int

// The reuse policies.
const (
	FailIfExists    Reuse = iota // the default: ErrAlreadyExists
	AttachIfExists               // give a handle of the instance that exists, whatever its state
	ReplaceFinished              // start again if it has ended, else ErrAlreadyExists
)

func (r Reuse) applyStart(o *startOptions) { o.reuse = r }

// Arguments says what a replay does when a call has other arguments than the ones that are recorded for it. The recorded ones
// stand in any case: they are what was, or is being, executed. Everything else of the call is compared as always.
//
// It is a property of the place in the code, and not stored.
type Arguments int

// The policies. Arguments are compared as JSON values; those of a call that ran [Local], of which only a checksum is recorded,
// by the bytes of their JSON.
const (
	ArgumentsStrict Arguments = iota // the default: the code does not fit the history, and the instance is parked
	ArgumentsWarn                    // it goes on; observe.Hooks.ArgumentsChanged and the worker's Logger are told once a slot by each worker
	ArgumentsIgnore                  // it goes on
)

func (a Arguments) applyCall(o *callOptions)   { o.args = a.policy() }
func (a Arguments) applyChild(o *childOptions) { o.args = a.policy() }

func (a Arguments) policy() engine.Arguments {
	switch a {
	case ArgumentsWarn:
		return engine.Warn
	case ArgumentsIgnore:
		return engine.Ignore
	}
	return engine.Strict
}
