package durable

import (
	"fmt"
	"math"
	"time"

	"github.com/durablegen/durablegen/internal/history"
)

// Defaults of an activity that sets nothing else.
const (
	DefaultActivityTimeout = Timeout(5 * time.Minute) // of one attempt
	DefaultFirstInterval   = time.Second
	DefaultBackoff         = 2.0
	DefaultMaxInterval     = 5 * time.Minute
)

// CallOption changes one call of an activity: [Timeout], [RetryPolicy].
type CallOption interface{ applyCall(*callOptions) }

// ChildOption changes one child orchestration: [InstanceID], [RetryPolicy], [Tags], [Version].
type ChildOption interface{ applyChild(*childOptions) }

// StartOption changes one start from outside: [InstanceID], [Reuse], [StartAfter], [StartAt], [Tags], [Version].
type StartOption interface{ applyStart(*startOptions) }

type callOptions struct{ policy *history.Policy }

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
}

type startOptions struct {
	id      string
	reuse   Reuse
	tags    map[string]string
	version *string
	at      time.Time
	after   time.Duration
}

// Timeout is how long one attempt of an activity may take. Zero keeps what the activity was registered with.
type Timeout time.Duration

func (t Timeout) applyCall(o *callOptions) { o.edit().Timeout = time.Duration(t) }

// RetryPolicy says how often and when to try again. Zero fields keep what the activity was registered with, or else:
// one attempt, then [DefaultFirstInterval], [DefaultBackoff], [DefaultMaxInterval]. As Durable Functions' RetryOptions.
type RetryPolicy struct {
	Attempts    int           // includes the first
	First       time.Duration // delay before the second attempt
	Backoff     float64       // factor from one delay to the next
	MaxInterval time.Duration // longest delay
}

func (r RetryPolicy) applyCall(o *callOptions) {
	p := o.edit()
	p.Attempts, p.First, p.Backoff, p.MaxInterval = r.Attempts, r.First, r.Backoff, r.MaxInterval
}

func (r RetryPolicy) applyChild(o *childOptions) { o.retry = r }

// policy fills the zero fields.
func (r RetryPolicy) policy() history.Policy {
	p := history.Policy{Attempts: max(r.Attempts, 1), First: r.First, Backoff: r.Backoff, MaxInterval: r.MaxInterval}
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
