package history

import "time"

// Message is one record as the log holds it.
type Message struct {
	Seq    uint64    // position in the log, unique in the hub; 0 before it is stored
	Time   time.Time // the log's time stamp, the only clock of an orchestration (I8); zero before it is stored
	Record           // never nil
}

// Record is one of *Start, *Done, *Fired, *Event, *Control, *Turn, *Task and *Timer.
type Record interface{ Kind() Kind }

// Kind tells records apart.
type Kind uint8

// The kinds. Start to Control are the inbox of an instance, in this order of subjects; the rest is its output.
const (
	KindStart Kind = iota + 1
	KindDone
	KindFired
	KindEvent
	KindControl
	KindTurn
	KindTask
	KindTimer
)

// Inbox reports whether a record of kind k is applied to an instance (the others record what it decided).
func (k Kind) Inbox() bool { return k >= KindStart && k <= KindControl }

// Address names an instance within a hub.
type Address struct {
	Group string `json:"g"` // the group of orchestrators whose workers run it
	ID    string `json:"i"`
}

// Ref names a slot: decisions are numbered 0,1,2,… within (run, execution) (I2).
type Ref struct {
	Run       uint32 `json:"r"` // counts starts of the same instance id, from 1
	Execution uint32 `json:"e"` // counts ContinueAsNew, from 0
	Slot      uint32 `json:"s"`
}

// String gives the wire form, "run-execution-slot".
func (r Ref) String() string { return string(r.AppendTo(make([]byte, 0, 24))) }

// Start begins a run of an instance. Messages before it do not exist for that run (I7).
type Start struct {
	Run          uint32            `json:"run"`
	Orchestrator string            `json:"name"`
	Version      string            `json:"version,omitempty"`
	Input        Payload           `json:"input,omitempty"`
	Parent       *Parent           `json:"parent,omitempty"` // nil when a client started it
	Root         string            `json:"root,omitempty"`   // id of the topmost instance of the family; "" when that is the parent, or itself
	Tags         map[string]string `json:"tags,omitempty"`
	Notify       string            `json:"notify,omitempty"`     // topic the starter listens on for the end, at most once
	Claim        string            `json:"claim,omitempty"`      // token of the claim of a caller's own id; "" for a generated id
	At           time.Time         `json:"at,omitzero"`          // the program begins not before; zero: at once
	Prior        *Prior            `json:"prior,omitempty"`      // of a run that goes on with the history of a failed one
	Trace        string            `json:"trace,omitempty"`      // W3C traceparent of whoever started it; "" when there is none
	TraceState   string            `json:"traceState,omitempty"` // W3C tracestate that belongs to it
	Baggage      string            `json:"baggage,omitempty"`    // W3C baggage of whoever started it
	// Born is when it was decided to start it, in whole milliseconds; zero: unknown. A start that is stored much later may
	// be a copy of one whose run has ended, and left the log (H10).
	Born time.Time `json:"born,omitzero"`
}

// Parent links a child to the slot that waits for it.
type Parent struct {
	Address
	Ref
}

// RootID is the id of the topmost instance of the family of the instance self, which began with s.
func (s *Start) RootID(self string) string { return RootID(s.Root, s.Parent, self) }

// RootID reads the link to the topmost instance of a family, which is left out when the parent's says the same.
func RootID(root string, parent *Parent, self string) string {
	switch {
	case root != "":
		return root
	case parent != nil:
		return parent.ID
	}
	return self
}

// ChildRoot is Start.Root of a child of the instance self.
func (s *Start) ChildRoot(self string) string {
	if root := s.RootID(self); root != self {
		return root
	}
	return ""
}

// Done completes the slot of an activity, a child or a send that waits for it. It names its task, not only the slot, so that
// the completion of another code version's decision changes nothing (I2).
type Done struct {
	Ref
	Name    string   `json:"name"`           // wire name of the activity, orchestrator or event
	Hash    uint32   `json:"hash,omitempty"` // ArgsHash of the task's arguments or the event's payload; 0 for a child
	Attempt int      `json:"attempt,omitempty"`
	Result  Payload  `json:"result,omitempty"`
	Failure *Failure `json:"failure,omitempty"` // nil for success

	// Local says that the owner ran the activity itself. Unless a task of the slot stands before it in the log, this is the
	// record of the slot, and Site its Slot.Site.
	Local bool   `json:"local,omitempty"`
	Site  string `json:"site,omitempty"`
}

// Fired tells that a timer is due. One stamped before Due is ignored (I8).
type Fired struct {
	Ref
	Due time.Time `json:"due"`
}

// Event is a typed message from outside or from another orchestrator.
type Event struct {
	Name    string  `json:"name"` // lower case: event names are case-insensitive
	ID      string  `json:"id"`   // a repeated id changes nothing (I2)
	Payload Payload `json:"payload,omitempty"`
	Trace   string  `json:"trace,omitempty"` // W3C traceparent of the sender; "" when there is none
}

// Verb is what a Control record asks for.
type Verb string

// The verbs, each with a subject of its own so that NATS permissions are the access control.
const (
	Terminate Verb = "terminate"
	Suspend   Verb = "suspend"
	Resume    Verb = "resume"
	Cancel    Verb = "cancel"
	Rewind    Verb = "rewind"
)

// Control steers an instance.
type Control struct {
	Verb   Verb   `json:"verb"`
	ID     string `json:"id"` // as Event.ID
	Reason string `json:"reason,omitempty"`

	Alone bool `json:"alone,omitempty"` // of a terminate: the children go on

	// Of a rewind:
	Run    uint32  `json:"run,omitempty"`    // the failed run; 0: a parent asks, which cannot know it
	Parent *Parent `json:"parent,omitempty"` // that waits again, under a reference of its own new run
	Child  string  `json:"child,omitempty"`  // orchestrator that the parent waits for
}

// Task is an activity to be run, and the record of its slot.
type Task struct {
	Ref
	Name    string  `json:"name"`
	Args    Payload `json:"args,omitempty"`
	Attempt int     `json:"attempt"` // from 1; above 1 it was scheduled by a retry
	Policy  *Policy `json:"policy,omitempty"`
	Site    string  `json:"site,omitempty"`    // as Slot.Site
	LastErr string  `json:"lastErr,omitempty"` // text of the previous attempt's failure
	Most    int     `json:"most,omitempty"`    // attempts that the worker of the one before would make, for people; 0 on the first

	// Since is when the first attempt was stored, for the policy's Deadline; zero on the first attempt.
	Since time.Time `json:"since,omitzero"`
	// Lapsed says that the attempt before was to be completed from outside, and was not in its time.
	Lapsed bool `json:"lapsed,omitempty"`
	// Trace is the W3C traceparent of the orchestration; "" when there is none. Replays do not compare it.
	Trace string `json:"trace,omitempty"`
	// TraceState and Baggage are as W3C says, and for activities only.
	TraceState string `json:"traceState,omitempty"`
	Baggage    string `json:"baggage,omitempty"`
	// NotBefore is when it is to run, of a task that the owner has stored for a later attempt; zero: at once.
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// Policy is what a call overrides of its activity's registered options; zero fields keep the registered value.
type Policy struct {
	Timeout     time.Duration `json:"timeout,omitempty"`  // of one attempt
	Attempts    int           `json:"attempts,omitempty"` // includes the first
	First       time.Duration `json:"first,omitempty"`    // delay before the second attempt
	Backoff     float64       `json:"backoff,omitempty"`  // factor from delay to delay
	MaxInterval time.Duration `json:"max,omitempty"`      // longest delay

	Jitter    float64       `json:"jitter,omitempty"`    // most that is taken off a delay, as a fraction of it
	Deadline  time.Duration `json:"deadline,omitempty"`  // of all attempts, from when the first was stored
	Heartbeat time.Duration `json:"heartbeat,omitempty"` // longest silence of an attempt that beats
}

// Delay is the time between attempt n, counted from 1, and the one after it.
func (p Policy) Delay(n int) time.Duration {
	d := float64(p.First)
	for range n - 1 {
		if d *= p.Backoff; d >= float64(p.MaxInterval) {
			break
		}
	}
	return min(time.Duration(d), p.MaxInterval)
}

// Jittered takes a part of d off, which part random says with a number from 0 to 1.
func (p Policy) Jittered(d time.Duration, random float64) time.Duration {
	return d - time.Duration(p.Jitter*random*float64(d))
}

// Timer is a schedule in the store: at Due it publishes a Fired to the instance or, for a retry, a Task.
type Timer struct {
	Ref
	Due  time.Time
	Task *Task // nil: fires the slot
}

// Turn records what a message made an orchestrator decide, activities aside (their task is their record).
type Turn struct {
	Run       uint32 `json:"run"`
	Execution uint32 `json:"execution,omitempty"`
	At        uint64 `json:"at"`             // sequence of the inbox message that caused it
	Base      uint64 `json:"base,omitempty"` // sequence of the continue-as-new record this execution began from; 0 in execution 0, and in one that a rewind goes on with
	Slots     []Slot `json:"slots,omitempty"`
	End       *End   `json:"end,omitempty"` // nil for an ordinary turn
}

// Ends reports whether it is the record that ended its run.
func (t *Turn) Ends() bool { return t.End != nil && t.End.Status.Final() }

// SlotKind says what a slot decided.
type SlotKind uint8

// The kinds of slots. Receiving an event takes no slot.
const (
	SlotActivity SlotKind = iota + 1
	SlotTimer
	SlotChild
	SlotSend
	SlotVersion
)

// Slot is one decision.
type Slot struct {
	N      uint32        `json:"n"`
	Kind   SlotKind      `json:"k"`
	Name   string        `json:"name,omitempty"`   // activity, orchestrator, event, or marker
	Args   Payload       `json:"args,omitempty"`   // arguments, input, event payload, or the marker's version
	Target Address       `json:"target,omitzero"`  // child, or receiver of a send (its group may be unknown, then "")
	Due    time.Time     `json:"due,omitzero"`     // timer
	Policy *Policy       `json:"policy,omitempty"` // activity
	Site   string        `json:"at,omitempty"`     // file:line of the call, for people; replays do not compare it
	Child  *ChildOptions `json:"child,omitempty"`

	// Confirm says that a send waits for a Done: its event is stored, or refused. Replays do not compare it.
	Confirm bool `json:"confirm,omitempty"`

	// Local says of an activity that its owner may run it in its own process. Of a recorded slot it says that a Done is all
	// there is: Hash stands for the arguments. Neither is stored with a slot.
	Local bool   `json:"-"`
	Hash  uint32 `json:"-"`
}

// LocalSlot is what the completion of a local activity records.
func (d *Done) LocalSlot() Slot {
	return Slot{N: d.Slot, Kind: SlotActivity, Name: d.Name, Site: d.Site, Local: true, Hash: d.Hash}
}

// ChildOptions is what a parent chose for its child, beyond its input.
type ChildOptions struct {
	Version string            `json:"version,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	OwnID   bool              `json:"ownID,omitempty"` // the id is the user's choice and needs a claim
}

// Status is the state of an instance as its users see it.
type Status string

// The states. Pending to Suspended are live, the others final; ContinuedAsNew ends an execution, not a run.
const (
	Pending        Status = "Pending"
	Running        Status = "Running"
	Suspended      Status = "Suspended"
	Completed      Status = "Completed"
	Failed         Status = "Failed"
	Terminated     Status = "Terminated"
	Canceled       Status = "Canceled"
	ContinuedAsNew Status = "ContinuedAsNew"
)

// Final reports whether an instance in this state has ended.
func (s Status) Final() bool {
	return s == Completed || s == Failed || s == Terminated || s == Canceled
}

// Fails reports whether a run that ended like this has a failure.
func (s Status) Fails() bool { return s.Final() && s != Completed }

// End ends a run (Completed, Failed, Terminated, Canceled) or an execution (ContinuedAsNew).
type End struct {
	Status  Status   `json:"status"`
	Result  Payload  `json:"result,omitempty"`  // Completed
	Failure *Failure `json:"failure,omitempty"` // Failed, Canceled; Terminated with the reason as its message
	Base    *Base    `json:"base,omitempty"`    // ContinuedAsNew
}

// Base is all that the next execution knows of the past. The inbox goes on after Turn.At, not after the record (H8).
type Base struct {
	Start    Start     `json:"start"`                  // the run's start with the new input
	First    Payload   `json:"first,omitempty"`        // the input that the run began with
	Version  *string   `json:"firstVersion,omitempty"` // the version that the run began with; nil: that of Start
	Started  time.Time `json:"started"`
	Began    time.Time `json:"began,omitzero"` // when the execution that ends did; zero: as the run
	Clock    time.Time `json:"clock"`          // running maximum of the inbox time stamps (I8)
	Buffered []Event   `json:"buffered,omitempty"`
	Seen     []SeenID  `json:"seen,omitempty"`
	Paused   bool      `json:"paused,omitempty"` // suspended
	Canceled *Failure  `json:"canceled,omitempty"`
	Held     []Message `json:"held,omitempty"`   // inbox messages kept while suspended
	Status   Payload   `json:"status,omitempty"` // custom status
}

// FirstVersion is the version of an orchestrator whose start says none.
const FirstVersion = "1"

// FirstVersion is the version that the run began with. A base of before that was kept knows only the one that goes on.
func (b *Base) FirstVersion() string {
	if b.Version != nil {
		return *b.Version
	}
	return b.Start.Version
}

// SeenID is an event or control id with the inbox time it was seen at; ids older than a horizon are forgotten.
type SeenID struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// Failure is an error as the log stores it.
type Failure struct {
	Message string   `json:"message"`
	Kind    string   `json:"kind,omitempty"`  // see the Failure kinds; "" for an error that user code returned
	Names   []Named  `json:"names,omitempty"` // registered errors in its tree, outermost first
	Stack   string   `json:"stack,omitempty"` // of a panic
	Name    string   `json:"name,omitempty"`  // activity or orchestrator that failed
	Attempt int      `json:"attempt,omitempty"`
	Slots   []uint32 `json:"slots,omitempty"` // of a run: its activities and children whose failures are in the error's tree
	Cause   *Failure `json:"cause,omitempty"` // failure of the activity or child that this one wraps
	// Sealed is the JSON of all of it as a codec wrote it. Kind, Name, Attempt and Slots stand beside it, the rest does not.
	Sealed Payload `json:"sealed,omitempty"`

	Causes  []*Failure    `json:"causes,omitempty"`  // after Cause, the others that it wraps: joined errors
	Omitted int           `json:"omitted,omitempty"` // of the others, those that there was no room for
	LastErr string        `json:"last,omitempty"`    // text of what ended the attempt before, of a timeout
	After   time.Duration `json:"after,omitempty"`   // the activity's own choice of the delay before the next attempt
	Final   bool          `json:"final,omitempty"`   // another attempt would not mend it
}

// Add appends a failure that f wraps.
func (f *Failure) Add(cause *Failure) {
	if f.Cause == nil {
		f.Cause = cause
		return
	}
	f.Causes = append(f.Causes, cause)
}

// All gives the failures that f wraps, in order.
func (f *Failure) All() []*Failure {
	if f.Cause == nil {
		return f.Causes
	}
	return append([]*Failure{f.Cause}, f.Causes...)
}

// Named is a registered sentinel (Details nil) or typed error (Details is its JSON).
type Named struct {
	Name    string  `json:"name"`
	Details Payload `json:"details,omitempty"`
}

// Kinds of failures that the system makes.
const (
	FailPanic      = "panic"
	FailTimeout    = "timeout"    // of one attempt
	FailDeadline   = "deadline"   // over all attempts
	FailHeartbeat  = "heartbeat"  // an attempt that did not beat
	FailDecode     = "decode"     // a payload that does not fit its type; never retried
	FailPoison     = "poison"     // the worker died on each of several deliveries
	FailConflict   = "conflict"   // the child's id is taken
	FailTerminated = "terminated" // the child was terminated
	FailCanceled   = "canceled"
	FailTooLarge   = "too-large"
	FailNotFound   = "not-found" // an event's receiver is not there
	FailFinished   = "finished"  // an event's receiver has ended
)

// Kind implements Record.
func (*Start) Kind() Kind   { return KindStart }
func (*Done) Kind() Kind    { return KindDone }
func (*Fired) Kind() Kind   { return KindFired }
func (*Event) Kind() Kind   { return KindEvent }
func (*Control) Kind() Kind { return KindControl }
func (*Turn) Kind() Kind    { return KindTurn }
func (*Task) Kind() Kind    { return KindTask }
func (*Timer) Kind() Kind   { return KindTimer }
